"""What the tests of projects say: a project of the cast, and its parts."""

import asyncio
from datetime import date, timedelta
from typing import Any

from app.access.models import Mandate
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.security import sessions
from app.security.tokens import Door
from tests.world import World

PATH = "/api/v1/projects"
ME = "/api/v1/me/project"
SERAFIN = "https://smt.esante.gouv.fr/terminologie-SERAFINPH"


def body(world: World, usager: str = "jeanne", structure: str = "ehpad", **changes: object) -> dict[str, object]:
    return {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(world.ids[structure]),
        "title": "Projet de Jeanne",
        **changes,
    }


def prepared(world: World, who: str = "sonia", **changes: object) -> str:
    """A draft; its address."""
    answer = world.post(who, PATH, body(world, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def part(world: World, project: str, room: str, who: str = "sonia", **said: object) -> dict[str, Any]:
    answer = world.post(who, f"{project}/{room}", said)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def signed(world: World, project: str, who: str = "marc") -> dict[str, Any]:
    return part(world, project, "agreements", who, party="structure", answer="yes")


def act(world: World, project: str, name: str, who: str = "marc", version: int | None = None) -> Any:
    """A change of state, from the version that stands."""
    last = version or int(world.rows("SELECT version FROM project WHERE id = $1", id_of(project))[0][0])
    return world.post(who, f"{project}/{name}", {}, headers={"If-Match": f'W/"{last}"'})


def validated(world: World, **changes: object) -> str:
    project = prepared(world, **changes)
    signed(world, project)
    answer = act(world, project, "validate")
    assert answer.status_code == 200, answer.text
    return project


def id_of(place: str) -> str:
    return place.rpartition("/")[2]


def represented(world: World, name: str, usager: str) -> None:
    """Someone who holds a confirmed mandate for this person, with a bearer of the person's door."""
    id, kept = uuid7(), {"usager_id": world.ids[usager], "structure_id": world.ids["ime"]}
    world.add(
        Mandate(
            contact_id=id,
            kind="autorite_parentale",
            scope="personne",
            effect="representation",
            opens=["administrative", "support"],
            starts=date(2020, 1, 1),
            confirmed_at=now(),
            **kept,
        )
    )

    async def open() -> str:
        base = Database(world.database.owner_url, 1)
        async with base.session(None) as session:
            until = now() + timedelta(hours=1)
            opened = await sessions.open_person(
                session, world.organisation, uuid7(), world.ids[usager], id, Door.ME, until
            )
            await session.commit()
        await base.close()
        return opened.token

    world.ids[name] = id
    world.bearers[name] = {"Authorization": f"Bearer {asyncio.run(open())}"}
