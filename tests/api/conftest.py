"""The house of tests/security, in the base of the running app."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from app.kernel.db import Database
from tests.security.conftest import House, built
from tests.world import World

T = TypeVar("T")


@pytest.fixture
def house(world: World) -> House:
    return as_owner(world, built)


def as_owner(world: World, act: Callable[[Database], Awaitable[T]]) -> T:
    async def main() -> T:
        owner = Database(world.database.owner_url, 2)
        try:
            return await act(owner)
        finally:
            await owner.close()

    return asyncio.run(main())
