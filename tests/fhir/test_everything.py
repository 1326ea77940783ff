"""`Patient/$everything`: all that the caller may read of one person, and nothing else."""

from typing import Any
from uuid import uuid4

import pytest

from tests.exchange.bundles import bundle, entry, patient, project, resource
from tests.exchange.sending import fresh, taken
from tests.fhir.test_read import PATH, grant, outcome, scoped, written
from tests.world import World


def asked(world: World, who: str, id: object, query: str = "") -> Any:
    return world.get(who, f"/fhir/Patient/{id}/$everything{query}")


def names(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {each["fullUrl"].rpartition("/fhir/")[2] for each in answer.json().get("entry", ())}


class TestEverything:
    def test_tells_all_that_a_partner_sent_of_them(self, world: World):
        told = taken(world, project(fresh(), goals=3))
        person = next(id for kind, id, _ in told if kind == "Patient")
        assert names(asked(world, "chu", person)) == {f"{k}/{id}" for k, id, _ in told if k != "Practitioner"}

    @pytest.mark.threat("search-everything")
    def test_another_s_rows_are_not_in_it(self, world: World):
        person = next(id for kind, id, _ in taken(world, project(fresh())) if kind == "Patient")
        same = {"X-Request-Id": str(uuid4())}
        there, never = (world.get("mdph", f"/fhir/Patient/{id}/$everything", headers=same) for id in (person, uuid4()))
        assert (there.status_code, there.content) == (404, never.content)

    @pytest.mark.threat("search-everything")
    @pytest.mark.parametrize("who", ["sonia", "marc", "leila", "odile", "lucas", "yann"])
    def test_is_the_sum_of_what_each_type_tells(self, world: World, who: str):
        for shown in ("shared", "not_shared"):
            written(world, visibility=shown)
        lucas, sum_of = world.ids["lucas"], set()
        types = {r["type"]: r for r in world.get(who, "/fhir/metadata").json()["rest"][0]["resource"]}
        for name, about in types.items():
            if any(p["name"] == "patient" for p in about.get("searchParam", ())) and name != "AuditEvent":
                sum_of |= names(world.get(who, f"/fhir/{name}?patient={lucas}&_count=200"))
        if world.get(who, f"/fhir/Patient/{lucas}").status_code == 200:
            sum_of.add(f"Patient/{lucas}")
        found = asked(world, who, lucas)
        assert (names(found) if found.status_code == 200 else set()) == sum_of

    def test_a_consent_opens_what_it_covers(self, world: World):
        id = written(world)
        assert asked(world, "chu", world.ids["lucas"]).status_code == 404
        grant(world)
        assert f"DocumentReference/{id}" in names(asked(world, "chu", world.ids["lucas"]))
        world.rows("DELETE FROM sharing_consent")
        assert asked(world, "chu", world.ids["lucas"]).status_code == 404

    def test_pages_follow_each_other(self, world: World):
        told = taken(world, project(fresh(), goals=4))
        person = next(id for kind, id, _ in told if kind == "Patient")
        place, seen = f"/fhir/Patient/{person}/$everything?_count=3", list[str]()
        while place:
            answer = world.get("chu", place)
            seen += sorted(names(answer))
            place = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), "")
        assert sorted(seen) == sorted({*seen}) == sorted(f"{k}/{id}" for k, id, _ in told if k != "Practitioner")

    def test_some_types_and_since_a_day(self, world: World):
        flag = resource("Flag", "f", status="active", code={"text": "x"}, subject={"reference": "Patient/p"})
        told = taken(world, bundle(entry(patient(fresh())), entry(flag)))
        person, kept = told[0][1], told[1][1]
        assert names(asked(world, "chu", person, "?_type=Patient")) == {f"Patient/{person}"}
        assert names(asked(world, "chu", person, "?_type=Flag,Goal")) == {f"Flag/{kept}"}
        assert names(asked(world, "chu", person, "?_type=Basic")) == set()
        assert len(names(asked(world, "chu", person, "?_since=2000"))) == 2
        assert names(asked(world, "chu", person, "?_since=2999")) == set()

    @pytest.mark.parametrize("query", ["_count=abc", "_type=Patiente", "_since=hier", "status=x", "_count=1&_count=2"])
    def test_a_bad_parameter_is_told(self, world: World, query: str):
        answer = asked(world, "sonia", world.ids["lucas"], f"?{query}")
        assert (answer.status_code, outcome(answer)["severity"]) == (400, "error")

    def test_a_partner_is_told_the_types_its_token_reads(self, world: World):
        told = taken(world, project(fresh()))
        person = next(id for kind, id, _ in told if kind == "Patient")
        narrow = scoped(world, "system/Patient.r system/Goal.r")
        answer = world.client.get(f"/fhir/Patient/{person}/$everything", headers=narrow)
        assert {name.partition("/")[0] for name in names(answer)} == {"Patient", "Goal"}
        other = scoped(world, "system/Goal.r")
        assert world.client.get(f"/fhir/Patient/{person}/$everything", headers=other).status_code == 403

    @pytest.mark.threat("partner-read-scope-writes")
    def test_a_type_that_its_token_does_not_read_is_refused_as_elsewhere(self, world: World):
        told = taken(world, project(fresh()))
        person = next(id for kind, id, _ in told if kind == "Patient")
        narrow = scoped(world, "system/Patient.r")
        answer = world.client.get(f"/fhir/Patient/{person}/$everything?_type=Patient,Goal", headers=narrow)
        assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (403, "scope")
        kept = world.client.get(
            f"/fhir/Patient/{person}/$everything?_type=Account", headers=narrow
        )  # of no map of ours
        assert (kept.status_code, outcome(kept)["details"]["coding"][0]["code"]) == (403, "scope")

    @pytest.mark.parametrize("query", ["", "?_count=50", "?_format=json"])
    def test_of_nobody_is_not_found_however_it_is_asked(self, world: World, query: str):
        assert asked(world, "chu", uuid4(), query).status_code == 404

    def test_a_type_that_is_about_nobody_is_traced(self, world: World):
        before = len(world.rows("SELECT id FROM audit_entry"))
        assert names(asked(world, "sonia", world.ids["lucas"], "?_type=Practitioner")) == set()
        assert len(world.rows("SELECT id FROM audit_entry")) == before + 1

    def test_a_page_is_followed_with_its_format(self, world: World):
        told = taken(world, project(fresh(), goals=4))
        person = next(id for kind, id, _ in told if kind == "Patient")
        for place in (
            f"/fhir/Patient/{person}/$everything?_count=2",
            "/fhir/Goal?_count=2",
            "/fhir/Goal/_history?_count=2",
        ):
            links = world.get("chu", place).json()["link"]
            following = next(link["url"] for link in links if link["relation"] == "next")
            assert world.get("chu", f"{following}&_format=json").status_code == 200, place
            assert world.get("chu", f"{following}&_count=3").status_code == 400, place

    def test_of_another_type_is_unknown(self, world: World):
        assert world.get("sonia", f"{PATH}/{written(world)}/$everything").status_code == 404

    @pytest.mark.parametrize("who", ["sonia", "lucas", "chu"])
    def test_is_three_statements_at_most(self, world: World, who: str):
        person = world.ids["lucas"]
        if who == "chu":
            told = taken(world, project(fresh(), goals=197))
            person = next(id for kind, id, _ in told if kind == "Patient")
        asked(world, who, person)
        with world.statements() as counted:
            answer = asked(world, who, person)
        assert answer.status_code == 200
        assert len(counted) <= 3, counted.sql
        assert who != "chu" or len(answer.json()["entry"]) == 200

    def test_the_trail_names_the_person_and_each_row(self, world: World):
        told = taken(world, project(fresh()))
        person = next(id for kind, id, _ in told if kind == "Patient")
        answer = asked(world, "chu", person)
        lines = world.traces(request_id=answer.headers["x-request-id"])
        assert {line["usager_id"] for line in lines} == {person}
        assert {id for line in lines for id in line["entry_ids"]} == {i for k, i, _ in told if k != "Practitioner"}
