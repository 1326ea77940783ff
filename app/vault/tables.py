"""The tables of the base as its catalogue tells them: which, in what order, each as a stream of rows and its fingerprint.

Rows go as Postgres's own text, in the order of the primary key: the same rows give the same bytes on any server.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter

import asyncpg

SETTINGS = {
    "application_name": "dui-vault",
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
NOT_OURS = ("alembic_version",)  # told by the header: the schema is made by the migrations
NAME = re.compile(r"[a-z_][a-z0-9_]*")
TABLES = """SELECT c.relname AS name,
        array_agg(a.attname::text ORDER BY a.attname) FILTER (WHERE a.attgenerated = '') AS columns,
        coalesce((SELECT array_agg(quote_ident(k.attname) || CASE WHEN k.attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END
            ORDER BY array_position(i.indkey::int2[], k.attnum))
            FROM pg_index i JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY(i.indkey)
            WHERE i.indrelid = c.oid AND i.indisprimary), '{}') AS key,
        c.relrowsecurity AND NOT pg_catalog.row_security_active(c.oid) OR NOT c.relrowsecurity
            OR EXISTS (SELECT FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = c.relname
                AND p.qual = 'true' AND current_user = ANY(p.roles)) AS whole
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    GROUP BY c.oid, c.relname"""
LINKS = """SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conrelid <> confrelid AND NOT condeferrable"""
MONTHS = """SELECT p.relname AS parent, c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
    FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
    WHERE c.relispartition AND c.relkind = 'r' AND p.relnamespace = 'public'::regnamespace ORDER BY 1, 2"""
Take = Callable[[bytes], Awaitable[None]]


class Unreadable(RuntimeError):
    """The role given does not see every row of a table: what it would save would not be the base."""


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` are those that are written (a generated one is not); `key` is the order of its rows."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def query(self) -> str:
        columns = ", ".join(f'"{name}"' for name in self.columns)  # one is named "fetch"
        order = ", ".join(self.key) or columns
        return f"SELECT {columns} FROM {self.name} ORDER BY {order}"  # noqa: S608  names of the catalogue


@dataclass(frozen=True, slots=True)
class Told:
    rows: int
    sha256: str


async def tables(connection: asyncpg.Connection) -> list[Table]:
    """Each table after those it refers to. Raises Unreadable when row security hides rows from this role."""
    found = {}
    for row in await connection.fetch(TABLES):
        if row["name"] in NOT_OURS:
            continue
        if not row["whole"]:
            raise Unreadable("Ce rôle ne voit pas toutes les lignes : donnez celui du propriétaire de la base.")
        found[row["name"]] = Table(row["name"], tuple(row["columns"]), tuple(row["key"]))
    order = TopologicalSorter[str]({name: set() for name in sorted(found)})
    for one, other in await connection.fetch(LINKS):
        order.add(one, other)
    return [found[name] for name in order.static_order() if name in found]


async def stream(connection: asyncpg.Connection, table: Table, take: Take | None = None) -> Told:
    """Every row of the table as this transaction sees it, given to `take` as it comes; how many, and their SHA-256."""
    digest = hashlib.sha256()

    async def each(data: bytes) -> None:
        digest.update(data)
        if take:
            await take(data)

    said = await connection.copy_from_query(table.query, output=each)
    return Told(int(said.rpartition(" ")[2]), digest.hexdigest())


@asynccontextmanager
async def as_they_were(connection: asyncpg.Connection, loaded: Collection[str]) -> AsyncIterator[None]:
    """Rows are written as they are given: no trigger of ours decides again. References are checked at the end."""
    await connection.execute("SET CONSTRAINTS ALL DEFERRED")
    for name in loaded:
        await connection.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    yield
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name in loaded:
        await connection.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


async def load(connection: asyncpg.Connection, table: Table, source: AsyncIterator[bytes]) -> Told:
    """The rows of `stream`, within `as_they_were`."""
    digest = hashlib.sha256()

    async def each() -> AsyncIterator[bytes]:
        async for data in source:
            digest.update(data)
            yield data

    said = await connection.copy_to_table(table.name, source=each(), columns=list(table.columns))
    return Told(int(said.rpartition(" ")[2]), digest.hexdigest())


async def months(connection: asyncpg.Connection) -> list[dict[str, str]]:
    return [dict(row) for row in await connection.fetch(MONTHS)]
