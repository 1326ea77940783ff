"""References that lead to one of several types, or to several rows, are chained and followed like any; and so is a search
of several types.
"""

from typing import Any

import pytest

from app.fhir.verbs import search_type
from tests.fhir.test_chains import found, made
from tests.fhir.test_includes import bundle, modes
from tests.fhir.test_read import outcome, scoped, written
from tests.fhir.test_sorting import pages
from tests.world import World

__all__ = ["made"]


@pytest.fixture(scope="module")
def led(world: World, made: dict[str, str]) -> dict[str, str]:
    """Marc carries the action out; Sonia writes a note of Jeanne's."""
    world.rows(
        "UPDATE action SET owner_id = $1, owner_kind = 'professional' WHERE id = $2", world.ids["marc"], made["action"]
    )
    people = {name: str(world.ids[name]) for name in ("marc", "sonia", "jeanne", "ehpad")}
    note = written(world, usager="jeanne", structure="ehpad")
    [role] = world.rows("SELECT id FROM membership WHERE professional_id = $1 LIMIT 1", world.ids["sonia"])
    return {**made, **people, "note": note, "role": str(role["id"])}


def name_of(world: World, id: str) -> str:
    told: str = world.get("sonia", f"/fhir/Practitioner/{id}").json()["name"][0]["family"]
    return told


class TestOneOfSeveral:
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("Task?owner:Practitioner.family={family}", {"action"}),
            ("Task?owner.family={family}", {"action"}),
            ("Task?owner:Practitioner.family=zzz", set()),
            ("Task?owner:RelatedPerson.name={family}", set()),
            ("Task?part-of.owner:Practitioner.family={family}", {"service", "means"}),
            ("Practitioner?_has:Task:owner:_id={action}", {"marc"}),
            ("DocumentReference?author:Practitioner._id={sonia}&_id={note}", {"note"}),
            ("DocumentReference?author._id={marc}&_id={note}", set()),
            ("PractitionerRole?organization._id={ehpad}&_id={role}", {"role"}),
            ("PractitionerRole?organization.name=zzz&_id={role}", set()),
            ("Organization?_has:PractitionerRole:organization:_id={role}&_id={ehpad}", {"ehpad"}),
        ],
    )
    def test_is_chained(self, world: World, led: dict[str, str], query: str, names: set[str]):
        query = query.format(**led, family=name_of(world, led["marc"]))
        assert found(world, "sonia", query) == {led[name] for name in names}

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("Task?_id={action}&_include=Task:owner", {"marc"}),
            ("Task?_id={action}&_include=Task:owner:Practitioner", {"marc"}),
            ("Task?_id={action}&_include=Task:owner:RelatedPerson", set()),
            ("Task?_id={service}&_include=Task:part-of&_include:iterate=Task:owner", {"action", "marc"}),
            ("Practitioner?_id={marc}&_revinclude=Task:owner", {"action"}),
            ("Practitioner?_id={sonia}&_revinclude=Task:owner", set()),
            ("DocumentReference?_id={note}&_include=DocumentReference:author", {"sonia"}),
        ],
    )
    def test_comes_along(self, world: World, led: dict[str, str], query: str, names: set[str]):
        told = modes(bundle(world, "sonia", query.format(**led))).get("include", [])
        assert sorted(told) == sorted(led[name] for name in names)

    def test_several_rows_come_along(self, world: World, led: dict[str, str]):
        told = bundle(world, "sonia", f"PractitionerRole?_id={led['role']}&_include=PractitionerRole:organization")
        role = next(e["resource"] for e in told["entry"] if e["search"]["mode"] == "match")
        assert role["organization"]["reference"] in {f"Organization/{id}" for id in modes(told)["include"]}
        back = f"Organization?_id={led['ehpad']}&_revinclude=PractitionerRole:organization"
        assert led["role"] in modes(bundle(world, "sonia", back))["include"]

    @pytest.mark.threat("search-chain")
    def test_out_of_reach_leads_nowhere(self, world: World, led: dict[str, str]):
        for query in ("Task?owner:Practitioner._id={marc}", "Practitioner?_has:Task:owner:_id={action}"):
            assert found(world, "yann", query.format(**led)) == set()
        assert modes(bundle(world, "yann", f"Practitioner?_id={led['marc']}&_revinclude=Task:owner")) == {}

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("Task?_include=Task:owner", 200),
            ("Task?_include=Task:owner:Practitioner", 200),
            ("Task?_include=Task:owner:Patient", 403),
            ("Task?_include=Task:part-of", 200),
            ("Task?owner:Practitioner.family=x", 200),
            ("Task?owner:RelatedPerson.name=x", 403),
        ],
    )
    def test_a_partner_follows_what_its_scopes_hold(self, world: World, query: str, status: int):
        scopes = scoped(world, "system/Task.rs system/Practitioner.rs")
        assert world.client.get(f"/fhir/{query}", headers=scopes).status_code == status


class TestSeveralTypes:
    @pytest.mark.parametrize(
        ("query", "match", "include"),
        [
            ("patient.birthdate=1944-05-12", {"action", "service", "means", "need"}, set()),
            ("patient.birthdate=1944-05-13", set(), set()),
            ("based-on.status=draft", {"action", "service", "means", "need"}, set()),
            ("_id={service},{need}&_include=Task:part-of", {"service", "need"}, {"action"}),
            ("_id={service},{need}&_include=ServiceRequest:based-on", {"service", "need"}, {"CarePlan"}),
            ("_id={need}&_include=*", {"need"}, {"CarePlan", "jeanne"}),
            ("_id={action},{need}&_revinclude=Task:part-of", {"action", "need"}, {"service", "means"}),
            ("_id={service},{need}&_include=Task:part-of&_include:iterate=Task:owner", {"service", "need"}, {"action", "marc"}),
        ],
    )  # fmt: skip
    def test_are_chained_and_followed(
        self, world: World, led: dict[str, str], query: str, match: set[str], include: set[str]
    ):
        told = modes(bundle(world, "sonia", f"?_type=Task,ServiceRequest&_count=200&{query.format(**led)}"))
        assert {*told.get("match", ())} == {led[name] for name in match}
        assert sorted(told.get("include", ())) == sorted(led[name] for name in include)

    def test_page_after_page(self, world: World, led: dict[str, str]):
        query = "_type=Task,ServiceRequest&_count=1&_include=ServiceRequest:based-on&based-on.status=draft"
        for sort in ("", "&_sort=_lastUpdated"):
            told = pages(world, "sonia", f"/fhir?{query}{sort}")
            assert {*told} == {led[name] for name in ("action", "service", "means", "need")}

    def test_of_one_person(self, world: World, led: dict[str, str]):
        place = (
            f"Patient/{led['jeanne']}/*?_type=Task,ServiceRequest&_id={led['need']}&_include=ServiceRequest:based-on"
        )
        assert modes(bundle(world, "sonia", place)) == {"match": [led["need"]], "include": [led["CarePlan"]]}

    @pytest.mark.threat("search-chain")
    def test_out_of_reach_leads_nowhere(self, world: World, led: dict[str, str]):
        for query in ("patient.birthdate=1944-05-12", f"_id={led['need']}&_include=*&_revinclude=*"):
            assert modes(bundle(world, "yann", f"?_type=Task,ServiceRequest&{query}")) == {}

    @pytest.mark.parametrize(
        ("query", "where"),
        [
            ("_type=Task,Goal&part-of.status=draft", "_type"),
            ("_type=Task,ServiceRequest&banana.status=draft", "_type"),
            ("_type=Task,Goal&_include=CarePlan:patient", "_include"),
            ("_type=Task,Goal&_include=Task:banana", "_include"),
        ],
    )
    def test_what_they_do_not_all_answer_is_refused(self, world: World, query: str, where: str):
        answer = world.get("sonia", f"/fhir?{query}")
        assert (answer.status_code, outcome(answer)["expression"]) == (400, [where])

    def test_a_plan_has_its_bounds(self, world: World, monkeypatch: pytest.MonkeyPatch):
        query = "/fhir?_type=Task,ServiceRequest&patient.birthdate=1944-05-12"
        monkeypatch.setattr(search_type, "TABLES_MOST", 3)
        said: Any = outcome(world.get("sonia", query))
        assert (said["expression"], said["details"]["coding"]) == (["_type"], [{"code": "too_costly"}])
