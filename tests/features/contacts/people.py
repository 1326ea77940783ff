"""Who is around the person, and the mandates they hold."""

from typing import Any

from tests.world import World

PATH = "/api/v1/contacts"
HOUSES = {"jeanne": "ehpad", "karim": "mas_fam", "lucas": "ime", "ines": "mecs"}
CURATELLE = {"kind": "curatelle_renforcee", "scope": "both", "starts": "2024-03-01"}
TUTELLE = {"kind": "tutelle", "scope": "both", "starts": "2024-03-01"}


def said(world: World, usager: str = "jeanne", **changes: object) -> dict[str, object]:
    return {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(world.ids[HOUSES[usager]]),
        "family_name": "BLANC",
        **changes,
    }


def added(world: World, usager: str = "jeanne", who: str = "odile", **changes: object) -> str:
    answer = world.post(who, PATH, said(world, usager, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def entered(world: World, contact: str, who: str = "odile", **terms: object) -> str:
    answer = world.post(who, f"{contact}/mandates", terms)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def confirmed(world: World, mandate: str, who: str = "marc", version: int = 1, day: str = "2024-04-02") -> Any:
    headers = {"If-Match": f'W/"{version}"'}
    return world.post(who, f"{mandate}/confirm", {"copy_seen_on": day}, headers=headers)
