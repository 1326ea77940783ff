"""Someone who left, with strings of theirs alone; the rules of a house; and what is then asked of the base."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel import clock
from app.kernel.db import Database
from app.kernel.engine import find
from app.kernel.ids import uuid7
from app.vault import erasure, retention
from tests.postgres import TestDatabase
from tests.vault.conftest import written
from tests.world import World

T = TypeVar("T")
CANARIES = ("CANARI-NOM", "Canariprenom", "Canari-4711", "canari@exemple.fr", "CANARI-NUMERO", "Canaricontact")
PART = ("administrative", "support", "care", "judicial", "alert")
SETTING = """INSERT INTO setting (organisation_id, id, scope, key, value, since, version, recorded_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, now(), 1, now(), now())
    ON CONFLICT (organisation_id, scope, key) WHERE deleted_at IS NULL DO UPDATE SET value = excluded.value"""
LEFT = date(2020, 3, 15)


def someone_left(world: World) -> UUID:
    """Someone who left, with a row of most kinds, each with a string of theirs alone; no version stands for them yet."""
    body = {
        "birth_family_name": "CANARI-NOM",
        "birth_given_names": "Canariprenom",
        "birth_date": "1940-02-29",
        "structure_id": str(world.ids["ehpad"]),
        "email": "canari@exemple.fr",
        "identifiers": [{"system": "urn:local", "value": "CANARI-NUMERO"}],
    }
    answer = world.post("odile", "/api/v1/usagers", body)
    assert answer.status_code == 201, answer.text
    id = UUID(answer.json()["id"])
    world.ids["gone"] = id
    stay = {"usager_id": str(id), "structure_id": str(world.ids["ehpad"]), "starts": "2015-01-01"}
    assert world.post("odile", "/api/v1/stays", stay).status_code == 201
    world.accompany("sonia", id, "ehpad")
    written(world, "gone")
    contact = {"usager_id": str(id), "structure_id": str(world.ids["ehpad"]), "family_name": "Canaricontact"}
    said = world.post("odile", "/api/v1/contacts", contact)
    assert said.status_code in (201, 422), said.text
    world.card("gone")
    world.rows("UPDATE stay SET ends = $2, status = 'finished' WHERE usager_id = $1", id, LEFT)
    world.rows("UPDATE team_member SET ends = $2 WHERE usager_id = $1", id, LEFT)
    return id


def ruled(world: World, months: int = 24, starts: str = "exit", scope: str = "organisation", parts: Any = PART) -> None:
    for part in parts:
        for name, value in {"months": months, "starts": starts, "source": "Délibération du 3 mars"}.items():
            world.rows(
                SETTING, world.organisation, uuid7(), scope, f"retention.{part}.{name}", orjson.dumps(value).decode()
            )


def acted(world: World, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async def main() -> T:
        base = Database(world.database.owner_url, 1)
        try:
            async with base.session(None) as session:
                done = await work(session)
                await session.commit()
                return done
        finally:
            await base.close()

    return asyncio.run(main())


def run(world: World) -> erasure.Done:
    async def main() -> erasure.Done:
        base = Database(world.database.owner_url, 1)
        try:
            return await erasure.run(base, world.keyring)
        finally:
            await base.close()

    return asyncio.run(main())


def due(world: World, day: date) -> list[UUID]:
    return [each.usager_id for each in acted(world, lambda s: retention.due(s, day))]


def signed(world: World, day: date, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """Proposed and signed on that day."""
    monkeypatch.setattr(clock, "today", lambda: day)
    [row] = acted(world, erasure.propose)
    acted(world, lambda s: erasure.sign(s, [row.id], world.ids["helene_account"], "given"))
    return row.id


def dump(database: TestDatabase) -> str:
    command = [find().command("pg_dump"), "--inserts", database.superuser_url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
