"""How an answer is shown: laid out, its main elements only, or those asked for; nothing more than what was told."""

from typing import Any

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.fhir.checking import faults_of
from app.fhir.mapping import Json
from app.fhir.showing import Shown
from tests.fhir.test_read import PATH, outcome, written
from tests.world import World

CUT = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


@pytest.mark.parametrize("told", [{"elements": ("status",)}, {"summary": "true"}, {"elements": ("id",)}])
@pytest.mark.parametrize(
    "whole",
    [
        {"resourceType": "Consent", "status": "active", "policy": [{"uri": "urn:x"}], "dateTime": "2026",
         "scope": {"text": "a"}, "category": [{"text": "a"}]},
        {"resourceType": "Organization", "name": "a", "alias": ["b"], "active": True},
        {"resourceType": "Appointment", "status": "booked", "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z",
         "participant": [{"status": "accepted", "actor": {"display": "a"}}], "comment": "b"},
    ],
    ids=["consent", "organization", "appointment"],
)  # fmt: skip
def test_what_is_cut_follows_the_rules_that_the_whole_follows(whole: Json, told: dict[str, Any]):
    whole |= {"id": "a", "language": "fr"}
    assert faults_of(whole) == []
    cut = orjson.loads(Shown(**told).body(orjson.dumps(whole)))
    assert (faults_of(cut), cut == whole) == ([], False)


class TestRead:
    def test_elements_are_those_asked_for_and_the_mandatory(self, world: World):
        id = written(world)
        told = world.get("sonia", f"{PATH}/{id}?_elements=date,DocumentReference.type,Patient.name").json()
        assert set(told) == {"resourceType", "id", "meta", "status", "content", "date", "type"}
        assert CUT in told["meta"]["tag"]
        get_fhir_model_class("DocumentReference").model_validate(told)

    def test_a_summary_is_what_r4_marks(self, world: World):
        whole = world.get("sonia", f"/fhir/Patient/{world.ids['lucas']}").json()
        told = world.get("sonia", f"/fhir/Patient/{world.ids['lucas']}?_summary=true").json()
        assert set(told) <= set(whole)
        assert "name" in told
        assert "extension" not in told

    @pytest.mark.parametrize(("said", "text"), [("data", False), ("text", False), ("false", False)])
    def test_each_summary_is_served(self, world: World, said: str, text: bool):
        answer = world.get("sonia", f"{PATH}/{written(world)}?_summary={said}")
        assert (answer.status_code, "text" in answer.json()) == (200, text)

    def test_what_is_whole_is_not_marked_as_cut(self, world: World):
        id = written(world)
        plain = world.get("sonia", f"{PATH}/{id}").json()
        assert world.get("sonia", f"{PATH}/{id}?_summary=false").json() == plain
        assert world.get("sonia", f"{PATH}/{id}?_summary=data").json() == plain

    def test_pretty_is_laid_out_and_says_the_same(self, world: World):
        id = written(world)
        plain, laid = (world.get("sonia", f"{PATH}/{id}{how}") for how in ("", "?_pretty=true"))
        assert (plain.json(), b"\n  " in plain.content, b"\n  " in laid.content) == (laid.json(), False, True)
        assert laid.headers["content-type"] == "application/fhir+json"
        assert laid.headers["etag"] == plain.headers["etag"]

    @pytest.mark.threat("search-elements")
    def test_what_is_masked_stays_masked_whatever_is_asked(self, world: World):
        id = written(world)
        for who in ("yann", "lucas"):
            assert world.get(who, f"{PATH}/{id}?_elements=content").status_code == 404

    @pytest.mark.parametrize(
        "query",
        [
            "_summary=yes",
            "_pretty=1",
            "_elements=",
            "_elements=a b",
            "_summary=true&_elements=id",
            "_pretty=true&_pretty=true",
        ],
    )
    def test_a_bad_value_is_told(self, world: World, query: str):
        answer = world.get("sonia", f"{PATH}/{written(world)}?{query}")
        assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (400, "bad_parameter")


class TestSearch:
    def test_each_resource_is_cut_and_the_pages_that_follow_too(self, world: World):
        for _ in range(2):
            written(world)
        first = world.get("sonia", f"{PATH}?_count=1&_elements=date").json()
        place = next(link["url"] for link in first["link"] if link["relation"] == "next")
        for page in (first, world.get("sonia", place).json()):
            assert set(page["entry"][0]["resource"]) == {"resourceType", "id", "meta", "status", "content", "date"}

    def test_count_alone(self, world: World):
        written(world)
        told, same = (world.get("sonia", f"{PATH}?{how}").json() for how in ("_summary=count", "_count=0"))
        assert told["total"] == same["total"] > 0
        assert "entry" not in told

    def test_in_a_form_too(self, world: World):
        written(world)
        headers = {**world.bearers["sonia"], "Content-Type": "application/x-www-form-urlencoded"}
        answer = world.client.post(f"{PATH}/_search", content="_count=1&_elements=date", headers=headers)
        assert "subject" not in answer.json()["entry"][0]["resource"]


class TestModifiedSince:
    def test_answers_without_a_body_unless_changed_since(self, world: World):
        place = f"{PATH}/{written(world)}"
        at = world.get("sonia", place).headers["last-modified"]
        for said, status in (
            (at, 304),
            ("Mon, 01 Jan 2001 00:00:00 GMT", 200),
            ("hier", 200),
            ("Mon, 01 Jan 2991 00:00:00 GMT", 304),
        ):
            assert world.get("sonia", place, headers={"If-Modified-Since": said}).status_code == status, said

    def test_the_version_decides_when_both_are_said(self, world: World):
        place = f"{PATH}/{written(world)}"
        both = {"If-Modified-Since": "Mon, 01 Jan 2991 00:00:00 GMT", "If-None-Match": 'W/"9"'}
        assert world.get("sonia", place, headers=both).status_code == 200


def test_nothing_received_is_said_back(world: World):
    nir = "147720425367411"
    for query in (f"_summary={nir}", f"_elements={nir}", f"_pretty={nir}"):
        answer = world.get("sonia", f"{PATH}/{written(world)}?{query}")
        assert answer.status_code == 400
        assert nir not in orjson.dumps(answer.json()).decode()
