"""The same questions put to two bases: what a sample of callers may read, counted and fingerprinted, by the policy itself.

For a restored base to be compared with the one that was saved: same callers, same day, same instant.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.access.entry import Row
from app.access.permissions import Action
from app.access.policy import allowed
from app.kernel.db import Base
from app.kernel.hot import HotQuery, compiled
from app.kernel.ids import uuid7
from app.security.principal import Caller, Role, Shape

OF_EACH = 1  # callers of one kind and role, in one organisation
ORGANISATIONS = 5
# Who works, lives, represents or exchanges there today: one of each role and kind, the first by id.
CALLERS = """SELECT kind, role, organisation_id, id, membership, usager, structure FROM (
        SELECT 'professional' AS kind, m.role, m.organisation_id, m.professional_id AS id, m.id AS membership,
            NULL::uuid AS usager, NULL::uuid AS structure,
            row_number() OVER (PARTITION BY m.organisation_id, m.role ORDER BY m.id) AS place
        FROM membership m WHERE m.deleted_at IS NULL AND m.starts <= $1 AND (m.ends IS NULL OR m.ends > $1)
        UNION ALL SELECT 'usager', NULL, organisation_id, id, NULL, id, NULL,
            row_number() OVER (PARTITION BY organisation_id ORDER BY id) FROM usager WHERE deleted_at IS NULL
        UNION ALL SELECT 'representative', NULL, organisation_id, contact_id, NULL, usager_id, NULL,
            row_number() OVER (PARTITION BY organisation_id ORDER BY id) FROM mandate
            WHERE deleted_at IS NULL AND confirmed_at IS NOT NULL
        UNION ALL SELECT 'partner', NULL, organisation_id, id, NULL, NULL, default_structure_id,
            row_number() OVER (PARTITION BY organisation_id ORDER BY id) FROM partner WHERE disabled_at IS NULL
    ) c WHERE place <= $2 AND organisation_id IN (SELECT organisation_id FROM organisation ORDER BY 1 LIMIT $3)
    ORDER BY organisation_id, kind, role, id"""
OPEN = """INSERT INTO session (id, kind, door, organisation_id, subject_id, created_at, expires_at)
    VALUES ($1, 'staff', 'api', $2, $3, $4, $5)"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One caller of the sample, and what they may read: per kind, how many rows and the fingerprint of their ids."""

    kind: str
    role: str | None
    organisation_id: str
    id: str
    membership: str | None
    usager: str | None
    structure: str | None
    reads: dict[str, list[str]] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        return asdict(self)


async def callers(connection: asyncpg.Connection, day: date) -> list[Asked]:
    rows = await connection.fetch(CALLERS, day, OF_EACH, ORGANISATIONS)
    told: list[dict[str, Any]] = [{name: None if v is None else str(v) for name, v in row.items()} for row in rows]
    return [Asked(**each) for each in told]


async def open_session(owner: asyncpg.Connection, at: datetime) -> UUID:
    """A session of nobody, that the policy finds alive: for a transaction undone, or a base thrown away."""
    id = uuid7()
    await owner.execute(OPEN, id, id, id, at, at + timedelta(days=1))
    return id


async def ask(
    connection: asyncpg.Connection, who: Sequence[Asked], session: UUID, day: date, at: datetime
) -> list[Asked]:
    """As the owner, by the policy alone; as the application, by row-level security too."""
    told = []
    for each in who:
        await connection.execute("SELECT set_config('dui.organisation', $1, false)", each.organisation_id)
        values = {**_facts(each), "session": session, "today": day, "now": at}
        shape = Shape(Caller(each.kind), Role(each.role) if each.role else None)
        reads = {}
        for row in _tables():
            query = _question(shape, row)
            [(count, ids)] = await connection.fetch(query.sql, *query.arguments(values))
            reads[row.KIND.value] = [str(count), ids or ""]
        told.append(Asked(**{**each.told(), "reads": reads}))
    return told


def _facts(each: Asked) -> dict[str, object]:
    def uuid(value: str | None) -> UUID | None:
        return UUID(value) if value else None

    return {
        "organisation": UUID(each.organisation_id),
        "me": UUID(each.id),
        "membership": uuid(each.membership),
        "me_usager": uuid(each.usager),
        "receiver": uuid(each.structure),
    }


@lru_cache
def _tables() -> list[type[Row]]:
    found = [mapper.class_ for mapper in Base.registry.mappers if hasattr(mapper.class_, "KIND")]
    return sorted(found, key=lambda row: row.KIND.value)


@lru_cache(maxsize=1_000)
def _question(caller: Shape, row: type[Row]) -> HotQuery:
    ids: ColumnElement[Any] = aggregate_order_by(literal_column("','"), row.id)
    fingerprint = func.md5(func.string_agg(cast(row.id, Text), ids))
    within = select(func.count(row.id), fingerprint).where(allowed(caller, Action.READ, row), row.deleted_at.is_(None))
    return compiled(within)
