"""A cell of the matrix that moves is noticed, whichever it is: cells drawn by a fixed seed, each flipped and asked again."""

from collections.abc import Iterator
from random import Random

import pytest

from app.access.permissions import STAFF, Action, Category, Kind, Reach
from app.security.principal import Role
from tests.access import test_matrix_gate as gate
from tests.access import test_matrix_http as http
from tests.access.cells import PROFILES, Cell, House, every, founded
from tests.access.forgetting import forget
from tests.world import World

SEED, EACH = 20261122, 6  # flips of cells that say something, then of cells that say nothing, for each action
REACHES = (None, Reach.STRUCTURE, Reach.TEAM, Reach.REFERENT, Reach.OWN, Reach.TEAM_CONSIGNE)
Flip = tuple[Cell, Reach | None]


@pytest.fixture(scope="module")
def house(world: World) -> Iterator[House]:
    return founded(world)


def differs(cell: Cell, reach: Reach | None) -> bool:
    """Another answer for some row: who writes is the author, and nothing is changed that is not read."""
    rows = [row for row in PROFILES if cell.action != Action.CREATE or row.own]
    newcomer = cell.kind == Kind.USAGER and cell.action == Action.CREATE
    if newcomer and (reach or cell.reach) != Reach.STRUCTURE:
        return False  # nobody accompanies them yet
    return [cell.would(reach, row) for row in rows] != [cell.within(row) for row in rows]


def drawn() -> list[Flip]:
    draw, flips = Random(SEED), list[Flip]()
    for action in Action:
        for said in (True, False):
            cells = [cell for cell in every(action) if bool(cell.reach) is said]
            draw.shuffle(cells)
            told = ((cell, draw.choice(REACHES)) for cell in cells)
            flips += [one for _, one in zip(range(EACH), filter(lambda flip: differs(*flip), told), strict=False)]
    return flips


def noticed(house: House, cell: Cell) -> bool:
    if cell.action == Action.READ:
        return bool(http.wrong(house, cell))
    return bool(gate.wrong(house, cell.who, (cell.kind,), Action(cell.action)))


def test_as_many_are_drawn_as_told() -> None:
    assert len(drawn()) == EACH * 2 * len(Action)


@pytest.mark.parametrize(("cell", "reach"), drawn())
def test_a_flipped_cell_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch, cell: Cell, reach: Reach | None):
    place = (Kind(cell.kind), Category(cell.category), Action(cell.action))
    line = dict(STAFF[Role(cell.who)])
    line.pop(place, None)
    if reach:
        line[place] = reach
    monkeypatch.setitem(STAFF, Role(cell.who), line)
    forget()
    try:
        assert noticed(house, cell)
    finally:
        monkeypatch.undo()
        forget()
