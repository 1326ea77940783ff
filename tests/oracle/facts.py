"""The rows of a base as its owner reads them: what an oracle may know, and all of it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
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
    "entry_version",
)  # fmt: skip
Line = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    now: datetime
    rows: dict[str, list[Line]]  # by kind, then of the tables that are no dossier's

    @property
    def today(self) -> date:
        return self.now.astimezone(PARIS).date()

    @cached_property
    def names(self) -> dict[tuple[UUID, UUID], list[UUID]]:
        """By partner and person who is here: the newcomers it sent who were attached to them, the first first."""
        told: dict[tuple[UUID, UUID], set[UUID]] = {}
        for line in self.rows["external_id"]:
            if line["kind"] == "usager" and line["row_id"] != line["usager_id"]:
                told.setdefault((line["partner_id"], line["usager_id"]), set()).add(line["row_id"])
        return {whom: sorted(names) for whom, names in told.items()}

    @cached_property
    def named(self) -> set[tuple[UUID, UUID]]:
        """Each row with whoever a version of it was about."""
        return {(line["entry_id"], line["usager_id"]) for line in self.rows["entry_version"]}

    @cached_property
    def refuges(self) -> set[tuple[UUID, UUID]]:
        """Who lives, or will, in a house that is a protected place for them (field.md §5)."""
        there = [s for s in self.rows["stay"] if s["place_protected"] and s["deleted_at"] is None]
        return {(s["usager_id"], s["structure_id"]) for s in there if s["ends"] is None or s["ends"] > self.today}

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
