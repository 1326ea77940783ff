"""Twins at every door: who may not read a row is answered as if it had never been written."""

import pytest

from tests.oracle.twins import differences
from tests.oracle.worlds import Cast, drawn
from tests.world import World

SEED = 31


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


@pytest.mark.threat("object-twin-told-apart")
@pytest.mark.parametrize("kind", ["educateur", "chef_de_service", "veilleur", "usager", "representative", "partner"])
def test_a_hidden_row_changes_no_answer(cast: Cast, kind: str) -> None:
    assert differences(drawn(cast, SEED), cast.named(kind)) == []
