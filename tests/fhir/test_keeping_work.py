"""Lists are aligned as `keeping` says, and long ones cost no more than their length."""

from collections.abc import Callable, ValuesView
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir import keeping
from app.fhir.keeping import AT, KEY, leftover, merge
from tests.counting import is_linear

KEYS = st.sampled_from([None, "a", "b", "c"])
WANTED = st.lists(st.fixed_dictionaries({KEY: KEYS, AT: st.integers(0, 7)}), max_size=8)


def naive(wanted: list[dict[str, Any]], offered: list[str | None], by_place: bool) -> dict[int, int]:
    """As the words say it: same key and place, then same key, then same place; each offered is used once."""
    pairs: dict[int, int] = {}
    for rule in ("key and place", "key", "place"):
        for place, entry in enumerate(wanted):
            for at, name in enumerate(offered):
                same_key, same_place = name is not None and entry[KEY] == name, entry[AT] == at
                fits = {"key and place": same_key and same_place, "key": same_key, "place": by_place and same_place}
                if fits[rule] and place not in pairs and at not in pairs.values():
                    pairs[place] = at
    return {place: pairs[place] for place in sorted(pairs)}


@given(WANTED, st.lists(KEYS, max_size=8), st.booleans())
def test_items_are_paired_as_the_words_say(
    wanted: list[dict[str, Any]], offered: list[str | None], by_place: bool
) -> None:
    found = keeping.aligned(wanted, offered, by_place)
    assert list(found.items()) == list(naive(wanted, offered, by_place).items())


def components(n: int, respelt: bool) -> dict[str, Any]:
    """Half have nothing that tells them, half have a code; `respelt`: as a map that says each value otherwise."""
    without: list[dict[str, Any]] = [{"code": {"text": f"{at}"}, "value": at} for at in range(n)]
    coded = [{"code": {"coding": [{"system": "s", "code": f"{at}"}]}, "value": at} for at in range(n)]
    return {"component": [{**each, "value": "x"} if respelt else each for each in without + coded]}


@pytest.mark.threat("input-compared-each-with-each")
def test_taking_apart_grows_as_the_list() -> None:
    def act(n: int) -> Callable[[], object]:
        received, modelled = components(n, False), components(n, True)
        return lambda: leftover(received, modelled)

    assert is_linear(act, 100)


@pytest.mark.threat("input-compared-each-with-each")
def test_putting_back_grows_as_the_list() -> None:
    def act(n: int) -> Callable[[], object]:
        modelled = components(n, True)
        extra = leftover(components(n, False), modelled)
        return lambda: merge(modelled, extra)

    assert is_linear(act, 100)


@pytest.mark.threat("input-compared-each-with-each")
def test_a_long_list_is_not_looked_for_item_by_item_in_short_ones() -> None:
    def act(n: int) -> Callable[[], object]:
        several = {"extension": [{"value": at} for at in range(n)], "url": "u"}
        received = {"extension": [{"extension": [{"value": 0}], "url": "u"}] * n + [several]}
        return lambda: leftover(received, {"extension": [several]})

    assert is_linear(act, 100)


@pytest.mark.threat("input-compared-each-with-each")
def test_new_items_are_told_in_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    class Pairs(dict[int, int]):
        def values(self) -> ValuesView[int]:
            looks.append(1)
            return super().values()

    modelled = components(50, True)
    extra = leftover(components(2, False), components(2, True))
    monkeypatch.setattr(keeping, "aligned", lambda *_: Pairs())
    assert len(merge(modelled, extra)["component"]) == 100
    assert len(looks) == 1
