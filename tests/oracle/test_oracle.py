"""The oracle: what leaves by every path is what the design opens to who asks, nothing more and nothing less.

`DUI_ORACLE_SEED` takes the long run up again from a world it printed.
"""

import ast
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.oracle.paths import lists, reads, wrong
from tests.oracle.worlds import NEEDED, Cast, Drawn, drawn
from tests.world import World

HERE = Path(__file__).parent
DECIDES = ("facts.py", "truth.py", "told.py")  # these read nothing of the product at all
SEEDS, EACH = (1, 2), (22, 22)  # of each caller in each world: lists, then rows at their address
LONG, EACH_LONG = 20_000, (150, 350)  # requests of each caller; of these, in one world
CALLERS = ("educateur", "infirmier", "chef_de_service", "usager", "representative", "partner")


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


def asked(world: Drawn, kind: str, each: tuple[int, int], draw: Random) -> tuple[int, list[str]]:
    """How many requests were compared, and what disagrees."""
    who = world.cast.named(kind)
    known = (list(lists(world, who)), list(reads(world, who)))
    some = [path for paths, n in zip(known, each, strict=True) for path in draw.choices(paths, k=n)]
    return len(some), [no for path in some if (no := wrong(world, who, path))]


@pytest.mark.threat("object-oracle")
@pytest.mark.parametrize("seed", SEEDS)
def test_what_leaves_is_what_is_open(cast: Cast, seed: int, figure: Callable[[str], None]) -> None:
    world = drawn(cast, seed)
    draw = Random(seed)
    told = [asked(world, who.kind, EACH, draw) for who in cast.who]
    figure(f"oracle: world {seed}, {sum(count for count, _ in told)} requests of {len(told)} callers")
    assert [no for _, wrongs in told for no in wrongs] == []


@pytest.mark.long
@pytest.mark.threat("object-oracle")
@pytest.mark.parametrize("kind", CALLERS)
def test_what_leaves_is_what_is_open_for_long(
    cast: Cast, kind: str, capsys: pytest.CaptureFixture[str], figure: Callable[[str], None]
) -> None:
    seed = int(os.environ.get("DUI_ORACLE_SEED", "1000"))
    done = 0
    while done < LONG:
        world = drawn(cast, seed)
        with capsys.disabled():
            sys.stdout.write(f"oracle: {kind}, world {world.seed}, {done} requests\n")
        count, wrongs = asked(world, kind, EACH_LONG, Random(world.seed))
        assert wrongs == [], f"DUI_ORACLE_SEED={world.seed}"
        done, seed = done + count, world.seed + 1
    figure(f"oracle: {done} requests of {kind}")


def test_a_world_has_every_reason(cast: Cast) -> None:
    world = drawn(cast, SEEDS[0])
    told = {truth.why_not(kind, row) for truth in world.truths.values() for kind, rows in truth.facts.rows.items()
            if rows and "usager_id" in rows[0] for row in rows}  # fmt: skip
    assert told >= (NEEDED - {"allowed"}) | {None}


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return named | {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}


@pytest.mark.parametrize("path", sorted(HERE.glob("*.py")), ids=lambda path: path.name)
def test_the_oracle_knows_nothing_of_the_policy(path: Path) -> None:
    named = _imports(path) | _imports(HERE.parent / "dossier.py") | _imports(HERE.parent / "access" / "expected.py")
    assert [name for name in named if name.startswith(("app.access", "app.features", "app.fhir"))] == []


@pytest.mark.parametrize("name", DECIDES)
def test_who_decides_reads_rows_and_nothing_else(name: str) -> None:
    assert [one for one in _imports(HERE / name) if one.startswith("app")] == []
