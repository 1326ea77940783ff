"""The gate itself, held by one of the cast: what no door of today asks of it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select

from app.access import writing
from app.access.entry import Row
from app.access.facts import facts
from app.access.gate import Gate
from app.access.opening import opened_as
from app.access.permissions import Action
from app.access.policy import allowed
from app.access.writing import as_json
from app.audit.vocabulary import Call, Door
from app.kernel.db import Base
from app.kernel.ids import uuid7
from app.security import tokens
from app.security.principal import Principal
from tests.world import ORIGIN, World


def holding(world: World, who: str, act: Callable[[Any], Awaitable[Any]], kind: type[Gate] = Gate) -> Any:
    """One request of a member of staff or a partner, by a gate of this kind."""
    token = world.bearers[who]["Authorization"].removeprefix("Bearer ")
    return held_by(world, tokens.read_signed(world.keyring, ORIGIN, token).principal, act, kind)


def held_by(world: World, principal: Principal, act: Callable[[Any], Awaitable[Any]], kind: type[Gate] = Gate) -> Any:
    """One request of this caller."""
    state = world.client.app.state  # type: ignore[attr-defined]

    async def run() -> Any:
        call = Call(Door.API, str(uuid7()))
        async with opened_as(kind, principal, call, world.keyring, state.lane, state.database) as gate:
            return await act(gate)

    return world.client.portal.call(run)  # type: ignore[union-attr]


class Asked(Gate):
    """What the gate would say of many rows."""

    async def may(self, action: Action, table: type[Row], ids: list[UUID]) -> set[UUID]:
        """As `entry` asks it of one."""
        caller = self.principal.shape
        these = table.id == any_(bindparam("ids", type_=ARRAY(Uuid())))
        query = select(table.id).where(these, allowed(caller, Action.READ, table), allowed(caller, action, table))
        return {row.id for row in await self._session.execute(query, {**facts(self.principal), "ids": ids})}

    async def might_add(self, table: type[Row], rows: list[dict[str, Any]]) -> set[UUID]:
        """As `flush` asks it, row by row."""
        undone = await self._session.begin_nested()
        query = writing.inserting(self.principal.shape, table)
        told = await (await self._session.connection()).execute(query, {**facts(self.principal), "rows": as_json(rows)})
        within = {id for id, within, *_ in told if within}
        await undone.rollback()
        return within


def tables() -> dict[str, type[Row]]:
    """By the kind of their rows."""
    mapped = (m.class_ for m in Base.registry.mappers)
    return {t.KIND.value: t for t in mapped if issubclass(t, Row)}
