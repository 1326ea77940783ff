"""The oracle over what one row tells of another: chains, `_has`, what comes along, the past, a dossier whole.

A world here is one dossier with all that opens and closes it, drawn by itself; a hundred of them stand in one house, whose
shifts, calls, narrowings and offices are drawn anew each time. Every path asks all the worlds of its house at once.
`DUI_ORACLE_SEED` takes the long run up again from a house it printed.
"""

import os
import sys
from collections.abc import Callable
from random import Random

import pytest

from tests.oracle.joined import joined
from tests.oracle.paths import wrong
from tests.oracle.worlds import JOINED, Cast, Drawn, drawn
from tests.world import World

HOUSES, HOUSES_LONG = 20, 500
CALLERS, EACH = 5, 2  # of one house: who asks, and how many paths each


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


def asked(house: Drawn) -> tuple[int, list[str]]:
    """How many paths were compared, and what disagrees."""
    draw = Random(house.seed)
    some = draw.sample(house.cast.who, CALLERS)
    told = [(who, path) for who in some for path in draw.sample(list(joined(house, who)), EACH)]
    return len(told), [no for who, path in told if (no := wrong(house, who, path))]


@pytest.mark.once
@pytest.mark.threat("object-oracle", "search-chain", "search-has", "search-include", "search-history")
def test_no_row_tells_of_another_to_who_may_not_read_it(cast: Cast, figure: Callable[[str], None]) -> None:
    paths, wrongs, seed = 0, list[str](), 1
    for _ in range(HOUSES):
        house = drawn(cast, seed, JOINED)
        count, told = asked(house)
        paths, wrongs, seed = paths + count, wrongs + told, house.seed + 1
    figure(f"oracle: {HOUSES * JOINED.persons} worlds joined, {paths} paths over those of a house")
    assert wrongs == []


@pytest.mark.long
@pytest.mark.threat("object-oracle")
def test_no_row_tells_of_another_for_long(
    cast: Cast, capsys: pytest.CaptureFixture[str], figure: Callable[[str], None]
) -> None:
    seed, paths = int(os.environ.get("DUI_ORACLE_SEED", "1000")), 0
    for done in range(HOUSES_LONG):
        house = drawn(cast, seed, JOINED)
        with capsys.disabled():
            sys.stdout.write(f"oracle: house {house.seed}, {done * JOINED.persons} worlds\n")
        count, wrongs = asked(house)
        assert wrongs == [], f"DUI_ORACLE_SEED={house.seed}"
        paths, seed = paths + count, house.seed + 1
    figure(f"oracle: {HOUSES_LONG * JOINED.persons} worlds joined, {paths} paths over those of a house")
