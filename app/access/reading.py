"""Looking: the policy decides, the trail records, in one statement kept compiled, on the hot lane."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    asc,
    bindparam,
    case,
    cast,
    desc,
    literal_column,
    null,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

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
    when_none: Outcome = Outcome.EMPTY
    usager: str | None = None
    deleted_too: bool = False


@lru_cache
def _by_id(row: type[Row]) -> Listing:
    return Listing(row.id == bindparam("id", type_=Uuid()), when_none=Outcome.REFUSED, deleted_too=True)


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
    first = within.order_by(*(turn(getattr(row, name)) for name in listing.order))
    found = first.limit(bindparam("limit", type_=Integer())).cte("found")
    asked = bindparam(listing.usager, type_=Uuid()) if listing.usager else literal_column("NULL::uuid")
    traced = trail.traced(found, caller, action, row.KIND, listing.when_none, asked)
    told = select(found.c.gone, *(_plain(found.c[f"v_{name}"]) for name in view.__struct_fields__))
    told = told.order_by(*(turn(found.c[f"o_{name}"]) for name in listing.order))
    return told.add_cte(traced.cte("traced"))


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

    async def _ask(
        self, view: type[V], listing: Listing, limit: int, asked: Sequence[UUID], values: dict[str, object]
    ) -> Sequence[tuple[bool, V]]:
        query = hot(self.principal.shape, Action.READ, view, listing)
        known = {**values, **self._facts(), "trace_asked": asked, "limit": limit}  # a criterion can't replace a fact
        rows = await self._lane.ask(self.principal.organisation_id, query, known)
        if not rows:
            await self._check_alive()
        return [(gone, view(*told)) for gone, *told in rows]

    async def _check_alive(self) -> None:
        """Nothing found may mean a session that just ended: then say so."""
        [(alive_still,)] = await self._lane.ask(self.principal.organisation_id, _still_alive(), self._facts())
        if not alive_still:
            raise Unauthenticated(ENDED)

    def _facts(self) -> dict[str, object]:
        return {**facts(self.principal), **trail.binds(self.principal, self.call)}

    async def require(self, act: Act) -> None:
        """Raises MayNot when the caller's role, as it runs now, has no such act (`permissions.ACTS`)."""
        may = isinstance(self.principal, Professional) and self.principal.role in ACTS[act]
        if may:
            query = _in_office(self.principal.shape)
            [(may,)] = await self._lane.ask(self.principal.organisation_id, query, self._facts())
        if not may:
            raise refused(MayNot, act, "act")
