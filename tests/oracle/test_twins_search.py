"""Twins over every form of FHIR search, and every condition that is one (`tests/oracle/twin_forms.py`)."""

import pytest

from tests.oracle.twin_forms import all_forms, forms
from tests.oracle.twins import differences
from tests.oracle.worlds import Cast, drawn
from tests.world import World

SEED = 33


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


@pytest.mark.once
@pytest.mark.threat(
    "object-twin-told-apart",
    "search-modifiers",
    "search-conditional",
    "search-batch",
    "search-compartment",
    "search-explain",
)
@pytest.mark.parametrize("kind", ["educateur", "direction", "usager", "representative", "partner"])
def test_no_form_of_search_tells_of_a_hidden_row(cast: Cast, kind: str) -> None:
    assert differences(drawn(cast, SEED), cast.named(kind), forms=forms) == []


@pytest.mark.long
@pytest.mark.threat("object-twin-told-apart")
@pytest.mark.parametrize("seed", range(SEED + 1, SEED + 4))
@pytest.mark.parametrize("kind", ["educateur", "infirmier", "direction", "usager", "representative", "partner"])
def test_no_form_of_search_of_any_type_tells_of_one(cast: Cast, kind: str, seed: int) -> None:
    assert differences(drawn(cast, seed), cast.named(kind), forms=all_forms) == []
