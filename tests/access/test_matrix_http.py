"""Each cell of the matrix that reads, changes or removes, asked at the door: every role, kind, category.

What is expected comes from `expected.csv` alone; a cell moved in the code without it fails here too. A change is asked
with a version that nobody read: who may make it is told it is stale (412), and nothing is written.
"""

import re
from collections.abc import Iterator

import pytest

from app.access.permissions import Action, Category
from tests.access.cells import CELLS, DOSSIER, Cell, House, Profile, every, founded, opens
from tests.world import World

pytestmark = pytest.mark.once

STALE = 999_999
ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
BODIES = {"usager_identifier": {"value": "1"}}
# Kinds that no route corrects or removes, or only after an act of its own (`acts.ACTS`): the gate is asked.
WITHOUT_DOOR = {
    Action.UPDATE: {
        "consent_answer", "agreement", "kept_resource", "emergency_access", "team_member", "stated_purpose", "shared_team",
        "handover", "presence_schedule",
    },
    Action.DELETE: {
        "usager", "usager_identifier", "mandate", "consent_answer", "opposition", "emergency_sheet",
        "emergency_access", "agreement", "kept_resource", "team_member", "judicial_decision", "consigne", "stated_purpose",
        "shared_team", "handover", "presence_schedule",
    },
}  # fmt: skip
BEHIND_AN_ACT = {"emergency_access", "team_member", "shared_team"}


@pytest.fixture(scope="module")
def house(world: World) -> Iterator[House]:
    return founded(world)


def answered(house: House, cell: Cell, row: Profile) -> int:
    world, who, place = house.world, house.bearer(cell.who), house.place(cell, row)
    match cell.action:
        case "read":
            return int(world.get(who, place).status_code)
        case "delete":
            return int(world.delete(who, place, STALE).status_code)
    if cell.kind == "opposition":  # lifted, never corrected; these have ended: 409 for who may
        return int(world.post(who, f"{place}/lift", None).status_code)
    return int(world.patch(who, place, BODIES.get(cell.kind, {}), STALE).status_code)


def wrong(house: House, cell: Cell) -> list[str]:
    """The answers that are not those of `expected.csv`."""
    yes = {"read": 200, "delete": 412}.get(cell.action, 409 if cell.kind == "opposition" else 412)
    told = []
    for row in cell.asked():
        status = answered(house, cell, row)
        within, read = cell.within(row), Cell(cell.who, cell.kind, cell.category, "read").within(row)
        if status != (yes if within else 403 if read else 404):
            told.append(f"{cell} {cell.reach} {row}: {status}")
    return told


def at_a_door(action: Action) -> Iterator[Cell]:
    """What is neither read nor changed is told as absent, as reading tells already: the gate alone is asked of it."""
    at_one = (cell for cell in every(action) if cell.kind not in WITHOUT_DOOR.get(action, ()))
    return (cell for cell in at_one if cell.read or cell.reach)


class TestTheQuestions:
    """Else the answers would prove nothing."""

    def test_cover_every_cell_of_a_dossier(self) -> None:
        staff = {cell.who for cell in every(Action.READ)}
        said = {cell for cell in CELLS if cell[0] in staff and cell[1] in DOSSIER}
        asked = {(c.who, c.kind, c.category, c.action) for action in Action for c in every(action)}
        assert said <= asked

    def test_tell_each_reach_from_every_other(self) -> None:
        reaches = (None, "structure", "team", "referent", "own", "team_consigne", "purpose")
        for cell in every(Action.READ):
            rows = cell.asked()
            told = {reach: [opens(reach, row) for row in rows] for reach in reaches}
            assert [r for r in reaches if r != cell.reach and told[r] == told[cell.reach]] == [], cell


@pytest.mark.threat("object-matrix-read")
@pytest.mark.parametrize("category", list(Category))
def test_who_reads_what(house: House, category: Category) -> None:
    assert [no for cell in every(Action.READ, (category,)) for no in wrong(house, cell)] == []


@pytest.mark.threat("object-matrix-write")
@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_who_changes_what(house: House, action: Action) -> None:
    assert [no for cell in at_a_door(action) for no in wrong(house, cell)] == []


@pytest.mark.parametrize("action", WITHOUT_DOOR)
def test_what_is_said_without_a_door_has_none(house: House, action: Action) -> None:
    """A new route is asked here too: its kind leaves `WITHOUT_DOOR`."""
    paths = house.world.client.app.openapi()["paths"]  # type: ignore[attr-defined]
    method = {Action.UPDATE: "patch", Action.DELETE: "delete"}[action]
    doors = {re.sub(r"{\w+}", "{}", path) for path, methods in paths.items() if method in methods}
    cells = [Cell("dpo", kind, "support", action.value) for kind in DOSSIER]
    there = {cell.kind for cell in cells if re.sub(ID, "{}", house.place(cell, Profile())) in doors}
    lifted = {"opposition"} if action is Action.UPDATE else set()
    assert there | lifted == (set(DOSSIER) - WITHOUT_DOOR[action]) | (there & BEHIND_AN_ACT)
