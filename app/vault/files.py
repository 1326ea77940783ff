"""The objects that lie beside the base: those a row names, those lost, those that nobody names any more.

An object is put away before its row is committed: one without a row is of a request that failed, or of someone erased.
Only ours are looked at, by the shape of their names; what else lies there is left alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from app.kernel.clock import now
from app.kernel.objects import Objects

GRACE = timedelta(days=1)  # a put in progress has its row within minutes; the clock of a store may differ from ours
OURS = "^[0-9a-f-]{36}/[0-9a-f-]{36}$"
BATCH = 5_000
LYING = "CREATE TEMP TABLE lying (name text PRIMARY KEY, at timestamptz NOT NULL)"
LOST = """SELECT c.object FROM content c WHERE c.object IS NOT NULL
    AND NOT EXISTS (SELECT FROM lying l WHERE l.name = c.object) ORDER BY c.object"""
UNNAMED = """SELECT l.name FROM lying l WHERE l.name ~ $1 AND l.at < $2
    AND NOT EXISTS (SELECT FROM content c WHERE c.object = l.name) ORDER BY l.name"""
NAMED = "SELECT count(*) FROM content WHERE object IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Found:
    """`named`: how many rows name one. `lost`, `unnamed`: names of objects."""

    named: int
    lost: list[str]
    unnamed: list[str]


async def look(owner_url: str, objects: Objects | None, grace: timedelta = GRACE) -> Found:
    """Listed before the rows are read: what is put away meanwhile is too young to be taken for one too many."""
    connection = await asyncpg.connect(owner_url)
    try:
        named = int(await connection.fetchval(NAMED))
        if objects is None:
            return Found(named, [], [])
        before = now() - grace
        await _list(connection, objects)
        lost = [row["object"] for row in await connection.fetch(LOST)]
        unnamed = [row["name"] for row in await connection.fetch(UNNAMED, OURS, before)]
        return Found(named, [name for name in lost if not await objects.holds(name)], unnamed)
    finally:
        await connection.close()


async def sweep(owner_url: str, objects: Objects, grace: timedelta = GRACE) -> list[str]:
    """What nobody names, taken away: the names that went. Cut anywhere, it is done again from where it stands."""
    found = await look(owner_url, objects, grace)
    await take_away(objects, found.unnamed)
    return found.unnamed


async def take_away(objects: Objects, names: list[str]) -> None:
    for name in names:
        await objects.delete(name)


async def _list(connection: asyncpg.Connection, objects: Objects) -> None:
    await connection.execute(LYING)
    some: list[tuple[str, datetime]] = []
    async for one in objects.names():
        some.append(one)
        if len(some) == BATCH:
            await connection.copy_records_to_table("lying", records=some)
            some = []
    await connection.copy_records_to_table("lying", records=some)
    await connection.execute("ANALYZE lying")
