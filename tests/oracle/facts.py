"""The rows of a base as its owner reads them: what an oracle may know, and all of it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from tests.dossier import KINDS, TABLES
from tests.world import World

PARIS = ZoneInfo("Europe/Paris")
BESIDE = (
    "membership", "membership_structure", "unit_team", "on_call", "narrowing", "partner_structure", "unit", "structure",
    "professional", "outside_party", "outside_party_mention", "external_id",
)  # fmt: skip
Line = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    now: datetime
    rows: dict[str, list[Line]]  # by kind, then of the tables that are no dossier's

    @property
    def today(self) -> date:
        return self.now.astimezone(PARIS).date()

    def of(self, kind: str, id: UUID) -> Line:
        return next(row for row in self.rows[kind] if row["id"] == id)


def known(world: World) -> Facts:
    async def ask() -> dict[str, list[Line]]:
        connection = await asyncpg.connect(world.database.owner_url)
        try:
            told = {}
            for name in (*KINDS, *BESIDE):
                lines = await connection.fetch(
                    f"SELECT * FROM {TABLES.get(name, name)} WHERE organisation_id = $1",
                    world.organisation,
                )
                told[name] = [dict(line) for line in lines]
            return told
        finally:
            await connection.close()

    return Facts(datetime.now(UTC), asyncio.run(ask()))
