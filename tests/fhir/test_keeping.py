"""Nothing received is lost, and what the team writes wins."""

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.fhir import types
from app.fhir.keeping import key, leftover, merge, same
from tests.fhir import official
from tests.fhir.kept import kept_names

NAMES = st.sampled_from(
    ["use", "system", "value", "url", "code", "type", "text", "coding", "period", "note", "line", "id"]
)
SCALARS = st.one_of(st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b", "c"]))
VALUES = st.recursive(  # never empty: FHIR refuses empty lists and objects
    st.one_of(SCALARS, st.lists(SCALARS, min_size=1, max_size=2)),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        st.lists(st.dictionaries(NAMES, inner, min_size=1, max_size=3), min_size=1, max_size=3),
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)
ABSENT = object()


@st.composite
def received(draw: st.DrawFn) -> dict[str, Any]:
    """A resource as it could arrive: here and there an extension beside a plain value or a list of them."""
    thing = draw(OBJECTS)
    thing.pop("id", None)
    for name in list(thing):
        if not contains_object(thing[name]) and draw(st.booleans()):
            thing[f"_{name}"] = draw(OBJECTS)
    return thing


def contains_object(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(contains_object, value)))


@st.composite
def seen_by_a_map(draw: st.DrawFn, thing: Any, respelt: bool = True) -> Any:
    """What some map could say of `thing`: part of it, some values spelt otherwise (in a list, of no item left out)."""
    if isinstance(thing, dict):
        return {name: draw(seen_by_a_map(value, respelt)) for name, value in thing.items() if draw(st.booleans())}
    if isinstance(thing, list) and any(isinstance(item, dict) for item in thing):
        if respelt and draw(st.booleans()):
            return [draw(seen_by_a_map(item)) for item in thing]
        return [draw(seen_by_a_map(item, False)) for item in thing if draw(st.booleans())]
    return draw(st.one_of(st.just(thing), SCALARS)) if respelt else thing


def holds(whole: Any, part: Any) -> bool:
    """Every element of `part` is in `whole`, items of lists in the same order."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(n in whole and holds(whole[n], v) for n, v in part.items())
    if isinstance(part, list) and any(isinstance(item, dict) for item in part):
        rest = iter(whole if isinstance(whole, list) else [])
        return all(any(holds(item, wanted) for item in rest) for wanted in part)
    return same(whole, part)


@given(received(), OBJECTS)
def test_what_was_received_is_given_back_whatever_the_map_says(thing: dict[str, Any], modelled: dict[str, Any]) -> None:
    modelled.pop("id", None)
    assert same(merge(modelled, leftover(thing, modelled)), thing)


@given(st.data())
def test_a_map_that_adds_nothing_gives_back_the_same(data: st.DataObject) -> None:
    thing = data.draw(received())
    modelled = data.draw(seen_by_a_map(thing))
    assume("{}" not in repr(modelled))  # FHIR has no empty object, and a map writes none
    assert same(merge(modelled, leftover(thing, modelled)), thing)


def test_a_list_of_which_a_map_says_no_item_comes_back_in_its_own_place() -> None:
    thing = {"url": [{"use": False}, {"use": [{"use": False}]}]}
    modelled: dict[str, Any] = {"url": [{"use": []}]}
    assert same(merge(modelled, leftover(thing, modelled)), thing)


@given(received(), OBJECTS, OBJECTS)
def test_what_the_team_wrote_since_is_never_covered(
    thing: dict[str, Any], then: dict[str, Any], now: dict[str, Any]
) -> None:
    fresh = renewed(now)
    assert holds(merge(fresh, leftover(thing, then)), fresh)


def renewed(thing: Any) -> Any:
    """The same shape, each value one that nobody said before."""
    if isinstance(thing, dict):
        return {name: renewed(value) for name, value in thing.items()}
    if isinstance(thing, list):
        return [renewed(item) for item in thing]
    return f"new {thing}"


@given(st.data())
def test_neither_side_is_changed_in_place(data: st.DataObject) -> None:
    thing = data.draw(received())
    modelled = data.draw(seen_by_a_map(thing))
    before = copy.deepcopy((thing, modelled))
    extra = leftover(thing, modelled)
    kept = copy.deepcopy(extra)
    merge(modelled, extra)
    assert (thing, modelled, extra) == (*before, kept)


@given(received())
def test_a_map_that_says_everything_leaves_nothing(thing: dict[str, Any]) -> None:
    assert leftover(thing, copy.deepcopy(thing)) == {}


def test_a_spelling_comes_back_until_the_value_changes() -> None:
    extra = leftover({"date": "2024-05-03T09:00:00+02:00"}, {"date": "2024-05-03T07:00:00Z"})
    assert merge({"date": "2024-05-03T07:00:00Z"}, extra) == {"date": "2024-05-03T09:00:00+02:00"}
    assert merge({"date": "2024-05-04T07:00:00Z"}, extra) == {"date": "2024-05-04T07:00:00Z"}


def test_an_element_the_map_ignores_survives_a_change_of_its_neighbour() -> None:
    extra = leftover({"code": {"text": "a", "coding": [{"code": "1"}]}}, {"code": {"text": "a"}})
    assert merge({"code": {"text": "b"}}, extra) == {"code": {"text": "b", "coding": [{"code": "1"}]}}


def test_what_was_kept_of_an_element_leaves_with_it() -> None:
    extra = leftover({"code": {"text": "a", "coding": [{"code": "1"}]}}, {"code": {"text": "a"}})
    assert merge({}, extra) == {}


def test_an_identifier_keeps_its_own_details_when_another_comes_before() -> None:
    one = {"system": "s", "value": "1"}
    extra = leftover({"identifier": [{**one, "period": {"start": "2020"}}]}, {"identifier": [one]})
    new = {"system": "s", "value": "0"}
    assert merge({"identifier": [new, one]}, extra)["identifier"] == [{**one, "period": {"start": "2020"}}, new]


def test_a_corrected_item_is_found_by_its_place() -> None:
    extra = leftover({"note": [{"text": "a", "time": "2020"}]}, {"note": [{"text": "a"}]})
    assert merge({"note": [{"text": "b"}]}, extra) == {"note": [{"text": "b", "time": "2020"}]}


def test_an_item_taken_away_does_not_come_back() -> None:
    notes = [{"text": "a", "time": "2020"}, {"text": "b", "time": "2021"}]
    extra = leftover({"note": notes}, {"note": [{"text": "a"}, {"text": "b"}]})
    assert merge({"note": []}, extra) == {"note": []}


def test_an_item_only_the_sender_knew_stays_in_its_place() -> None:
    known = {"system": "s", "value": "1"}
    extra = leftover({"identifier": [{"system": "other", "value": "x"}, known]}, {"identifier": [known]})
    assert merge({"identifier": [known]}, extra)["identifier"] == [{"system": "other", "value": "x"}, known]


@pytest.mark.parametrize(
    ("beside", "name", "then", "now"),
    [
        ([{"extension": [{"url": "u", "valueString": "12"}]}], "line", ["12 rue"], ["14 rue"]),
        ({"extension": [{"url": "u", "valueCode": "unknown"}]}, "gender", ABSENT, "female"),
        ({"extension": [{"url": "u", "valueCode": "author"}]}, "status", "active", ABSENT),
    ],
)
def test_what_stands_beside_a_value_leaves_with_it(beside: Any, name: str, then: Any, now: Any) -> None:
    before = {} if then is ABSENT else {name: then}
    after = {} if now is ABSENT else {name: now}
    extra = leftover({**before, f"_{name}": beside}, before)
    assert merge(before, extra) == {**before, f"_{name}": beside}
    assert merge(after, extra) == after


def test_the_ids_and_versions_of_the_sender_are_not_kept() -> None:
    thing = {
        "resourceType": "Goal",
        "id": "x",
        "meta": {"versionId": "3", "lastUpdated": "2020-01-01T00:00:00Z", "source": "#1"},
    }
    assert leftover(thing, {}) == {}
    thing["meta"]["profile"] = ["p"]
    assert leftover(thing, {}) == {"kept": {"meta": {"profile": ["p"]}}}


def test_a_value_that_changed_its_kind_is_the_new_one() -> None:
    extra = leftover(
        {"code": {"text": "a", "x": 1}, "note": [{"text": "a", "x": 1}]},
        {"code": {"text": "a"}, "note": [{"text": "a"}]},
    )
    assert merge({"code": "b", "note": "c"}, extra) == {"code": "b", "note": "c"}


def test_the_elements_a_map_ignores_are_named() -> None:
    thing = {
        "gender": "male",
        "_gender": {"id": "1"},
        "_birthDate": {"id": "2"},
        "date": "2024",
        "code": {"text": "a", "coding": [{"code": "1"}]},
        "identifier": [{"system": "s", "value": "1", "use": "old"}, {"system": "t"}],
    }
    modelled = {"gender": "male", "date": "2025", "code": {"text": "a"}, "identifier": [{"system": "s", "value": "1"}]}
    names = ["_birthDate", "_gender", "code.coding", "identifier", "identifier.use"]
    assert kept_names(leftover(thing, modelled)) == names


@pytest.mark.parametrize("name", official.BUNDLES)
def test_official_resources_come_back_through_our_types(name: str) -> None:
    for entry in official.bundle(name)["entry"]:
        thing = entry["resource"]
        if kind := getattr(types, thing["resourceType"], None):
            modelled = types.said(types.heard(kind, thing))
            again = merge(modelled, leftover(thing, modelled))
            assert same(again, thing), thing["resourceType"]


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ({"individual": {"reference": "Practitioner/1"}}, "individual:Practitioner/1"),
        ({"type": {"coding": [{"system": "s", "code": "titre"}]}, "valueString": "x"}, "type:coding:s|titre"),
        (
            {"extension": [{"url": "u", "valueCodeableConcept": {"coding": [{"code": "c", "system": "s"}]}}]},
            "coding:s|c",
        ),
        ({"text": "a"}, None),
    ],
)
def test_an_item_is_known_by_what_tells_it_apart(item: dict[str, Any], found: str | None) -> None:
    assert key(item) == found
