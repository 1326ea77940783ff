"""The trail in FHIR: each line an AuditEvent, for the DPO and for nobody else; never a content."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.features.access_log.fhir import PROFILE
from app.kernel.clock import today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.features.access_log.facts import noted, trace
from tests.world import World

EVENTS = "/fhir/AuditEvent"
NOW = f"ge{today().isoformat()}"
LAST_YEAR = (today() - timedelta(days=365)).isoformat()


@pytest.fixture(scope="module", autouse=True)
def dpo(world: World) -> None:
    world.hire("dora", Role.DPO, "ehpad")


def found(world: World, **asked: Any) -> list[dict[str, Any]]:
    answer = world.get("dora", EVENTS, params={"_count": 200, **asked})
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def request_of(event: dict[str, Any]) -> str:
    return str(event["entity"][-1]["what"]["identifier"]["value"])


def requests(world: World, **asked: Any) -> set[str]:
    return {request_of(event) for event in found(world, **asked)}


def event_of(world: World, request: str) -> dict[str, Any]:
    [event] = [event for event in found(world, date=NOW) if request_of(event) == request]
    return event


class TestShape:
    def test_a_reading_is_told_by_who_what_and_when(self, world: World) -> None:
        note = noted(world, "jeanne")
        event = event_of(world, trace(world, "jeanne", note, address="10.0.0.7", ground="urgence"))
        get_fhir_model_class("AuditEvent").model_validate(event)
        assert event["meta"]["profile"] == [PROFILE]
        assert (event["action"], event["type"]["code"], event["subtype"][0]["code"]) == ("R", "rest", "read")
        assert (event["outcome"], event["outcomeDesc"], event["source"]["site"]) == ("0", "success", "api")
        [agent] = event["agent"]
        assert agent["who"] == {"reference": f"Practitioner/{world.ids['marc']}"}
        assert (agent["requestor"], agent["network"]["address"]) == (True, "10.0.0.7")
        assert agent["role"][0]["coding"][0]["code"] == "chef_de_service"
        person, row, _ = event["entity"]
        assert person["what"] == {"reference": f"Patient/{world.ids['jeanne']}"}
        assert (row["what"]["identifier"]["value"], row["name"]) == (f"urn:uuid:{note}", "transmission")
        assert [c["code"] for c in event["purposeOfEvent"][0]["coding"]] == ["urgence", "BTG"]
        assert event["recorded"] == event["meta"]["lastUpdated"]

    @pytest.mark.parametrize(
        ("how", "action", "kind"),
        [
            ({"action": "create"}, "C", "rest"),
            ({"action": "update"}, "U", "rest"),
            ({"action": "delete"}, "D", "rest"),
            ({"action": "login", "kind": "session"}, "E", "110114"),
            ({"action": "export", "kind": "audit_entry"}, "E", "110106"),
            ({"action": "confirm_mandate", "kind": "mandate"}, "E", "act"),
        ],
        ids=lambda told: told.get("action") if isinstance(told, dict) else str(told),
    )
    def test_every_act_has_its_type(self, world: World, how: dict[str, str], action: str, kind: str) -> None:
        event = event_of(world, trace(world, "karim", uuid7(), **how))
        get_fhir_model_class("AuditEvent").model_validate(event)
        assert (event["action"], event["type"]["code"]) == (action, kind)
        assert how["action"] in (event["subtype"][0].get("code"), event["subtype"][0].get("display"))

    @pytest.mark.parametrize(
        ("how", "who"),
        [
            ({"principal_kind": "usager"}, "Patient/"),
            ({"principal_kind": "representative"}, "RelatedPerson/"),
            ({"principal_kind": "partner"}, "urn:uuid:"),
            ({"principal_kind": "unknown", "principal_id": None}, "unknown"),
        ],
        ids=lambda told: told["principal_kind"] if isinstance(told, dict) else "",
    )
    def test_every_caller_is_told(self, world: World, how: dict[str, Any], who: str) -> None:
        event = event_of(world, trace(world, "lucas", role=None, outcome="refused", **how))
        get_fhir_model_class("AuditEvent").model_validate(event)
        assert who in str(event["agent"][0]["who"])
        assert (event["outcome"], event["outcomeDesc"]) == ("4", "refused")

    def test_a_line_about_nobody_names_no_patient(self, world: World) -> None:
        request = trace(world, "lucas", usager_id=None, kind="setting")
        event = event_of(world, request)
        get_fhir_model_class("AuditEvent").model_validate(event)
        assert [entity.get("name") for entity in event["entity"]] == ["setting", None]

    @pytest.mark.threat("trail-content")
    def test_nothing_of_what_was_written_is_there(self, world: World) -> None:
        text = "Elle a dit son secret"
        body = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": text}
        assert world.post("sonia", "/api/v1/transmissions", body).status_code == 201
        answer = world.get("dora", EVENTS, params={"patient": str(world.ids["jeanne"])})
        assert "MOREAU" not in answer.text
        assert "secret" not in answer.text


class TestSearch:
    @pytest.mark.parametrize(
        ("asked", "how"),
        [
            ({"action": "U"}, {"action": "update"}),
            ({"action": "E"}, {"action": "qualify_identity"}),
            ({"action": "E"}, {"action": "login"}),
            ({"outcome": "4"}, {"outcome": "refused"}),
            ({"type": "110114"}, {"action": "login"}),
            ({"type": "http://dicom.nema.org/resources/ontology/DCM|110106"}, {"action": "export"}),
            ({"type": "act"}, {"action": "close_emergency"}),
        ],
    )
    def test_each_criterion_narrows(self, world: World, asked: dict[str, str], how: dict[str, str]) -> None:
        mine, other = trace(world, "ines", uuid7(), **how), trace(world, "ines", uuid7())
        told = requests(world, date=NOW, **asked)
        assert (mine in told, other in told) == (True, False)

    @pytest.mark.parametrize(
        "asked", [{"type": "elsewhere|110114"}, {"type": "nothing"}, {"outcome": "8"}, {"action": "X"}]
    )
    def test_a_code_that_is_never_said_finds_nothing(self, world: World, asked: dict[str, str]) -> None:
        trace(world, "ines", action="login")
        assert found(world, date=NOW, **asked) == []

    def test_by_patient(self, world: World) -> None:
        mine, other = trace(world, "ines", uuid7()), trace(world, "karim", uuid7())
        told = requests(world, patient=f"Patient/{world.ids['ines']}")
        assert (mine in told, other in told) == (True, False)

    @pytest.mark.parametrize("prefix", ["", "Practitioner/", "RelatedPerson/", "http://127.0.0.1:8000/fhir/Patient/"])
    def test_by_agent_of_whatever_kind(self, world: World, prefix: str) -> None:
        who = uuid7()
        mine, other = trace(world, "ines", principal_id=who), trace(world, "ines")
        told = requests(world, date=NOW, agent=f"{prefix}{who}")
        assert (mine in told, other in told) == (True, False)

    @pytest.mark.parametrize("name", ["date", "_lastUpdated"])
    def test_by_moment(self, world: World, name: str) -> None:
        trace(world, "ines")
        assert found(world, **{name: NOW})
        assert found(world, **{name: "2020"}) == []

    def test_by_names(self, world: World) -> None:
        events = [event_of(world, trace(world, "lucas", uuid7()))["id"] for _ in "ab"]
        assert {event["id"] for event in found(world, _id=",".join([*events, "x"]))} == set(events)

    @pytest.mark.parametrize(
        "asked", [{}, {"agent": str(uuid7())}, {"date": NOW, "_count": "0"}, {"date": NOW, "name": "x"}]
    )
    def test_what_cannot_be_asked_is_refused(self, world: World, asked: dict[str, str]) -> None:
        answer = world.get("dora", EVENTS, params=asked)
        assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")

    @pytest.mark.threat("trail-asked-whole")
    @pytest.mark.parametrize(
        "when",
        [
            ["ge2020"], ["gt2020"], ["sa2020"], ["lt2026"], ["le2026"], ["eb2026"], ["ne2026"], ["2026,lt2020"],
            ["ge2020", "le2026"], [f"ge{today() - timedelta(days=400)}", f"lt{NOW[2:]}"],
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("name", ["date", "_lastUpdated"])
    def test_everyone_is_asked_over_a_year_at_most(self, world: World, name: str, when: list[str]) -> None:
        answer = world.get("dora", EVENTS, params={name: when})
        assert (answer.status_code, "d'un an au plus" in answer.text) == (400, True)

    @pytest.mark.parametrize(
        "when", [["2025"], ["ge2025", "lt2026"], ["gt2024", "le2025"], ["2024-01,2024-07"], [f"ge{LAST_YEAR}"]]
    )
    def test_a_year_is_read_whenever_it_was(self, world: World, when: list[str]) -> None:
        assert world.get("dora", EVENTS, params={"date": when}).status_code == 200

    def test_one_person_is_asked_over_all_time(self, world: World) -> None:
        mine = trace(world, "ines", uuid7())
        assert mine in requests(world, patient=str(world.ids["ines"]), date="ge2020")

    async def test_the_period_is_read_by_its_index_and_in_its_order(self, world: World) -> None:
        """The statement itself, as it is kept prepared: neither sorted nor read beyond what the page shows."""
        with world.statements() as sql:
            await asyncio.to_thread(found, world, date=NOW, outcome="0")
        [asked] = [text for text in sql.sql if "audit_entry" in text]
        values = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", asked))))
        owner = await asyncpg.connect(world.database.owner_url)
        try:
            await owner.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
            await owner.execute(f"PREPARE asked AS {asked}")
            plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN EXECUTE asked({values})"))
        finally:
            await owner.close()
        page = plan.partition("CTE found")[2].partition("CTE traced")[0]
        assert "Index Scan Backward using audit_entry" in page, plan
        # the default partition's own constraint may stand between the two
        assert re.search(r"Index Cond: \(\(organisation_id = \$1\) AND (\(at IS NOT NULL\) AND )?\(at >= \$", page), (
            plan
        )
        assert "Sort" not in page, plan

    def test_pages_follow(self, world: World) -> None:
        for _ in range(3):
            trace(world, "karim", uuid7(), kind="unit", action="delete")
        first = world.get("dora", EVENTS, params={"date": NOW, "action": "D", "_count": 2}).json()
        [link] = [link["url"] for link in first["link"] if link["relation"] == "next"]
        second = world.get("dora", link.removeprefix("http://127.0.0.1:8000")).json()
        ids = [entry["resource"]["id"] for page in (first, second) for entry in page["entry"]]
        assert len(ids) == len(set(ids)) >= 3
        assert ids == sorted(ids, reverse=True)

    def test_by_form_too(self, world: World) -> None:
        request = trace(world, "ines", uuid7())
        answer = world.client.post(f"{EVENTS}/_search", data={"date": NOW}, headers=world.bearers["dora"])
        assert request in {request_of(entry["resource"]) for entry in answer.json()["entry"]}

    def test_a_look_is_a_line(self, world: World) -> None:
        answer = world.get("dora", EVENTS, params={"patient": str(world.ids["ines"])})
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["kind"], line["door"], line["usager_id"]) == ("audit_entry", "fhir", world.ids["ines"])

    def test_an_empty_look_names_who_was_asked_for(self, world: World) -> None:
        someone = uuid7()
        answer = world.get("dora", EVENTS, params={"patient": str(someone)})
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], line["usager_id"]) == ("empty", someone)

    def test_two_statements_whatever_is_asked(self, world: World) -> None:
        asked = {"date": NOW, "patient": str(world.ids["ines"]), "outcome": "0"}
        found(world, **asked)
        with world.statements() as sql:
            found(world, **asked)
        assert len(sql) == 2


class TestRead:
    def test_one_is_read_by_its_name(self, world: World) -> None:
        event = event_of(world, trace(world, "karim", uuid7()))
        answer = world.get("dora", f"{EVENTS}/{event['id']}")
        assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, event, 'W/"1"')

    @pytest.mark.parametrize(
        "name", ["0" * 14 + ".01900000-0000-7000-8000-000000000001", "01a202cb-970f-7ab8-97bc-5b06179c641a"]
    )
    def test_no_event_is_named_so(self, world: World, name: str) -> None:
        assert world.get("dora", f"{EVENTS}/{name}").status_code == 404


@pytest.mark.threat("trail-read-by-others")
@pytest.mark.parametrize("who", ["sonia", "marc", "leila", "odile", "helene", "yann", "chu", "jeanne"])
def test_nobody_but_the_dpo_reads_an_event(world: World, who: str) -> None:
    """A person reads their visits on their own page, in their own words."""
    name = event_of(world, trace(world, "jeanne", uuid7()))["id"]
    bearer = who if who != "jeanne" else "jeanne"
    for path in (f"{EVENTS}/{name}", f"{EVENTS}?patient={world.ids['jeanne']}"):
        answer = world.get(bearer, path)
        assert answer.status_code in (401, 403), path
        assert str(world.ids["marc"]) not in answer.text


@pytest.mark.threat("trail-other-tenant")
def test_the_trail_of_another_organisation_is_out_of_reach(world: World) -> None:
    world.hire("ezra", Role.DPO, "other")
    name = event_of(world, trace(world, "jeanne", uuid7()))["id"]
    assert world.get("ezra", f"{EVENTS}/{name}").status_code == 404
    answer = world.get("ezra", f"{EVENTS}?patient={world.ids['jeanne']}")
    assert answer.json().get("entry", []) == []
