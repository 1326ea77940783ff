"""`_explain=true`: how the base runs a search, told to who keeps the server, in no one's values."""

from typing import Any

import pytest

from tests.fhir.test_read import outcome
from tests.world import World

SECRET = "1790000000001"


def plan(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    issues = [i for e in answer.json()["entry"] if e["search"]["mode"] == "outcome" for i in e["resource"]["issue"]]
    [told] = [issue["diagnostics"] for issue in issues if issue.get("expression") == ["_explain"]]
    return str(told)


@pytest.mark.parametrize(
    "path", ["Task?status=draft", "Patient?identifier={}", "Task?patient.birthdate=2024&_sort=status"]
)
def test_tells_the_plan_and_no_value(world: World, path: str) -> None:
    told = plan(world.get("helene", f"/fhir/{path.format(SECRET)}&_explain=true"))
    assert "Scan" in told
    assert "$1" in told or "$2" in told
    assert SECRET not in told
    assert not any(estimate in told for estimate in ("cost=", "rows="))


def test_finds_the_same(world: World) -> None:
    plain, explained = (
        world.get("helene", f"/fhir/Encounter?_count=5{more}").json() for more in ("", "&_explain=true")
    )
    matches = [e["resource"] for e in explained["entry"] if e["search"]["mode"] == "match"]
    assert matches == [e["resource"] for e in plain.get("entry", ())]


@pytest.mark.threat("search-explain")
@pytest.mark.parametrize("who", ["sonia", "marc", "chu", "ines"])
def test_is_no_parameter_to_anyone_else(world: World, who: str) -> None:
    answer = world.get(who, "/fhir/Task?_explain=true")
    assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (400, "unknown_parameter")
    assert b"explain" not in answer.content


def test_is_true_or_false(world: World) -> None:
    answer = world.get("helene", "/fhir/Task?_explain=maybe")
    assert (answer.status_code, outcome(answer)["expression"]) == (400, ["_explain"])


def test_leaves_the_connection_as_it_was(world: World) -> None:
    for _ in range(3):
        plan(world.get("helene", "/fhir/Task?_explain=true"))
    assert world.get("helene", "/fhir/Task").status_code == 200
