"""Migrations and models tell the same tables; each migration can be undone and redone."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from app.kernel import migrations
from tests.postgres import TestDatabase, ask

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


def test_models_and_migrations_tell_the_same_tables(fresh_database: TestDatabase) -> None:
    migrations.check(fresh_database.owner_url)


def test_every_migration_can_be_undone_and_redone(empty_database: TestDatabase) -> None:
    url = empty_database.owner_url
    migrations.upgrade(url)
    made = ask(url, TABLES)
    migrations.downgrade(url, "base")
    assert ask(url, TABLES) == 0
    migrations.upgrade(url)
    assert ask(url, TABLES) == made


def test_the_current_revision_is_told(empty_database: TestDatabase) -> None:
    assert migrations.current(empty_database.owner_url) is None
    migrations.upgrade(empty_database.owner_url)
    assert migrations.current(empty_database.owner_url) == migrations.head()


def test_two_migrators_follow_each_other(empty_database: TestDatabase) -> None:
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(migrations.upgrade, empty_database.owner_url) for _ in range(2)]:
            done.result()
    assert migrations.current(empty_database.owner_url) == migrations.head()


def test_a_migrator_does_not_wait_for_ever(fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "WAIT_FOR_MIGRATOR", "100ms")

    async def main() -> None:
        holder = await asyncpg.connect(fresh_database.owner_url)
        try:
            await holder.execute("SELECT pg_advisory_lock($1)", migrations.ONE_AT_A_TIME)
            with pytest.raises(migrations.MigrationBlocked):
                await asyncio.to_thread(migrations.upgrade, fresh_database.owner_url)
        finally:
            await holder.close()

    asyncio.run(main())
