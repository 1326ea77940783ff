"""Looking: the policy decides, the trail records, in one statement kept compiled, on the hot lane."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
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
    select,
    tuple_,
    union_all,
)
from sqlalchemy.types import NullType

from app.access.entry import DossierEntry, Row, View
from app.access.permissions import ACTS, Act, Action
from app.access.policy import ORGANISATION, SHAPES_KEPT, alive, allowed, facts, ground, in_office
from app.access.versions import StoredUsagerKey
from app.audit import trail
from app.audit.vocabulary import Call, Outcome
from app.kernel.crypto import Keyring
from app.kernel.errors import DuiError, Forbidden, Gone, NotFound, Unauthenticated
from app.kernel.hot import HotLane, HotQuery, compiled
from app.security.principal import Principal, Professional, Shape

V = TypeVar("V", bound=View)
NOT_FOUND = "Cet élément n'existe pas, ou n'est pas à votre portée."
LOOKED_AT = 500  # homonyms and persons born the same day, in one organisation
ENDED = "Votre session est terminée. Connectez-vous à nouveau."


class Refused(DuiError):
    """The policy said no; carries what the trail needs to remember."""

    action: str = Action.READ
    kind: str = ""
    ids: tuple[UUID, ...] = ()
    usager_id: UUID | None = None


class OutOfReach(Refused, NotFound):
    """Told as "not found", so as not to reveal that it exists."""


class MayNot(Refused, Forbidden):
    pass


def refused(
    kind_of: type[Refused],
    action: str,
    kind: str,
    ids: Collection[UUID] = (),
    *,
    usager_id: UUID | None = None,
    where: str | None = None,
) -> Refused:
    words = NOT_FOUND if issubclass(kind_of, OutOfReach) else "Votre rôle ne permet pas ce geste ici."
    no = kind_of(words, where=where)
    no.action, no.kind, no.ids, no.usager_id = action, kind, tuple(ids), usager_id
    return no


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


@dataclass(frozen=True)
class Part:
    """Rows that belong to another by their column `link`, told with it (`Reading.whole`)."""

    view: type[View]
    link: str
    order: tuple[str, ...] = ("occurred_at", "id")


Whole = tuple[V, tuple[Sequence[Any], ...]]  # a row, then the rows of each part


@lru_cache
def _by_id(row: type[Row]) -> Listing:
    return Listing(row.id == bindparam("id", type_=Uuid()), when_none=Outcome.REFUSED, deleted_too=True, one=True)


@lru_cache
def _if_there(row: type[Row]) -> Listing:
    return Listing(row.id == bindparam("id", type_=Uuid()), when_none=None, deleted_too=True, one=True)


@lru_cache(maxsize=1_000)
def _after(row: type[Row], listing: Listing) -> Listing:
    """The same question, beyond the last row given."""
    columns = [getattr(row, name) for name in listing.order]
    last = tuple_(*(bindparam(f"after_{name}", type_=c.type) for name, c in zip(listing.order, columns, strict=True)))
    beyond = tuple_(*columns) < last if listing.newest_first else tuple_(*columns) > last
    return Listing(
        listing.where & beyond,
        listing.order,
        listing.newest_first,
        listing.when_none,
        listing.usager,
        listing.deleted_too,
    )


def question(caller: Shape, action: Action, view: type[View], listing: Listing) -> Select[Any]:
    """The rows within reach as `view` wants them, and their trace, in one statement."""
    if listing.one:
        found = _found(caller, action, view, listing).order_by(None).cte("found")
        traced = trail.traced(found, caller, action, view.TABLE.KIND, listing.when_none, _asked(listing), one=True)
        return select(found.c.gone, *_told(found, view)).add_cte(traced.cte("traced"))
    found = _found(caller, action, view, listing).limit(bindparam("limit", type_=Integer())).cte("found")
    traced = trail.traced(found, caller, action, view.TABLE.KIND, listing.when_none, _asked(listing))
    told = select(found.c.gone, *_told(found, view)).order_by(*_turned(found, listing))
    return told.add_cte(traced.cte("traced"))


def _found(caller: Shape, action: Action, view: type[View], listing: Listing) -> Select[Any]:
    row = view.TABLE
    within = select(
        *(_column(view, name).label(f"v_{name}") for name in view.__struct_fields__),
        *(getattr(row, name).label(f"o_{name}") for name in listing.order),
        row.id.label("id"),
        (row.usager_id if issubclass(row, DossierEntry) else literal_column("NULL::uuid")).label("usager_id"),
        row.deleted_at.is_not(None).label("gone"),
        ground(caller, row).label("ground"),
    )
    within = within.where(listing.where, allowed(caller, action, row))
    if not listing.deleted_too:
        within = within.where(row.deleted_at.is_(None))
    turn = desc if listing.newest_first else asc
    return within.order_by(*(turn(getattr(row, name)) for name in listing.order))


def _asked(listing: Listing) -> ColumnElement[Any]:
    return bindparam(listing.usager, type_=Uuid()) if listing.usager else literal_column("NULL::uuid")


def _turned(found: CTE, listing: Listing) -> list[ColumnElement[Any]]:
    turn = desc if listing.newest_first else asc
    return [turn(found.c[f"o_{name}"]) for name in listing.order]


def _told(found: CTE, view: type[View]) -> list[ColumnElement[Any]]:
    return [_plain(found.c[f"v_{name}"]) for name in view.__struct_fields__]


def question_of_whole(caller: Shape, view: type[View], listing: Listing, parts: Sequence[Part]) -> CompoundSelect[Any]:
    """The first row of `listing` and the rows that belong to it, each judged by the policy of its own table and traced
    under its own kind, in one statement: which view (0: the row itself), whether it is gone, the view's values.
    """
    main = _found(caller, Action.READ, view, listing).limit(literal_column("1")).cte("found")
    theirs = select(main.c.id).where(not_(main.c.gone))
    listings = [Listing(getattr(p.view.TABLE, p.link).in_(theirs), p.order, newest_first=False) for p in parts]
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


def _column(view: type[View], name: str) -> ColumnElement[Any]:
    if name == "wrapped_key":  # opens `extra`; looked up only for a row that has some
        row: Any = view.TABLE
        k = StoredUsagerKey
        key = select(k.wrapped).where(k.organisation_id == ORGANISATION, k.usager_id == row.usager_id)
        return case((row.extra.is_not(None), key.scalar_subquery()), else_=null())
    return view.COMPUTED[name] if name in view.COMPUTED else getattr(view.TABLE, name)


def _plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Uuid):
        return cast(column, Text)
    if isinstance(column.type, ARRAY) and isinstance(column.type.item_type, Uuid):
        return cast(column, ARRAY(Text()))
    return column


@lru_cache(maxsize=SHAPES_KEPT)
def hot(caller: Shape, action: Action, view: type[View], listing: Listing) -> HotQuery:
    return compiled(question(caller, action, view, listing))


@lru_cache(maxsize=SHAPES_KEPT)
def _hot_whole(caller: Shape, view: type[View], listing: Listing, parts: tuple[Part, ...]) -> HotQuery:
    return compiled(question_of_whole(caller, view, listing, parts))


_NONE: ColumnElement[Any] = literal_column("NULL::uuid")


def _nothing() -> CTE:
    """What left, when nothing did."""
    return select(_NONE.label("id"), _NONE.label("usager_id"), null().label("ground")).where(false()).cte("left")


@lru_cache(maxsize=SHAPES_KEPT)
def _refusal(caller: Shape, action: str, kind: str) -> HotQuery:
    line = trail.traced(_nothing(), caller, action, kind, Outcome.REFUSED, _NONE)
    return compiled(select(literal_column("1")).add_cte(line.cte("traced")))


@lru_cache(maxsize=SHAPES_KEPT)
def _lookout(caller: Shape, view: type[View], listing: Listing) -> HotQuery:
    row: Any = view.TABLE
    within = select(*(_plain(_column(view, name)).label(name) for name in view.__struct_fields__))
    within = within.where(listing.where, row.organisation_id == ORGANISATION, in_office(caller))
    within = within.where(row.deleted_at.is_(None), not_(row.held)).limit(bindparam("limit", type_=Integer()))
    traced = trail.traced(_nothing(), caller, Act.LOOK_FOR_DOUBLE, row.KIND, Outcome.EMPTY, _NONE)
    return compiled(within.add_cte(traced.cte("traced")))


@lru_cache
def _still_alive() -> HotQuery:
    return compiled(select(alive()))


@lru_cache
def _in_office(caller: Shape) -> HotQuery:
    return compiled(select(in_office(caller)))


@dataclass(slots=True)
class Reading:
    """What any caller may do: look."""

    principal: Principal
    call: Call
    keyring: Keyring
    _lane: HotLane

    async def get(self, view: type[V], id: UUID) -> V:
        """The row within reach, as committed. Raises OutOfReach once the refusal is traced; Gone when deleted."""
        found = await self._ask(view, _by_id(view.TABLE), 1, [id], {"id": id})
        if not found:
            raise refused(OutOfReach, Action.READ, view.TABLE.KIND, [id])
        gone, row = found[0]
        if gone:
            raise Gone("Cet élément a été supprimé.")
        return row

    async def peek(self, view: type[V], id: UUID) -> V | None:
        """The same; but when it is not there nothing is said, nor traced: another question follows. Raises Gone."""
        query = hot(self.principal.shape, Action.READ, view, _if_there(view.TABLE))
        rows = await self.ask(query, [], 1, {"id": id})
        if not rows:
            return None
        gone, *told = rows[0]
        if gone:
            raise Gone("Cet élément a été supprimé.")
        return view(*told)

    async def list(
        self, view: type[V], listing: Listing, limit: int, after: Sequence[object] = (), **values: object
    ) -> Sequence[V]:
        """The rows of `listing` within reach, in its order; one trace per usager they concern.

        `after` is the order's values of the last row already given.
        """
        if after:
            values |= {f"after_{name}": value for name, value in zip(listing.order, after, strict=True)}
            listing = _after(view.TABLE, listing)
        return [row for _, row in await self._ask(view, listing, limit, [], values)]

    async def whole(self, view: type[V], id: UUID, parts: tuple[Part, ...]) -> Whole[V]:
        """The row within reach and, of its parts, those within reach too. Raises as `get`."""
        found = await self._ask_whole(view, _by_id(view.TABLE), parts, [id], {"id": id})
        if found is None:
            raise refused(OutOfReach, Action.READ, view.TABLE.KIND, [id])
        gone, told = found
        if gone:
            raise Gone("Cet élément a été supprimé.")
        return told

    async def first_whole(
        self, view: type[V], listing: Listing, parts: tuple[Part, ...], **values: object
    ) -> Whole[V] | None:
        """The same, of the first row of `listing` within reach."""
        found = await self._ask_whole(view, listing, parts, [], values)
        return found[1] if found else None

    async def _ask_whole(
        self,
        view: type[V],
        listing: Listing,
        parts: tuple[Part, ...],
        asked: Sequence[UUID],
        values: dict[str, object],
    ) -> tuple[bool, Whole[V]] | None:
        query = _hot_whole(self.principal.shape, view, listing, parts)
        known = {**values, **self._facts(), "trace_asked": asked}
        rows = await self._lane.ask(self.principal.organisation_id, query, known)
        if not rows:
            await self._check_alive()
            return None
        told: list[list[Any]] = [[] for _ in parts]
        for part, _, _, row in rows[1:]:
            told[part - 1].append(parts[part - 1].view(*row))
        return rows[0]["gone"], (view(*rows[0]["told"]), tuple(told))

    async def _ask(
        self, view: type[V], listing: Listing, limit: int, asked: Sequence[UUID], values: dict[str, object]
    ) -> Sequence[tuple[bool, V]]:
        rows = await self.ask(hot(self.principal.shape, Action.READ, view, listing), asked, limit, values)
        if not rows:
            await self._check_alive()
        return [(gone, view(*told)) for gone, *told in rows]

    async def someone(self, view: type[V], listing: Listing, like: Callable[[V], bool], **values: object) -> bool:
        """Whether one row of the whole organisation is `like` who is asked for, within this caller's reach or not.

        The one question that the policy does not filter (field.md §2: the desk must not make doubles). It answers yes
        or no, to staff in office only, and leaves its line in the trail; what is held or deleted does not count.
        """
        query = _lookout(self.principal.shape, view, listing)
        known = {**values, **self._facts(), "trace_asked": [], "limit": LOOKED_AT}
        rows = await self._lane.ask(self.principal.organisation_id, query, known)
        return any(like(view(*row)) for row in rows)

    async def ask(
        self, query: HotQuery, asked: Sequence[UUID], limit: int, values: Mapping[str, object]
    ) -> Sequence[asyncpg.Record]:
        """One statement of this floor, told who calls: a criterion can't replace a fact."""
        known = {**values, **self._facts(), "trace_asked": asked, "limit": limit}
        return await self._lane.ask(self.principal.organisation_id, query, known)

    async def _check_alive(self) -> None:
        """Nothing found may mean a session that just ended: then say so."""
        [(alive_still,)] = await self._lane.ask(self.principal.organisation_id, _still_alive(), self._facts())
        if not alive_still:
            raise Unauthenticated(ENDED)

    def _facts(self) -> dict[str, object]:
        return {**facts(self.principal), **trail.binds(self.call)}

    async def require(self, act: Act) -> None:
        """Raises MayNot when the caller's role, as it runs now, has no such act (`permissions.ACTS`)."""
        may = isinstance(self.principal, Professional) and self.principal.role in ACTS[act]
        if may:
            query = _in_office(self.principal.shape)
            [(may,)] = await self._lane.ask(self.principal.organisation_id, query, self._facts())
        if not may:
            no = refused(MayNot, act, "act")
            await self._remember(no)
            raise no

    async def _remember(self, no: Refused) -> None:
        """The line of a refusal that no statement has told yet."""
        query = _refusal(self.principal.shape, no.action, no.kind)
        await self._lane.ask(self.principal.organisation_id, query, {**self._facts(), "trace_asked": []})
