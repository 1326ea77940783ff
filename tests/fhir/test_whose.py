"""Whom each entry of a transaction is about: the nearest decides, and a long chain costs no more than its length."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.reading import entries_of
from app.fhir.verbs.transaction import Whose, asked
from tests.counting import is_linear
from tests.exchange.bundles import bundle, entry, resource

MOST = 8
PLACES = st.integers(0, MOST - 1)


def whose(leads: Mapping[int, list[int]], known: Mapping[int, int], how: type[Whose] = Whose) -> Whose:
    """`leads`: to which entries each refers in passing; `known`: whose the persons of the bundle are."""

    def told(at: int) -> dict[str, Any]:
        to = [{"url": "urn:x", "valueReference": {"reference": f"Basic/b{other}"}} for other in leads[at]]
        return resource("Basic", f"b{at}", code={"text": "x"}, **({"extension": to} if to else {}))

    entries = entries_of(bundle(*(entry(told(at)) for at in sorted(leads))))
    return how(asked(entries, range(len(entries))), {at: UUID(int=person) for at, person in known.items()}, {})


class RoundByRound(Whose):
    """As the words say it: each round looks at all, with what was known when it began, until nothing more is."""

    def _spread(self, ways: Mapping[int, set[int]], *_: object) -> None:
        decided = -1
        while len(self._found) + len(self._torn) > decided:
            decided = len(self._found) + len(self._torn)
            known = dict(self._found)
            for place, targets in ways.items():
                self._decide(place, {known[target] for target in targets if target in known})


@given(
    st.fixed_dictionaries({at: st.lists(PLACES, max_size=3) for at in range(MOST)}),
    st.dictionaries(PLACES, st.integers(1, 3), max_size=3),
)
def test_the_nearest_decides_step_by_step(leads: dict[int, list[int]], known: dict[int, int]) -> None:
    found, faults = whose(leads, known).tell()
    expected, same_faults = whose(leads, known, RoundByRound).tell()
    assert (found, faults) == (expected, same_faults)


def chain(n: int, step: int) -> Callable[[], object]:
    """Each refers to its neighbour, and the last one alone says whom. Someone else is there, to whom nothing leads."""
    leads = {at: [at + step] if 0 <= at + step < n else [] for at in range(n)}
    return whose({**leads, n: []}, {n - 1: 1, n: 2}).tell


@pytest.mark.threat("input-compared-each-with-each")
def test_a_long_chain_is_gone_through_once() -> None:
    assert is_linear(lambda n: chain(n, 1), 50)


@pytest.mark.threat("input-compared-each-with-each")
def test_a_long_chain_is_gone_back_through_once() -> None:
    assert is_linear(lambda n: chain(n, -1), 50)
