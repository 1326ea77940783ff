"""The one place where access is decided.

A decision is a SQL condition: the same one filters a list, guards a single read and checks a new row. It is written
for the *shape* of a caller (a kind, a role), who comes in as named parameters: the policy never holds a value, so its
text can be kept and no caller's id, nor the day, can stay behind in it.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    DateTime,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import DATERANGE
from sqlalchemy.orm import aliased

from app.access import models
from app.access.entry import DossierEntry, Row
from app.access.models import STAY, MembershipStructure
from app.access.permissions import (
    ACTS,
    COMMON,
    EMERGENCY_ROLES,
    STAFF,
    WITHOUT_ROLE,
    Act,
    Action,
    Category,
    Kind,
    Reach,
    Visibility,
)
from app.access.versions import EntryVersion
from app.audit.models import AuditEntry
from app.audit.vocabulary import Ground, Outcome
from app.kernel.clock import now, today
from app.kernel.db import Base
from app.kernel.hot import word
from app.security.principal import Caller, Partner, Principal, Professional, Representative, Role, Shape, UsagerSelf

# The facts under names of their own: the row judged may stand in the same table.
Membership = aliased(models.Membership, name="fact_membership")
UnitTeam = aliased(models.UnitTeam, name="fact_unit_team")
TeamMember = aliased(models.TeamMember, name="fact_team")
SharingConsent = aliased(models.SharingConsent, name="fact_consent")
OtherConsent = aliased(models.SharingConsent, name="fact_other_consent")
Opposition = aliased(models.Opposition, name="fact_opposition")
Mandate = aliased(models.Mandate, name="fact_mandate")
EmergencyAccess = aliased(models.EmergencyAccess, name="fact_emergency")
LaterVersion = aliased(EntryVersion, name="later_version")
STAYING = STAY.alias("fact_stay")
ACCEPTED = table(
    "partner_structure", column("organisation_id", Uuid()), column("partner_id", Uuid()), column("structure_id", Uuid())
)
MENTION = table(
    "outside_party_mention",
    column("organisation_id", Uuid()),
    column("party_id", Uuid()),
    column("kind"),
    column("entry_id", Uuid()),
)

SHAPES_KEPT = 2_000
# These two may be written about someone not yet within reach: the newcomer, and whom an emergency opens.
OPENS_A_DOSSIER = frozenset({Kind.USAGER, Kind.EMERGENCY_ACCESS})
ORGANISATION = bindparam("organisation", type_=Uuid())
ME = bindparam("me", type_=Uuid())
USAGER = bindparam("me_usager", type_=Uuid())
MEMBERSHIP = bindparam("membership", type_=Uuid())
RECEIVER = bindparam("receiver", type_=Uuid())
SESSION = bindparam("session", type_=Uuid())
TODAY = bindparam("today", type_=Date())
NOW = bindparam("now", type_=DateTime(timezone=True))
LIVING = table("session", column("id", Uuid()), column("revoked_at"), column("expires_at", DateTime(timezone=True)))


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
    return exists().where(LIVING.c.id == SESSION, LIVING.c.revoked_at.is_(None), LIVING.c.expires_at > NOW)


@lru_cache(maxsize=SHAPES_KEPT)
def allowed(caller: Shape, action: Action, row: type[Row]) -> ColumnElement[bool]:
    """The rows on which such a caller may do `action`; no rule means none (fail closed)."""
    if not issubclass(row, DossierEntry):
        return and_(row.organisation_id == ORGANISATION, alive(), _directory(caller, action, row))
    if caller.role:
        return and_(*_always(caller, action, row), _as_staff(caller, caller.role, action, row))
    reaches = [_reach(reach, categories, row) for reach, categories in _cells(caller, action, row)]
    return and_(*_always(caller, action, row), or_(false(), *reaches))


def trail_open(caller: Shape) -> ColumnElement[bool]:
    """The lines of the trail such a caller may read: about themselves, of their own visits, or all for the DPO."""
    here = and_(AuditEntry.organisation_id == ORGANISATION, alive())
    match caller.kind:
        case Caller.USAGER:
            return and_(here, AuditEntry.usager_id == USAGER, _may_be_shown())
        case Caller.REPRESENTATIVE:
            mine = and_(
                AuditEntry.usager_id == USAGER, AuditEntry.on_behalf_of == USAGER, AuditEntry.principal_id == ME
            )
            return and_(here, mine, _may_be_shown())
        case Caller.PROFESSIONAL if caller.role in ACTS[Act.READ_TRAIL]:
            return and_(here, _i_still_am(caller.role))
    return false()


def _may_be_shown() -> ColumnElement[bool]:
    """What the person's page shows of the trail (field.md §6): what was read or written, unless it tells of an alert,
    of a note kept from them, of a judicial or inspection request. A line that also names another row is shown, as it
    would be without that one.
    """
    line = AuditEntry
    kept = or_(func.cardinality(line.entry_ids) == literal_column("0"), not_(line.entry_ids.bool_op("<@")(_hidden())))
    not_by_law = and_(line.ground.is_distinct_from(word(Ground.LOI)), line.role.is_distinct_from(word(Role.EVALUATEUR)))
    return and_(line.outcome == word(Outcome.SUCCESS), not_by_law, kept)


def _hidden() -> ColumnElement[Any]:
    """The rows of this dossier of which the person is told nothing, by what they are today."""
    row, later = EntryVersion, LaterVersion
    last = ~exists().where(
        later.organisation_id == ORGANISATION, later.entry_id == row.entry_id, later.version > row.version
    )
    papers = and_(row.category == word(Category.JUDICIAL), row.visibility != word(Visibility.SHARED))
    told_nothing = or_(row.category == word(Category.ALERT), row.visibility == word(Visibility.WITHHELD), papers)
    ids = select(row.entry_id).where(row.organisation_id == ORGANISATION, row.usager_id == USAGER, told_nothing, last)
    return func.array(ids.scalar_subquery(), type_=ARRAY(Uuid()))


@lru_cache(maxsize=SHAPES_KEPT)
def ground(caller: Shape, row: type[Row]) -> ColumnElement[Any]:
    """Under what a row within reach is read: nothing to say inside the team, else the ground that opened it.

    While an emergency access of this caller to this usager runs, every reading of theirs says so.
    """
    if not issubclass(row, DossierEntry):
        return null()
    if caller.kind is Caller.PARTNER:
        return case((row.origin_partner_id == ME, null()), else_=word(Ground.ACCORD))
    if caller.role in EMERGENCY_ROLES:
        return case((_opened_by_me(row), word(Ground.URGENCE)), else_=null())
    return null()


@lru_cache(maxsize=SHAPES_KEPT)
def as_sent(caller: Shape, row: type[DossierEntry], then: Any) -> ColumnElement[bool]:
    """The last version that this partner wrote of `row`, where it may not read the row as it stands; `then` is
    `entry_version`, which holds what the policy asks as of that version."""
    its_own = and_(then.version == row.origin_version, then.origin_partner_id == ME, row.origin_partner_id == ME)
    cells = [(reach, c) for reach, categories in _cells(caller, Action.READ, row) for c in categories]
    open_then = or_(false(), *(then.category == word(c) for reach, c in cells if reach is Reach.SENT_OR_GRANTED))
    beyond = func.coalesce(allowed(caller, Action.READ, row), false())
    return and_(row.organisation_id == ORGANISATION, alive(), its_own, open_then, not_(beyond))


def overtaken(caller: Shape, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A row this partner sent, on which the team has written since: what it sends again changes nothing of it."""
    mine = and_(row.origin_partner_id == ME, row.version != row.origin_version)
    return and_(row.organisation_id == ORGANISATION, alive(), mine if caller.kind is Caller.PARTNER else false())


def decides(caller: Shape, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A row that arrived in one of my structures; the act itself is asked of `permissions.ACTS`."""
    here = row.structure_id.in_(_structures_where_i_am(caller.role)) if caller.role else false()
    return and_(row.organisation_id == ORGANISATION, alive(), row.origin_partner_id.is_not(None), here)


def _directory(caller: Shape, action: Action, row: type[Row]) -> ColumnElement[bool]:
    line = STAFF.get(caller.role, {}) if caller.role else WITHOUT_ROLE.get(caller.kind, {})
    here = _i_still_am(caller.role) if caller.role else true()
    match line.get((row.KIND, Category.ADMINISTRATIVE, action)):
        case Reach.ORGANISATION:
            return here
        case Reach.STRUCTURE if caller.role:
            return _outer(row, "structure_id").in_(_structures_where_i_am(caller.role))
        case Reach.SENT:
            return _outer(row, "origin_partner_id") == ME
        case Reach.NAMED:
            mine = _outer(row, "origin_partner_id") == ME if caller.kind is Caller.PARTNER else false()
            return or_(mine, *(_named_by(caller, row, entry) for entry in _dossier_tables(caller)))
        case Reach.ON_DUTY if issubclass(row, models.UnitTeam):
            short = row.ends_at <= row.starts_at + literal_column("interval '24 hours'")
            return and_(here, row.professional_id == ME, row.kind == word("on_duty"), short)
        case _:
            return false()


def _dossier_tables(caller: Shape) -> list[type[DossierEntry]]:
    """Every table of which such a caller may read some rows."""
    mapped = (m.class_ for m in Base.registry.mappers)
    return [t for t in mapped if issubclass(t, DossierEntry) and _cells(caller, Action.READ, t)]


def _named_by(caller: Shape, party: type[Row], entry: type[DossierEntry]) -> ColumnElement[bool]:
    """An outside party named by a row of this table that the caller may read."""
    named = exists().where(MENTION.c.organisation_id == ORGANISATION, MENTION.c.party_id == _outer(party, "id"))
    named = named.where(MENTION.c.kind == word(entry.KIND), entry.id == MENTION.c.entry_id)
    return named.where(entry.deleted_at.is_(None), allowed(caller, Action.READ, entry))


def has_cell(caller: Shape, action: Action, row: type[Row]) -> bool:
    """Whether the matrix says anything for this act, whatever the row: nothing said, it is refused before its faults."""
    line = STAFF.get(caller.role, {}) if caller.role else WITHOUT_ROLE.get(caller.kind, {})
    return any((row.KIND, category, action) in line for category in Category)


def _cells(caller: Shape, action: Action, row: type[DossierEntry]) -> list[tuple[Reach, list[Category]]]:
    line = STAFF.get(caller.role, {}) if caller.role else WITHOUT_ROLE.get(caller.kind, {})
    grouped: dict[Reach, list[Category]] = defaultdict(list)
    for category in Category:
        if reach := line.get((row.KIND, category, action)):
            grouped[reach].append(category)
    return list(grouped.items())


def _always(caller: Shape, action: Action, row: type[DossierEntry]) -> list[ColumnElement[bool]]:
    """What holds whatever the reach: the tenant, a living session, and what this kind of caller never meets."""
    rules = [row.organisation_id == ORGANISATION, alive()]
    if action in (Action.UPDATE, Action.DELETE):
        rules.append(row.deleted_at.is_(None))
    match caller.kind:
        case Caller.PROFESSIONAL:
            rules.append(not_(row.held))
            rules.append(or_(row.reserved_to.is_(None), ME == any_(row.reserved_to), row.author_id == ME))
            if action is Action.CREATE:
                rules.append(row.author_id == ME)
                if row.KIND not in OPENS_A_DOSSIER:
                    rules.append(_about_someone_i_read(caller, row))
            rules.append(not_(_among(_outer(row, "usager_id"), _opposed(Opposition.professional_id))))
        case Caller.USAGER | Caller.REPRESENTATIVE:
            rules.append(not_(row.held))
            rules.append(row.usager_id == USAGER)
    return rules


def _about_someone_i_read(caller: Shape, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A place of mine is not enough: who knows the id of someone received elsewhere would write themselves in."""
    usager = usager_table()
    known = select(usager.id).where(allowed(caller, Action.READ, usager))
    return _outer(row, "usager_id").in_(known)


def usager_table() -> Any:
    """The table of a room above this floor, known once the application is whole."""
    return next(m.class_ for m in Base.registry.mappers if m.class_.__tablename__ == "usager")


def hands_page(caller: Shape, usager: type[DossierEntry]) -> ColumnElement[bool]:
    """Whose page this caller may open to them: who gives a card holds its code, so that whose role reads the dossier as
    a member of the team gives cards to those they accompany only.
    """
    line = STAFF.get(caller.role, {}) if caller.role else {}
    of_team = line.get((Kind.PROJECT, Category.SUPPORT, Action.READ)) is Reach.TEAM
    mine = _accompanied_by_me(usager) if of_team else true()
    return and_(allowed(caller, Action.READ, usager), in_office(caller), usager.deleted_at.is_(None), mine)


def _reach(reach: Reach, categories: list[Category], row: type[DossierEntry]) -> ColumnElement[bool]:
    return and_(_one_of(categories, row), _within(reach, row))


def _one_of(categories: Iterable[Category], row: type[DossierEntry]) -> ColumnElement[bool]:
    return or_(false(), *(row.category == word(c) for c in categories))


def _within(reach: Reach, row: type[DossierEntry]) -> ColumnElement[bool]:
    """How far a caller without a role reaches."""
    match reach:
        case Reach.MYSELF:
            mine = or_(row.visibility == word(Visibility.SHARED), row.author_id == ME)
            return and_(row.usager_id == USAGER, mine, row.visibility != word(Visibility.WITHHELD))
        case Reach.MANDATE:
            return and_(
                or_(row.visibility == word(Visibility.SHARED), row.author_id == ME),
                not_(row.minor_secret),
                _mandated(row),
            )
        case Reach.SENT_OR_GRANTED:
            return or_(and_(row.origin_partner_id == ME, row.version == row.origin_version), _granted(row))
        case Reach.RECEIVING:
            return and_(row.origin_partner_id == ME, row.structure_id == RECEIVER)
        case _:
            return false()


def _as_staff(caller: Shape, role: Role, action: Action, row: type[DossierEntry]) -> ColumnElement[bool]:
    """Each fact is asked once, whatever the number of reaches that rest on it: every reading pays for them all."""
    cells = {reach: _one_of(categories, row) for reach, categories in _cells(caller, action, row)}
    near = [cells[Reach.STRUCTURE]] if Reach.STRUCTURE in cells else []
    if Reach.OWN in cells:
        near.append(and_(cells[Reach.OWN], row.author_id == ME))
    with_me = [cells[Reach.TEAM]] if Reach.TEAM in cells else []
    if Reach.TEAM_CONSIGNE in cells:
        with_me.append(and_(cells[Reach.TEAM_CONSIGNE], row.consigne))
    mine = [and_(or_(*with_me), _accompanied_by_me(row))] if with_me else []
    if action is Action.READ and role in EMERGENCY_ROLES:
        mine.append(and_(_opens_in_emergency(role, row), _opened_by_me(row)))
    if row.KIND not in COMMON:
        return and_(_here(role, row), or_(false(), *near, *mine))
    if Reach.STRUCTURE in cells:
        mine.append(and_(cells[Reach.STRUCTURE], _outer(row, "usager_id").in_(_staying_where_i_am(role))))
    return or_(and_(_here(role, row), or_(false(), *near)), and_(_i_still_am(role), or_(false(), *mine)))


def _here(role: Role, row: type[Row]) -> ColumnElement[bool]:
    """The row stands in a structure of my membership."""
    places = select(MembershipStructure.structure_id).where(MembershipStructure.organisation_id == ORGANISATION)
    places = places.where(MembershipStructure.membership_id == MEMBERSHIP)
    return and_(_among(_outer(row, "structure_id"), places), _i_still_am(role))


def _among(value: ColumnElement[Any], few: Select[Any]) -> ColumnElement[bool]:
    """One of a few that hang on the caller alone: found once a statement, where EXISTS is asked again for each row."""
    return value == any_(func.array(few.scalar_subquery(), type_=ARRAY(Uuid())))


def in_office(caller: Shape) -> ColumnElement[bool]:
    """The membership this session names still runs, and so does the session."""
    return and_(alive(), _i_still_am(caller.role) if caller.role else false())


def _my_membership(role: Role) -> Select[Any]:
    mine = select(Membership.id).where(Membership.organisation_id == ORGANISATION, Membership.id == MEMBERSHIP)
    return mine.where(
        Membership.professional_id == ME,
        Membership.role == word(role),
        _running(Membership),
        Membership.deleted_at.is_(None),
    )


def _i_still_am(role: Role) -> ColumnElement[bool]:
    return _my_membership(role).exists()


def _structures_where_i_am(role: Role) -> Select[Any]:
    places = select(MembershipStructure.structure_id).where(MembershipStructure.organisation_id == ORGANISATION)
    return places.where(MembershipStructure.membership_id.in_(_my_membership(role)))


def _staying_where_i_am(role: Role) -> Select[Any]:
    stays = select(STAYING.c.usager_id).where(STAYING.c.organisation_id == ORGANISATION, _open_stay())
    return stays.where(STAYING.c.structure_id.in_(_structures_where_i_am(role)))


def _open_stay() -> ColumnElement[bool]:
    running = and_(STAYING.c.starts <= TODAY, or_(STAYING.c.ends.is_(None), STAYING.c.ends > TODAY))
    return and_(running, STAYING.c.deleted_at.is_(None), not_(STAYING.c.held))


def _accompanied_by_me(row: type[DossierEntry]) -> ColumnElement[bool]:
    """By name, or because I work in the unit of an open stay."""
    usager = _outer(row, "usager_id")
    named = exists().where(TeamMember.organisation_id == ORGANISATION, TeamMember.professional_id == ME)
    named = named.where(TeamMember.usager_id == usager, _running(TeamMember), TeamMember.deleted_at.is_(None))
    on = and_(UnitTeam.starts_at <= NOW, or_(UnitTeam.ends_at.is_(None), UnitTeam.ends_at > NOW))
    unit = exists().where(UnitTeam.organisation_id == ORGANISATION, UnitTeam.professional_id == ME, on)
    unit = unit.where(UnitTeam.deleted_at.is_(None), STAYING.c.organisation_id == ORGANISATION, _open_stay())
    unit = unit.where(STAYING.c.unit_id == UnitTeam.unit_id, STAYING.c.usager_id == usager)
    return or_(named, unit)


def _opens_in_emergency(role: Role, row: type[DossierEntry]) -> ColumnElement[bool]:
    """The role's own reading, and the consignes; never judicial, never alert."""
    usual = (Reach.TEAM, Reach.STRUCTURE)
    open_to = (Category.ADMINISTRATIVE, Category.SUPPORT, Category.CARE)
    known = [c for c in open_to if STAFF[role].get((row.KIND, c, Action.READ)) in usual]
    never = and_(row.category != word(Category.JUDICIAL), row.category != word(Category.ALERT))
    return and_(never, or_(_one_of(known, row), row.consigne))


def _opened_by_me(row: type[DossierEntry]) -> ColumnElement[bool]:
    """I opened this usager's dossier in an emergency that still runs."""
    e = EmergencyAccess
    mine = select(e.usager_id).where(e.organisation_id == ORGANISATION, e.professional_id == ME, e.deleted_at.is_(None))
    return _among(_outer(row, "usager_id"), mine.where(e.starts_at <= NOW, e.ends_at > NOW, e.closed_at.is_(None)))


def _mandated(row: type[DossierEntry]) -> ColumnElement[bool]:
    m = Mandate
    running = and_(_running(m), m.deleted_at.is_(None), m.confirmed_at.is_not(None), not_(m.held))
    mine = exists().where(m.organisation_id == ORGANISATION, m.contact_id == ME, m.usager_id == USAGER, running)
    return mine.where(_outer(row, "category") == any_(m.opens))


def _granted(row: type[DossierEntry]) -> ColumnElement[bool]:
    """A yes to this partner covers the row, and no other answer to a question of sharing with it narrows that one."""
    yes, other = SharingConsent, OtherConsent
    narrower = or_(
        and_(other.answer.in_([word("no"), word("disagreement")]), _covers(other, row)),
        and_(other.answer == word("yes"), _overlap(yes, other), not_(_covers(other, row))),
    )
    narrowed = exists().where(_asked_of(other, row), narrower).correlate(yes)
    covered = exists().where(_asked_of(yes, row), yes.answer == word("yes"), _covers(yes, row), not_(narrowed))
    open_to_others = and_(not_(row.held), row.reserved_to.is_(None), row.visibility != word(Visibility.WITHHELD))
    return and_(open_to_others, covered, not_(_opposed_by(row)), _accepted_there(row))


def _asked_of(s: Any, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A question of sharing this category with this partner, asked of this person, that runs today."""
    asked = and_(s.organisation_id == ORGANISATION, s.partner_id == ME, s.usager_id == _outer(row, "usager_id"))
    asked = and_(asked, s.kind == word("partage"), _outer(row, "category") == any_(s.categories))
    return and_(
        asked, s.withdrawn_at.is_(None) | (s.answer != word("yes")), _running(s), s.deleted_at.is_(None), not_(s.held)
    )


def _covers(s: Any, row: type[DossierEntry]) -> ColumnElement[bool]:
    day = cast(func.timezone(word("Europe/Paris"), _outer(row, "occurred_at")), Date())
    period = and_(or_(s.data_from.is_(None), day >= s.data_from), or_(s.data_until.is_(None), day < s.data_until))
    return and_(period, or_(s.kinds.is_(None), word(row.KIND) == any_(s.kinds)))


def _overlap(one: Any, other: Any) -> ColumnElement[bool]:
    """Two consents that have nothing in common do not disagree: they add up."""
    kinds = or_(one.kinds.is_(None), other.kinds.is_(None), one.kinds.op("&&")(other.kinds))
    return and_(kinds, _data_period(one).op("&&")(_data_period(other)))


def _data_period(s: Any) -> Any:
    return func.daterange(s.data_from, s.data_until, type_=DATERANGE())


def _outer(row: type[Row], name: str) -> ColumnElement[Any]:
    """A column of the row judged, from inside a fact: as text, since an INSERT's RETURNING correlates nothing."""
    column_of = row.__table__.columns[name]
    return literal_column(f"{row.__tablename__}.{name}", column_of.type)


def _accepted_there(row: type[DossierEntry]) -> ColumnElement[bool]:
    """The partner is bound to the structures that accepted it."""
    mine = and_(ACCEPTED.c.organisation_id == ORGANISATION, ACCEPTED.c.partner_id == ME)
    places = select(ACCEPTED.c.structure_id).where(mine)
    return row.structure_id.in_(places)


def _opposed(against: Any) -> Select[Any]:
    """The persons who oppose this caller today."""
    o = Opposition
    running = and_(_running(o), o.deleted_at.is_(None), not_(o.held))
    return select(o.usager_id).where(o.organisation_id == ORGANISATION, against == ME, running)


def _opposed_by(row: type[DossierEntry]) -> ColumnElement[bool]:
    """A partner may be opposed by many: asked of this person only."""
    mine = _opposed(Opposition.partner_id).where(Opposition.usager_id == _outer(row, "usager_id"))
    return mine.exists()


def _running(fact: Any) -> ColumnElement[bool]:
    return and_(fact.starts <= TODAY, or_(fact.ends.is_(None), fact.ends > TODAY))
