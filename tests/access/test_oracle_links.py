"""The oracle's own words for links and orders are held against the registered maps: a new one without a path fails here."""

import pytest

from app.api.resources import REGISTRY
from app.fhir.mapping import AnyMap
from app.fhir.search.chains import references
from app.fhir.search.criteria import Reference
from app.fhir.sorting import sortable
from tests.oracle.asked import SORTS
from tests.oracle.joined import joined
from tests.oracle.links import LINKS
from tests.oracle.worlds import JOINED, Cast, Drawn, Size, drawn
from tests.world import World

SEEDS = (61, 62)
NOWHERE = {"Consent:actor", "Observation:performer"}  # a partner, and a name alone, are no row of the directory
WAYS = {"chain", "chain not", "chain counted", "has", "has not", "include", "revinclude", "told"}
DIRECTORY = {"Organization", "Practitioner", "PractitionerRole", "Location"}


@pytest.fixture(scope="module")
def houses(world: World) -> list[Drawn]:
    cast = Cast.hired(world)
    return [drawn(cast, seed, Size(40, JOINED.rows, linked=True)) for seed in SEEDS]


def single(of: AnyMap) -> dict[str, Reference]:
    """Those that lead to one row of one type: of several, tests/fhir/test_leads.py."""
    ways = references(of.criteria)
    return {name: ways[name][0] for name, each in of.criteria.items() if type(each) is Reference}


OF_SEVERAL = {("PractitionerRole", "organization")}  # a role of the house leads to all of its houses


def test_every_reference_that_is_followed_has_its_path() -> None:
    known = {(m.type_name, name, by.target) for m in REGISTRY.maps for name, by in single(m).items()}
    known = {one for one in known if one[:2] not in OF_SEVERAL}
    assert {(link.type_name, link.parameter, link.target) for link in LINKS} == known


def test_every_table_that_holds_one_has_its_column() -> None:
    known = {(m.type_name, n, m.view.TABLE.KIND.value) for m in REGISTRY.maps for n in single(m)}
    known = {one for one in known if one[:2] not in OF_SEVERAL}
    told = {(link.type_name, link.parameter, kind) for link in LINKS for kind in link.columns}
    assert known - told == {("Observation", "performer", "death")}
    assert told <= known


def test_every_order_has_its_path() -> None:
    taken = {name: {*sortable(REGISTRY.of_type(name), outside=False, of_person=False)} for name in REGISTRY.types}
    assert {name: keys for name, keys in taken.items() if name not in DIRECTORY} == SORTS


def test_every_link_is_walked_every_way(houses: list[Drawn]) -> None:
    paths = [path for path in joined(houses[0], houses[0].cast.named("educateur")) if path.about in map(str, LINKS)]
    walked = {(path.about, path.family) for path in paths}
    assert walked == {(str(link), way) for link in LINKS for way in WAYS}


@pytest.mark.threat("object-oracle")
def test_every_link_leads_within_reach_and_out_of_it(houses: list[Drawn]) -> None:
    """Else a path proves nothing: somebody reads both rows, somebody the first alone."""
    within, beyond = set(), set()
    for truth in (truth for house in houses for truth in house.truths.values()):
        for link in LINKS:
            told = {to for _, to in link.sources(truth)}
            both = {to for _, to in link.pairs(truth)}
            within |= {str(link)} if both else set()
            beyond |= {str(link)} if told - both else set()
    every = {str(link) for link in LINKS}
    assert within == every - NOWHERE
    assert beyond >= within - {"PractitionerRole:practitioner"}  # whom the whole house knows
