"""Several types searched at once, and one person's compartment: the same policy, the same trail, one statement."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from app.features.life_projects.models import LifeProject
from app.features.mobility.models import Mobility
from tests.fhir.test_exchanged import SYSTEM, arrived
from tests.fhir.test_read import consented, outcome, scoped, written
from tests.fhir.test_sorting import pages
from tests.world import ORIGIN, World

__all__ = ["arrived", "consented"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def karim(world: World) -> dict[str, str]:
    """One row of each of three types about Karim."""
    who = {"usager_id": world.ids["karim"], "structure_id": world.ids["mas_fam"], "author_id": world.ids["marc"]}
    life, way = LifeProject(words="Partir.", starts=date(2025, 1, 1), **who), Mobility(noted_on=date(2025, 2, 1), **who)
    world.add(life, way)
    note = written(world, usager="karim", structure="mas_fam")
    return {"Goal": str(life.id), "Observation": str(way.id), "DocumentReference": note}


def told(world: World, who: str, path: str, **more: Any) -> dict[str, str]:
    """Id by type."""
    answer = world.get(who, path, **more)
    assert answer.status_code == 200, answer.text
    return {e["resource"]["resourceType"]: e["resource"]["id"] for e in answer.json().get("entry", [])}


class TestCompartment:
    def test_one_type_all_types_and_some(self, world: World, karim: dict[str, str]):
        place = f"/fhir/Patient/{world.ids['karim']}"
        assert told(world, "marc", f"{place}/Goal") == {"Goal": karim["Goal"]}
        assert told(world, "marc", f"{place}/*").items() >= karim.items()
        some = told(world, "marc", f"{place}/*?_type=Goal,Observation")
        assert some == {name: karim[name] for name in ("Goal", "Observation")}
        assert told(world, "marc", f"{place}/Goal?start-date=2025&_id={karim['Goal']}") == {"Goal": karim["Goal"]}
        assert told(world, "marc", f"{place}/Goal?patient={world.ids['lucas']}") == {}

    @pytest.mark.threat("search-compartment")
    @pytest.mark.parametrize("rest", ["DocumentReference", "*", "Patient", "Goal?_total=accurate", "*?_count=0"])
    @pytest.mark.parametrize("who", ["yann", "chu", "lucas"])
    def test_someone_out_of_reach_is_as_nobody(self, world: World, karim: dict[str, str], who: str, rest: str):
        answers = []
        for id in (world.ids["karim"], uuid4()):
            answer = world.get(who, f"/fhir/Patient/{id}/{rest}")
            bundle = {name: part for name, part in answer.json().items() if name not in ("timestamp", "link")}
            answers.append((answer.status_code, bundle))
        assert answers[0] == answers[1]
        assert answers[0][1]["total"] == 0

    def test_a_name_that_is_no_id_is_nobody(self, world: World):
        assert told(world, "marc", "/fhir/Patient/x,y/Goal") == {}

    def test_the_trail_names_whom_was_asked_for(self, world: World):
        answer = world.get("yann", f"/fhir/Patient/{world.ids['karim']}/Goal")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], line["usager_id"], line["action"]) == ("empty", world.ids["karim"], "read")

    def test_page_after_page_at_its_own_address(self, world: World, karim: dict[str, str]):
        place = f"/fhir/Patient/{world.ids['karim']}/*"
        whole = world.get("marc", f"{place}?_type=Goal,Observation,DocumentReference").json()
        first = world.get(
            "marc", f"{place}?_type=Goal,Observation,DocumentReference&_count=1&_sort=_lastUpdated"
        ).json()
        links = {link["relation"]: link["url"] for link in first["link"]}
        assert links["next"].startswith(f"{ORIGIN}{place}?_page=")
        assert links["self"] == links["first"]
        assert links["first"].startswith(f"{ORIGIN}{place}?_type=")
        seen = pages(world, "marc", f"{place}?_type=Goal,Observation,DocumentReference&_count=1&_sort=_lastUpdated")
        assert set(seen) == {e["resource"]["id"] for e in whole["entry"]}
        token = links["next"].partition("?")[2]
        for path in (f"{place}?{token}x", f"/fhir/Patient/{world.ids['lucas']}/*?{token}", f"/fhir?{token}"):
            assert world.get("marc", path).status_code == 400
        assert world.get("sonia", links["next"]).status_code == 400

    @pytest.mark.parametrize("rest", ["Organization", "Practitioner", "Banana", "Questionnaire"])
    def test_a_type_that_is_about_nobody(self, world: World, rest: str):
        answer = world.get("marc", f"/fhir/Patient/{world.ids['karim']}/{rest}")
        assert (answer.status_code, outcome(answer)["severity"]) == (404, "error")

    def test_by_post(self, world: World, karim: dict[str, str]):
        place, headers = f"/fhir/Patient/{world.ids['karim']}", {**world.bearers["marc"], **FORM}
        for path, form in ((f"{place}/Goal/_search", "_count=5"), (f"{place}/_search", "_type=Goal")):
            answer = world.client.post(path, content=form, headers=headers)
            assert [e["resource"]["id"] for e in answer.json()["entry"]] == [karim["Goal"]]
            assert world.post("marc", path, {}).status_code == 415

    @pytest.mark.threat("search-compartment", "partner-scope-missing")
    def test_a_partner_finds_the_types_of_its_scopes(self, world: World, consented: None):
        note = written(world)
        for scope, finds in (("system/DocumentReference.rs", True), ("system/Goal.rs", False)):
            answer = world.client.get(f"/fhir/Patient/{world.ids['lucas']}/*", headers=scoped(world, scope))
            assert (note in answer.text) is finds
        answer = world.client.get(f"/fhir/Patient/{world.ids['lucas']}/*", headers=scoped(world, "system/Location.rs"))
        assert (answer.status_code, outcome(answer)["code"]) == (403, "forbidden")
        narrow = scoped(world, "system/Goal.rs")
        for rest in ("DocumentReference", "*?_type=Goal,DocumentReference"):
            answer = world.client.get(f"/fhir/Patient/{world.ids['lucas']}/{rest}", headers=narrow)
            assert (answer.status_code, outcome(answer)["code"]) == (403, "forbidden")
            [line] = world.traces(request_id=answer.headers["x-request-id"])
            assert line["outcome"] == "refused"


class TestSystem:
    def test_the_types_asked_for_together(self, world: World, karim: dict[str, str]):
        found = told(world, "marc", f"/fhir?_type=Goal,Observation&patient={world.ids['karim']}")
        assert found == {name: karim[name] for name in ("Goal", "Observation")}
        ids = f"{karim['Goal']},{karim['DocumentReference']}"
        assert set(told(world, "marc", f"/fhir?_type=Observation,Goal&_id={ids}")) == {"Goal"}

    def test_an_identifier_is_that_of_each_type(self, world: World, arrived: tuple[str, str]):
        value, id = arrived
        query = {"_type": "DocumentReference,Goal,Task", "identifier": f"{SYSTEM}|{value}"}
        assert told(world, "chu", "/fhir", params=query) == {"DocumentReference": id}

    def test_by_post(self, world: World, karim: dict[str, str]):
        form, headers = f"_type=Goal&_id={karim['Goal']}", {**world.bearers["marc"], **FORM}
        answer = world.client.post("/fhir/_search", content=form, headers=headers)
        assert [e["resource"]["id"] for e in answer.json()["entry"]] == [karim["Goal"]]
        assert world.post("marc", "/fhir/_search", {}).status_code == 415

    @pytest.mark.parametrize(
        ("query", "where"),
        [
            ("", "_type"), ("_lastUpdated=gt2020", "_type"), ("_type=Banana", "_type"), ("_type=", "_type"),
            ("_type=Goal&_type=Task", "_type"), ("_type=AuditEvent", "_type"), ("_type=Flag", "_type"),
            ("_type=Goal,Task&start-date=2025", "_lastUpdated"), ("_type=Goal,Task&_sort=start-date", "_sort"),
            ("_type=Basic,CarePlan,Consent,DocumentReference,Encounter,Goal,Observation,Patient,Slot", "_type"),
            ("_page=x", "_page"), ("_type=Goal&_count=abc", "_count"),
        ],
    )  # fmt: skip
    @pytest.mark.threat("search-compartment")
    def test_what_is_not_served_says_how_to_mend_it(self, world: World, query: str, where: str | None):
        answer = world.get("marc", f"/fhir?{query}")
        issue = outcome(answer)
        assert answer.status_code == 400, answer.text
        assert where is None or where in issue["expression"] or where == "_lastUpdated"
        assert "Banana" not in answer.text

    @pytest.mark.threat("search-compartment", "partner-scope-missing")
    def test_a_partner_needs_a_scope_for_each_type(self, world: World):
        narrow = scoped(world, "system/Goal.rs")
        assert world.client.get("/fhir?_type=Goal", headers=narrow).status_code == 200
        answer = world.client.get("/fhir?_type=Goal,Task", headers=narrow)
        assert (answer.status_code, outcome(answer)["code"]) == (403, "forbidden")

    @pytest.mark.parametrize("path", ["/fhir?_type=Goal", "/fhir/Patient/{karim}/*", "/fhir/Patient/{karim}/Goal"])
    def test_nobody_without_a_token_and_json_only(self, world: World, path: str):
        path = path.format(**world.ids)
        assert world.client.get(path).status_code == 401
        assert world.get("marc", path, headers={"Accept": "application/fhir+xml"}).status_code == 406

    @pytest.mark.parametrize("path", ["/fhir?_type=Goal,Task&_count=5", "/fhir/Patient/{karim}/*"])
    def test_one_statement(self, world: World, path: str):
        url = path.format(**world.ids)
        world.get("marc", url)
        with world.statements() as counted:
            world.get("marc", url)
        assert len(counted) == 1, counted.sql
