"""Acts of the owner of the base, for tests that come by HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.kernel.db import Database
from tests.world import World

T = TypeVar("T")


def as_owner(world: World, act: Callable[[Database], Awaitable[T]]) -> T:
    async def main() -> T:
        owner = Database(world.database.owner_url, 2)
        try:
            return await act(owner)
        finally:
            await owner.close()

    return asyncio.run(main())
