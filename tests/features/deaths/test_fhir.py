"""The causes of a death and their Observation, both ways, whole."""

from typing import Any
from uuid import UUID

import pytest

from app.api.resources import REGISTRY
from app.features.deaths.fhir import DEATH, PROFILE
from app.features.deaths.models import Death
from app.security.principal import Role
from tests.exchange.sending import read_back, said
from tests.features.both_ways import arrived, beside, left, there_and_back, unfilled
from tests.features.usagers.people import opened
from tests.world import World

CIM, LOINC = "http://hl7.org/fhir/sid/icd-10", {"coding": [{"system": "http://loinc.org", "code": "79378-6"}]}


def cause(code: str, words: str) -> dict[str, Any]:
    return {
        "code": LOINC,
        "valueCodeableConcept": {"coding": [{"system": CIM, "code": code, "display": words}]},
    }


def died(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o",
        "meta": {"profile": [PROFILE]},
        "status": "final",
        "code": LOINC,
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-03-02",
        "performer": [{"display": "Dr Simon"}],
        "note": [{"text": "Certificat du 2 mars."}],
        "component": [cause("I21.9", "Infarctus du myocarde"), cause("E11", "Diabète")],
        **more,
    }


@pytest.fixture(scope="module")
def came(world: World) -> list[UUID]:
    world.hire("idec_ime", Role.IDEC, "ime")
    return arrived(world, died())


@pytest.fixture(scope="module")
def ours(world: World) -> tuple[str, str]:
    """The person, and what they died of."""
    usager = opened(world, birth_family_name="Partie", confirmed_new=True).rpartition("/")[2]
    world.accompany("leila", usager, "ehpad")
    world.rows("UPDATE usager SET died_on = '2026-02-01' WHERE id = $1", usager)
    body = {
        "structure_id": str(world.ids["ehpad"]),
        "causes": [{"code": f"{CIM}|I50", "label": "Insuffisance cardiaque"}, {"code": f"{CIM}|J18"}],
        "noted_on": "2026-02-01",
        "said_by": "Dr Simon",
        "comment": "Au petit matin.",
    }
    answer = world.post("leila", f"/api/v1/usagers/{usager}/death", body)
    assert answer.status_code == 201, answer.text
    return usager, str(answer.json()["id"])


def test_the_example_fills_the_profile():
    assert unfilled("tddui-observation-cause-mortalite", died()) == []


def test_all_that_arrives_is_in_the_row(world: World, came: list[UUID]):
    assert beside(world, Death, came[1]) == []


def test_is_told_by_rest(world: World, came: list[UUID]):
    told = world.get("idec_ime", f"/api/v1/usagers/{came[0]}/death/{came[1]}").json()
    assert (told["noted_on"], told["said_by"], told["comment"], told["visibility"]) == (
        "2026-03-02",
        "Dr Simon",
        "Certificat du 2 mars.",
        "not_shared",
    )
    assert told["causes"][0] == {"code": f"{CIM}|I21.9", "label": "Infarctus du myocarde"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": "amended"},
        {"status": "entered-in-error"},
        {"effectiveDateTime": "2026-03-02T04:00:00+01:00"},
        {"performer": [{"reference": "Practitioner/inconnu", "display": "Dr X"}, {"display": "Dr Y"}]},
        {"component": [{"code": LOINC, "valueString": "Inconnue"}, cause("I10", "Hypertension")]},
    ],
)
def test_nothing_received_is_lost_to_its_sender(world: World, more: dict[str, Any]):
    sent = died(**more)
    [_, id] = arrived(world, sent)
    assert said(read_back(world, "Observation", id)) == said(sent)


def test_what_the_team_changes_leaves(world: World, came: list[UUID]):
    [usager, id] = arrived(world, died())
    changes = {"causes": [{"code": f"{CIM}|C34"}], "noted_on": "2026-03-05", "said_by": "Dr Louis", "comment": "Revu."}
    answer = world.patch("idec_ime", f"/api/v1/usagers/{usager}/death/{id}", changes, 1)
    assert answer.status_code == 200, answer.text
    told = left(world, "idec_ime", "Observation", id)
    assert [c["valueCodeableConcept"]["coding"][0]["code"] for c in told["component"]] == ["C34"]
    assert (told["effectiveDateTime"], told["performer"], told["note"]) == (
        "2026-03-05",
        [{"display": "Dr Louis"}],
        [{"text": "Revu."}],
    )


def test_written_by_rest_alone_leaves_whole(world: World, ours: tuple[str, str]):
    told = left(world, "leila", "Observation", ours[1])
    assert unfilled("tddui-observation-cause-mortalite", told) == []
    assert told["component"][0] == cause("I50", "Insuffisance cardiaque")
    assert (told["code"], told["performer"]) == (LOINC, [{"display": "Dr Simon"}])


def test_leaves_and_comes_back_equal(world: World, ours: tuple[str, str]):
    told = left(world, "leila", "Observation", ours[1])
    assert there_and_back(world, told) == said(told)


def test_is_known_by_its_profile_or_its_code():
    assert REGISTRY.of_resource(died()) is DEATH
    assert REGISTRY.of_resource(died(meta={})) is DEATH


@pytest.mark.parametrize(
    ("query", "found"),
    [("code=79378-6", True), ("code=LP73551-1", False), ("date=2026-02-01", True), ("status=entered-in-error", False)],
)
def test_is_searched_among_the_observations(world: World, ours: tuple[str, str], query: str, found: bool):
    answer = world.get("leila", f"/fhir/Observation?patient={ours[0]}&{query}")
    assert (ours[1] in [e["resource"]["id"] for e in answer.json().get("entry", [])]) == found


def test_who_reads_no_care_finds_none(world: World, ours: tuple[str, str]):
    world.accompany("sonia", ours[0], "ehpad")
    assert world.get("sonia", f"/fhir/Observation/{ours[1]}").status_code == 404
    assert "entry" not in world.get("sonia", f"/fhir/Observation?patient={ours[0]}").json()
