"""Each cell of the matrix that writes, asked of the gate: every role, kind, category, relation, door or no door.

The gate's own statements answer for many rows at once; what is written is undone.
"""

import sys
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

import pytest

from app.access.permissions import Action, Category
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.access.cells import DOSSIER, PROFILES, WHO, Cell, House, Profile, every, founded
from tests.access.holding import Asked, holding, tables
from tests.dossier import row_of
from tests.world import World

Row = tuple[str, Profile]  # of one kind: its category, and what it is to who asks


@pytest.fixture(scope="module")
def house(world: World) -> Iterator[House]:
    return founded(world)


async def let(gate: Asked, house: House, kind: str, action: Action) -> set[Row]:
    """The rows of this kind on which the gate lets who holds it."""
    at = [(category.value, row) for category in Category for row in PROFILES]
    if action is Action.CREATE:
        new = {uuid7(): one for one in at if one[1].own}
        rows = [_new(house, kind, *one, id=id) for id, one in new.items()]
        return {new[id] for id in await gate.might_add(tables()[kind], rows)}
    known = {house.rows[row, category, kind]: (category, row) for category, row in at}
    return {known[id] for id in await gate.may(action, tables()[kind], list(known))}


def _new(house: House, kind: str, category: str, row: Profile, id: UUID) -> dict[str, Any]:
    about = house.blank[row, category]
    said = {"id": id, "category": category, "consigne": row.consigne, "author_id": house.world.ids[WHO]}
    if kind == "usager":
        said |= {"usager_id": id}
    told = row_of(house.world, kind, about, said)
    return {k: f"\\x{v.hex()}" if isinstance(v, bytes) else v for k, v in told.items()}


def expected_of(role: str, kind: str, action: Action) -> set[Row]:
    rows = [row for row in PROFILES if row.own or action is not Action.CREATE]
    cells = [Cell(role, kind, category.value, action.value) for category in Category]
    return {(cell.category, row) for cell in cells for row in rows if cell.within(row)}


def wrong(house: House, role: str, kinds: tuple[str, ...], *actions: Action) -> list[str]:
    async def act(gate: Any) -> list[str]:
        told = []
        for kind in kinds:
            for action in actions:
                said = expected_of(role, kind, action)
                found = await let(cast(Asked, gate), house, kind, action)
                told += [f"{role} {action} {kind} {row}" for row in said ^ found]
        return told

    return cast(list[str], holding(house.world, house.bearer(role), act, Asked))


@pytest.mark.threat("object-matrix-write")
@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_who_writes_what(house: House, action: Action, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"{action}: {len([*every(action)])} cells asked of the gate, {len(PROFILES)} relations each\n")
    assert [no for role in Role for no in wrong(house, role.value, DOSSIER, action)] == []
