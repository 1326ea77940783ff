"""Chains and `_has`: what they find, in which tables, and that what is out of reach is as absent at each hop."""

from typing import Any

import pytest

from app.access.permissions import Visibility
from app.security.principal import Role
from tests.features.projects.cast import id_of, part, prepared
from tests.fhir.test_read import grant, outcome, scoped
from tests.world import World


@pytest.fixture(scope="module")
def made(world: World) -> dict[str, str]:
    """A project of Jeanne's, its action, and what is part of this one; ids by name."""
    place = prepared(world)
    action = part(world, place, "actions", title="Sortir", status="in_progress")["id"]
    told = {"CarePlan": id_of(place), "action": action}
    told["service"] = part(world, place, "services", title="Vie sociale", action_id=action)["id"]
    told["means"] = part(world, place, "means", title="Un siège", action_id=action)["id"]
    told["need"] = part(world, place, "needs", text="Se fatigue")["id"]
    return told


def found(world: World, who: str, query: str) -> set[str]:
    answer = world.get(who, f"/fhir/{query}")
    assert answer.status_code == 200, answer.text
    return {entry["resource"]["id"] for entry in answer.json().get("entry", ())}


class TestFinds:
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("Task?part-of.status=in-progress", {"service", "means"}),
            ("Task?part-of:Task.status=in-progress", {"service", "means"}),
            ("Task?part-of.status=completed", set()),
            ("Task?based-on:CarePlan.status=draft", {"action", "service", "means"}),
            ("Task?part-of.based-on.status=draft", {"service", "means"}),
            ("Task?part-of.based-on:CarePlan.subject:Patient.birthdate=1944-05-12", {"service", "means"}),
            ("Task?part-of.based-on.patient.birthdate=1944-05-13", set()),
            ("ServiceRequest?based-on.status=draft", {"need"}),
            ("CarePlan?_has:Task:based-on:status=in-progress", {"CarePlan"}),
            ("CarePlan?_has:Task:based-on:status=completed", set()),
            ("CarePlan?_has:Task:based-on:_has:Task:part-of:based-on.status=draft", {"CarePlan"}),
            ("CarePlan?patient.birthdate=ge1944&_has:ServiceRequest:based-on:_id={need}", {"CarePlan"}),
            ("Task?_has:Task:part-of:_id={means}", {"action"}),
            ("Task?part-of.part-of:missing=true", {"service", "means"}),
            ("Task?part-of.status:not=completed", {"service", "means"}),
        ],
    )
    def test_what_the_other_row_tells(self, world: World, made: dict[str, str], query: str, names: set[str]):
        assert found(world, "sonia", query.format(**made)) == {made[name] for name in names}

    def test_a_person_by_what_is_written_of_them(self, world: World, made: dict[str, str]):
        query = f"Patient?_has:Task:patient:_id={made['action']}"
        assert found(world, "sonia", query) == {str(world.ids["jeanne"])}

    def test_two_criteria_meet(self, world: World, made: dict[str, str]):
        query = "Task?part-of.status=in-progress&based-on.status=draft&_id={service}".format(**made)
        assert found(world, "sonia", query) == {made["service"]}

    def test_a_project_by_the_one_it_replaces(self, world: World, made: dict[str, str]):
        """Both rows stand in one table."""
        later = id_of(prepared(world, title="La suite"))
        world.rows("UPDATE project SET replaces_id = $1 WHERE id = $2", made["CarePlan"], later)
        assert found(world, "sonia", f"CarePlan?replaces._id={made['CarePlan']}") == {later}
        assert found(world, "sonia", f"CarePlan?_has:CarePlan:replaces:_id={later}") == {made["CarePlan"]}
        world.rows("DELETE FROM project WHERE id = $1", later)

    def test_two_criteria_that_no_table_has_both_find_nothing(self, world: World, made: dict[str, str]):
        assert (
            found(world, "sonia", f"Task?period=2026&part-of.based-on.status=draft&part-of={made['action']}") == set()
        )

    def test_counts_what_it_finds(self, world: World, made: dict[str, str]):
        answer = world.get("sonia", "/fhir/Task?part-of.status=in-progress&_count=0")
        assert answer.json()["total"] == 2


class TestRefused:
    @pytest.mark.threat("search-chain", "search-has", "search-outcome-text")
    @pytest.mark.parametrize(
        ("query", "near"),
        [
            ("Task?part-of.stetus=x", "part-of"),
            ("Task?parttof.status=x", "parameter[0]"),
            ("Task?part-of:CarePlan.status=x", "part-of"),
            ("Task?part-of:Zorglub.status=x", "part-of"),
            ("Task?status.code=x", "status"),
            ("Task?part-of.status:zorglub=x", "part-of"),
            ("Task?part-of.=x", ""),
            ("Task?.status=x", ""),
            ("Task?part-of.part-of.part-of.part-of.status=x", ""),
            ("Patient?_has:Task:patient=x", "_has"),
            ("Patient?_has:Zorglub:patient:status=x", "_has"),
            ("Patient?_has:Task:part-of:status=x", "_has"),
            ("Patient?_has:Task:patient:zorglub=x", ""),
            ("Patient?_has=x", "_has"),
            ("Patient?_has:Device:patient:_id=x", "_has"),
            ("Patient?" + "_has:Task:patient:based-on." * 4 + "status=x", ""),
        ],
    )
    def test_naming_what_is_known_never_what_came(self, world: World, query: str, near: str):
        answer = world.get("sonia", f"/fhir/{query}")
        assert answer.status_code == 400, answer.text
        said = outcome(answer)
        assert said["details"]["coding"][0]["code"] == "unknown_parameter"
        if near:
            assert said["expression"] == [near]
        assert not [word for word in ("orglub", "parttof", "stetus") if word in answer.text]

    def test_three_hops_are_the_most_and_it_says_so(self, world: World):
        answer = world.get("sonia", "/fhir/Task?part-of.part-of.part-of.part-of.status=draft")
        assert "3 sauts" in outcome(answer)["diagnostics"]

    def test_a_bad_value_names_the_chain(self, world: World):
        answer = world.get("sonia", "/fhir/Task?patient.birthdate=hier")
        assert (answer.status_code, outcome(answer)["expression"]) == (400, ["patient.birthdate"])
        assert "hier" not in answer.text

    def test_leniently_an_unknown_chain_is_left_out(self, world: World, made: dict[str, str]):
        answer = world.get("sonia", "/fhir/Task?part-of.zorglub=x&_count=1", headers={"Prefer": "handling=lenient"})
        assert answer.status_code == 200
        assert "orglub" not in answer.text


@pytest.fixture
def reserved(world: World, made: dict[str, str]) -> Any:
    """The action is reserved to Marc: Sonia reads the rest, not it."""
    world.rows("UPDATE action SET reserved_to = ARRAY[$1::uuid] WHERE id = $2", world.ids["marc"], made["action"])
    world.rows("UPDATE action SET author_id = $1 WHERE id = $2", world.ids["marc"], made["action"])
    yield
    world.rows("UPDATE action SET reserved_to = NULL WHERE id = $1", made["action"])


class TestReach:
    @pytest.mark.threat("search-chain")
    @pytest.mark.parametrize(
        "query", ["part-of.status=in-progress", "part-of._id={action}", "part-of.based-on.status=draft"]
    )
    def test_a_row_out_of_reach_answers_no_chain(self, world: World, made: dict[str, str], reserved: None, query: str):
        asked = f"Task?{query}&_id={made['service']}".format(**made)
        assert found(world, "sonia", asked) == set()
        assert found(world, "marc", asked) == {made["service"]}

    @pytest.mark.threat("search-has")
    @pytest.mark.parametrize(
        "query", ["Patient?_has:Task:patient:_id={action}", "CarePlan?_has:Task:based-on:_id={action}"]
    )
    def test_a_row_out_of_reach_has_led_nowhere(self, world: World, made: dict[str, str], reserved: None, query: str):
        asked = query.format(**made)
        assert found(world, "sonia", asked) == set()
        assert len(found(world, "marc", asked)) == 1

    @pytest.mark.threat("search-has")
    def test_each_hop_is_judged(self, world: World, made: dict[str, str], reserved: None):
        asked = f"CarePlan?_has:Task:based-on:_has:Task:part-of:_id={made['means']}"
        assert (found(world, "sonia", asked), len(found(world, "marc", asked))) == (set(), 1)

    @pytest.mark.threat("search-chain", "search-has")
    def test_a_deleted_row_answers_nothing(self, world: World, made: dict[str, str]):
        asked = ("Task?part-of.status=in-progress", f"Patient?_has:Task:patient:_id={made['action']}")
        world.rows("UPDATE action SET deleted_at = now() WHERE id = $1", made["action"])
        assert [found(world, "marc", one) for one in asked] == [set(), set()]
        world.rows("UPDATE action SET deleted_at = NULL WHERE id = $1", made["action"])

    @pytest.mark.threat("search-has")
    def test_a_care_note_is_not_found_out_by_halves(self, world: World, made: dict[str, str]):
        """Who reads the person and not the note gets the same answer whatever the note says."""
        world.hire("bisector", Role.EDUCATEUR, "ehpad")
        world.accompany("bisector", world.ids["jeanne"], "ehpad")
        note = world.post("leila", "/api/v1/transmissions", {
            "usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": "?",
            "category": "care", "kind": "data",
        })  # fmt: skip
        assert note.status_code == 201, note.text
        whole = f"_has:DocumentReference:patient:_id={note.json()['id']}"
        for more in ("", "&_has:DocumentReference:patient:date=ge2020", "&_count=0"):
            answer = world.get("bisector", f"/fhir/Patient?{whole}{more}")
            assert (answer.json()["total"], answer.json().get("entry")) == (0, None)
        assert found(world, "leila", f"Patient?{whole}") == {str(world.ids["jeanne"])}

    @pytest.mark.threat("search-chain", "partner-scope-escalation")
    @pytest.mark.parametrize("query", ["Task?patient.birthdate=1944-05-12", "Task?part-of.based-on.status=draft"])
    def test_a_partner_chains_within_its_scopes(self, world: World, query: str):
        answer = world.client.get(f"/fhir/{query}", headers=scoped(world, "system/Task.rs"))
        assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (403, "scope")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert line["outcome"] == "refused"
        wider = scoped(world, "system/Task.s system/Patient.s system/CarePlan.s")
        assert world.client.get(f"/fhir/{query}", headers=wider).status_code == 200

    @pytest.mark.threat("search-chain")
    def test_a_partner_finds_by_what_it_may_read_only(self, world: World, made: dict[str, str]):
        """The action is not shared with it, what is part of it is."""
        consent = grant(world, usager="jeanne")
        asked = f"Task?part-of.status=in-progress&_id={made['service']}"
        assert found(world, "chu", asked) == {made["service"]}
        world.rows("UPDATE action SET visibility = $2 WHERE id = $1", made["action"], Visibility.WITHHELD.value)
        assert found(world, "chu", asked) == set()
        world.rows("UPDATE action SET visibility = $2 WHERE id = $1", made["action"], Visibility.SHARED.value)
        world.rows("DELETE FROM sharing_consent WHERE id = $1", consent.id)

    def test_of_another_organisation_nothing(self, world: World, made: dict[str, str]):
        assert found(world, "yann", "Task?part-of.status=in-progress") == set()


class TestCost:
    @pytest.mark.parametrize("query", ["Task?part-of.based-on.status=draft", "Patient?_has:Task:patient:status=draft"])
    def test_a_chain_is_one_statement(self, world: World, made: dict[str, str], query: str):
        world.get("sonia", f"/fhir/{query}")
        with world.statements() as counted:
            world.get("sonia", f"/fhir/{query}")
        assert len(counted) == 1, counted.sql


@pytest.mark.threat("search-endless-chains")
def test_chains_that_read_too_many_tables_are_refused_before_they_are_written(world: World):
    pair = "patient._has:Task:patient:based-on.status=active&patient._has:Observation:patient:performer.name=a"
    answer = world.get("lucas", "/fhir/Task?" + "&".join([pair] * 9))
    assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (400, "too_costly")
