"""What `migrations.tenant.secure` closes, tried with each role."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.tenant import secure, share
from tests.postgres import TestDatabase

HERE, THERE = uuid4(), uuid4()
TENANT = "SELECT set_config('dui.organisation', $1, false)"


def build(connection: Connection) -> None:
    op = Operations(MigrationContext.configure(connection))
    op.execute("CREATE TABLE note (organisation_id uuid, text text)")
    op.execute("CREATE TABLE word (text text)")
    op.execute("CREATE TABLE seal (organisation_id uuid)")
    secure(op, "note")
    secure(op, "seal", "SELECT", sealer="SELECT, INSERT")
    share(op, "word", "SELECT")
    for organisation in (HERE, THERE):
        op.execute(f"INSERT INTO note VALUES ('{organisation}', '')")


@pytest.fixture(scope="module", autouse=True)
def tables(database: TestDatabase) -> None:
    async def main() -> None:
        engine = create_async_engine(database.owner_url.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.begin() as connection:
            await connection.run_sync(build)
        await engine.dispose()

    asyncio.run(main())


@pytest.fixture
async def app(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


@pytest.fixture
async def sealer(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.sealer_url)
    yield connection
    await connection.close()


@pytest.mark.threat("tenant-raw-connection")
async def test_without_a_tenant_no_row_is_seen(app: asyncpg.Connection) -> None:
    assert await app.fetchval("SELECT count(*) FROM note") == 0


@pytest.mark.threat("tenant-leaked-by-pool")
async def test_after_a_tenant_of_one_transaction_no_row_is_seen(app: asyncpg.Connection) -> None:
    async with app.transaction():
        await app.execute(f"SET LOCAL dui.organisation = '{HERE}'")
    assert await app.fetchval("SELECT count(*) FROM note") == 0


async def test_one_tenant_sees_its_rows_only(app: asyncpg.Connection) -> None:
    await app.fetchval(TENANT, str(HERE))
    assert await app.fetch("SELECT organisation_id FROM note") == [(HERE,)]


@pytest.mark.threat("tenant-row-for-another")
async def test_a_row_of_another_tenant_is_refused(app: asyncpg.Connection) -> None:
    await app.fetchval(TENANT, str(HERE))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await app.execute("INSERT INTO note VALUES ($1, '')", THERE)


async def test_the_app_has_the_grants_told_and_no_other(app: asyncpg.Connection) -> None:
    await app.fetchval(TENANT, str(HERE))
    assert await app.fetchval("SELECT count(*) FROM word") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await app.execute("INSERT INTO seal VALUES ($1)", HERE)


async def test_the_sealer_writes_for_every_tenant(sealer: asyncpg.Connection) -> None:
    await sealer.execute("INSERT INTO seal VALUES ($1)", THERE)
    assert await sealer.fetch("SELECT organisation_id FROM seal") == [(THERE,)]


@pytest.mark.threat("trail-sealer-overreach")
async def test_the_sealer_reads_nothing_else(sealer: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await sealer.fetch("SELECT * FROM note")
