"""`dui audit verify`: every link recomputed in Python from the lines it covers. Needs only to read."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from app.audit.lines import COLUMNS, GENESIS, header, line_hash, link_hash

LINKS = "SELECT * FROM audit_seal WHERE organisation_id = $1 ORDER BY number"
LINES = f"""SELECT {", ".join(c if c != "xid" else "xid::text" for c in COLUMNS)} FROM audit_entry
    WHERE organisation_id = $1 AND epoch = $2 AND xid >= $3::text::xid8 AND xid < $4::text::xid8
    ORDER BY audit_entry.xid, id"""  # noqa: S608  names of ours
CHAINS = "SELECT DISTINCT organisation_id FROM audit_seal ORDER BY 1"
UNSEALED = """SELECT count(*) FROM audit_entry a WHERE organisation_id = $1 AND NOT EXISTS (
    SELECT 1 FROM audit_seal s WHERE s.organisation_id = a.organisation_id AND s.epoch = a.epoch
      AND a.xid >= s.from_xid::text::xid8 AND a.xid < s.to_xid::text::xid8)"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one organisation's chain says. `broken` is the number of the first link that no longer holds."""

    organisation_id: UUID
    links: int
    lines: int
    unsealed: int
    broken: int | None
    why: str | None
    head: bytes


async def verify(connection: asyncpg.Connection, organisation_id: UUID) -> Verdict:
    """Recompute the chain of one organisation, in one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        before, last, lines = GENESIS, None, 0
        links = await connection.fetch(LINKS, organisation_id)
        for expected, link in enumerate(links, 1):
            rows = await connection.fetch(
                LINES, organisation_id, link["epoch"], str(link["from_xid"]), str(link["to_xid"])
            )
            why = _fault(link, expected, last, before, rows)
            if why:
                return Verdict(
                    organisation_id, len(links), lines, 0, link["number"] if why != GAP else expected, why, before
                )
            before, last, lines = link["hash"], link, lines + len(rows)
        unsealed = await connection.fetchval(UNSEALED, organisation_id)
        return Verdict(organisation_id, len(links), lines, unsealed, None, None, before)


GAP = "un maillon manque"


def _fault(
    link: asyncpg.Record, expected: int, last: asyncpg.Record | None, before: bytes, rows: list[asyncpg.Record]
) -> str | None:
    if link["number"] != expected:
        return GAP
    start = last["to_xid"] if last is not None and last["epoch"] == link["epoch"] else 0
    if link["from_xid"] != start:
        return "le maillon ne commence pas où finit le précédent"
    if len(rows) != link["entries"]:
        return "des lignes ont été retirées ou ajoutées"
    named = header(link["number"], link["cluster"], link["epoch"], link["from_xid"], link["to_xid"])
    if link_hash(before, named, b"".join(line_hash(dict(row)) for row in rows)) != link["hash"]:
        return "une ligne ou le maillon a été modifié"
    return None


async def verify_all(connection: asyncpg.Connection) -> AsyncIterator[Verdict]:
    for row in await connection.fetch(CHAINS):
        yield await verify(connection, row["organisation_id"])
