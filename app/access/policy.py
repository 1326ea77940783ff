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
    Uuid,
    and_,
    any_,
    case,
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
from sqlalchemy.orm import aliased

from app.access import models
from app.access.entry import DossierEntry, Row
from app.access.facts import (
    ME,
    ORGANISATION,
    RECEIVER,
    USAGER,
    Opposition,
    StatedPurpose,
    accompanied_by_me,
    alive,
    among,
    followed_together,
    here,
    i_still_am,
    in_office,
    mandated,
    narrowed,
    on_call,
    opened_by_me,
    opposed,
    outer,
    purpose_of_mine,
    staying_where_i_am,
    structures_where_i_am,
)
from app.access.openings import Narrowed, Purpose
from app.access.permissions import (
    ACTS,
    COMMON,
    EMERGENCY_ROLES,
    ON_CALL_READS,
    ON_CALL_ROLES,
    STAFF,
    WITHOUT_ROLE,
    Act,
    Action,
    Category,
    Kind,
    Reach,
    Visibility,
)
from app.access.sharing import granted, handed
from app.access.versions import EntryVersion
from app.audit.models import AuditEntry, TrailRelease
from app.audit.vocabulary import Ground, Outcome
from app.kernel.db import Base
from app.kernel.hot import word
from app.security.principal import Caller, Role, Shape

LaterVersion = aliased(EntryVersion, name="later_version")
MENTION = table(
    "outside_party_mention",
    column("organisation_id", Uuid()),
    column("party_id", Uuid()),
    column("kind"),
    column("entry_id", Uuid()),
)

SHAPES_KEPT = 2_000
EMERGENCY_OPENS = (Category.ADMINISTRATIVE, Category.SUPPORT, Category.CARE)
# These two may be written about someone not yet within reach: the newcomer, and whom an emergency opens.
OPENS_A_DOSSIER = frozenset({Kind.USAGER, Kind.EMERGENCY_ACCESS})


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
    ours = and_(AuditEntry.organisation_id == ORGANISATION, alive())
    match caller.kind:
        case Caller.USAGER:
            return and_(ours, AuditEntry.usager_id == USAGER, _may_be_shown())
        case Caller.REPRESENTATIVE:
            mine = and_(
                AuditEntry.usager_id == USAGER, AuditEntry.on_behalf_of == USAGER, AuditEntry.principal_id == ME
            )
            return and_(ours, mine, _may_be_shown())
        case Caller.PROFESSIONAL if caller.role in ACTS[Act.READ_TRAIL]:
            return and_(ours, i_still_am(caller.role))
    return false()


def _may_be_shown() -> ColumnElement[bool]:
    """What the person's page shows of the trail (field.md §6): what was read or written, unless it tells of an alert,
    of a note kept from them, of a judicial or inspection request, and the DPO has not released it. A line that also
    names another row is shown, as it would be without that one.
    """
    mine = EntryVersion.usager_id == USAGER
    ids = select(EntryVersion.entry_id).where(EntryVersion.organisation_id == ORGANISATION, mine, _told_nothing())
    all_hidden = AuditEntry.entry_ids.bool_op("<@")(func.array(ids.scalar_subquery(), type_=ARRAY(Uuid())))
    return and_(AuditEntry.outcome == word(Outcome.SUCCESS), or_(_usual(all_hidden), line_released()))


def line_held_back() -> ColumnElement[bool]:
    """The same told of a line of anyone: the person would not be shown it, were it not released."""
    id = func.unnest(AuditEntry.entry_ids).table_valued(column("id", Uuid())).render_derived(name="told")
    row = EntryVersion
    hidden = exists().where(row.organisation_id == ORGANISATION, row.entry_id == id.c.id, _told_nothing())
    shown = select(literal_column("1")).select_from(id).where(not_(hidden)).exists()
    return and_(AuditEntry.outcome == word(Outcome.SUCCESS), not_(_usual(not_(shown))))


def line_released() -> ColumnElement[bool]:
    r, line = TrailRelease, AuditEntry
    return exists().where(r.organisation_id == ORGANISATION, r.at == line.at, r.line_id == line.id)


def _usual(all_hidden: ColumnElement[bool]) -> ColumnElement[bool]:
    """Nothing in the line is to be held back; `all_hidden`: of each row it names, the person is told nothing."""
    line = AuditEntry
    kept = or_(func.cardinality(line.entry_ids) == literal_column("0"), not_(all_hidden))
    agreed = or_(
        line.role.is_distinct_from(word(Role.EVALUATEUR)), line.ground.is_not_distinct_from(word(Ground.ACCORD))
    )
    not_by_law = and_(line.ground.is_distinct_from(word(Ground.LOI)), agreed)
    return and_(kept, line.kind != word(Kind.ALERT), not_by_law)


def _told_nothing() -> ColumnElement[bool]:
    """A row, as it is today, of which the person is told nothing."""
    row, later = EntryVersion, LaterVersion
    last = ~exists().where(
        later.organisation_id == ORGANISATION, later.entry_id == row.entry_id, later.version > row.version
    )
    papers = and_(row.category == word(Category.JUDICIAL), row.visibility != word(Visibility.SHARED))
    return and_(or_(row.category == word(Category.ALERT), row.visibility == word(Visibility.WITHHELD), papers), last)


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
        urgent = (opened_by_me(row), word(Ground.URGENCE))
        return case(urgent, (on_call(row), word(Ground.ASTREINTE)), else_=null())
    if caller.role and Reach.PURPOSE in STAFF[caller.role].values():
        p = StatedPurpose
        told = {Purpose.INSPECTION: Ground.LOI, Purpose.EVALUATION: Ground.ACCORD}
        said = case(*((p.purpose == word(k), word(g)) for k, g in told.items()), else_=word(Ground.MOTIF))
        newest = purpose_of_mine(row).with_only_columns(said).order_by(p.ends_at.desc()).limit(literal_column("1"))
        return newest.scalar_subquery()
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


@lru_cache(maxsize=SHAPES_KEPT)
def as_handed(caller: Shape, row: type[DossierEntry], then: Any) -> ColumnElement[bool]:
    """The version of `row` that a professional sent to this partner, where it may not read the row as it stands."""
    cells = [(reach, c) for reach, categories in _cells(caller, Action.READ, row) for c in categories]
    open_then = or_(false(), *(then.category == word(c) for reach, c in cells if reach is Reach.SENT_OR_GRANTED))
    others = row.origin_partner_id.is_distinct_from(ME)  # what it sent itself is told as it sent it
    beyond = func.coalesce(allowed(caller, Action.READ, row), false())
    it = and_(handed(then.entry_id, then.version), others, open_then)
    return and_(row.organisation_id == ORGANISATION, alive(), it, not_(beyond))


def overtaken(caller: Shape, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A row this partner sent, on which the team has written since: what it sends again changes nothing of it."""
    mine = and_(row.origin_partner_id == ME, row.version != row.origin_version)
    return and_(row.organisation_id == ORGANISATION, alive(), mine if caller.kind is Caller.PARTNER else false())


def decides(caller: Shape, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A row that arrived in one of my structures; the act itself is asked of `permissions.ACTS`."""
    mine = row.structure_id.in_(structures_where_i_am(caller.role)) if caller.role else false()
    return and_(row.organisation_id == ORGANISATION, alive(), row.origin_partner_id.is_not(None), mine)


def _directory(caller: Shape, action: Action, row: type[Row]) -> ColumnElement[bool]:
    line = STAFF.get(caller.role, {}) if caller.role else WITHOUT_ROLE.get(caller.kind, {})
    still = i_still_am(caller.role) if caller.role else true()
    match line.get((row.KIND, Category.ADMINISTRATIVE, action)):
        case Reach.ORGANISATION:
            return still
        case Reach.STRUCTURE if caller.role:
            return outer(row, "structure_id").in_(structures_where_i_am(caller.role))
        case Reach.SENT:
            return outer(row, "origin_partner_id") == ME
        case Reach.NAMED:
            mine = outer(row, "origin_partner_id") == ME if caller.kind is Caller.PARTNER else false()
            return or_(mine, *(_named_by(caller, row, entry) for entry in _dossier_tables(caller)))
        case Reach.ON_DUTY if issubclass(row, models.UnitTeam):
            short = row.ends_at <= row.starts_at + literal_column("interval '24 hours'")
            return and_(still, row.professional_id == ME, row.kind == word("on_duty"), short)
        case _:
            return false()


def _dossier_tables(caller: Shape) -> list[type[DossierEntry]]:
    """Every table of which such a caller may read some rows."""
    mapped = (m.class_ for m in Base.registry.mappers)
    return [t for t in mapped if issubclass(t, DossierEntry) and _cells(caller, Action.READ, t)]


def _named_by(caller: Shape, party: type[Row], entry: type[DossierEntry]) -> ColumnElement[bool]:
    """An outside party named by a row of this table that the caller may read."""
    named = exists().where(MENTION.c.organisation_id == ORGANISATION, MENTION.c.party_id == outer(party, "id"))
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
            if action is Action.CREATE:
                rules.append(row.author_id == ME)
                if row.KIND not in OPENS_A_DOSSIER:
                    rules.append(_about_someone_i_read(caller, row))
            if row.CATEGORY is not Category.ALERT:  # it says itself who reads it, and no opposition stops the law
                rules.append(or_(row.reserved_to.is_(None), ME == any_(row.reserved_to), row.author_id == ME))
                rules.append(not_(among(outer(row, "usager_id"), opposed(Opposition.professional_id))))
        case Caller.USAGER | Caller.REPRESENTATIVE:
            rules.append(not_(row.held))
            rules.append(row.usager_id == USAGER)
    return rules


def _about_someone_i_read(caller: Shape, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A place of mine is not enough: who knows the id of someone received elsewhere would write themselves in."""
    usager = usager_table()
    known = select(usager.id).where(allowed(caller, Action.READ, usager))
    return outer(row, "usager_id").in_(known)


def usager_table() -> Any:
    """The table of a room above this floor, known once the application is whole."""
    return next(m.class_ for m in Base.registry.mappers if m.class_.__tablename__ == "usager")


def hands_page(caller: Shape, usager: type[DossierEntry]) -> ColumnElement[bool]:
    """Whose page this caller may open to them: who gives a card holds its code, so that whose role reads the dossier as
    a member of the team gives cards to those they accompany only.
    """
    line = STAFF.get(caller.role, {}) if caller.role else {}
    of_team = line.get((Kind.PROJECT, Category.SUPPORT, Action.READ)) is Reach.TEAM
    mine = accompanied_by_me(usager) if of_team else true()
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
                mandated(row),
            )
        case Reach.SENT_OR_GRANTED:
            return or_(and_(row.origin_partner_id == ME, row.version == row.origin_version), granted(row))
        case Reach.RECEIVING:
            return and_(row.origin_partner_id == ME, row.structure_id == RECEIVER)
        case _:
            return false()


def _as_staff(caller: Shape, role: Role, action: Action, row: type[DossierEntry]) -> ColumnElement[bool]:
    """Each fact is asked once, whatever the number of reaches that rest on it: every reading pays for them all."""
    said = dict(_cells(caller, action, row))
    cells = {reach: _one_of(categories, row) for reach, categories in said.items()}
    here_is_mine, still = here(role, row), i_still_am(role)
    near = [and_(cells[Reach.OWN], row.author_id == ME)] if Reach.OWN in cells else []
    if row.CATEGORY is Category.ALERT:
        near += [cells[Reach.STRUCTURE]] if Reach.STRUCTURE in cells else []
        named = _alerted(row) if cells and action is Action.READ else false()
        return or_(and_(still, named), and_(here_is_mine, or_(false(), *near)))
    if Reach.STRUCTURE in cells:
        near.append(and_(cells[Reach.STRUCTURE], _of_all(role, row)))
    mine = _with_me(said, cells, row)
    opened = _opened(role, action, cells, row)
    called = [and_(still, _on_call(role, row))] if action is Action.READ and role in ON_CALL_ROLES else []
    widest = not_(narrowed(role, row, Narrowed.NONE))
    if row.KIND is Kind.EMERGENCY_ACCESS:
        widest = true()  # no house closes an emergency
    if row.KIND not in COMMON:
        there = here_is_mine
        if action is Action.READ and (mine or opened):  # each writes in their own house
            there = or_(there, and_(still, followed_together(role, row)))
        return or_(and_(there, or_(and_(widest, or_(false(), *near, *mine)), *opened)), *called)
    if Reach.STRUCTURE in cells:
        staying = outer(row, "usager_id").in_(staying_where_i_am(role))
        mine.append(and_(cells[Reach.STRUCTURE], staying, _of_all(role, row)))
    usual = or_(and_(here_is_mine, or_(false(), *near)), and_(still, or_(false(), *mine)))
    return or_(and_(widest, usual), and_(still, or_(false(), *opened)), *called)


def _of_all(role: Role, row: type[DossierEntry]) -> ColumnElement[bool]:
    """Everyone of the structure, unless the house keeps this role to those it accompanies."""
    return or_(not_(narrowed(role, row, Narrowed.TEAM)), accompanied_by_me(row))


def _with_me(
    said: dict[Reach, list[Category]], cells: dict[Reach, ColumnElement[bool]], row: type[DossierEntry]
) -> list[ColumnElement[bool]]:
    """What I read or do of those I accompany."""
    told = [cells[Reach.TEAM]] if Reach.TEAM in cells else []
    if Reach.TEAM_CONSIGNE in cells:
        told.append(and_(cells[Reach.TEAM_CONSIGNE], row.consigne))
    as_referent = None
    if Reach.REFERENT in cells:
        told.append(cells[Reach.REFERENT])
        as_referent = or_(*(outer(row, "category") == word(c) for c in said[Reach.REFERENT]))
    return [and_(or_(*told), accompanied_by_me(row, as_referent))] if told else []


def _opened(
    role: Role, action: Action, cells: dict[Reach, ColumnElement[bool]], row: type[DossierEntry]
) -> list[ColumnElement[bool]]:
    """What an emergency of mine opens, or a purpose that I stated."""
    told = [and_(cells[Reach.PURPOSE], purpose_of_mine(row).exists())] if Reach.PURPOSE in cells else []
    if action is Action.READ and role in EMERGENCY_ROLES:
        told.append(and_(_opens_in_emergency(role, row), opened_by_me(row)))
    return told


def _on_call(role: Role, row: type[DossierEntry]) -> ColumnElement[bool]:
    """What a night may ask, of what the role reads: the consignes, what is important, some kinds whole."""
    known = [c for c in EMERGENCY_OPENS if (row.KIND, c, Action.READ) in STAFF[role]]
    told = and_(_one_of(known, row), row.consigne)
    if row.KIND in ON_CALL_READS:
        told = or_(told, _one_of(_whole(role, row), row))
    elif "important" in row.__table__.columns:
        told = or_(told, and_(_one_of(_whole(role, row), row), outer(row, "important")))
    return and_(told, on_call(row))


def _alerted(row: type[DossierEntry]) -> ColumnElement[bool]:
    """I wrote the alert, or it names me: wherever I work. Nothing else opens it but the direction's cell."""
    return and_(row.category == word(Category.ALERT), or_(row.author_id == ME, ME == any_(row.reserved_to)))


def _opens_in_emergency(role: Role, row: type[DossierEntry]) -> ColumnElement[bool]:
    """The role's own reading, and the consignes; never judicial, never alert."""
    never = and_(row.category != word(Category.JUDICIAL), row.category != word(Category.ALERT))
    return and_(never, or_(_one_of(_whole(role, row), row), row.consigne))


def _whole(role: Role, row: type[DossierEntry]) -> list[Category]:
    """The categories that the role reads of this kind as such, whoever they are about."""
    reaches = (Reach.TEAM, Reach.STRUCTURE)
    return [c for c in EMERGENCY_OPENS if STAFF[role].get((row.KIND, c, Action.READ)) in reaches]
