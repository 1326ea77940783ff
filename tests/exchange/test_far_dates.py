"""A date of no life, in each place where a dossier has one: nothing falls, and it comes back as it came."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.exchange.sending import sent
from tests.fhir.test_conformance import SOURCES
from tests.world import World

DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T\S+)?", re.ASCII)
OWN = [name for name in SOURCES if not name.endswith(".json")]
FAR = {True: "9999-12-31T23:59:59Z", False: "9999-12-31"}
PLANNED = "0001-01-01T00:00:00+01:00"


def places(thing: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Where a day or a moment is said; whether it has an hour."""
    inner = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for name, value in inner:
        if isinstance(value, str) and (told := DAY.fullmatch(value)):
            yield (*at, name), bool(told[1])
        yield from places(value, (*at, name))


def put(thing: Any, at: tuple[Any, ...], value: str) -> Any:
    whole = inner = deepcopy(thing)
    for name in at[:-1]:
        inner = inner[name]
    inner[at[-1]] = value
    return whole


def ends_before(answer: Any) -> bool:
    """A period that the date makes end before it begins is refused (per-1), and so is a task (inv-1)."""
    told = {issue["details"]["coding"][0]["code"] for issue in answer.json()["issue"]}
    return (answer.status_code, told) == (400, {"invariant"})


@pytest.mark.once
@pytest.mark.threat("input-end-of-time")
@pytest.mark.parametrize("source", OWN)
def test_a_date_of_no_life_breaks_nothing(world: World, source: str):
    body, seen = SOURCES[source](), set[Any]()
    for at, hour in places(body["entry"]):
        kind = body["entry"][at[0]]["resource"]["resourceType"]
        path = (kind, *(step for step in at[2:] if isinstance(step, str)))
        if path in seen or at[1] != "resource":
            continue
        seen.add(path)
        for far in (FAR[hour], PLANNED) if hour else (FAR[False],):
            fresh = SOURCES[source]()
            answer = sent(world, {**fresh, "entry": put(fresh["entry"], at, far)})
            assert answer.status_code in (200, 409, 422) or ends_before(answer), (path, answer.text)
            if answer.status_code == 200:
                told = answer.json()["entry"]
                whose = next(
                    e["response"]["location"] for e in told if e["response"]["location"].startswith("Patient/")
                )
                there = told[at[0]]["response"]["location"]
                assert far in world.get("chu", f"/fhir/{there}").text, path
                for who in ("chu", "marc"):
                    everything = world.get(who, f"/fhir/{whose.partition('/_')[0]}/$everything")
                    assert everything.status_code in (200, 404), (path, who, everything.text)
