"""What the tests of projects say: a project of the cast, and its parts."""

from typing import Any

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
    now = version or int(world.rows("SELECT version FROM project WHERE id = $1", id_of(project))[0][0])
    return world.post(who, f"{project}/{name}", {}, headers={"If-Match": f'W/"{now}"'})


def validated(world: World, **changes: object) -> str:
    project = prepared(world, **changes)
    signed(world, project)
    answer = act(world, project, "validate")
    assert answer.status_code == 200, answer.text
    return project


def id_of(place: str) -> str:
    return place.rpartition("/")[2]
