"""The oracle over what one row tells of another, and over every way to search: chains, what comes along, the past, a dossier
whole, compartments, orders, conditions.

A world here is one dossier with all that opens and closes it, drawn by itself; a hundred of them stand in one house, whose
shifts, calls, narrowings and offices are drawn anew each time. Every path asks all the worlds of its house at once.
`DUI_ORACLE_SEED` takes the long run up again from a house it told; `DUI_ORACLE_LOG` names the file where it tells them.
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.oracle.joined import joined
from tests.oracle.links import LINKS
from tests.oracle.paths import FHIR, wrong
from tests.oracle.paths import Path as Asked
from tests.oracle.worlds import JOINED, Cast, Drawn, drawn
from tests.world import World

HOUSES, HOUSES_LONG, SHARES = 20, 500, 2  # the long run is shared by two processes
LOG = Path(os.environ.get("DUI_ORACLE_LOG", Path(tempfile.gettempdir(), "dui-oracle.log")))
FOLLOWED = frozenset(map(str, LINKS))
# How seldom a way to ask is taken again: there are many links to follow; some questions are of all tables at once.
OTHERS, WIDE, OF_ALL = 5, 25, ("everything", "history of all", "compartment whole", "batch of", "several", "export")
CALLERS, EACH, EACH_LONG = 4, 2, 4  # of one house: who asks, and how many paths each


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


@dataclass
class Walk:
    """What was asked so far: of the ways to ask, the least asked come first; of one way, what it asked least."""

    families: Counter[str] = field(default_factory=Counter)
    about: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)

    def some(self, paths: list[Asked], many: int, draw: Random) -> Iterator[Asked]:
        families: dict[str, list[Asked]] = {}
        for path in paths:
            families.setdefault(path.family, []).append(path)
        order = sorted(families, key=lambda family: (self.families[family], draw.random()))
        for family in order[:many]:
            path = min(families[family], key=lambda p: (self.about[p.about], self.names[p.name], draw.random()))
            self.families[family] += 1 if path.about in FOLLOWED else WIDE if family.startswith(OF_ALL) else OTHERS
            self.about[path.about] += bool(path.about)
            self.names[path.name] += 1
            yield path


def asked(house: Drawn, walk: Walk, each: int) -> list[str]:
    """What disagrees."""
    draw = Random(house.seed)
    told = [
        (who, path)
        for who in draw.sample(house.cast.who, CALLERS)
        for path in walk.some(list(joined(house, who)), each, draw)
    ]
    return [no for who, path in told if (no := wrong(house, who, path))]


@pytest.mark.once
@pytest.mark.threat("object-oracle", "search-chain", "search-has", "search-include", "search-history")
def test_no_row_tells_of_another_to_who_may_not_read_it(cast: Cast, figure: Callable[[str], None]) -> None:
    walk, wrongs, seed = Walk(), list[str](), 1
    for _ in range(HOUSES):
        house = drawn(cast, seed, JOINED)
        wrongs, seed = wrongs + asked(house, walk, EACH), house.seed + 1
    figure(f"oracle: {HOUSES * JOINED.persons} worlds joined, {walk.names.total()} paths over those of a house")
    assert wrongs == []
    assert FOLLOWED | {*FHIR} <= {*walk.about}
    assert {family.split()[0] for family in walk.families} >= {"attached", "protected"}


@pytest.mark.long
@pytest.mark.threat("object-oracle")
@pytest.mark.parametrize("share", range(SHARES))
def test_no_row_tells_of_another_for_long(cast: Cast, share: int, figure: Callable[[str], None]) -> None:
    seed = int(os.environ.get("DUI_ORACLE_SEED", str(1_000 * (share + 1))))
    walk, many, start = Walk(), HOUSES_LONG // SHARES, time.monotonic()
    with LOG.with_suffix(f".{share}").open("a", buffering=1, encoding="utf-8") as log:
        for done in range(many):
            house = drawn(cast, seed, JOINED)
            worlds, spent = f"{done * JOINED.persons} of {many * JOINED.persons} worlds", time.monotonic() - start
            log.write(f"house {house.seed}, {worlds}, {walk.names.total()} paths, {spent:.0f} s\n")
            wrongs, seed = asked(house, walk, EACH_LONG), house.seed + 1
            assert wrongs == [], f"DUI_ORACLE_SEED={house.seed}"
        worlds = many * JOINED.persons
        log.write(f"{worlds} of {worlds} worlds, {walk.names.total()} paths, {time.monotonic() - start:.0f} s\n")
    figure(f"oracle: {worlds} worlds joined, {walk.names.total()} paths over those of a house")
