"""Each line lies in its month, whatever was forgotten; the key begins with the moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from itertools import pairwise
from uuid import UUID

import asyncpg
import pytest

from app.audit import upkeep
from app.audit.sealer import seal
from app.audit.verify import verify
from app.kernel import migrations
from app.kernel.clock import today
from tests.postgres import TestDatabase

pytestmark = pytest.mark.anyio
HERE = UUID("01900000-0000-7000-8000-000000000001")
LINE = """INSERT INTO audit_entry (organisation_id, principal_kind, action, kind, usager_id, entry_ids, outcome, door,
        request_id) SELECT $1, 'professional', 'read', 'transmission', $1, '{}', 'success', 'api', 'x'
    FROM generate_series(1, $2)"""
DATED = (
    "INSERT INTO audit_entry (organisation_id, principal_kind, action, kind, entry_ids, outcome, door, request_id, at)"
)
ROOMS = "SELECT tableoid::regclass::text, count(*) FROM audit_entry GROUP BY 1 ORDER BY 1"
MONTHS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1"
VERSION = """INSERT INTO entry_version (organisation_id, entry_id, version, kind, usager_id, structure_id, category,
    visibility, author_kind, occurred_at, held, consigne, minor_secret, snapshot)
    VALUES ($1, $1, 1, 'transmission', $1, $1, 'support', 'shared', 'professional', now(), false, false, false, '')"""


@pytest.fixture
async def owner(fresh_database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def app(fresh_database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.app_url)
    await connection.execute("SELECT set_config('dui.organisation', $1, false)", str(HERE))
    yield connection
    await connection.close()


async def sealed(database: TestDatabase) -> int:
    sealer = await asyncpg.connect(database.sealer_url)
    try:
        return await seal(sealer, HERE)
    finally:
        await sealer.close()


def month(ahead: int) -> str:
    return f"audit_entry_{upkeep.months(today(), ahead)[-1][0]:%Y_%m}"


async def test_makes_a_year_of_months_once(owner: asyncpg.Connection) -> None:
    for _ in range(2):
        await upkeep.keep_up(owner)
    made = [name for [name] in await owner.fetch(MONTHS, "audit_entry")]
    assert made == [*(month(n) for n in range(upkeep.MONTHS_AHEAD + 1)), "audit_entry_default"]


@pytest.mark.parametrize(
    ("day", "last"), [(date(2026, 11, 22), date(2027, 11, 1)), (date(2028, 1, 31), date(2029, 1, 1))]
)
def test_months_follow_each_other_over_the_year(day: date, last: date) -> None:
    made = upkeep.months(day, 12)
    assert (len(made), made[0][0], made[-1][0]) == (13, day.replace(day=1), last)
    assert all(end == start for (_, end), (start, _) in pairwise(made))


async def test_a_line_falls_in_its_month(owner: asyncpg.Connection, app: asyncpg.Connection) -> None:
    await upkeep.keep_up(owner)
    await app.execute(LINE, HERE, 3)
    next_month = upkeep.months(today(), 1)[1][0]
    for at in (f"{next_month} 00:00+00", f"{upkeep.months(next_month, 1)[1][0]} 00:00+00"):
        await owner.execute(f"{DATED} VALUES ($1, 'x', 'x', 'x', '{{}}', 'x', 'x', 'x', '{at}')", HERE)
    assert dict(await owner.fetch(ROOMS)) == {month(0): 3, month(1): 1, month(2): 1}


async def test_a_month_nobody_made_in_time_is_made_with_its_lines(
    fresh_database: TestDatabase, owner: asyncpg.Connection, app: asyncpg.Connection
) -> None:
    await app.execute(LINE, HERE, 4)
    await owner.execute(VERSION, HERE)
    assert await sealed(fresh_database) == 4
    await upkeep.keep_up(owner)
    assert dict(await owner.fetch(ROOMS)) == {month(0): 4}
    assert await owner.fetchval("SELECT count(*) FROM ONLY entry_version_default") == 0
    assert await owner.fetchval("SELECT count(*) FROM entry_version") == 1
    verdict = await verify(owner, HERE)
    assert (verdict.broken, verdict.lines) == (None, 4)


@pytest.mark.threat("trail-clock-set-back")
async def test_a_line_of_a_clock_gone_mad_gets_its_own_month(owner: asyncpg.Connection) -> None:
    """And only that one: not every month since."""
    await owner.execute(f"{DATED} VALUES ($1, 'x', 'x', 'x', '{{}}', 'x', 'x', 'x', '1970-01-31 23:59+00')", HERE)
    await upkeep.keep_up(owner)
    assert dict(await owner.fetch(ROOMS)) == {"audit_entry_1970_01": 1}
    assert len(await owner.fetch(MONTHS, "audit_entry")) == upkeep.MONTHS_AHEAD + 3


@pytest.mark.threat("trail-partition-reached")
@pytest.mark.parametrize("ahead", [0, 12])
async def test_a_month_named_directly_is_closed_to_the_application(
    owner: asyncpg.Connection, app: asyncpg.Connection, ahead: int
) -> None:
    await upkeep.keep_up(owner)
    for room in (month(ahead), "audit_entry_default"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await app.fetch(f"SELECT * FROM {room}")


async def test_a_month_made_late_has_the_keys_of_the_others(owner: asyncpg.Connection, app: asyncpg.Connection) -> None:
    await app.execute(LINE, HERE, 1)
    await upkeep.keep_up(owner)
    keys = "SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indrelid = $1::regclass"
    attached = "SELECT count(*) FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid WHERE x.indrelid = $1::regclass"
    for room in (month(0), month(1)):
        assert tuple(await owner.fetchrow(keys, room)) == (3, True)
        assert await owner.fetchval(attached, room) == 3


class TestKeyByMoment:
    async def test_a_list_by_time_reads_the_key(self, owner: asyncpg.Connection, app: asyncpg.Connection) -> None:
        await upkeep.keep_up(owner)
        await app.execute(LINE, HERE, 5_000)
        await owner.execute("ANALYZE audit_entry")
        plan = await owner.fetch(
            "EXPLAIN SELECT * FROM audit_entry WHERE organisation_id = $1 ORDER BY at DESC, id DESC LIMIT 50", HERE
        )
        told = "\n".join(row[0] for row in plan)
        assert "pkey" in told or "pk_audit_entry" in told, told
        assert "->  Sort" not in told, told

    async def test_a_line_named_with_its_moment_is_found_in_one_month(
        self, owner: asyncpg.Connection, app: asyncpg.Connection
    ) -> None:
        await upkeep.keep_up(owner)
        await app.execute(LINE, HERE, 10)
        at, id = await owner.fetchrow("SELECT at, id FROM audit_entry LIMIT 1")
        query = (
            f"SELECT * FROM audit_entry WHERE organisation_id = '{HERE}' AND at = '{at.isoformat()}' AND id = '{id}'"
        )
        told = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {query}"))
        assert told.count("audit_entry_2") > 0
        assert "Append" not in told, told


async def test_the_key_changes_under_a_chain_that_holds(empty_database: TestDatabase) -> None:
    """With lines sealed before, up, down and up again."""
    before = "0012"
    await asyncio.to_thread(migrations.upgrade, empty_database.owner_url, before)
    owner = await asyncpg.connect(empty_database.owner_url)
    try:
        await owner.execute("INSERT INTO organisation (organisation_id, name) VALUES ($1, 'Ici')", HERE)
        for lines in (30, 2):
            await owner.execute(LINE, HERE, lines)
            assert await sealed(empty_database) == lines
        head = (await verify(owner, HERE)).head
        for step, to in ((migrations.upgrade, "head"), (migrations.downgrade, before), (migrations.upgrade, "head")):
            await asyncio.to_thread(step, empty_database.owner_url, to)
            verdict = await verify(owner, HERE)
            assert (verdict.broken, verdict.lines, verdict.head) == (None, 32, head)
        assert await upkeep.keep_up(owner) is None
        assert (await verify(owner, HERE)).lines == 32
    finally:
        await owner.close()
