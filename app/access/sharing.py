"""What a partner may read of a person: what they said yes to, as narrow as their other answers make it."""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import DATERANGE
from sqlalchemy.orm import aliased

from app.access import models
from app.access.entry import DossierEntry
from app.access.facts import (
    ME,
    NOW,
    ONE_ROW,
    ORGANISATION,
    Extent,
    Opposition,
    about_one_of,
    among,
    lasts,
    opposed,
    outer,
    running,
)
from app.access.once import Once
from app.access.withholding import kept
from app.audit.vocabulary import Ground
from app.kernel.hot import word

SharingConsent = aliased(models.SharingConsent, name="fact_consent")
Handover = aliased(models.Handover, name="fact_handover")
Handed = aliased(models.HandoverRow, name="handed")
HandedLater = aliased(models.HandoverRow, name="handed_later")
OtherConsent = aliased(models.SharingConsent, name="fact_other_consent")
NoConsent = aliased(models.SharingConsent, name="fact_no")
ACCEPTED = table(
    "partner_structure", column("organisation_id", Uuid()), column("partner_id", Uuid()), column("structure_id", Uuid())
)


def granted(row: type[DossierEntry], extent: Extent = ONE_ROW) -> ColumnElement[bool]:
    """A yes to this partner covers the row, and no other answer to a question of sharing with it narrows that one."""
    yes, other = _asked_of_one(extent.person) if extent.person else (SharingConsent, OtherConsent)
    narrower = or_(
        and_(other.answer.in_([word("no"), word("disagreement")]), _covers(other, row)),
        and_(other.answer == word("yes"), _overlap(yes, other), not_(_covers(other, row))),
    )
    narrowed = exists().where(_about(other, row, extent), narrower).correlate(yes)
    covered = exists().where(_about(yes, row, extent), yes.answer == word("yes"), _covers(yes, row), not_(narrowed))
    open_to_others = and_(not_(row.held), row.reserved_to.is_(None), not_(kept(row)))
    return and_(open_to_others, covered, not_(opposed_by(row, extent)), _accepted_there(row))


def _about(s: Any, row: type[DossierEntry], extent: Extent) -> ColumnElement[bool]:
    """A question of sharing this category with this partner, asked of this person, that runs today."""
    this = outer(row, "category") == any_(s.categories)
    return this if extent.person else and_(_asked(s, outer(row, "usager_id")), this)


@lru_cache
def _asked_of_one(person: str) -> tuple[Any, Any]:
    """Of one person's rows the questions are found once, beside all the tables, under the two names they have here."""
    s = SharingConsent
    columns = (s.answer, s.categories, s.kinds, s.data_from, s.data_until)
    asked = select(*columns).where(_asked(s, bindparam(person, type_=Uuid()))).cte("asked_of_one")
    yes, other = (aliased(models.SharingConsent, asked.alias(name), adapt_on_names=True) for name in ("yes", "other"))
    return yes, other


def _asked(s: Any, usager: Any) -> ColumnElement[bool]:
    """A question of sharing with this partner, asked of this person, that runs today."""
    return and_(
        s.organisation_id == ORGANISATION,
        s.partner_id == ME,
        s.usager_id == usager,
        s.kind == word("partage"),
        s.withdrawn_at.is_(None) | (s.answer != word("yes")),
        running(s),
        lasts(s),
        s.deleted_at.is_(None),
        not_(s.held),
    )


def _covers(s: Any, row: type[DossierEntry]) -> ColumnElement[bool]:
    day = cast(func.timezone(word("Europe/Paris"), outer(row, "occurred_at")), Date())
    period = and_(or_(s.data_from.is_(None), day >= s.data_from), or_(s.data_until.is_(None), day < s.data_until))
    return and_(period, or_(s.kinds.is_(None), word(row.KIND) == any_(s.kinds)))


def _overlap(one: Any, other: Any) -> ColumnElement[bool]:
    """Two consents that have nothing in common do not disagree: they add up."""
    kinds = or_(one.kinds.is_(None), other.kinds.is_(None), one.kinds.op("&&")(other.kinds))
    return and_(kinds, _data_period(one).op("&&")(_data_period(other)))


def _data_period(s: Any) -> Any:
    return func.daterange(s.data_from, s.data_until, type_=DATERANGE())


def _accepted_there(row: type[DossierEntry]) -> ColumnElement[bool]:
    """The partner is bound to the structures that accepted it."""
    mine = and_(ACCEPTED.c.organisation_id == ORGANISATION, ACCEPTED.c.partner_id == ME)
    places = select(ACCEPTED.c.structure_id).where(mine)
    return among(outer(row, "structure_id"), places)


def opposed_by(row: type[DossierEntry], extent: Extent = ONE_ROW) -> ColumnElement[bool]:
    """A partner may be opposed by many: asked of this person only."""
    return about_one_of(opposed(Opposition.partner_id), row, extent)


def said_no(usager: Any, partner: Any) -> ColumnElement[bool]:
    """A question of sharing with this partner stands at no, or at a disagreement between parents: nothing leaves."""
    s = NoConsent
    asked = and_(s.organisation_id == ORGANISATION, s.partner_id == partner, s.usager_id == usager)
    no = and_(s.kind == word("partage"), s.answer.in_([word("no"), word("disagreement")]))
    return exists().where(asked, no, running(s), s.deleted_at.is_(None), not_(s.held))


def handed(entry_id: Any, version: Any, row: type[DossierEntry], extent: Extent = ONE_ROW) -> ColumnElement[bool]:
    """A professional sent this version of the row to this partner, and no later one. What the partner kept stays theirs;
    our door closes at its end, when it is stopped, and when the person opposes it or who decides for them says no,
    unless the law or their life asked. What was sent by agreement is read as long as that agreement covers it (`granted`).
    """
    h, later, act = Handed, HandedLater, Handover
    mine = and_(h.organisation_id == ORGANISATION, h.partner_id == ME, h.entry_id == entry_id, h.version == version)
    since = exists().where(
        later.organisation_id == ORGANISATION,
        later.partner_id == ME,
        later.entry_id == h.entry_id,
        later.version > h.version,
    )
    whatever = act.ground.in_([word(Ground.LOI), word(Ground.VITAL)])
    runs = and_(act.stopped_at.is_(None), or_(act.ends_at.is_(None), act.ends_at > NOW))
    sent = and_(act.organisation_id == ORGANISATION, act.id == h.handover_id, runs)
    by_team = act.ground.in_([word(Ground.EQUIPE), word(Ground.ECHANGE)])
    said = Once(said_no(extent.the_person, ME)) if extent.person else said_no(outer(row, "usager_id"), ME)
    sent = and_(sent, or_(whatever, and_(by_team, not_(opposed_by(row, extent)), not_(said))))
    return exists().where(mine, not_(since.correlate(h)), sent)


def handed_under(entry_id: Any, version: Any) -> ColumnElement[Any]:
    """The ground that this professional gave; of the last one, when it was sent twice."""
    h, act = Handed, Handover
    mine = and_(h.organisation_id == ORGANISATION, h.partner_id == ME, h.entry_id == entry_id, h.version == version)
    told = select(act.ground).where(act.organisation_id == ORGANISATION, act.id == h.handover_id, mine)
    return told.order_by(act.id.desc()).limit(literal_column("1")).scalar_subquery()
