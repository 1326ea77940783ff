"""The pool of writes: any address of a house's server, one tenant per transaction, no value in an error."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kernel import db as kernel_db
from app.kernel.db import Database
from tests.postgres import TestDatabase

TENANT = text("SELECT current_setting('dui.organisation', true)")


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    db = Database(database.app_url, 1)
    yield db
    await db.close()


@pytest.mark.parametrize("option", ["sslmode=prefer", "target_session_attrs=read-write"])
async def test_what_an_address_may_ask_is_understood(database: TestDatabase, option: str) -> None:
    db = Database(f"{database.app_url}&{option}", 1)
    async with db.session(None) as session:
        assert await session.scalar(text("SELECT 1")) == 1
    await db.close()


async def test_a_tenant_lasts_one_transaction(db: Database) -> None:
    here = uuid4()
    async with db.session(here) as session:
        assert await session.scalar(TENANT) == str(here)
    async with db.session(None) as session:
        assert await session.scalar(TENANT) in (None, "")


@pytest.mark.threat("fault-connection-cut")
async def test_one_ended_while_it_slept_is_given_to_nobody(db: Database, database: TestDatabase) -> None:
    async with db.session(None) as session:
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
    owner = await asyncpg.connect(database.superuser_url)
    await owner.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await owner.close()
    await asyncio.sleep(0.1)  # the end is heard
    async with db.session(None) as session:
        assert await session.scalar(text("SELECT pg_backend_pid()")) != pid


@pytest.mark.threat("fault-pool-exhausted")
async def test_who_waits_too_long_is_told(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_db, "PATIENCE", 0.1)
    db = Database(database.app_url, 1)
    async with db.session(None) as session:
        await session.execute(text("SELECT 1"))
        with pytest.raises(PoolTimeout):
            async with db.session(uuid4()):
                pass
    await db.close()


@pytest.mark.threat("privacy-error-values")
async def test_an_error_tells_no_value(db: Database) -> None:
    read = text("SELECT 1 FROM pg_class WHERE relname = :nir AND 1 / 0 = 1").bindparams(bindparam("nir"))
    async with db.session(None) as session:
        with pytest.raises(DBAPIError) as caught:
            await session.execute(read, {"nir": "1850578006084"})
    assert "1850578006084" not in str(caught.value)
