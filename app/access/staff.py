"""How far staff reach: the matrix, and the facts that open or close beyond it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    any_,
    false,
    not_,
    or_,
    true,
    union,
)

from app.access.entry import DossierEntry
from app.access.facts import (
    ME,
    ONE_ROW,
    Extent,
    about_one_of,
    accompanied_by_me,
    followed_together,
    here,
    i_still_am,
    narrowed,
    on_call,
    opened_by_me,
    outer,
    places_followed_together,
    places_of_mine,
    places_on_call,
    purposes_of_mine,
    staying_where_i_am,
)
from app.access.openings import Narrowed
from app.access.permissions import (
    COMMON,
    DAILY,
    EMERGENCY_ROLES,
    ON_CALL_READS,
    ON_CALL_ROLES,
    STAFF,
    WITHOUT_ROLE,
    Action,
    Category,
    Kind,
    Reach,
)
from app.kernel.hot import word
from app.security.principal import Role, Shape

EMERGENCY_OPENS = (Category.ADMINISTRATIVE, Category.SUPPORT, Category.CARE)


def cells_of(caller: Shape, action: Action, row: type[DossierEntry]) -> list[tuple[Reach, list[Category]]]:
    line = STAFF.get(caller.role, {}) if caller.role else WITHOUT_ROLE.get(caller.kind, {})
    grouped: dict[Reach, list[Category]] = defaultdict(list)
    for category in Category:
        if reach := line.get((row.KIND, category, action)):
            grouped[reach].append(category)
    return list(grouped.items())


def one_of(categories: Iterable[Category], row: type[DossierEntry]) -> ColumnElement[bool]:
    return or_(false(), *(row.category == word(c) for c in categories))


def as_staff(
    caller: Shape, role: Role, action: Action, row: type[DossierEntry], extent: Extent = ONE_ROW
) -> ColumnElement[bool]:
    """Each fact is asked once, whatever the number of reaches that rest on it: every reading pays for them all."""
    said = dict(cells_of(caller, action, row))
    cells = {reach: one_of(categories, row) for reach, categories in said.items()}
    here_is_mine, still = here(role, row), i_still_am(role)
    near = [and_(cells[Reach.OWN], row.author_id == ME)] if Reach.OWN in cells else []
    if row.CATEGORY is Category.ALERT:
        near += [cells[Reach.STRUCTURE]] if Reach.STRUCTURE in cells else []
        named = _alerted(row) if cells and action is Action.READ else false()
        return or_(and_(still, named), and_(here_is_mine, or_(false(), *near)))
    if Reach.STRUCTURE in cells:
        near.append(and_(cells[Reach.STRUCTURE], _of_all(role, row, extent)))
    mine = _with_me(said, cells, row, extent)
    opened = _opened(role, action, cells, row, extent)
    called = [and_(still, _on_call(role, row))] if action is Action.READ and role in ON_CALL_ROLES else []
    widest = not_(narrowed(role, row, Narrowed.NONE))
    if row.KIND is Kind.EMERGENCY_ACCESS:
        widest = true()  # no house closes an emergency
    if row.KIND not in COMMON:
        there = here_is_mine
        if action is Action.READ and (mine or opened):  # each writes in their own house
            there = or_(there, and_(still, followed_together(role, row, extent)))
        return or_(and_(there, or_(and_(or_(false(), *near, *mine), widest), *opened)), *called)
    if Reach.STRUCTURE in cells:
        staying = about_one_of(staying_where_i_am(role), row, extent)
        mine.append(and_(cells[Reach.STRUCTURE], staying, _of_all(role, row, extent)))
    usual = or_(and_(here_is_mine, or_(false(), *near)), and_(still, or_(false(), *mine)))
    return or_(and_(usual, widest), and_(still, or_(false(), *opened)), *called)


def places_of(row: type[DossierEntry]) -> Select[Any] | None:
    """Every structure of whose rows staff may read some: what grows each day is taken from these, by their own index,
    not from the whole organisation. None: of what stays few. It opens nothing, each row is judged all the same.
    """
    if row.KIND not in DAILY:
        return None
    return union(places_of_mine(), places_followed_together(), places_on_call()).subquery("place").select()


def _of_all(role: Role, row: type[DossierEntry], extent: Extent) -> ColumnElement[bool]:
    """Everyone of the structure, unless the house keeps this role to those it accompanies."""
    return or_(not_(narrowed(role, row, Narrowed.TEAM)), accompanied_by_me(row, extent=extent))


def _with_me(
    said: dict[Reach, list[Category]], cells: dict[Reach, ColumnElement[bool]], row: type[DossierEntry], extent: Extent
) -> list[ColumnElement[bool]]:
    """What I read or do of those I accompany."""
    told = [cells[Reach.TEAM]] if Reach.TEAM in cells else []
    if Reach.TEAM_CONSIGNE in cells:
        told.append(and_(cells[Reach.TEAM_CONSIGNE], row.consigne))
    as_referent = None
    if Reach.REFERENT in cells:
        told.append(cells[Reach.REFERENT])
        as_referent = or_(*(outer(row, "category") == word(c) for c in said[Reach.REFERENT]))
    return [and_(or_(*told), accompanied_by_me(row, as_referent, extent))] if told else []


def _opened(
    role: Role, action: Action, cells: dict[Reach, ColumnElement[bool]], row: type[DossierEntry], extent: Extent
) -> list[ColumnElement[bool]]:
    """What an emergency of mine opens, or a purpose that I stated."""
    told = [and_(cells[Reach.PURPOSE], about_one_of(purposes_of_mine(), row, extent))] if Reach.PURPOSE in cells else []
    if action is Action.READ and role in EMERGENCY_ROLES:
        told.append(and_(_opens_in_emergency(role, row), opened_by_me(row)))
    return told


def _on_call(role: Role, row: type[DossierEntry]) -> ColumnElement[bool]:
    """What a night may ask, of what the role reads: the consignes, what is important, some kinds whole."""
    known = [c for c in EMERGENCY_OPENS if (row.KIND, c, Action.READ) in STAFF[role]]
    told = and_(one_of(known, row), row.consigne)
    if row.KIND in ON_CALL_READS:
        told = or_(told, one_of(_whole(role, row), row))
    elif "important" in row.__table__.columns:
        told = or_(told, and_(one_of(_whole(role, row), row), outer(row, "important")))
    return and_(told, on_call(row))


def _alerted(row: type[DossierEntry]) -> ColumnElement[bool]:
    """I wrote the alert, or it names me: wherever I work. Nothing else opens it but the direction's cell."""
    return and_(row.category == word(Category.ALERT), or_(row.author_id == ME, ME == any_(row.reserved_to)))


def _opens_in_emergency(role: Role, row: type[DossierEntry]) -> ColumnElement[bool]:
    """The role's own reading, and the consignes; never judicial, never alert."""
    never = and_(row.category != word(Category.JUDICIAL), row.category != word(Category.ALERT))
    return and_(never, or_(one_of(_whole(role, row), row), row.consigne))


def _whole(role: Role, row: type[DossierEntry]) -> list[Category]:
    """The categories that the role reads of this kind as such, whoever they are about."""
    reaches = (Reach.TEAM, Reach.STRUCTURE)
    return [c for c in EMERGENCY_OPENS if STAFF[role].get((row.KIND, c, Action.READ)) in reaches]
