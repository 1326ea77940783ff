"""Someone at the desk."""

from typing import Any

from tests.world import World

PATH = "/api/v1/usagers"
INS_NIR = "urn:oid:1.2.250.1.213.1.4.8"
MDPH = "https://mdph.example/individu"
SEEN = {"status": "validee", "document": "carte_identite", "checked_on": "2026-01-05"}


def said(world: World, structure: str = "ehpad", **changes: object) -> dict[str, object]:
    return {
        "structure_id": str(world.ids[structure]),
        "birth_family_name": "NOUVEAU",
        "birth_given_names": "Camille",
        "birth_date": None,
        **changes,
    }


def opened(world: World, who: str = "odile", **changes: Any) -> str:
    answer = world.post(who, PATH, said(world, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def whole(world: World, name: str, **more: Any) -> str:
    """Someone whose strict traits are all there."""
    traits = {"birth_date": "1950-02-03", "gender": "female", "birth_place_code": "63220"}
    return opened(world, birth_family_name=name, confirmed_new=True, **traits, **more)


def checked(world: World, who: str, place: str, version: int = 1, **changes: object) -> Any:
    return world.post(who, f"{place}/identity", SEEN | changes, headers={"If-Match": f'W/"{version}"'})
