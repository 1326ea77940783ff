"""Questions, declared once at import: the policy and the trail written into one statement, kept compiled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from msgspec.structs import fields
from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Text,
    Uuid,
    asc,
    bindparam,
    case,
    cast,
    desc,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.util import find_tables
from sqlalchemy.types import NullType

from app.access.acts import Act
from app.access.entry import DossierEntry, OfPlace, Readable, Row, View
from app.access.facts import MANY_ROWS, ONE_ROW, ORGANISATION, Extent, alive, at_work, in_office
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT, allowed, ground
from app.access.staff import places_of
from app.access.versions import StoredUsagerKey
from app.audit import trail
from app.audit.vocabulary import Outcome
from app.kernel.hot import HotQuery, compiled
from app.security.principal import Shape


@dataclass(frozen=True, eq=False)
class Listing:
    """A question declared once, at import, its values named; known by identity, so that its text can be kept.

    `usager` names the parameter that holds the usager asked for, so that an empty answer still tells about whom.
    """

    where: ColumnElement[bool]
    order: tuple[str, ...] = ("id",)
    newest_first: bool = True
    when_none: Outcome | None = Outcome.EMPTY  # None: nothing is said, another question follows
    usager: str | None = None
    deleted_too: bool = False
    one: bool = False  # by its id: nothing to order, to cut or to gather
    few: bool = False  # rows named by their ids, or by what they belong to

    @property
    def extent(self) -> Extent:
        """`usager` is more than a word for the trail: rows about anyone else are left out."""
        if self.one or self.few:
            return ONE_ROW
        return Extent(person=self.usager) if self.usager else MANY_ROWS


@dataclass(frozen=True)
class Part:
    """Rows that belong to another by their column `link`, told with it (`Reading.whole`)."""

    view: type[View]
    link: str
    order: tuple[str, ...] = ("occurred_at", "id")


@lru_cache
def by_id(row: type[Row]) -> Listing:
    return Listing(row.id == bindparam("id", type_=Uuid()), when_none=Outcome.REFUSED, deleted_too=True, one=True)


@lru_cache
def if_there(row: type[Row]) -> Listing:
    return Listing(row.id == bindparam("id", type_=Uuid()), when_none=None, deleted_too=True, one=True)


@lru_cache(maxsize=1_000)
def beyond(row: type[Row], listing: Listing) -> Listing:
    """The same question, beyond the last row given."""
    columns = [getattr(row, name) for name in listing.order]
    last = tuple_(*(bindparam(f"after_{name}", type_=c.type) for name, c in zip(listing.order, columns, strict=True)))
    further = tuple_(*columns) < last if listing.newest_first else tuple_(*columns) > last
    return Listing(
        listing.where & further,
        listing.order,
        listing.newest_first,
        listing.when_none,
        listing.usager,
        listing.deleted_too,
    )


def question(caller: Shape, action: Action, view: type[View], listing: Listing) -> Select[Any]:
    """The rows within reach as `view` wants them, and their trace, in one statement."""
    if listing.one:
        found = _within(caller, action, view, listing).cte("found")
        traced = trail.traced(found, caller, action, view.TABLE.KIND, listing.when_none, _asked(listing), one=True)
        return select(found.c.gone, *_told(found, view)).add_cte(traced.cte("traced"))
    found = _found(caller, action, view, listing, bindparam("limit", type_=Integer())).cte("found")
    traced = trail.traced(found, caller, action, view.TABLE.KIND, listing.when_none, _asked(listing))
    told = select(found.c.gone, *_told(found, view)).order_by(*_turned(found, listing))
    return told.add_cte(traced.cte("traced"))


def _found(
    caller: Shape, action: Action, view: type[View], listing: Listing, limit: ColumnElement[int] | None = None
) -> Select[Any]:
    """The first rows within reach, in the order asked for; all of them when `limit` is None."""
    within = _within(caller, action, view, listing)
    turn = desc if listing.newest_first else asc
    within = within.order_by(*(turn(getattr(view.TABLE, name)) for name in listing.order))
    if limit is None:
        return within
    return first_of_places(caller, view.TABLE, listing.extent, within, lambda each: _turned(each, listing), limit)


def first_of_places(
    caller: Shape,
    row: type[Row],
    extent: Extent,
    within: Select[Any],
    turned: Callable[[Any], Sequence[ColumnElement[Any]]],
    limit: ColumnElement[int],
) -> Select[Any]:
    """The first rows of an ordered question; of many rows, the first of each place that such a caller reads, then of all."""
    within = within.limit(limit)
    places = places_of(row) if extent.many and caller.role and issubclass(row, DossierEntry) else None
    if places is None:
        return within
    place = places.subquery("place")
    each = within.where(row.__table__.c.structure_id == place.c[0]).lateral("each")
    return select(each).select_from(place.join(each, true())).order_by(*turned(each)).limit(limit)


def _within(caller: Shape, action: Action, view: type[View], listing: Listing) -> Select[Any]:
    row = view.TABLE
    within = select(
        *(column_of(caller, view, name).label(f"v_{name}") for name in view.__struct_fields__),
        *(getattr(row, name).label(f"o_{name}") for name in listing.order),
        row.id.label("id"),
        (row.usager_id if issubclass(row, DossierEntry) else literal_column("NULL::uuid")).label("usager_id"),
        row.deleted_at.is_not(None).label("gone"),
        ground(caller, row).label("ground"),
    )
    within = within.where(judged(caller, listing.where), allowed(caller, action, row, listing.extent))
    if not listing.deleted_too:
        within = within.where(row.deleted_at.is_(None))
    return within


def _asked(listing: Listing) -> ColumnElement[Any]:
    return bindparam(listing.usager, type_=Uuid()) if listing.usager else literal_column("NULL::uuid")


def _turned(found: Any, listing: Listing) -> list[ColumnElement[Any]]:
    turn = desc if listing.newest_first else asc
    return [turn(found.c[f"o_{name}"]) for name in listing.order]


def _told(found: CTE, view: type[View]) -> list[ColumnElement[Any]]:
    return [plain(found.c[f"v_{name}"]) for name in view.__struct_fields__]


def question_of_whole(caller: Shape, view: type[View], listing: Listing, parts: Sequence[Part]) -> CompoundSelect[Any]:
    """The first row of `listing` and the rows that belong to it, each judged by the policy of its own table and traced
    under its own kind, in one statement: which view (0: the row itself), whether it is gone, the view's values.
    """
    main = _found(caller, Action.READ, view, listing, literal_column("1", Integer())).cte("found")
    theirs = select(main.c.id).where(not_(main.c.gone))
    listings = [
        Listing(getattr(p.view.TABLE, p.link).in_(theirs), p.order, newest_first=False, few=True) for p in parts
    ]
    founds = [main] + [
        _found(caller, Action.READ, part.view, each).cte(f"found_{n}")
        for n, (part, each) in enumerate(zip(parts, listings, strict=True), 1)
    ]
    views = [view, *(part.view for part in parts)]
    told = union_all(
        *(
            select(
                literal_column(str(n), Integer()).label("part"),
                func.row_number().over(order_by=_turned(found, each)).label("place"),
                found.c.gone.label("gone"),
                func.row(*_told(found, of), type_=NullType()).label("told"),
            )
            for n, (found, of, each) in enumerate(zip(founds, views, [listing, *listings], strict=True))
        )
    ).order_by("part", "place")
    for n, (found, of) in enumerate(zip(founds, views, strict=True)):
        none = None if n else listing.when_none  # the row itself tells when nothing left
        traced = trail.traced(found, caller, Action.READ, of.TABLE.KIND, none, _asked(listing))
        told = told.add_cte(traced.cte(f"traced_{n}"))
    return told


def judged(caller: Shape, told: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same, the policy in the place of each `Readable`."""
    if not any(isinstance(each, Readable) for each in visitors.iterate(told)):
        return told

    def policy(element: Any, **_: Any) -> ColumnElement[Any] | None:
        return allowed(caller, Action.READ, element.row) if isinstance(element, Readable) else None

    written: ColumnElement[Any] = visitors.replacement_traverse(told, {}, policy)
    return written


def column_of(caller: Shape, view: type[View], name: str) -> ColumnElement[Any]:
    if name == "wrapped_key":  # looked up only for a row that has something sealed
        row: Any = view.TABLE
        k = StoredUsagerKey
        key = select(k.wrapped).where(k.organisation_id == ORGANISATION, k.usager_id == row.usager_id)
        return case((has_sealed(row), key.scalar_subquery()), else_=null())
    if name not in view.COMPUTED:
        stored: ColumnElement[Any] = getattr(view.TABLE, name)
        return stored
    computed = view.COMPUTED[name]
    told = judged(caller, computed.of(view.TABLE) if isinstance(computed, OfPlace) else computed)
    yes_or_no = any(field.name == name and field.type is bool for field in fields(view))
    return func.coalesce(told, false()) if yes_or_no else told  # of what is unknown SQL says neither


def has_sealed(row: Any) -> ColumnElement[bool]:
    return or_(*(getattr(row, each).is_not(None) for each in ("extra", *row.SEALED)))


def plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Uuid):
        return cast(column, Text)
    if isinstance(column.type, ARRAY) and isinstance(column.type.item_type, Uuid):
        return cast(column, ARRAY(Text()))
    return column


@lru_cache(maxsize=SHAPES_KEPT)
def hot(caller: Shape, action: Action, view: type[View], listing: Listing) -> HotQuery:
    return compiled(question(caller, action, view, listing))


@lru_cache(maxsize=SHAPES_KEPT)
def hot_whole(caller: Shape, view: type[View], listing: Listing, parts: tuple[Part, ...]) -> HotQuery:
    return compiled(question_of_whole(caller, view, listing, parts))


_NONE: ColumnElement[Any] = literal_column("NULL::uuid")


def _nothing() -> CTE:
    """What left, when nothing did."""
    return select(_NONE.label("id"), _NONE.label("usager_id"), null().label("ground")).where(false()).cte("left")


@lru_cache(maxsize=SHAPES_KEPT)
def line_of_refusal(caller: Shape, action: str, kind: str) -> HotQuery:
    line = trail.traced(_nothing(), caller, action, kind, Outcome.REFUSED, _NONE)
    return compiled(select(literal_column("1")).add_cte(line.cte("traced")))


@lru_cache(maxsize=SHAPES_KEPT)
def lookout(caller: Shape, view: type[View], listing: Listing) -> HotQuery:
    row: Any = view.TABLE
    within = select(*(plain(column_of(caller, view, name)).label(name) for name in view.__struct_fields__))
    within = within.where(listing.where, row.organisation_id == ORGANISATION, in_office(caller))
    within = within.where(row.deleted_at.is_(None), not_(row.held)).limit(bindparam("limit", type_=Integer()))
    traced = trail.traced(_nothing(), caller, Act.LOOK_FOR_DOUBLE, row.KIND, Outcome.EMPTY, _NONE)
    return compiled(within.add_cte(traced.cte("traced")))


@lru_cache
def still_alive() -> HotQuery:
    return compiled(select(alive()))


@lru_cache
def hot_public(statement: Select[Any]) -> HotQuery:
    """Raises ValueError for a table of organisations: the policy alone opens these."""
    if any("organisation_id" in table.c for lot in statement.get_final_froms() for table in find_tables(lot)):
        raise ValueError("This table is not public.")
    return compiled(statement)


@lru_cache
def still_in_office(caller: Shape) -> HotQuery:
    return compiled(select(in_office(caller)))


@lru_cache
def still_at_work(caller: Shape) -> HotQuery:
    return compiled(select(at_work(caller)))
