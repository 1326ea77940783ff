"""Everything kept about one person, gone in one transaction: rows, versions, numbers, fingerprints, raw bundles, accesses.

What is about a person bears `usager_id`: the list is the schema's own, so a table added later is erased too. The trail
stays: it holds ids, never a value, and its chain must hold.
"""

from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.schema import metadata

# They name the person by an id only, and must outlive them.
STAYS = frozenset({"audit_entry", "erasure"})
# Under whatever id this human is, or was: merged into them, or brought by a bundle and then attached to them.
SAME_HUMAN = text("""WITH RECURSIVE same(id) AS (
        SELECT CAST(:usager AS uuid)
        UNION SELECT x.id FROM same, LATERAL (
            SELECT u.id FROM usager u WHERE u.organisation_id = :organisation AND u.merged_into_id = same.id
            UNION ALL SELECT r.row_id FROM exchange_row r
            WHERE r.organisation_id = :organisation AND r.usager_id = same.id AND r.kind = 'usager') x)
    SELECT id FROM same""")
OBJECTS = text(
    "SELECT object FROM content WHERE organisation_id = :organisation AND usager_id = ANY(:who) AND object IS NOT NULL"
)
HERS = "organisation_id = :organisation AND usager_id = ANY(:who)"
# A row that was given to someone else (`exchange.sas`) is theirs, whoever its former versions were about. The names by which
# its sender knew it go: what it sends again is someone who arrives.
_ENTRIES = f"""WITH hers AS (SELECT entry_id FROM entry_version v WHERE {HERS} AND NOT EXISTS (
        SELECT FROM entry_version o WHERE o.organisation_id = v.organisation_id AND o.entry_id = v.entry_id
            AND o.usager_id <> ALL(:who)) GROUP BY entry_id)"""  # noqa: S608  words of ours
# What has no `usager_id`, before the rows it hangs on: each told what it is, for the certificate.
AROUND = (
    ("session", "DELETE FROM session WHERE organisation_id = :organisation AND subject_id = ANY(:who)"),
    (
        "external_id",
        """DELETE FROM external_id x USING entry_version v WHERE x.organisation_id = :organisation
           AND v.organisation_id = x.organisation_id AND v.entry_id = x.row_id AND v.usager_id = ANY(:who)""",
    ),
    (
        "outside_party",  # whom no other dossier names: both go in one statement, their reference is checked at its end
        f"""{_ENTRIES}, named AS (DELETE FROM outside_party_mention m USING hers
                WHERE m.organisation_id = :organisation AND m.entry_id = hers.entry_id RETURNING m.party_id)
           DELETE FROM outside_party o WHERE o.organisation_id = :organisation AND o.id IN (SELECT party_id FROM named)
             AND NOT EXISTS (SELECT FROM outside_party_mention m WHERE m.organisation_id = o.organisation_id
                AND m.party_id = o.id AND m.entry_id NOT IN (SELECT entry_id FROM hers))""",  # noqa: S608
    ),
)
# Afterwards: of what she took part in, what nobody else does.
ATTENDED = text("""SELECT DISTINCT p.event_id, e.series_id FROM event_participant p
    JOIN event e ON e.organisation_id = p.organisation_id AND e.id = p.event_id
    WHERE p.organisation_id = :organisation AND p.usager_id = ANY(:who)""")
ALONE = (
    (
        "resource_booking",
        """DELETE FROM resource_booking b WHERE b.organisation_id = :organisation AND b.event_id = ANY(:events)
           AND NOT EXISTS (SELECT FROM event_participant p
               WHERE p.organisation_id = b.organisation_id AND p.event_id = b.event_id)""",
    ),
    (
        "event",
        """DELETE FROM event e WHERE e.organisation_id = :organisation AND e.id = ANY(:events)
           AND NOT EXISTS (SELECT FROM event_participant p
               WHERE p.organisation_id = e.organisation_id AND p.event_id = e.id)""",
    ),
    (
        "event_series",
        """DELETE FROM event_series s WHERE s.organisation_id = :organisation AND s.id = ANY(:series)
           AND NOT EXISTS (SELECT FROM event e WHERE e.organisation_id = s.organisation_id AND e.series_id = s.id)""",
    ),
)


def about_a_person() -> list[str]:
    """The tables of `usager_id`, each before those it refers to; the key first, since its loss closes the raw bundles."""
    tables = metadata.tables
    named = {name for name, table in tables.items() if "usager_id" in table.columns} - STAYS - {"usager_key"}
    order = TopologicalSorter[str]({name: set() for name in sorted(named)})
    for name in named:
        for constraint in tables[name].foreign_key_constraints:
            other = constraint.referred_table.name
            if other in named and other != name and not constraint.deferrable:
                order.add(other, name)
    return ["usager_key", *order.static_order()]


async def objects_of(session: AsyncSession, organisation_id: UUID, usager_id: UUID) -> list[str]:
    """What lies beside the base of this person, to be taken away once they are forgotten."""
    who = [row.id for row in await session.execute(SAME_HUMAN, {"organisation": organisation_id, "usager": usager_id})]
    rows = await session.execute(OBJECTS, {"organisation": organisation_id, "who": who})
    return [row.object for row in rows]


async def forget(session: AsyncSession, organisation_id: UUID, usager_id: UUID) -> dict[str, int]:
    """How many rows went, by table. Nothing is committed here."""
    asked: dict[str, Any] = {"organisation": organisation_id, "usager": usager_id}
    who = [row.id for row in await session.execute(SAME_HUMAN, asked)]
    attended = (await session.execute(ATTENDED, {"organisation": organisation_id, "who": who})).all()
    told = {
        "organisation": organisation_id,
        "who": who,
        "events": [row.event_id for row in attended],
        "series": [row.series_id for row in attended if row.series_id],
    }
    gone: dict[str, int] = {}
    for name, statement in (*AROUND, *((name, _all_of(name)) for name in about_a_person()), *ALONE):
        named = {key: value for key, value in told.items() if f":{key}" in statement}
        result: Any = await session.execute(text(statement), named)
        gone[name] = gone.get(name, 0) + result.rowcount
    return {name: count for name, count in gone.items() if count}


def _all_of(name: str) -> str:
    return f"DELETE FROM {name} WHERE {HERS}"  # noqa: S608  names of the schema
