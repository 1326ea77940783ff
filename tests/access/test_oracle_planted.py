"""The policy forgotten inside one verb at a time: the oracle sees each, by the paths of that verb."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import ColumnElement, true

from app.access import policy, several
from app.access.entry import Row
from app.access.facts import ONE_ROW, Extent
from app.access.permissions import Action
from app.exchange import dossier, sought, targets
from app.fhir.verbs import alongside, everything, history, read, search_several, search_type, vread
from app.security.principal import Shape
from tests.access.mutating import standing_for
from tests.access.test_oracle_leaks import aside
from tests.oracle.joined import joined
from tests.oracle.paths import wrong
from tests.oracle.twin_forms import forms
from tests.oracle.twins import differences
from tests.oracle.worlds import JOINED, Cast, Drawn, Size, drawn
from tests.world import World

SEED, FIRST = 57, 2  # of each family, the paths that are asked of the server as it is
pytestmark = [pytest.mark.once, pytest.mark.threat("object-planted-leak")]
Verb = Callable[..., Awaitable[Any]]
FORGOTTEN: tuple[tuple[str, Verb, str], ...] = (
    ("several", search_several.of_system, "educateur"),
    ("several sorted", search_several.of_system, "partner"),
    ("several form", search_several.of_system, "usager"),
    ("compartment", search_several.of_person, "partner"),
    ("compartment whole", search_several.of_person, "educateur"),
    ("compartment form", search_several.of_person, "representative"),
    ("everything", everything.everything, "educateur"),
    ("everything of types", everything.everything, "partner"),
    ("export", dossier.gather, "partner"),
    ("export of a period", dossier.gather, "usager"),
    ("history of all", history.of_system, "educateur"),
    ("history of one since", history.of_instance, "partner"),
    ("vread", vread.vread, "partner"),
    ("had already", read.read, "educateur"),
    ("condition", targets.resolve, "partner"),
    ("explain", search_type.search, "direction"),
    ("form", search_type.search, "educateur"),
    ("not", search_type.search, "partner"),
    ("sort", search_type.search, "educateur"),
    ("total", several.count, "educateur"),
    ("shown", search_type.search, "usager"),
    ("named patient", search_type.search, "educateur"),
    ("batch", read.read, "educateur"),
    ("batch of searches", search_type.search, "partner"),
    ("include", alongside.along, "partner"),
    ("revinclude", alongside.along, "educateur"),
    ("chain not", search_type.search, "educateur"),
    ("has not", search_type.search, "educateur"),
    ("told", search_type.search, "partner"),
)


@pytest.fixture(scope="module")
def house(world: World) -> Drawn:
    return drawn(Cast.hired(world), SEED, Size(24, JOINED.rows, linked=True))


@contextmanager
def forgotten(verb: Verb) -> Iterator[None]:
    """Whatever this verb asks of the base, it asks without the policy."""
    inside, real = ContextVar("inside", default=False), policy.allowed

    async def leaking(*said: Any, **more: Any) -> Any:
        before = inside.set(True)
        try:
            return await verb(*said, **more)
        finally:
            inside.reset(before)

    def allowed(caller: Shape, action: Action, row: type[Row], extent: Extent = ONE_ROW) -> ColumnElement[bool]:
        return true() if inside.get() else real(caller, action, row, extent)

    with standing_for(verb, leaking), standing_for(real, allowed):
        yield


def told(house: Drawn, kind: str, family: str, first: int | None = None) -> Iterator[str]:
    who = house.cast.named(kind)
    those = [path for path in joined(house, who) if path.family == family]
    assert those, family
    return (no for path in islice(those, first) if (no := wrong(house, who, path)))


@pytest.mark.parametrize(("family", "verb", "kind"), FORGOTTEN, ids=[one[0] for one in FORGOTTEN])
def test_a_verb_that_forgets_the_policy(house: Drawn, family: str, verb: Verb, kind: str) -> None:
    assert list(told(house, kind, family, FIRST)) == []
    with forgotten(verb):
        assert "leaked" in next(told(house, kind, family), "")


def test_every_family_of_paths_is_tried(house: Drawn) -> None:
    """Or by its like: what differs in how the same verb is asked."""
    tried = {family.split()[0] for family, _, _ in FORGOTTEN}
    known = {path.family.split()[0] for who in house.cast.who for path in joined(house, who)}
    assert known - tried == {"by", "narrowed", "attached", "protected"}  # the last two: test_oracle_told


def test_a_plan_that_tells_how_many_rows(house: Drawn) -> None:
    """Of the table, whoever may read them: the twins see it."""
    real = several.plan

    async def plan(*said: Any, **more: Any) -> str:
        return f"{await real(*said, **more)} rows={aside(house.cast.world, 'SELECT count(*) FROM goal')}"

    direction = house.cast.named("direction")
    with standing_for(real, plan):
        assert [no for no in differences(house, direction, "_explain", forms) if "other words" in no]


def test_a_reference_whose_condition_forgets_the_policy(house: Drawn) -> None:
    """A hidden row answers it beside one that they read: the twins see that there are several."""
    partner = house.cast.named("partner")
    with forgotten(sought.sought):
        assert differences(house, partner, '"Flag"', forms) != []
