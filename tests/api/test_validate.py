"""`$validate`: all that is wrong with a resource, told at once; nothing is written, nothing received is repeated."""

from pathlib import Path
from typing import Any

import pytest

from tests.features.assessments.test_fhir import response
from tests.fhir.packages.tgz import installed, tgz
from tests.world import World

URL = "https://exemple.test/StructureDefinition/grille-a-moi"
PROFILE: dict[str, Any] = {
    "resourceType": "StructureDefinition",
    "id": "grille-a-moi",
    "url": URL,
    "type": "QuestionnaireResponse",
    "derivation": "constraint",
    "differential": {
        "element": [{"id": "QuestionnaireResponse.authored", "path": "QuestionnaireResponse.authored", "max": "0"}]
    },
}
PLACE = "/fhir/QuestionnaireResponse/$validate"


def issues(world: World, body: Any, place: str = PLACE, who: str = "sonia") -> list[tuple[str, str, str]]:
    answer = world.post(who, place, body)
    assert answer.status_code == 200, answer.text
    return [
        (i["severity"], i["details"]["coding"][0]["code"], *i.get("expression", [""])) for i in answer.json()["issue"]
    ]


@pytest.fixture
def package(world: World, tmp_path: Path) -> Any:
    installed(world.database.owner_url, tgz(tmp_path / "p.tgz", PROFILE))
    yield
    world.rows("DELETE FROM fhir_package")


@pytest.mark.parametrize("who", ["sonia", "lucas", "chu"])
def test_nothing_wrong_is_said_too(world: World, who: str):
    assert issues(world, response(), who=who) == [("information", "informational", "")]


def test_every_fault_of_structure_is_told(world: World):
    told = issues(world, {**response(), "status": "banana", "authored": "2026-02-31"})
    assert {(severity, where) for severity, _, where in told} == {
        ("error", "QuestionnaireResponse.status"),
        ("error", "QuestionnaireResponse.authored"),
    }


def test_the_type_of_the_address_counts(world: World):
    assert issues(world, response(), "/fhir/Patient/$validate") == [("error", "profile.type", "QuestionnaireResponse")]
    assert issues(world, response(), "/fhir/$validate") == [("information", "informational", "")]


def test_an_installed_profile_is_asked_for(world: World, package: None):
    found = ("error", "profile.too_many", "QuestionnaireResponse.authored")
    assert issues(world, response(), f"{PLACE}?profile={URL}") == [found]
    claimed = response(meta={"profile": [URL]})
    assert found in issues(world, claimed)
    held = {"name": "resource", "resource": response()}
    body = {"resourceType": "Parameters", "parameter": [held, {"name": "profile", "valueUri": URL}]}
    assert issues(world, body) == [found]


def test_a_profile_that_is_not_installed_is_no_blessing(world: World):
    told = issues(world, response(), f"{PLACE}?profile={URL}")
    assert told[0][:2] == ("error", "unknown_profile")
    assert issues(world, response(meta={"profile": [URL]}))[0][:2] == ("warning", "unknown_profile")


def test_answers_to_a_grid_are_warned_of(world: World):
    wrong = response(item=[{"linkId": "besoin-x", "answer": [{"valueInteger": 1}]}])
    assert ("warning", "questionnaire.unknown_question", "QuestionnaireResponse.item[0].linkId") in issues(world, wrong)


def test_nothing_is_written_nor_repeated(world: World):
    before = world.rows("SELECT count(*) AS n FROM assessment")[0]["n"]
    answer = world.post("chu", PLACE, {**response(), "status": "255081416802538"})
    assert "255081416802538" not in answer.text
    assert world.rows("SELECT count(*) AS n FROM assessment")[0]["n"] == before


def test_is_for_who_is_signed_in_and_reads_json(world: World):
    world.bearers["nobody"] = {}
    assert world.post("nobody", PLACE, response()).status_code == 401
    for kind in ("application/fhir+xml", "text/csv"):
        headers = {**world.bearers["sonia"], "Content-Type": kind}
        assert world.client.post(PLACE, content=b"{}", headers=headers).status_code == 415
    sent = {**world.bearers["sonia"], "Content-Type": "application/fhir+json"}
    answer = world.client.post(PLACE, content=b"{", headers=sent)
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")
    assert world.post("sonia", f"{PLACE}?mode=delete", response()).status_code == 400
