"""What a decision rests on: who calls, in which place, with whom, since when and until when.

Conditions over the tables of facts; they take their values from named parameters (`facts`).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
    tuple_,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased

from app.access import models, openings
from app.access.entry import DossierEntry, Row
from app.access.models import STAY, MembershipStructure
from app.access.once import Once
from app.access.openings import Narrowed
from app.kernel.clock import now, today
from app.kernel.hot import word
from app.security.principal import Partner, Principal, Professional, Representative, Role, Shape, UsagerSelf

# The facts under names of their own: the row judged may stand in the same table.
Membership = aliased(models.Membership, name="fact_membership")
UnitTeam = aliased(models.UnitTeam, name="fact_unit_team")
TeamMember = aliased(models.TeamMember, name="fact_team")
Opposition = aliased(models.Opposition, name="fact_opposition")
Mandate = aliased(models.Mandate, name="fact_mandate")
Consigne = aliased(models.Consigne, name="fact_consigne")
StatedPurpose = aliased(openings.StatedPurpose, name="fact_purpose")
AgreedPurpose = aliased(models.SharingConsent, name="fact_agreed_purpose")
SharedTeam = aliased(openings.SharedTeam, name="fact_shared_team")
Narrowing = aliased(openings.Narrowing, name="fact_narrowing")
OnCall = aliased(openings.OnCall, name="fact_on_call")
EmergencyAccess = aliased(models.EmergencyAccess, name="fact_emergency")
STAYING = STAY.alias("fact_stay")
ORGANISATION = bindparam("organisation", type_=Uuid())
ME = bindparam("me", type_=Uuid())
USAGER = bindparam("me_usager", type_=Uuid())
MEMBERSHIP = bindparam("membership", type_=Uuid())
RECEIVER = bindparam("receiver", type_=Uuid())
SESSION = bindparam("session", type_=Uuid())
TODAY = bindparam("today", type_=Date())
NOW = bindparam("now", type_=DateTime(timezone=True))
LIVING = table("session", column("id", Uuid()), column("revoked_at"), column("expires_at", DateTime(timezone=True)))


@dataclass(frozen=True, slots=True)
class Extent:
    """Of which rows a condition is asked. It says the same of each; but what is cheap of one row is not of thousands."""

    many: bool = False
    person: str | None = None  # the parameter that names the one person whom all of them are about

    @property
    def the_person(self) -> ColumnElement[Any] | None:
        return bindparam(self.person, type_=Uuid()) if self.person else None


ONE_ROW, MANY_ROWS = Extent(), Extent(many=True)


def facts(principal: Principal) -> dict[str, object]:
    """The values of the parameters above, for this request."""
    values: dict[str, object] = {
        "organisation": principal.organisation_id,
        "me": principal.id,
        "session": principal.session_id,
        "today": today(),
        "now": now(),
    }
    match principal:
        case Professional():
            values["membership"] = principal.membership_id
        case UsagerSelf() | Representative():
            values["me_usager"] = principal.usager_id
        case Partner():
            values["receiver"] = principal.structure_id
    return values


def alive() -> ColumnElement[bool]:
    """The session of this caller was neither revoked nor outlived."""
    return Once(exists().where(LIVING.c.id == SESSION, LIVING.c.revoked_at.is_(None), LIVING.c.expires_at > NOW))


def here(role: Role, row: type[Row]) -> ColumnElement[bool]:
    """The row stands in a structure of my membership."""
    return and_(among(outer(row, "structure_id"), places_of_mine()), i_still_am(role))


def places_of_mine() -> Select[Any]:
    places = select(MembershipStructure.structure_id).where(MembershipStructure.organisation_id == ORGANISATION)
    return places.where(MembershipStructure.membership_id == MEMBERSHIP)


def among(value: ColumnElement[Any], few: Select[Any]) -> ColumnElement[bool]:
    """One of a few that hang on the caller alone: found once a statement, where EXISTS is asked again for each row."""
    return value == any_(_array(few))


def _array(few: Select[Any], kind: Any = Uuid) -> ColumnElement[Any]:
    return Once(_gathered(few, kind))


def _gathered(few: Select[Any], kind: Any = Uuid) -> ColumnElement[Any]:
    return func.array(few.scalar_subquery(), type_=ARRAY(kind()))


def about_one_of(people: Select[Any], row: type[DossierEntry], extent: Extent) -> ColumnElement[bool]:
    """The row is about one of these persons. Of many rows they are found once, and kept at hand; of one person's rows
    the question is asked once; of one row only that person is looked for.
    """
    usager = outer(row, "usager_id")
    if extent.many:
        return usager.in_(people)
    [of] = people.selected_columns
    if extent.person:
        return Once(people.where(of == extent.the_person).exists())
    return people.where(of == usager).exists()


def in_office(caller: Shape) -> ColumnElement[bool]:
    """The membership this session names still runs, and so does the session."""
    return and_(alive(), i_still_am(caller.role) if caller.role else false())


def at_work(caller: Shape) -> ColumnElement[bool]:
    """The same, and the membership names the structure `at`."""
    here = among(bindparam("at", type_=Uuid()), structures_where_i_am(caller.role)) if caller.role else false()
    return and_(in_office(caller), here)


def _my_membership(role: Role) -> Select[Any]:
    mine = select(Membership.id).where(Membership.organisation_id == ORGANISATION, Membership.id == MEMBERSHIP)
    return mine.where(
        Membership.professional_id == ME,
        Membership.role == word(role),
        running(Membership),
        Membership.deleted_at.is_(None),
    )


def i_still_am(role: Role) -> ColumnElement[bool]:
    return Once(_my_membership(role).exists())


def structures_where_i_am(role: Role) -> Select[Any]:
    places = select(MembershipStructure.structure_id).where(MembershipStructure.organisation_id == ORGANISATION)
    return places.where(MembershipStructure.membership_id.in_(_my_membership(role)))


def staying_where_i_am(role: Role) -> Select[Any]:
    stays = select(STAYING.c.usager_id).where(STAYING.c.organisation_id == ORGANISATION, _open_stay())
    return stays.where(STAYING.c.structure_id.in_(structures_where_i_am(role)))


def _open_stay() -> ColumnElement[bool]:
    today_there = and_(STAYING.c.starts <= TODAY, or_(STAYING.c.ends.is_(None), STAYING.c.ends > TODAY))
    return and_(today_there, STAYING.c.deleted_at.is_(None), not_(STAYING.c.held))


def accompanied_by_me(
    row: type[DossierEntry], as_referent: ColumnElement[bool] | None = None, extent: Extent = ONE_ROW
) -> ColumnElement[bool]:
    """By name, or because I work in the unit of an open stay. A row of which `as_referent` holds asks more: that I am
    the named référent.
    """
    named = select(TeamMember.usager_id).where(TeamMember.organisation_id == ORGANISATION)
    named = named.where(TeamMember.professional_id == ME, running(TeamMember), TeamMember.deleted_at.is_(None))
    on = and_(UnitTeam.starts_at <= NOW, or_(UnitTeam.ends_at.is_(None), UnitTeam.ends_at > NOW))
    unit = select(STAYING.c.usager_id).where(
        UnitTeam.organisation_id == ORGANISATION, UnitTeam.professional_id == ME, on
    )
    unit = unit.where(UnitTeam.deleted_at.is_(None), STAYING.c.organisation_id == ORGANISATION, _open_stay())
    unit = unit.where(STAYING.c.unit_id == UnitTeam.unit_id)
    as_any = or_(about_one_of(named, row, extent), about_one_of(unit, row, extent))
    if as_referent is None:
        return as_any
    return or_(and_(not_(as_referent), as_any), about_one_of(named.where(TeamMember.referent), row, extent))


def opened_by_me(row: type[DossierEntry]) -> ColumnElement[bool]:
    """I opened this usager's dossier in an emergency that still runs."""
    e = EmergencyAccess
    mine = select(e.usager_id).where(e.organisation_id == ORGANISATION, e.professional_id == ME, e.deleted_at.is_(None))
    return among(outer(row, "usager_id"), mine.where(e.starts_at <= NOW, e.ends_at > NOW, e.closed_at.is_(None)))


def purposes_of_mine() -> Select[Any]:
    """The persons whose dossier I read for a purpose now; an evaluation lasts no longer than the person's yes."""
    p, c = StatedPurpose, AgreedPurpose
    agreed = exists().where(c.organisation_id == ORGANISATION, c.id == p.consent_id, c.answer == word("yes"))
    agreed = agreed.where(c.withdrawn_at.is_(None), running(c), lasts(c), c.deleted_at.is_(None))
    mine = select(p.usager_id).where(p.organisation_id == ORGANISATION, p.professional_id == ME, p.deleted_at.is_(None))
    mine = mine.where(p.starts_at <= NOW, p.ends_at > NOW)
    return mine.where(p.closed_at.is_(None), or_(p.consent_id.is_(None), agreed))


def followed_together(role: Role, row: type[DossierEntry], extent: Extent = ONE_ROW) -> ColumnElement[bool]:
    """The structure of this row and one of mine follow this person together, who was told and did not oppose it."""
    t, usager, place = SharedTeam, outer(row, "usager_id"), outer(row, "structure_id")
    theirs = _followed_together().where(t.structure_ids.bool_op("&&")(_array(structures_where_i_am(role))))
    if extent.many:
        return tuple_(usager, place).in_(theirs.with_only_columns(t.usager_id, *theirs.selected_columns))
    if extent.person:
        return among(place, theirs.where(t.usager_id == extent.the_person))
    return place == any_(_gathered(theirs.where(t.usager_id == usager)))


def places_followed_together() -> Select[Any]:
    """Where someone whom one of my structures follows may have rows too."""
    return _followed_together().where(SharedTeam.structure_ids.bool_op("&&")(_array(places_of_mine())))


def _followed_together() -> Select[Any]:
    t = SharedTeam
    theirs = select(func.unnest(t.structure_ids, type_=Uuid())).where(t.organisation_id == ORGANISATION, running(t))
    return theirs.where(t.opposed_at.is_(None), t.deleted_at.is_(None))


def on_call(row: type[DossierEntry]) -> ColumnElement[bool]:
    """I am on call for the structure of this row."""
    return among(outer(row, "structure_id"), places_on_call())


def places_on_call() -> Select[Any]:
    c = OnCall
    mine = select(func.unnest(c.structure_ids, type_=Uuid())).where(c.organisation_id == ORGANISATION)
    return mine.where(c.professional_id == ME, c.starts_at <= NOW, c.ends_at > NOW, c.deleted_at.is_(None))


def narrowed(role: Role, row: type[DossierEntry], to: Narrowed) -> ColumnElement[bool]:
    """The structure of this row narrows my role to that, for its category or its kind."""
    n = Narrowing
    said = select(_joined(n.structure_id, n.category, n.of_kind))  # no kind: all of them
    said = said.where(n.organisation_id == ORGANISATION, n.role == word(role), n.to == word(to), n.deleted_at.is_(None))
    kinds: tuple[ColumnElement[Any], ...] = (literal_column("NULL"), word(row.KIND))
    these = array([_joined(outer(row, "structure_id"), outer(row, "category"), kind) for kind in kinds])
    return these.bool_op("&&")(_array(said, Text))


def _joined(*parts: Any) -> ColumnElement[str]:
    return func.concat_ws(literal_column("':'", Text()), *parts, type_=Text())


def mandated(row: type[DossierEntry]) -> ColumnElement[bool]:
    m = Mandate
    valid = and_(running(m), m.deleted_at.is_(None), m.confirmed_at.is_not(None), not_(m.held))
    mine = exists().where(m.organisation_id == ORGANISATION, m.contact_id == ME, m.usager_id == USAGER, valid)
    return and_(mine.where(outer(row, "category") == any_(m.opens)), not_(Once(_restricted())))


def _restricted() -> ColumnElement[bool]:
    """A decision of justice closes my access to this person: it wins over every mandate, confirmed or not yet."""
    c = Consigne
    mine = exists().where(c.organisation_id == ORGANISATION, c.contact_id == ME, c.usager_id == USAGER, c.closes_access)
    return mine.where(running(c), c.lifted_at.is_(None), c.deleted_at.is_(None))


def outer(row: type[Row], name: str) -> ColumnElement[Any]:
    """A column of the row judged, from inside a fact: as text, since an INSERT's RETURNING correlates nothing."""
    column_of = row.__table__.columns[name]
    return literal_column(f"{row.__tablename__}.{name}", column_of.type)


def opposed(against: Any) -> Select[Any]:
    """The persons who oppose this caller today."""
    o = Opposition
    valid = and_(running(o), o.deleted_at.is_(None), not_(o.held))
    return select(o.usager_id).where(o.organisation_id == ORGANISATION, against == ME, valid)


def lasts(consent: Any) -> ColumnElement[bool]:
    """What parents allowed ends with their authority, at 00:00 in Paris, whoever looks or does not (C. civ. 414)."""
    return or_(consent.lapses_on.is_(None), consent.lapses_on > TODAY)


def running(fact: Any) -> ColumnElement[bool]:
    return and_(fact.starts <= TODAY, or_(fact.ends.is_(None), fact.ends > TODAY))
