"""`dui audit verify`: every link recomputed in Python from the lines it covers. Needs only to read."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

import asyncpg

from app.audit.chain import Chain, Head, Verdict
from app.audit.lines import COLUMNS
from app.kernel.db import NIL

__all__ = ["Verdict", "told", "verify", "verify_all"]

AHEAD = 1_000  # rows read at once
LINK = ("number", "cluster", "epoch", "from_xid", "to_xid", "entries", "hash")
LINKS = f"SELECT {', '.join(LINK)} FROM audit_seal WHERE organisation_id = $1 ORDER BY number"  # noqa: S608  names of ours
LINES = f"""SELECT {", ".join(c if c != "xid" else "xid::text" for c in COLUMNS)} FROM audit_entry
    WHERE organisation_id = $1 AND epoch = $2 ORDER BY audit_entry.xid, id"""  # noqa: S608
EPOCHS = "SELECT DISTINCT epoch FROM audit_entry WHERE organisation_id = $1 ORDER BY 1"
EPOCH = "SELECT max(epoch) FROM cluster_epoch"
CHAINS = """SELECT organisation_id FROM organisation UNION SELECT organisation_id FROM audit_seal
    UNION SELECT $1 UNION SELECT unnest($2::uuid[]) ORDER BY 1"""
Row = Any  # of the driver: read by name, as a mapping
Heads = Mapping[UUID, Mapping[int, Head]]
NONE: Heads = {}


async def verify(connection: asyncpg.Connection, organisation_id: UUID, heads: Heads = NONE) -> Verdict:
    """Recompute the chain of one organisation, in one snapshot, and meet its published heads."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        chain = Chain(organisation_id, await connection.fetchval(EPOCH), heads.get(organisation_id, {}))
        async for link, line in told(connection, organisation_id):
            if link is not None:
                chain.link(link)
            if line is not None:
                chain.line(line)
            if chain.broken:
                break
        return chain.verdict()


async def verify_all(connection: asyncpg.Connection, heads: Heads = NONE) -> AsyncIterator[Verdict]:
    for row in await connection.fetch(CHAINS, NIL, list(heads)):
        yield await verify(connection, row["organisation_id"], heads)


async def told(connection: asyncpg.Connection, organisation_id: UUID) -> AsyncIterator[tuple[Row, Row]]:
    """Each link (first), then its lines (second); a line that no link covers comes before the first link beyond it. In a transaction."""
    lines = _lines(connection, organisation_id)
    line = await anext(lines, None)
    async for link in connection.cursor(LINKS, organisation_id, prefetch=AHEAD):
        while line is not None and _place(line) < (link["epoch"], link["from_xid"]):
            yield None, line
            line = await anext(lines, None)
        yield link, None
        while line is not None and _place(line) < (link["epoch"], link["to_xid"]):
            yield None, line
            line = await anext(lines, None)
    while line is not None:
        yield None, line
        line = await anext(lines, None)


async def _lines(connection: asyncpg.Connection, organisation_id: UUID) -> AsyncIterator[Row]:
    for [epoch] in await connection.fetch(EPOCHS, organisation_id):
        async for line in connection.cursor(LINES, organisation_id, epoch, prefetch=AHEAD):
            yield line


def _place(line: Row) -> tuple[int, int]:
    return line["epoch"], int(line["xid"])
