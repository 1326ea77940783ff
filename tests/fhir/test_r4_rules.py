"""Rules of R4's search that clients lean on, where an answer could be wrong without a word."""

from datetime import UTC, datetime

import pytest

from app.fhir.search.values import moment_of
from tests.fhir.test_chains import found, made
from tests.world import World

__all__ = ["made"]
INTENTS = "http://hl7.org/fhir"


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("9999", 9998, 9999), ("9999-12", 9999, 9999), ("le9999-12-31", 9999, 9999), ("ge0001-01-01", 1, 1), ("0001", 1, 1),
    ],
)  # fmt: skip
def test_for_ever_is_said_by_the_first_and_the_last_days(said: str, low: int, high: int):
    moment = moment_of(said)
    assert (moment.low.year, moment.high.year) == (low, high)
    assert datetime.min.replace(tzinfo=UTC) <= moment.low < moment.high <= datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("said", ["ge0001-01-01", "le9999-12-31", "lt9999", "ne0001"])
def test_for_ever_finds_all(world: World, made: dict[str, str], said: str):
    for name in ("_lastUpdated", "patient.birthdate"):
        assert made["action"] in found(world, "sonia", f"Task?{name}={said}&_id={made['action']}")


@pytest.mark.parametrize(
    ("system", "there"), [("request-intent|", True), ("task-intent|", False), ("", True), ("banana|", False)]
)
def test_the_intent_of_a_task_is_of_the_list_of_requests(world: World, made: dict[str, str], system: str, there: bool):
    """R4's value set takes `unknown` alone from `task-intent`."""
    [intent] = [world.get("sonia", f"/fhir/Task/{made['action']}").json()["intent"]]
    said = f"{INTENTS}/{system}{intent}" if system else intent
    assert (made["action"] in found(world, "sonia", f"Task?intent={said}&_id={made['action']}")) is there


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("telecom=phone|0612344321", True), ("telecom=email|0612344321", False), ("telecom=email|zoe4@exemple.fr", True),
        ("telecom=phone|zoe4@exemple.fr", False), ("telecom=email|", True), ("telecom=phone|", True), ("phone=email|", False),
        ("telecom=banana|0612344321", False), ("telecom=0612344321", True), ("telecom=|0612344321", False),
    ],
)  # fmt: skip
def test_a_way_of_reaching_someone_has_a_system(world: World, query: str, there: bool):
    id = str(world.ids["jeanne"])
    world.rows(
        "UPDATE usager SET phone = '06 12 34 43 21', email = 'Zoe4@exemple.fr' WHERE id = $1", world.ids["jeanne"]
    )
    assert (id in found(world, "sonia", f"Patient?_id={id}&{query}")) is there


@pytest.mark.parametrize("query", ["patient=Patient/{id}/_history/2", "patient={id}/_history/2"])
def test_a_reference_with_a_version_is_told_how_to_be_searched(world: World, query: str):
    answer = world.get("sonia", f"/fhir/Task?{query.format(id=world.ids['jeanne'])}")
    [issue] = answer.json()["issue"]
    assert (answer.status_code, issue["expression"]) == (400, ["patient"])
    assert "sans sa version" in issue["diagnostics"]
