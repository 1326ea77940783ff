"""A consent to share as a Consent: to the team, to the person, to who stands for them; to no partner."""

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.features.consents.fhir import PROFILE, QUESTION, SHOWN
from tests.features.consents.people import represent
from tests.features.consents.test_rest import asked, other, says
from tests.features.projects.cast import prepared, signed
from tests.world import World


@pytest.fixture(autouse=True)
def clean(world: World):
    yield
    for table in ("opposition", "consent_answer", "sharing_consent", "mandate"):
        world.rows(f"DELETE FROM {table}")


def told(world: World, id: str, who: str = "sonia") -> Any:
    return world.get(who, f"/fhir/Consent/{id}").json()


@pytest.mark.parametrize(
    ("answer", "status"), [(None, "proposed"), ("talk", "proposed"), ("yes", "active"), ("no", "rejected")]
)
def test_says_where_the_answer_stands(world: World, answer: str | None, status: str):
    id = asked(world)
    if answer:
        says(world, "jeanne", id, answer)
    consent = told(world, id)
    get_fhir_model_class("Consent").model_validate(consent)
    assert (consent["status"], consent["provision"]["type"]) == (status, "permit" if answer == "yes" else "deny")
    assert ("dateTime" in consent) is (answer is not None)


def test_says_what_to_whom_and_of_which_period(world: World):
    id = asked(world, data_from="2026-01-01", data_until="2026-07-01", ends="2030-01-01")
    provision = told(world, id)["provision"]
    assert provision["actor"][0]["reference"] == {"reference": f"Organization/{world.ids['chu']}"}
    assert [c["code"] for c in provision["class"]] == ["support"]
    assert provision["dataPeriod"] == {"start": "2026-01-01", "end": "2026-06-30"}
    assert provision["period"]["end"] == "2029-12-31"
    assert "transmission" in {c["coding"][0]["code"] for c in provision["code"]}


def test_says_the_wording_shown_and_its_fingerprint(world: World):
    id = asked(world)
    consent = told(world, id)
    values = {e["url"]: e["valueString"] for e in consent["extension"]}
    assert consent["meta"]["profile"] == [PROFILE]
    assert values[QUESTION].endswith("?")
    assert values[SHOWN] == world.get("sonia", f"/api/v1/consents/{id}").json()["wording_sha256"]


def test_about_a_picture_opens_nothing(world: World):
    id = other(world)
    says(world, "jeanne", id, "yes")
    assert told(world, id)["provision"]["type"] == "deny"


def test_of_a_project_and_of_sharing_are_found_in_one_search(world: World):
    answered = asked(world)
    says(world, "jeanne", answered, "yes")
    agreement = signed(world, prepared(world))["id"]
    found = world.get("sonia", f"/fhir/Consent?patient={world.ids['jeanne']}&status=active").json()
    assert {e["resource"]["id"] for e in found["entry"]} == {answered, agreement}


def test_the_person_reads_it_and_no_partner_does(world: World):
    id = asked(world, categories=["administrative", "support"], kinds=None)
    says(world, "jeanne", id, "yes")
    assert told(world, id, "jeanne")["status"] == "active"
    assert world.get("chu", f"/fhir/Consent/{id}").status_code == 404


def test_a_parent_reads_and_finds_their_own_answer_only(world: World):
    for name in ("claire", "paul"):
        represent(world, name, "lucas", "autorite_parentale_separes")
    id = asked(world, usager="lucas")
    says(world, "claire", id, "yes")
    says(world, "paul", id, "no")
    assert [told(world, id, who)["status"] for who in ("claire", "paul", "sonia")] == ["active", "rejected", "rejected"]
    for status, found in (("active", 1), ("rejected", 0)):
        answer = world.get("claire", f"/fhir/Consent?patient={world.ids['lucas']}&status={status}").json()
        assert len(answer.get("entry", [])) == found


@pytest.mark.threat("parent-consent-traces")
@pytest.mark.parametrize("answer", ["yes", "no", "talk"])
def test_nothing_of_it_tells_a_parent_that_the_other_answered(world: World, answer: str):
    """Neither its version, nor the moment it changed, nor the day it lapses, set once both have said yes."""
    for name in ("claire", "paul"):
        represent(world, name, "lucas", "autorite_parentale_separes")
    id = asked(world, usager="lucas")
    says(world, "claire", id, "yes")
    before = world.get("claire", f"/fhir/Consent/{id}")
    since = before.json()["meta"]["lastUpdated"].replace("+00:00", "Z")
    says(world, "paul", id, answer)
    after = world.get("claire", f"/fhir/Consent/{id}")
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])
    later = world.get("claire", f"/fhir/Consent?patient={world.ids['lucas']}&_lastUpdated=gt{since}").json()
    assert later.get("entry", []) == []


@pytest.mark.threat("protected-house-of-consent")
def test_a_house_that_is_a_protected_place_is_named_to_no_parent(world: World):
    represent(world, "claire", "lucas", "autorite_parentale_separes")
    id = asked(world, usager="lucas")
    world.rows("UPDATE stay SET place_protected = true WHERE usager_id = $1", world.ids["lucas"])
    houses = [told(world, id, who)["organization"] for who in ("claire", "lucas", "sonia")]
    world.rows("UPDATE stay SET place_protected = false WHERE usager_id = $1", world.ids["lucas"])
    theirs = [{"reference": f"Organization/{world.ids['ime']}"}]
    assert houses == [[{"display": "lieu protégé"}], theirs, theirs]
