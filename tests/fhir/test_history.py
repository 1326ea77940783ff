"""vread and history: each version is told to whom could read it then, and may read it now; nobody learns of the others."""

from typing import Any
from uuid import uuid4

import pytest

from app.kernel.clock import now
from tests.exchange.bundles import project
from tests.exchange.sending import fresh, taken
from tests.fhir.sent import sent as noted
from tests.fhir.test_read import PATH, REST, changed_by_the_team, grant, outcome, scoped, text_of, written
from tests.world import World


def changed(world: World, id: str, version: int = 1, who: str = "sonia", **values: Any) -> None:
    answer = world.patch(who, f"{REST}/{id}", {"text": "Corrigé."} | values, version)
    assert answer.status_code == 200, answer.text


def versions(world: World, who: str, place: str) -> list[str]:
    answer = world.get(who, f"{place}/_history")
    assert answer.status_code == 200, answer.text
    return [each["response"]["etag"] for each in answer.json().get("entry", ())]


class TestVread:
    def test_tells_each_version_as_it_was(self, world: World):
        id = written(world, text="D'abord.")
        changed(world, id, text="Ensuite.")
        told = [world.get("sonia", f"{PATH}/{id}/_history/{n}") for n in (1, 2)]
        assert [text_of(each.json()) for each in told] == [b"D'abord.", b"Ensuite."]
        assert [each.headers["etag"] for each in told] == ['W/"1"', 'W/"2"']

    def test_what_never_was_is_told_as_what_may_not_be_read(self, world: World):
        id = written(world)
        same = {"X-Request-Id": str(uuid4())}
        places = [f"{PATH}/{id}/_history/9", f"{PATH}/{uuid4()}/_history/1", f"{PATH}/{id}/_history/x"]
        answers = [world.get("sonia", place, headers=same) for place in places]
        answers.append(world.get("yann", f"{PATH}/{id}/_history/1", headers=same))
        assert {each.status_code for each in answers} == {404}
        assert len({each.content for each in answers}) == 1

    def test_if_none_match_answers_without_a_body(self, world: World):
        place = f"{PATH}/{written(world)}/_history/1"
        assert world.get("sonia", place, headers={"If-None-Match": 'W/"1"'}).status_code == 304

    def test_is_one_statement(self, world: World):
        id = written(world)
        changed(world, id)
        world.get("sonia", f"{PATH}/{id}/_history/1")
        with world.statements() as counted:
            world.get("sonia", f"{PATH}/{id}/_history/1")
        assert len(counted) == 1, counted.sql

    def test_leaves_its_line(self, world: World):
        id = written(world)
        answer = world.get("sonia", f"{PATH}/{id}/_history/1")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], str(line["entry_ids"][0])) == ("success", id)

    @pytest.mark.threat("token-revoked-replayed")
    def test_a_revoked_session_hears_of_no_version(self, world: World):
        place = f"{PATH}/{written(world)}/_history"
        alive = "UPDATE session SET revoked_at = $1 WHERE id = $2"
        world.rows(alive, now(), world.ids["sonia_session"])
        statuses = [world.get("sonia", asked).status_code for asked in (place, f"{place}/1", f"{PATH}/_history")]
        world.rows(alive, None, world.ids["sonia_session"])
        assert statuses == [401] * 3


class TestInstance:
    def test_the_latest_first_with_the_act_of_each(self, world: World):
        id = written(world)
        changed(world, id)
        world.delete("sonia", f"{REST}/{id}", 2)
        bundle = world.get("sonia", f"{PATH}/{id}/_history").json()
        said = [(each["request"]["method"], each["response"]["etag"]) for each in bundle["entry"]]
        assert said == [("DELETE", 'W/"3"'), ("PUT", 'W/"2"'), ("POST", 'W/"1"')]
        assert (bundle["type"], bundle["total"], "resource" in bundle["entry"][0]) == ("history", 3, False)

    def test_out_of_reach_is_absent(self, world: World):
        id = written(world)
        same = {"X-Request-Id": str(uuid4())}
        there, never = (world.get("yann", f"{PATH}/{i}/_history", headers=same) for i in (id, uuid4()))
        assert (there.status_code, there.content) == (404, never.content)

    @pytest.mark.threat("search-history")
    def test_a_version_that_was_closed_to_them_is_neither_told_nor_counted(self, world: World):
        """Reserved to its author at first, opened since: others learn of no version before."""
        id = written(world)
        changed(world, id)
        world.rows("UPDATE entry_version SET reserved_to = $1 WHERE entry_id = $2 AND version = 1", [uuid4()], id)
        history = world.get("marc", f"{PATH}/{id}/_history").json()
        assert (history["total"], len(history["entry"])) == (1, 1)
        assert world.get("marc", f"{PATH}/{id}/_history/1").status_code == 404
        assert versions(world, "sonia", f"{PATH}/{id}") == ['W/"2"', 'W/"1"']

    @pytest.mark.threat("search-history")
    def test_a_version_once_open_closes_with_the_row(self, world: World):
        id = written(world)
        changed(world, id)
        world.rows("UPDATE transmission SET reserved_to = $1 WHERE id = $2", [uuid4()], id)
        for place in (f"{PATH}/{id}/_history", f"{PATH}/{id}/_history/1", f"{PATH}/{id}/_history/2"):
            assert world.get("marc", place).status_code == 404, place

    @pytest.mark.threat("search-history")
    def test_the_person_reads_the_row_as_it_stands_alone(self, world: World):
        """An earlier wording may hold what was masked for them since."""
        id = written(world, visibility="shared")
        changed(world, id)
        assert versions(world, "lucas", f"{PATH}/{id}") == ['W/"2"']
        assert world.get("lucas", f"{PATH}/{id}/_history/1").status_code == 404

    def test_pages_follow_each_other(self, world: World):
        id = written(world)
        for n in range(1, 5):
            changed(world, id, n, text=f"Version {n + 1}.")
        place, seen = f"{PATH}/{id}/_history?_count=2", []
        while place:
            bundle = world.get("sonia", place).json()
            seen += [each["response"]["etag"] for each in bundle["entry"]]
            place = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
        assert seen == [f'W/"{n}"' for n in (5, 4, 3, 2, 1)]

    @pytest.mark.threat("search-next-link-borrowed")
    def test_a_page_is_lent_to_nobody(self, world: World):
        id = written(world)
        changed(world, id)
        link = world.get("sonia", f"{PATH}/{id}/_history?_count=1").json()["link"][1]["url"]
        assert world.get("sonia", link).status_code == 200
        assert world.get("marc", link).status_code == 400
        assert world.get("sonia", link.replace(str(id), str(uuid4()))).status_code == 400

    def test_since_and_at(self, world: World):
        id = written(world)
        changed(world, id)
        first, second = (world.get("sonia", f"{PATH}/{id}/_history/{n}").json()["meta"]["lastUpdated"] for n in (1, 2))
        quoted = {"first": first.replace("+", "%2B"), "second": second.replace("+", "%2B")}

        def asked(query: str) -> list[str]:
            bundle = world.get("sonia", f"{PATH}/{id}/_history?{query.format(**quoted)}").json()
            return [each["response"]["etag"] for each in bundle.get("entry", ())]

        assert asked("_since={first}") == ['W/"2"', 'W/"1"']
        assert asked("_since={second}") == ['W/"2"']
        assert asked("_since=2999") == []
        assert asked("_at=2000") == []
        assert asked("_at={second}") == ['W/"2"']

    @pytest.mark.parametrize(
        "query",
        ["_count=abc", "_count=-1", "_count=0", "_since=hier", "_since=lt2026", "status=x", "_count=1&_count=2"],
    )
    def test_a_bad_parameter_is_told(self, world: World, query: str):
        answer = world.get("sonia", f"{PATH}/{written(world)}/_history?{query}")
        assert (answer.status_code, outcome(answer)["severity"]) == (400, "error")

    @pytest.mark.parametrize("who", ["sonia", "chu"])
    def test_is_two_statements_at_most(self, world: World, who: str):
        id = written(world) if who == "sonia" else str(noted(world, who))
        for query in ("", "?_since=2000", "?_since=2999"):
            world.get(who, f"{PATH}/{id}/_history{query}")
            with world.statements() as counted:
                world.get(who, f"{PATH}/{id}/_history{query}")
            assert len(counted) <= 2, counted.sql


class TestPartner:
    @pytest.mark.threat("partner-reads-after-the-team")
    def test_reads_each_version_it_wrote_and_none_of_the_team(self, world: World):
        local = fresh()
        person = next(id for kind, id, _ in taken(world, project(local)) if kind == "Patient")
        plan = next(id for kind, id, _ in taken(world, project(local, title="Autrement")) if kind == "CarePlan")
        assert versions(world, "chu", f"/fhir/CarePlan/{plan}") == ['W/"2"', 'W/"1"']
        first = world.get("chu", f"/fhir/CarePlan/{plan}/_history/1").json()
        assert (first["title"], first["subject"]["reference"]) == ("Rester chez moi", f"Patient/{person}")
        answer = world.patch("marc", f"/api/v1/projects/{plan}", {"title": "Celui de l'équipe"}, 2)
        assert answer.status_code == 200, answer.text
        assert versions(world, "chu", f"/fhir/CarePlan/{plan}") == ['W/"2"', 'W/"1"']
        assert world.get("chu", f"/fhir/CarePlan/{plan}/_history/3").status_code == 404
        assert versions(world, "marc", f"/fhir/CarePlan/{plan}") == ['W/"3"', 'W/"2"', 'W/"1"']

    @pytest.mark.threat("partner-reads-another-s")
    def test_another_partner_finds_nothing(self, world: World):
        id = noted(world, "chu")
        changed_by_the_team(world, id)
        for place in (f"{PATH}/{id}/_history", f"{PATH}/{id}/_history/1"):
            assert world.get("mdph", place).status_code == 404

    def test_a_consent_opens_the_versions_and_its_end_closes_them(self, world: World):
        id = written(world)
        changed(world, id)
        grant(world)
        assert versions(world, "chu", f"{PATH}/{id}") == ['W/"2"', 'W/"1"']
        world.rows("DELETE FROM sharing_consent")
        assert world.get("chu", f"{PATH}/{id}/_history").status_code == 404

    @pytest.mark.threat("partner-scope-missing")
    def test_without_the_scope_is_refused(self, world: World):
        id = noted(world, "chu")
        narrow = scoped(world, "system/DocumentReference.r")
        assert world.client.get(f"{PATH}/{id}/_history", headers=narrow).status_code == 200
        assert world.client.get(f"{PATH}/_history", headers=narrow).status_code == 403
        assert world.client.get("/fhir/_history", headers=narrow).status_code == 403

    def test_a_directory_row_has_the_version_that_stands(self, world: World):
        told = taken(world, project(fresh()))
        party = next(id for kind, id, _ in told if kind == "Practitioner")
        assert versions(world, "chu", f"/fhir/Practitioner/{party}") == ['W/"1"']


class TestTypeAndSystem:
    def test_a_type_tells_its_rows_within_reach(self, world: World):
        mine, theirs = written(world), written(world, usager="karim", structure="mas_fam")
        world.rows("DELETE FROM team_member WHERE usager_id = $1", world.ids["karim"])
        ids = {e["fullUrl"].rpartition("/")[2] for e in world.get("sonia", f"{PATH}/_history").json()["entry"]}
        assert (mine in ids, theirs in ids) == (True, False)

    def test_all_types_at_once(self, world: World):
        told = taken(world, project(fresh()))
        bundle = world.get("chu", "/fhir/_history?_count=100").json()
        seen = {each["fullUrl"].rpartition("/fhir/")[2] for each in bundle["entry"]}
        assert {f"{kind}/{id}" for kind, id, _ in told} <= seen

    @pytest.mark.parametrize("who", ["marc", "chu"])
    @pytest.mark.parametrize("place", [f"{PATH}/_history", "/fhir/_history"])
    def test_is_two_statements_at_most(self, world: World, who: str, place: str):
        world.get(who, place)
        with world.statements() as counted:
            assert world.get(who, place).status_code == 200
        assert len(counted) <= 2, counted.sql
