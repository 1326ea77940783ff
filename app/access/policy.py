"""The one place where access is decided.

A decision is a SQL condition: the same one filters a list, guards a single read and checks a new row. It is written
for the *shape* of a caller (a kind, a role), who comes in as named parameters: the policy never holds a value, so its
text can be kept and no caller's id, nor the day, can stay behind in it.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
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

from app.access import models
from app.access.entry import DossierEntry, Row
from app.access.facts import (
    ME,
    ONE_ROW,
    ORGANISATION,
    RECEIVER,
    USAGER,
    Extent,
    Opposition,
    StatedPurpose,
    accompanied_by_me,
    alive,
    among,
    i_still_am,
    in_office,
    mandated,
    on_call,
    opened_by_me,
    opposed,
    outer,
    purposes_of_mine,
    structures_where_i_am,
)
from app.access.openings import OnCall, Purpose
from app.access.permissions import (
    EMERGENCY_ROLES,
    STAFF,
    WITHOUT_ROLE,
    Action,
    Category,
    Kind,
    Reach,
    Visibility,
)
from app.access.sharing import granted, handed
from app.access.staff import as_staff, cells_of, one_of
from app.access.withholding import told_again
from app.audit.vocabulary import Ground
from app.kernel.db import Base
from app.kernel.hot import word
from app.security.principal import Caller, Shape

UNIT = table("unit", column("organisation_id", Uuid()), column("id", Uuid()), column("structure_id", Uuid()))
EXCHANGED = table(
    "exchange_row", column("organisation_id", Uuid()), column("exchange_id", Uuid()), column("usager_id", Uuid())
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


@lru_cache(maxsize=SHAPES_KEPT)
def allowed(caller: Shape, action: Action, row: type[Row], extent: Extent = ONE_ROW) -> ColumnElement[bool]:
    """The rows on which such a caller may do `action`; no rule means none (fail closed)."""
    if not issubclass(row, DossierEntry):
        return and_(row.organisation_id == ORGANISATION, alive(), _directory(caller, action, row))
    if extent.person:
        return and_(row.usager_id == extent.the_person, _of_dossier(caller, action, row, extent))
    return _of_dossier(caller, action, row, extent)


def _of_dossier(caller: Shape, action: Action, row: type[DossierEntry], extent: Extent) -> ColumnElement[bool]:
    if caller.role:
        return and_(*_always(caller, action, row), as_staff(caller, caller.role, action, row, extent))
    reaches = [_reach(reach, categories, row, extent) for reach, categories in cells_of(caller, action, row)]
    return and_(*_always(caller, action, row), or_(false(), *reaches))


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
        mine = purposes_of_mine().where(p.usager_id == outer(row, "usager_id")).with_only_columns(said)
        return mine.order_by(p.ends_at.desc()).limit(literal_column("1")).scalar_subquery()
    return null()


@lru_cache(maxsize=SHAPES_KEPT)
def as_sent(caller: Shape, row: type[DossierEntry], then: Any) -> ColumnElement[bool]:
    """The last version that this partner wrote of `row`, where it may not read the row as it stands; `then` is
    `entry_version`, which holds what the policy asks as of that version."""
    return and_(_its_own(row, then), _former(caller, row, then))


@lru_cache(maxsize=SHAPES_KEPT)
def as_handed(caller: Shape, row: type[DossierEntry], then: Any) -> ColumnElement[bool]:
    """The version of `row` that a professional sent to this partner, where it may not read the row as it stands."""
    return and_(_handed_to(row, then), _former(caller, row, then))


@lru_cache(maxsize=SHAPES_KEPT)
def as_before(caller: Shape, row: type[DossierEntry], then: Any, extent: Extent) -> ColumnElement[bool]:
    """Either: of one person's rows, both are asked at once."""
    return and_(or_(_its_own(row, then), _handed_to(row, then, extent)), _former(caller, row, then, extent))


def _its_own(row: type[DossierEntry], then: Any) -> ColumnElement[bool]:
    return and_(then.version == row.origin_version, then.origin_partner_id == ME, row.origin_partner_id == ME)


def _handed_to(row: type[DossierEntry], then: Any, extent: Extent = ONE_ROW) -> ColumnElement[bool]:
    others = row.origin_partner_id.is_distinct_from(ME)  # what it sent itself is told as it sent it
    return and_(others, handed(then.entry_id, then.version, row, extent))


def _former(caller: Shape, row: type[DossierEntry], then: Any, extent: Extent = ONE_ROW) -> ColumnElement[bool]:
    cells = [(reach, c) for reach, categories in cells_of(caller, Action.READ, row) for c in categories]
    open_then = or_(false(), *(then.category == word(c) for reach, c in cells if reach is Reach.SENT_OR_GRANTED))
    beyond = func.coalesce(allowed(caller, Action.READ, row, extent), false())
    return and_(row.organisation_id == ORGANISATION, alive(), open_then, not_(beyond))


def overtaken(caller: Shape, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A row this partner sent, on which the team has written since: what it sends again changes nothing of it."""
    mine = and_(row.origin_partner_id == ME, row.version != row.origin_version)
    return and_(row.organisation_id == ORGANISATION, alive(), mine if caller.kind is Caller.PARTNER else false())


def decides(caller: Shape, row: type[DossierEntry]) -> ColumnElement[bool]:
    """A row that arrived in one of my structures; the act itself is asked of `acts.ACTS`."""
    mine = row.structure_id.in_(structures_where_i_am(caller.role)) if caller.role else false()
    return and_(row.organisation_id == ORGANISATION, alive(), row.origin_partner_id.is_not(None), mine)


def _directory(caller: Shape, action: Action, row: type[Row]) -> ColumnElement[bool]:
    line = STAFF.get(caller.role, {}) if caller.role else WITHOUT_ROLE.get(caller.kind, {})
    still = i_still_am(caller.role) if caller.role else true()
    match line.get((row.KIND, Category.ADMINISTRATIVE, action)):
        case Reach.ORGANISATION:
            return still
        case Reach.STRUCTURE if caller.role:
            return _stands_in(row, structures_where_i_am(caller.role))
        case Reach.SENT:
            return outer(row, "origin_partner_id") == ME
        case Reach.NAMED:
            mine = outer(row, "origin_partner_id") == ME if caller.kind is Caller.PARTNER else false()
            return or_(mine, *(_named_by(caller, row, entry) for entry in _dossier_tables(caller)))
        case Reach.MYSELF if row.KIND is Kind.EXCHANGE:
            return _tells_of_me(row)
        case Reach.ON_DUTY if issubclass(row, models.UnitTeam):
            short = row.ends_at <= row.starts_at + literal_column("interval '24 hours'")
            return and_(still, row.professional_id == ME, row.kind == word("on_duty"), short)
        case _:
            return false()


def _tells_of_me(exchange: type[Row]) -> ColumnElement[bool]:
    """A bundle with a row of the person's, once it was taken or sent; never one sent by law, of which a judge may ask
    that they be not told (field.md §6).
    """
    told = exists().where(EXCHANGED.c.organisation_id == ORGANISATION, EXCHANGED.c.usager_id == USAGER)
    done = outer(exchange, "state").in_([word("accepted"), word("sent")])
    not_by_law = outer(exchange, "ground").is_distinct_from(word(Ground.LOI))
    return and_(done, not_by_law, told.where(EXCHANGED.c.exchange_id == outer(exchange, "id")))


def _stands_in(row: type[Row], mine: Select[Any]) -> ColumnElement[bool]:
    """A row of the directory stands in these structures: whole, when it names several."""
    if issubclass(row, OnCall):
        return outer(row, "structure_ids").bool_op("<@")(func.array(mine.scalar_subquery(), type_=ARRAY(Uuid())))
    if issubclass(row, models.UnitTeam):
        units = select(UNIT.c.id).where(UNIT.c.organisation_id == ORGANISATION, UNIT.c.structure_id.in_(mine))
        return outer(row, "unit_id").in_(units)
    return outer(row, "structure_id").in_(mine)


def _dossier_tables(caller: Shape) -> list[type[DossierEntry]]:
    """Every table of which such a caller may read some rows."""
    mapped = (m.class_ for m in Base.registry.mappers)
    return [t for t in mapped if issubclass(t, DossierEntry) and cells_of(caller, Action.READ, t)]


def _named_by(caller: Shape, party: type[Row], entry: type[DossierEntry]) -> ColumnElement[bool]:
    """An outside party named by a row of this table that the caller may read."""
    named = exists().where(MENTION.c.organisation_id == ORGANISATION, MENTION.c.party_id == outer(party, "id"))
    named = named.where(MENTION.c.kind == word(entry.KIND), entry.id == MENTION.c.entry_id)
    return named.where(entry.deleted_at.is_(None), allowed(caller, Action.READ, entry))


def has_cell(caller: Shape, action: Action, row: type[Row]) -> bool:
    """Whether the matrix says anything for this act, whatever the row: nothing said, it is refused before its faults."""
    line = STAFF.get(caller.role, {}) if caller.role else WITHOUT_ROLE.get(caller.kind, {})
    return any((row.KIND, category, action) in line for category in Category)


def _always(caller: Shape, action: Action, row: type[DossierEntry]) -> list[ColumnElement[bool]]:
    """What holds whatever the reach: the tenant, a living session, and what this kind of caller never meets."""
    rules = [row.organisation_id == ORGANISATION, alive()]
    if action in (Action.UPDATE, Action.DELETE):
        rules.append(row.deleted_at.is_(None))
    match caller.kind:
        case Caller.PROFESSIONAL:
            rules.append(not_(row.held))
            if action is Action.CREATE:
                rules.append(getattr(row, row.WRITTEN_BY) == ME)
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


def _reach(reach: Reach, categories: list[Category], row: type[DossierEntry], extent: Extent) -> ColumnElement[bool]:
    return and_(one_of(categories, row), _within(reach, row, extent))


def _within(reach: Reach, row: type[DossierEntry], extent: Extent) -> ColumnElement[bool]:
    """How far a caller without a role reaches."""
    match reach:
        case Reach.MYSELF:
            mine = or_(row.visibility == word(Visibility.SHARED), row.author_id == ME)
            told = or_(and_(mine, row.visibility != word(Visibility.WITHHELD)), told_again(row))
            return and_(row.usager_id == USAGER, told)
        case Reach.MINE:
            return and_(row.usager_id == USAGER, row.author_id == ME)
        case Reach.MANDATE:
            return and_(
                or_(row.visibility == word(Visibility.SHARED), row.author_id == ME, told_again(row)),
                not_(row.minor_secret),
                mandated(row),
            )
        case Reach.SENT_OR_GRANTED:
            return or_(and_(row.origin_partner_id == ME, row.version == row.origin_version), granted(row, extent))
        case Reach.RECEIVING:
            return and_(row.origin_partner_id == ME, row.structure_id == RECEIVER)
        case _:
            return false()
