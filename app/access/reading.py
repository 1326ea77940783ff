"""Looking: the policy decides, the trail records, in one statement kept compiled, on the hot lane."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import Select

from app.access.acts import ACTS, Act
from app.access.entry import View
from app.access.facts import facts
from app.access.permissions import Action
from app.access.questions import (
    Listing,
    Part,
    beyond,
    by_id,
    hot,
    hot_public,
    hot_whole,
    if_there,
    line_of_refusal,
    lookout,
    still_alive,
    still_at_work,
    still_in_office,
)
from app.access.refusal import ENDED, MayNot, OutOfReach, Refused, refused
from app.audit import trail
from app.audit.vocabulary import Call
from app.kernel.crypto import KeyFault, Keyring, UsagerKey
from app.kernel.errors import Gone, Unauthenticated
from app.kernel.hot import HotLane, HotQuery
from app.security.principal import Principal, Professional

V = TypeVar("V", bound=View)
LOOKED_AT = 500  # homonyms and persons born the same day, in one organisation
Whole = tuple[V, tuple[Sequence[Any], ...]]  # a row, then the rows of each part


@dataclass(slots=True)
class Reading:
    """What any caller may do: look."""

    principal: Principal
    call: Call
    keyring: Keyring
    _lane: HotLane

    def key_beside(self, usager_id: str, wrapped: bytes | None) -> UsagerKey:
        """What opens the sealed columns of a row of this usager, by the key read beside it."""
        if wrapped is None:
            raise KeyFault("Rien n'ouvre cette valeur.")
        return self.keyring.usager_key(wrapped, usager_id)

    async def get(self, view: type[V], id: UUID) -> V:
        """The row within reach, as committed. Raises OutOfReach once the refusal is traced; Gone when deleted."""
        found = await self._ask(view, by_id(view.TABLE), 1, [id], {"id": id})
        if not found:
            raise refused(OutOfReach, Action.READ, view.TABLE.KIND, [id])
        gone, row = found[0]
        if gone:
            raise Gone("Cet élément a été supprimé.")
        return row

    async def peek(self, view: type[V], id: UUID) -> V | None:
        """The same; but when it is not there nothing is said, nor traced: another question follows. Raises Gone."""
        query = hot(self.principal.shape, Action.READ, view, if_there(view.TABLE))
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
            listing = beyond(view.TABLE, listing)
        return [row for _, row in await self._ask(view, listing, limit, [], values)]

    async def whole(self, view: type[V], id: UUID, parts: tuple[Part, ...]) -> Whole[V]:
        """The row within reach and, of its parts, those within reach too. Raises as `get`."""
        found = await self._ask_whole(view, by_id(view.TABLE), parts, [id], {"id": id})
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
        query = hot_whole(self.principal.shape, view, listing, parts)
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
        [found] = await self.some(view, listing, [like], **values)
        return found

    async def some(
        self, view: type[V], listing: Listing, likes: Sequence[Callable[[V], bool]], **values: object
    ) -> Sequence[bool]:
        """The same of several persons, asked at once."""
        query = lookout(self.principal.shape, view, listing)
        known = {**values, **self._facts(), "trace_asked": [], "limit": LOOKED_AT * len(likes)}
        rows = [view(*row) for row in await self._lane.ask(self.principal.organisation_id, query, known)]
        return [any(map(like, rows)) for like in likes]

    async def ask(
        self, query: HotQuery, asked: Sequence[UUID], limit: int, values: Mapping[str, object]
    ) -> Sequence[asyncpg.Record]:
        """One statement of this floor, told who calls: a criterion can't replace a fact."""
        known = {**values, **self._facts(), "trace_asked": asked, "limit": limit}
        return await self._lane.ask(self.principal.organisation_id, query, known)

    async def plan(self, query: HotQuery) -> str:
        """How the base runs this statement. Raises MayNot to who may not know."""
        await self.require(Act.EXPLAIN_SEARCH)
        return await self._lane.plan(self.principal.organisation_id, query)

    def may(self, act: Act) -> bool:
        """Whether the caller's role has it: what is offered, `require` being what is done."""
        return isinstance(self.principal, Professional) and self.principal.role in ACTS[act]

    async def _check_alive(self) -> None:
        """Nothing found may mean a session that just ended: then say so."""
        [(alive_still,)] = await self._lane.ask(self.principal.organisation_id, still_alive(), self._facts())
        if not alive_still:
            raise Unauthenticated(ENDED)

    def _facts(self) -> dict[str, object]:
        return {**facts(self.principal), **trail.binds(self.call)}

    async def signed_in(self) -> None:
        """Of a request that reads nothing the policy judges. Raises Unauthenticated when the session just ended."""
        await self._check_alive()

    async def public(self, statement: Select[Any]) -> Sequence[asyncpg.Record]:
        """Rows of tables that are of no organisation and about nobody (what FHIR packages define)."""
        return await self._lane.ask(self.principal.organisation_id, hot_public(statement), {})

    async def require(self, act: Act, at: UUID | None = None) -> None:
        """Raises MayNot when the caller's role, as it runs now, has no such act (`acts.ACTS`), or not in this structure."""
        may = self.may(act)
        if may:
            shape = self.principal.shape
            query = still_in_office(shape) if at is None else still_at_work(shape)
            [(may,)] = await self._lane.ask(self.principal.organisation_id, query, {**self._facts(), "at": at})
        if not may:
            no = refused(MayNot, act, "act")
            await self._remember(no)
            raise no

    async def _remember(self, no: Refused) -> None:
        """The line of a refusal that no statement has told yet."""
        query = line_of_refusal(self.principal.shape, no.action, no.kind)
        await self._lane.ask(self.principal.organisation_id, query, {**self._facts(), "trace_asked": []})
