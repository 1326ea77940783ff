"""The sealer inserts seals, and nothing else: by what the catalogue grants, and by trying it on every table."""

import asyncpg
import pytest

from app.kernel.roles import SEALER
from tests.audit.conftest import HERE, Connect
from tests.postgres import TestDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.threat("trail-sealer-overreach")]
READS = {"audit_entry", "audit_seal", "organisation", "cluster_epoch"}
GRANTED = """SELECT c.relname, p.privilege FROM pg_class c
    CROSS JOIN unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p(privilege)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND (has_table_privilege($1, c.oid, p.privilege)
        OR p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege($1, c.oid, p.privilege))"""
ROLE = """SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
    OR EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid)
    OR has_schema_privilege(rolname, 'public', 'CREATE') FROM pg_roles r WHERE rolname = $1"""
DEFINER = """SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
    AND has_function_privilege($1, oid, 'EXECUTE')"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1"


async def test_the_catalogue_grants_reading_the_trail_and_adding_a_seal(
    fresh_database: TestDatabase, connect: Connect
) -> None:
    owner = await connect(fresh_database.superuser_url)
    granted = {tuple(row) for row in await owner.fetch(GRANTED, SEALER)}
    assert granted == {(table, "SELECT") for table in READS} | {("audit_seal", "INSERT")}


async def test_the_role_has_no_other_power(fresh_database: TestDatabase, connect: Connect) -> None:
    owner = await connect(fresh_database.superuser_url)
    assert await owner.fetchval(ROLE, SEALER) is False
    assert await owner.fetch(DEFINER, SEALER) == []


async def test_every_other_act_on_every_table_is_refused(chained: TestDatabase, connect: Connect) -> None:
    sealer = await connect(chained.sealer_url)
    done = set()
    for [table] in await sealer.fetch(TABLES):
        column = await sealer.fetchval(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 LIMIT 1", table
        )
        for act in (
            f"SELECT 1 FROM {table}",
            f"INSERT INTO {table} DEFAULT VALUES",
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            try:
                await sealer.execute(act)
            except asyncpg.InsufficientPrivilegeError as no:
                if "permission denied" in str(no):  # by the grant, not only out of its tenant
                    continue
            except asyncpg.NotNullViolationError:  # let in, and refused for what it lacks
                pass
            done.add((table, act.split()[0]))
    assert done == {(table, "SELECT") for table in READS} | {("audit_seal", "INSERT")}


async def test_a_seal_once_there_is_not_replaced(chained: TestDatabase, connect: Connect) -> None:
    sealer = await connect(chained.sealer_url)
    again = """INSERT INTO audit_seal (organisation_id, number, cluster, epoch, from_xid, to_xid, entries, hash)
        VALUES ($1, 3, 'x', 1, 0, 1, 1, '')"""
    with pytest.raises(asyncpg.UniqueViolationError):
        await sealer.execute(again, HERE)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sealer.execute(f"{again} ON CONFLICT (organisation_id, number) DO UPDATE SET hash = ''", HERE)
