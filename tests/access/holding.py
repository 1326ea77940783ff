"""The gate itself, held by one of the cast: what no door of today asks of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.access.gate import Gate
from app.access.opening import opened_as
from app.audit.vocabulary import Call, Door
from app.kernel.ids import uuid7
from app.security import tokens
from tests.world import ORIGIN, World


def holding(world: World, who: str, act: Callable[[Any], Awaitable[Any]], kind: type[Gate] = Gate) -> Any:
    """One request of a member of staff or a partner, by a gate of this kind."""
    token = world.bearers[who]["Authorization"].removeprefix("Bearer ")
    principal = tokens.read_signed(world.keyring, ORIGIN, token).principal
    state = world.client.app.state  # type: ignore[attr-defined]

    async def run() -> Any:
        call = Call(Door.API, str(uuid7()))
        async with opened_as(kind, principal, call, world.keyring, state.lane, state.database) as gate:
            return await act(gate)

    return world.client.portal.call(run)  # type: ignore[union-attr]
