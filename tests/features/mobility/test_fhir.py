"""How a person moves about and its Observation, both ways, whole."""

from typing import Any
from uuid import UUID

import pytest

from app.api.resources import REGISTRY
from app.features.mobility.fhir import MOBILITY, PROFILE
from app.features.mobility.models import Mobility
from tests.exchange.sending import read_back, said
from tests.features.both_ways import arrived, beside, left, there_and_back, unfilled
from tests.world import World

MODE = "https://smt.esante.gouv.fr/fhir/CodeSystem/terminologie-cisis"


def moves(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o",
        "meta": {"profile": [PROFILE]},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "LP73551-1"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-03-02",
        "valueCodeableConcept": {"coding": [{"system": MODE, "code": "MED-1", "display": "Transport en commun"}]},
        "note": [{"text": "Seul depuis mars."}],
        "component": [
            {"code": {"text": "Aide"}, "valueString": "Une canne"},
            {"code": {"coding": [{"system": "urn:x", "code": "y", "display": "Trajet"}]}, "valueString": "Le 12"},
        ],
        **more,
    }


@pytest.fixture(scope="module")
def came(world: World) -> UUID:
    return arrived(world, moves())[-1]


@pytest.fixture(scope="module")
def ours(world: World) -> str:
    body = {
        "structure_id": str(world.ids["ehpad"]),
        "mode": f"{MODE}|MED-2",
        "mode_label": "À pied",
        "noted_on": "2026-02-01",
        "details": [{"label": "Aide", "text": "Un déambulateur"}, {"text": "Jamais le soir"}],
        "comment": "Dehors, avec quelqu'un.",
    }
    answer = world.post("sonia", f"/api/v1/usagers/{world.ids['jeanne']}/mobility", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_the_example_fills_the_profile():
    assert unfilled("tddui-observation-mobilite-usager", moves()) == []


def test_all_that_arrives_is_in_the_row(world: World, came: UUID):
    assert beside(world, Mobility, came) == []


def test_is_told_by_rest(world: World, came: UUID):
    [person] = world.rows("SELECT usager_id FROM mobility WHERE id = $1", came)
    told = world.get("marc", f"/api/v1/usagers/{person['usager_id']}/mobility/{came}").json()
    names = ("mode", "mode_label", "noted_on", "comment", "status", "visibility")
    assert [told[name] for name in names] == [
        f"{MODE}|MED-1", "Transport en commun", "2026-03-02", "Seul depuis mars.", "final", "not_shared",
    ]  # fmt: skip
    assert told["details"] == [
        {"text": "Une canne", "label": "Aide"},
        {"text": "Le 12", "code": "urn:x|y", "label": "Trajet"},
    ]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": "preliminary"},
        {"status": "entered-in-error"},
        {"effectiveDateTime": "2026-03"},
        {"effectiveDateTime": None, "effectivePeriod": {"start": "2026-01-01"}},
        {"valueCodeableConcept": {"text": "À vélo"}},
        {"valueCodeableConcept": {"coding": [{"code": "z"}, {"system": "urn:a", "code": "b"}], "text": "t"}},
        {"component": [{"code": {"text": "Aide"}, "dataAbsentReason": {"text": "?"}}]},
        {"note": [{"text": "a", "time": "2026-01-01"}, {"text": "b"}], "performer": [{"display": "Sa mère"}]},
    ],
)
def test_nothing_received_is_lost_to_its_sender(world: World, more: dict[str, Any]):
    sent = {name: value for name, value in moves(**more).items() if value is not None}
    [_, id] = arrived(world, sent)
    assert said(read_back(world, "Observation", id)) == said(sent)


def test_what_the_team_changes_leaves(world: World):
    [usager, id] = arrived(world, moves())
    changes = {
        "mode": f"{MODE}|MED-9", "mode_label": "Taxi", "noted_on": "2026-04-01", "comment": "Le matin.",
        "details": [{"label": "Aide", "text": "Rien"}], "status": "in_error",
    }  # fmt: skip
    answer = world.patch("marc", f"/api/v1/usagers/{usager}/mobility/{id}", changes, 1)
    assert answer.status_code == 200, answer.text
    told = left(world, "marc", "Observation", id)
    assert told["valueCodeableConcept"]["coding"] == [{"system": MODE, "code": "MED-9", "display": "Taxi"}]
    assert (told["effectiveDateTime"], told["status"]) == ("2026-04-01", "entered-in-error")
    assert [n["text"] for n in told["note"]] == ["Le matin."]
    assert told["component"] == [{"code": {"text": "Aide"}, "valueString": "Rien"}]


def test_written_by_rest_alone_leaves_whole(world: World, ours: str):
    told = left(world, "sonia", "Observation", ours)
    assert unfilled("tddui-observation-mobilite-usager", told) == []
    assert told["valueCodeableConcept"]["coding"] == [{"system": MODE, "code": "MED-2", "display": "À pied"}]
    assert told["component"] == [
        {"code": {"text": "Aide"}, "valueString": "Un déambulateur"},
        {"code": {"text": "Précision"}, "valueString": "Jamais le soir"},
    ]


def test_leaves_and_comes_back_equal(world: World, ours: str):
    told = left(world, "sonia", "Observation", ours)
    assert there_and_back(world, told) == said(told)


def test_is_known_by_its_profile_or_its_code():
    assert REGISTRY.of_resource(moves()) is MOBILITY
    assert REGISTRY.of_resource(moves(meta={})) is MOBILITY
    assert REGISTRY.of_resource(moves(meta={}, code={"text": "x"})) is REGISTRY.kept


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("&code=LP73551-1", True),
        ("&code=http://loinc.org|LP73551-1", True),
        ("&code=urn:x|LP73551-1", False),
        ("&code=79378-6", False),
        ("&status=final", True),
        ("&status=entered-in-error", False),
        ("&date=2026-02-01", True),
        ("&date=ge2026-03", False),
        ("&value-concept=MED-2", True),
        (f"&value-concept={MODE}|MED-1", False),
    ],
)
def test_is_searched_among_the_observations(world: World, ours: str, query: str, found: bool):
    answer = world.get("sonia", f"/fhir/Observation?patient={world.ids['jeanne']}{query}")
    assert answer.status_code == 200, answer.text
    assert (ours in [e["resource"]["id"] for e in answer.json().get("entry", [])]) == found
