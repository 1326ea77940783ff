"""The second lock on every table of a tenant: each verb by raw connections with no context, another's, one left behind.

`test_rls` tells which tables are secured; here each is tried, with rows in it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from app.kernel.db import NIL, Database
from app.kernel.hot import HotLane, HotQuery
from tests.access.test_rls import GLOBAL, TABLES
from tests.dossier import KINDS, Dossiers
from tests.world import World

POLICIES = """SELECT p.tablename AS table, p.policyname AS name, p.roles::text[] AS roles, p.qual, p.with_check, p.cmd,
    p.permissive FROM pg_policies p WHERE p.schemaname = 'public'"""
PRIVILEGES = """SELECT c.relname AS table, v AS verb FROM pg_class c, unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE',
    'TRUNCATE','REFERENCES','TRIGGER']) v WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND (has_table_privilege('dui_app', c.oid, v)
         OR (v IN ('SELECT','INSERT','UPDATE') AND has_any_column_privilege('dui_app', c.oid, v)))"""
SET = "SELECT set_config('dui.organisation', $1, false)"
VERBS = {
    "select": "SELECT count(*) FROM {table} WHERE organisation_id = '{organisation}'",
    "update": "UPDATE {table} SET organisation_id = organisation_id WHERE organisation_id = '{organisation}'",
    "delete": "DELETE FROM {table} WHERE organisation_id = '{organisation}'",
    "insert": "INSERT INTO {table} (organisation_id) VALUES ('{organisation}')",
}


def _of_tenants(world: World) -> list[str]:
    tables = [t["relname"] for t in world.rows(TABLES) if t["tenant"] and not t["relispartition"]]
    return sorted(name for name in tables if name not in GLOBAL)


@pytest.fixture(scope="module")
def tables(world: World) -> list[str]:
    """Every table of a tenant; those of a dossier hold rows of the house, and their traces."""
    made = Dossiers(world)
    person = made.person("ehpad")
    for kind in KINDS[1:]:
        id = {"id": getattr(person, kind)} if hasattr(person, kind) else {}
        made.row(kind, person, **id)
    made.write()
    assert world.get("sonia", "/api/v1/transmissions").status_code == 200
    return _of_tenants(world)


def filled(world: World, tables: list[str]) -> list[str]:
    sql = "SELECT EXISTS (SELECT 1 FROM {} WHERE organisation_id = $1)"
    return [table for table in tables if world.rows(sql.format(table), world.organisation)[0][0]]


def test_most_tables_hold_rows_of_the_house(world: World, tables: list[str], figure: Callable[[str], None]) -> None:
    """Else nothing is proved by seeing none."""
    figure(f"row-level security: {len(tables)} tables, {len(filled(world, tables))} with rows of the house")
    assert len(filled(world, tables)) > 30
    assert {"event_participant" if kind == "event" else kind for kind in KINDS} <= set(filled(world, tables))


class TestByTheCatalogue:
    def test_the_global_tables_are_those_named(self, world: World) -> None:
        known = {t["relname"]: t["tenant"] for t in world.rows(TABLES) if not t["relispartition"]}
        assert {name for name, tenant in known.items() if not tenant} == GLOBAL - {
            "session",
            "concept",
        }  # no concept is kept yet

    def test_the_application_meets_the_tenant_s_policy_and_no_other(self, world: World, tables: list[str]) -> None:
        wrong = []
        for p in world.rows(POLICIES):
            ours = "current_setting('dui.organisation'" in (p["qual"] or "") and "organisation_id" in p["qual"]
            checked = p["with_check"] in (None, p["qual"])
            if {"dui_app", "public"} & set(p["roles"]) and not (ours and checked and p["permissive"] == "PERMISSIVE"):
                wrong.append((p["table"], p["name"]))
        assert wrong == []

    def test_what_it_may_do_in_a_table_a_policy_of_the_tenant_bounds(self, world: World, tables: list[str]) -> None:
        bound = {p["table"] for p in world.rows(POLICIES) if "dui_app" in p["roles"] and p["cmd"] == "ALL"}
        granted = {p["table"] for p in world.rows(PRIVILEGES)}
        assert {table for table in tables if table in granted} - bound == set()

    def test_it_holds_no_way_around_a_policy(self, world: World) -> None:
        assert [tuple(p) for p in world.rows(PRIVILEGES) if p["verb"] in ("TRUNCATE", "REFERENCES", "TRIGGER")] == []

    def test_a_partition_is_closed_to_whoever_names_it(self, world: World) -> None:
        partitions = {t["relname"] for t in world.rows(TABLES) if t["relispartition"]}
        assert {name.rpartition("_")[0] for name in partitions} >= {"audit_entry", "entry_version"}
        assert {p["table"] for p in world.rows(PRIVILEGES)} & partitions == set()


@asynccontextmanager
async def _told_nothing(world: World) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(world.database.app_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def _another(world: World) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(world.database.app_url)
    await connection.fetchval(SET, str(world.other_organisation))
    yield connection
    await connection.close()


@asynccontextmanager
async def _left_by_a_transaction(world: World) -> AsyncIterator[asyncpg.Connection]:
    """SQLAlchemy's pool, of one connection: who used it before was of the house."""
    base = Database(world.database.app_url, 1)
    async with base.session(world.organisation) as session:
        known = await session.scalar(text("SELECT count(*) FROM transmission"))
        assert known, "the request before saw the rows of its house"
        await session.commit()
    async with base.engine.connect() as kept:
        raw = await kept.get_raw_connection()
        assert raw.driver_connection is not None
        yield raw.driver_connection
    await base.close()


@asynccontextmanager
async def _left_by_a_fault(world: World) -> AsyncIterator[asyncpg.Connection]:
    """The same, its transaction broken half-way."""
    base = Database(world.database.app_url, 1)
    with pytest.raises(ZeroDivisionError):
        async with base.session(world.organisation) as session:
            assert await session.scalar(text("SELECT count(*) FROM transmission"))
            raise ZeroDivisionError
    async with base.engine.connect() as kept:
        raw = await kept.get_raw_connection()
        assert raw.driver_connection is not None
        yield raw.driver_connection
    await base.close()


Context = Callable[[World], AbstractAsyncContextManager[asyncpg.Connection]]


async def tried(connection: asyncpg.Connection, sql: str) -> str | None:
    """What went through; None when nothing did. Whatever did is undone."""
    change = connection.transaction()
    await change.start()
    try:
        if sql.startswith("SELECT"):
            found = await connection.fetchval(sql)
            return f"{found} rows" if found else None
        done = await connection.execute(sql)
        return None if done.endswith(" 0") and not done.startswith("INSERT") else done
    except asyncpg.InsufficientPrivilegeError:
        return None
    finally:
        await change.rollback()


@pytest.mark.threat("tenant-raw-every-table")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("context", [_told_nothing, _another, _left_by_a_transaction, _left_by_a_fault])
def test_nothing_of_the_house_is_met(world: World, tables: list[str], context: Context, verb: str) -> None:
    async def all_of_them() -> dict[str, str]:
        met = {}
        async with context(world) as connection:
            for table in tables:
                sql = VERBS[verb].format(table=table, organisation=world.organisation)
                if found := await tried(connection, sql):
                    met[table] = found
        return met

    assert asyncio.run(all_of_them()) == {}


@pytest.mark.threat("tenant-raw-every-table")
@pytest.mark.parametrize("next_one", ["another", "nobody"])
def test_the_lane_leaves_nothing_to_the_next(world: World, tables: list[str], next_one: str) -> None:
    """The hot lane keeps its tenant from one request to the next, on one connection: the next is told its own."""
    tenant: UUID = {"another": world.other_organisation, "nobody": NIL}[next_one]

    def count(table: str) -> HotQuery:
        return HotQuery(f"SELECT count(*) FROM {table} WHERE organisation_id = $1", ("organisation",))

    async def all_of_them() -> tuple[int, dict[str, int]]:
        lane, before, met = HotLane(world.database.app_url, 1), 0, {}
        await lane.open()
        try:
            for table in tables:
                asked = {"organisation": world.organisation}
                try:
                    [(mine,)] = await lane.ask(world.organisation, count(table), asked)
                    [(theirs,)] = await lane.ask(tenant, count(table), asked)
                except asyncpg.InsufficientPrivilegeError:
                    continue
                before += mine
                if theirs:
                    met[table] = theirs
        finally:
            await lane.close()
        return before, met

    before, met = asyncio.run(all_of_them())
    assert before > 30, "the request before saw the rows of its house"
    assert met == {}
