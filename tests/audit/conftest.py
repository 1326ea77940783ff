"""A trail with three links, and connections that close themselves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from app.audit import export
from app.audit.sealer import seal
from app.audit.verify import NONE, Heads, Verdict, verify
from tests.postgres import TestDatabase

HERE = UUID("01900000-0000-7000-8000-000000000001")
LINE = """INSERT INTO audit_entry (organisation_id, principal_kind, action, kind, entry_ids, outcome, door, request_id)
    SELECT $1, 'professional', 'read', 'transmission', array[gen_random_uuid(), gen_random_uuid()], 'success', 'api', 'é'
    FROM generate_series(1, $2)"""
Connect = Callable[[str], Awaitable[asyncpg.Connection]]
Both = Callable[..., Awaitable[Verdict]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    opened: list[asyncpg.Connection] = []

    async def one(url: str) -> asyncpg.Connection:
        connection = await asyncpg.connect(url)
        await connection.execute("SELECT set_config('dui.organisation', $1, false)", str(HERE))
        opened.append(connection)
        return connection

    yield one
    for connection in opened:
        await connection.close()


@pytest.fixture
async def chained(fresh_database: TestDatabase, connect: Connect) -> TestDatabase:
    """Three links: 1,500 lines of one transaction, 1, 3."""
    owner, app = await connect(fresh_database.owner_url), await connect(fresh_database.app_url)
    sealer = await connect(fresh_database.sealer_url)
    await owner.execute("INSERT INTO organisation (organisation_id, name) VALUES ($1, 'Ici')", HERE)
    for lines in (1500, 1, 3):
        await app.execute(LINE, HERE, lines)
        assert await seal(sealer, HERE) == lines
    assert await seal(sealer, HERE) == 0
    return fresh_database


@pytest.fixture
def both(tmp_path: Path) -> Both:
    """What the base says of this organisation's chain, once the exported file was found to say the same."""

    async def verdict(owner: asyncpg.Connection, heads: Heads = NONE) -> Verdict:
        there = await verify(owner, HERE, heads)
        path = tmp_path / f"trail{len(list(tmp_path.iterdir()))}.jsonl.gz"
        await export.write(owner, path)
        [far] = [v for v in export.verify(path, heads) if v.organisation_id == HERE]
        assert far == there
        return there

    return verdict
