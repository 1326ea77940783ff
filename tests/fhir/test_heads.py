"""HEAD, alone or in a bundle: what GET answers, without what it tells. Source: https://hl7.org/fhir/R4/http.html#read"""

from typing import Any
from uuid import uuid4

import pytest

from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.sending import fresh, sent, taken
from tests.exchange.test_acts import change, statuses
from tests.exchange.test_export import agreed
from tests.fhir.test_read import PATH, scoped, written
from tests.world import World

KINDS = pytest.mark.parametrize("kind", ["transaction", "batch"])
OF_ONE = ("", "/_history", "/_history/1")
OF_A_PERSON = ("", "/_history", "/_history/1", "/$everything", "/DocumentReference", "/$tddui-export")
OF_ALL = (
    "/fhir/metadata", PATH, f"{PATH}/_history", "/fhir/_history", "/fhir?_type=Task,Goal", "/fhir/Questionnaire",
)  # fmt: skip


def both(world: World, who: str, path: str) -> tuple[Any, Any]:
    headers = world.bearers[who]
    return world.client.get(path, headers=headers), world.client.head(path, headers=headers)


def said(answer: Any) -> tuple[int, dict[str, str]]:
    return answer.status_code, {name: value for name, value in answer.headers.items() if name != "x-request-id"}


class TestAlone:
    @pytest.mark.parametrize("path", OF_ALL)
    def test_says_what_get_says(self, world: World, path: str):
        got, headed = both(world, "sonia", path)
        assert (got.status_code, said(headed), headed.content) == (200, said(got), b"")

    @pytest.mark.parametrize("below", OF_ONE)
    def test_of_a_resource_too(self, world: World, below: str):
        got, headed = both(world, "sonia", f"{PATH}/{written(world)}{below}")
        assert (got.status_code, said(headed), headed.content) == (200, said(got), b"")
        assert not below.endswith("1") or headed.headers["etag"] == 'W/"1"'

    @pytest.mark.parametrize("below", OF_A_PERSON)
    def test_of_a_person_too(self, world: World, below: str):
        got, headed = both(world, "lucas", f"/fhir/Patient/{world.ids['lucas']}{below}")
        assert (got.status_code, said(headed)[0], headed.content) == (200, 200, b"")
        assert headed.headers["content-type"] == got.headers["content-type"]

    def test_says_that_nothing_changed(self, world: World):
        under = {**world.bearers["sonia"], "If-None-Match": 'W/"1"'}
        assert world.client.head(f"{PATH}/{written(world)}", headers=under).status_code == 304

    @pytest.mark.threat("search-head")
    @pytest.mark.parametrize("who", ["yann", "lucas", "chu"])
    @pytest.mark.parametrize("below", OF_ONE)
    def test_out_of_reach_it_is_as_absent(self, world: World, who: str, below: str):
        headers = world.bearers[who]
        there, nowhere = (
            world.client.head(f"{PATH}/{id}{below}", headers=headers) for id in (written(world), str(uuid4()))
        )
        assert (there.status_code, said(there)) == (404, said(nowhere))

    @pytest.mark.threat("search-head")
    def test_an_unknown_caller_is_told_nothing(self, world: World):
        answers = [world.client.head(f"{PATH}/{id}") for id in (written(world), str(uuid4()))]
        assert [said(each) for each in answers] == [said(answers[0])] * 2
        assert answers[0].status_code == 401

    def test_its_scope_is_asked(self, world: World):
        headers = scoped(world, "system/Patient.rs")
        assert world.client.head(PATH, headers=headers).status_code == 403

    @pytest.mark.parametrize("path", ["Task?banana=1", "Task/$banana"])
    def test_what_get_refuses_is_refused(self, world: World, path: str):
        got, headed = both(world, "sonia", f"/fhir/{path}")
        assert (headed.status_code, said(headed)) == (got.status_code, said(got))
        assert got.status_code in (400, 404)

    def test_is_traced_as_a_reading(self, world: World):
        id = written(world)
        for look in (world.client.get, world.client.head):
            look(f"{PATH}/{id}", headers=world.bearers["sonia"])
        one, other = [line for line in world.traces(action="read") if str(id) in map(str, line["entry_ids"])]
        assert (one["action"], one["usager_id"]) == (other["action"], other["usager_id"])

    def test_nothing_left_by_it(self, world: World):
        """A dossier looked at by its head went nowhere: the journal says no sending."""
        agreed(world)
        path = f"/fhir/Patient/{world.ids['karim']}/$tddui-export"
        lines = "SELECT count(*) FROM exchange WHERE direction = 'sent'"
        before = world.rows(lines)[0][0]
        got, headed = both(world, "chu", path)
        world.rows("DELETE FROM sharing_consent")
        assert (got.status_code, headed.status_code) == (200, 200)
        assert world.rows(lines)[0][0] == before + 1


class TestInABundle:
    @KINDS
    def test_answers_without_the_resource(self, world: World, kind: str):
        [(_, id, _)] = taken(world, bundle(entry(patient(fresh()))))
        asked = [change(method, f"Patient/{id}") for method in ("GET", "HEAD")]
        got, headed = sent(world, {**bundle(*asked), "type": kind}).json()["entry"]
        assert set(got) == {"resource", "response"}
        assert headed == {"response": got["response"]}
        assert (headed["response"]["status"], headed["response"]["etag"]) == ("200 OK", 'W/"1"')
        assert headed["response"]["lastModified"] == got["resource"]["meta"]["lastUpdated"]

    @KINDS
    def test_of_a_search_says_that_it_answers(self, world: World, kind: str):
        body = {**bundle(change("HEAD", "Patient?_count=1"), change("HEAD", "Patient/_history")), "type": kind}
        assert sent(world, body).json()["entry"] == [{"response": {"status": "200 OK"}}] * 2

    @KINDS
    def test_says_that_nothing_changed(self, world: World, kind: str):
        [(_, id, _)] = taken(world, bundle(entry(patient(fresh()))))
        body = bundle(*(change("HEAD", f"Patient/{id}", ifNoneMatch=f'W/"{n}"') for n in (1, 9)))
        assert statuses(sent(world, {**body, "type": kind})) == ["304", "200"]

    def test_sees_what_the_others_wrote(self, world: World):
        [(_, id, _)] = taken(world, bundle(entry(patient(local := fresh()))))
        changed = patient(local, family="MARTIN")
        body = bundle(change("HEAD", f"Patient/{id}"), change("PUT", f"Patient/{id}", {**changed, "id": str(id)}))
        assert [each["response"]["etag"] for each in sent(world, body).json()["entry"]] == ['W/"2"'] * 2

    def test_staff_and_the_person_look_by_it_too(self, world: World):
        id = written(world, visibility="shared")
        body = {**bundle(change("HEAD", f"DocumentReference/{id}")), "type": "batch"}
        for who in ("sonia", "lucas"):
            [told] = sent(world, body, who=who).json()["entry"]
            assert (told["response"]["status"], "resource" in told) == ("200 OK", False)

    @KINDS
    @pytest.mark.threat("search-head")
    def test_out_of_reach_it_is_as_absent(self, world: World, kind: str):
        answers = []
        for id in (written(world), str(uuid4())):
            paths = [f"DocumentReference/{id}{below}" for below in OF_ONE]
            lots = [paths] if kind == "batch" else [[path] for path in paths]
            answers.append(
                [
                    sent(world, {**bundle(*(change("HEAD", path) for path in lot)), "type": kind}).text.replace(id, "…")
                    for lot in lots
                ]
            )
        assert answers[0] == answers[1]
        assert all("404" in each or "not-found" in each for each in answers[0])

    def test_the_dossier_whole_leaves_no_line(self, world: World):
        agreed(world)
        path = f"Patient/{world.ids['karim']}/$tddui-export"
        lines = "SELECT count(*) FROM exchange WHERE direction = 'sent'"
        before = world.rows(lines)[0][0]
        told = sent(world, {**bundle(change("HEAD", path)), "type": "batch"}).json()["entry"]
        world.rows("DELETE FROM sharing_consent")
        assert told == [{"response": {"status": "200 OK"}}]
        assert world.rows(lines)[0][0] == before
