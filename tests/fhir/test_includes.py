"""`_include` and `_revinclude`: what comes along, once, within reach, traced and counted."""

from datetime import date
from typing import Any

import pytest

from app.features.stays.models import Stay
from app.features.transports.models import Transport
from app.fhir.verbs import alongside
from app.kernel.clock import now
from app.kernel.ids import uuid7
from tests.fhir.test_chains import made
from tests.fhir.test_read import grant, outcome, scoped
from tests.world import ORIGIN, World

__all__ = ["made"]
Json = dict[str, Any]


def bundle(world: World, who: str, query: str, **more: Any) -> Json:
    answer = world.get(who, f"/fhir/{query}", **more)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def modes(said: Json) -> dict[str, list[str]]:
    """Ids by mode."""
    found: dict[str, list[str]] = {}
    for entry in said.get("entry", ()):
        found.setdefault(entry["search"]["mode"], []).append(entry["resource"].get("id", ""))
    return found


class TestComesAlong:
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("Task?_id={service}&_include=Task:part-of", {"action"}),
            ("Task?_id={service}&_include=Task:part-of:Task", {"action"}),
            ("Task?_id={service}&_include=Task:based-on:CarePlan", {"CarePlan"}),
            ("Task?_id={service}&_include=Task:part-of&_include=Task:based-on", {"action", "CarePlan"}),
            ("Task?_id={service}&_include=Task:patient", {"jeanne"}),
            ("Task?_id={service}&_include=*", {"action", "CarePlan", "jeanne"}),
            ("Task?_id={service}&_include=Task:*", {"action", "CarePlan", "jeanne"}),
            ("Task?_id={action}&_revinclude=Task:part-of", {"service", "means"}),
            ("Task?_id={action}&_revinclude=Task:part-of&_include=Task:patient", {"service", "means", "jeanne"}),
            ("CarePlan?_id={CarePlan}&_revinclude=Task:based-on", {"action", "service", "means"}),
            ("CarePlan?_id={CarePlan}&_revinclude=*", {"action", "service", "means", "need"}),
            ("CarePlan?_id={CarePlan}&_revinclude=ServiceRequest:*", {"need"}),
            ("Task?_id={action}&_include=Task:part-of", set()),
            ("Task?_id={service}&_include=Task:part-of&_include:iterate=Task:based-on", {"action", "CarePlan"}),
            ("ServiceRequest?_id={need}&_include=ServiceRequest:based-on&_revinclude:iterate=Task:based-on",
             {"CarePlan", "action", "service", "means"}),
            ("Task?_id={means}&_include:iterate=Task:part-of&_revinclude:iterate=Task:part-of", {"action", "service"}),
            ("Task?_id={service},{action}&_include=Task:part-of", set()),
        ],
    )  # fmt: skip
    def test_what_the_rows_lead_to_and_what_leads_to_them(
        self, world: World, made: dict[str, str], query: str, names: set[str]
    ):
        ids = {**made, "jeanne": str(world.ids["jeanne"])}
        found = modes(bundle(world, "sonia", query.format(**made))).get("include", [])
        assert set(found) == {ids[name] for name in names}
        assert len(found) == len(set(found))

    def test_an_entry_has_its_own_address_and_says_why_it_is_here(self, world: World, made: dict[str, str]):
        said = bundle(world, "sonia", f"Task?_id={made['service']}&_include=Task:based-on")
        match, along = said["entry"]
        assert (match["search"]["mode"], along["search"]["mode"]) == ("match", "include")
        assert along["fullUrl"] == f"{ORIGIN}/fhir/CarePlan/{made['CarePlan']}"
        assert said["total"] == 1

    def test_each_page_brings_its_own(self, world: World, made: dict[str, str]):
        said = bundle(world, "sonia", f"Task?based-on={made['CarePlan']}&_include=Task:part-of&_count=1")
        seen = []
        while True:
            seen.append(modes(said))
            following = next((link["url"] for link in said["link"] if link["relation"] == "next"), None)
            if following is None:
                break
            said = world.get("sonia", following).json()
        matches = [one for page in seen for one in page["match"]]
        assert sorted(matches) == sorted(made[name] for name in ("action", "service", "means"))
        along = {page["match"][0]: page.get("include", []) for page in seen}
        assert (along[made["service"]], along[made["action"]]) == ([made["action"]], [])

    def test_self_repeats_it(self, world: World, made: dict[str, str]):
        said = bundle(world, "sonia", f"Task?_id={made['service']}&_include=Task:part-of")
        assert said["link"][0]["url"].endswith("&_include=Task%3Apart-of")

    def test_a_count_of_zero_brings_nothing(self, world: World, made: dict[str, str]):
        said = bundle(world, "sonia", f"Task?_id={made['service']}&_include=*&_count=0")
        assert (said["total"], said.get("entry")) == (1, None)

    def test_a_page_is_capped_and_it_is_said(self, world: World, made: dict[str, str], monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(alongside, "MOST", 1)
        said = bundle(world, "sonia", f"Task?_id={made['action']}&_revinclude=Task:part-of")
        assert {mode: len(ids) for mode, ids in modes(said).items()} == {"match": 1, "include": 1, "outcome": 1}
        [told] = [e["resource"] for e in said["entry"] if e["search"]["mode"] == "outcome"]
        assert told["issue"][0]["details"]["coding"][0]["code"] == "capped"


class TestRefused:
    @pytest.mark.threat("search-include", "search-outcome-text")
    @pytest.mark.parametrize(
        ("said", "near"),
        [
            ("_include=Zorglub:patient", "Task:"),
            ("_include=Task:zorglub", "Task:"),
            ("_include=CarePlan:patient", "Task:"),
            ("_include=Task:part-of:CarePlan", "Task:part-of"),
            ("_include=Task:status", "Task:"),
            ("_include=Task", "Task:"),
            ("_include=", "Task:"),
            ("_revinclude=Task:patient", "Task:part-of"),
            ("_revinclude=Zorglub:part-of", "Task:part-of"),
            ("_include:iterate=Zorglub:part-of", "Task:"),
        ],
    )
    def test_saying_what_may_come(self, world: World, said: str, near: str):
        answer = world.get("sonia", f"/fhir/Task?{said}")
        assert answer.status_code == 400, answer.text
        told = outcome(answer)
        assert (told["expression"], near in told["diagnostics"]) == ([said.partition("=")[0].partition(":")[0]], True)
        assert "orglub" not in answer.text

    def test_another_modifier_is_unknown(self, world: World):
        answer = world.get("sonia", "/fhir/Task?_include:zorglub=Task:part-of")
        assert (answer.status_code, outcome(answer)["expression"]) == (400, ["_include"])

    def test_twenty_are_the_most(self, world: World):
        answer = world.get("sonia", "/fhir/Task?" + "&".join(["_include=Task:part-of"] * 21))
        assert answer.status_code == 400

    @pytest.mark.threat("search-conditional")
    def test_a_condition_takes_none(self, world: World):
        answer = world.client.delete("/fhir/Task?status=draft&_include=*", headers=world.bearers["chu"])
        assert answer.status_code == 400


@pytest.fixture
def hidden(world: World, made: dict[str, str]) -> Any:
    """The action and what the project asked for are reserved to Marc."""
    for table, name in (("action", "action"), ("need", "need")):
        sql = f"UPDATE {table} SET reserved_to = ARRAY[$1::uuid], author_id = $1 WHERE id = $2"
        world.rows(sql, world.ids["marc"], made[name])
    yield
    world.rows("UPDATE action SET reserved_to = NULL")
    world.rows("UPDATE need SET reserved_to = NULL")


class TestReach:
    @pytest.mark.threat("search-include")
    @pytest.mark.parametrize(
        "query",
        [
            "Task?_id={service}&_include=Task:part-of",
            "Task?_id={service}&_include=Task:part-of&_revinclude:iterate=Task:part-of",
            "CarePlan?_id={CarePlan}&_revinclude=ServiceRequest:based-on",
        ],
    )
    def test_a_row_out_of_reach_does_not_come(self, world: World, made: dict[str, str], hidden: None, query: str):
        asked = query.format(**made)
        assert modes(bundle(world, "sonia", asked)).get("include") is None
        assert modes(bundle(world, "marc", asked))["include"]

    @pytest.mark.threat("search-include")
    @pytest.mark.parametrize("query", ["_include=*", "_revinclude=*", "_include:iterate=*&_revinclude:iterate=*"])
    def test_everything_is_what_each_may_read(self, world: World, made: dict[str, str], hidden: None, query: str):
        told = bundle(world, "sonia", f"CarePlan?_id={made['CarePlan']}&{query}")
        along = modes(told).get("include", [])
        assert not {made["action"], made["need"]} & set(along)

    @pytest.mark.threat("search-include")
    def test_a_deleted_row_does_not_come(self, world: World, made: dict[str, str]):
        world.rows("UPDATE action SET deleted_at = now() WHERE id = $1", made["action"])
        asked = f"Task?_id={made['service']}&_include=Task:part-of"
        assert modes(bundle(world, "sonia", asked)).get("include") is None
        world.rows("UPDATE action SET deleted_at = NULL WHERE id = $1", made["action"])

    @pytest.mark.threat("search-include", "partner-scope-missing")
    @pytest.mark.parametrize("query", ["_include=Task:patient", "_revinclude=Task:part-of&_include=Task:based-on"])
    def test_a_partner_without_the_scope_is_refused_and_it_is_traced(self, world: World, query: str):
        answer = world.client.get(f"/fhir/Task?{query}", headers=scoped(world, "system/Task.rs"))
        assert (answer.status_code, outcome(answer)["expression"]) == (403, ["_include"])
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert line["outcome"] == "refused"

    @pytest.mark.threat("search-include")
    def test_all_is_within_the_scopes_of_a_partner(self, world: World, made: dict[str, str]):
        consent = grant(world, usager="jeanne")
        asked = f"/fhir/Task?_id={made['service']}&_include=*"
        narrow = world.client.get(asked, headers=scoped(world, "system/Task.s")).json()
        wide = world.client.get(asked, headers=scoped(world, "system/Task.s system/CarePlan.s")).json()
        world.rows("DELETE FROM sharing_consent WHERE id = $1", consent.id)
        assert modes(narrow)["include"] == [made["action"]]
        assert set(modes(wide)["include"]) == {made["action"], made["CarePlan"]}

    @pytest.mark.threat("search-include")
    def test_a_hidden_link_is_not_followed(self, world: World, made: dict[str, str]):
        """The place of a protected journey is told to nobody outside: nor is the event it belongs to."""
        event = uuid7()
        jeanne, common = world.ids["jeanne"], "organisation_id, id, usager_id, structure_id, category, visibility"
        more = "author_kind, occurred_at, recorded_at, updated_at, version, held, consigne, minor_secret"
        values = "$1, $2, $3, $4, 'support', 'shared', 'professional', now(), now(), now(), 1, false, false, false"
        kept = (world.organisation, event, jeanne, world.ids["ehpad"])
        world.rows(
            f"INSERT INTO event_participant ({common}, {more}, event_id, types, ends_at, starts, ends, zone, status,"
            f" answer, place_protected, all_day) VALUES ({values}, $2, '{{}}', now() + interval '1 hour', now()::timestamp,"
            " now()::timestamp + interval '1 hour', 'Europe/Paris', 'planned', 'asked', false, false)",
            *kept,
        )
        trip = uuid7()
        world.rows(
            f"INSERT INTO transport ({common}, {more}, traveller, status, starts_at, place_protected, event_id)"
            f" VALUES ({values}, 'usager', 'planned', now(), true, $5)",
            world.organisation, trip, jeanne, world.ids["ehpad"], event,
        )  # fmt: skip
        consent = grant(world, usager="jeanne")
        asked = (f"Task?_id={trip}&_include=Task:encounter", f"Encounter?_id={event}&_revinclude=Task:encounter")
        told = [bundle(world, "chu", one) for one in asked]
        team = [modes(bundle(world, "sonia", one)).get("include") for one in asked]
        world.rows("DELETE FROM sharing_consent WHERE id = $1", consent.id)
        world.rows("DELETE FROM transport")
        world.rows("DELETE FROM event_participant")
        assert team == [[str(event)], [str(trip)]]
        for said in told:
            linked = [e for e in said["entry"] if e["resource"].get("encounter")]
            assert bool(modes(said).get("include")) == bool(linked)


@pytest.fixture
def trips(world: World) -> Any:
    """Three journeys that the EHPAD drives Jeanne on, between two; the place of all but the first and last is protected."""
    rows = [
        Transport(
            usager_id=world.ids["jeanne"], structure_id=world.ids["ehpad"], traveller="usager", status="planned",
            starts_at=now(), carrier_id=world.ids["ehpad"], place_protected=protected,
        )
        for protected in (False, True, True, True, False)
    ]  # fmt: skip
    world.add(*rows)
    consent = grant(world, usager="jeanne")
    yield [str(row.id) for row in rows]
    world.rows("DELETE FROM sharing_consent WHERE id = $1", consent.id)
    world.rows("DELETE FROM transport")


class TestHiddenLinks:
    """The transports of a protected place tell nobody outside who drives them."""

    @pytest.mark.threat("search-include")
    def test_take_no_place_of_those_that_are_told(self, world: World, trips: list[str], monkeypatch: Any):
        monkeypatch.setattr(alongside, "MOST", 2)
        said = bundle(world, "chu", f"Organization?_id={world.ids['ehpad']}&_revinclude=Task:owner")
        assert {mode: {*ids} for mode, ids in modes(said).items()} == {
            "match": {str(world.ids["ehpad"])},
            "include": {trips[0], trips[-1]},
        }

    @pytest.mark.threat("search-include", "trail-search-untraced")
    @pytest.mark.parametrize(("who", "read"), [("chu", (0, 4)), ("sonia", (0, 1, 2, 3, 4))])
    def test_are_traced_for_who_is_told(self, world: World, trips: list[str], who: str, read: tuple[int, ...]):
        answer = world.get(who, f"/fhir/Organization?_id={world.ids['ehpad']}&_revinclude=Task:owner")
        lines = world.traces(request_id=answer.headers["x-request-id"], kind="transport")
        assert {str(id) for line in lines for id in line["entry_ids"]} == {trips[n] for n in read}

    @pytest.mark.threat("search-include", "trail-search-untraced")
    def test_what_its_sender_told_does_not_lead_to_our_house(self, world: World):
        at = {"usager_id": world.ids["karim"], "structure_id": world.ids["mas_fam"], "status": "finished"}
        days = [{"starts": date(2020, n, 1), "ends": date(2020, n, 9)} for n in (1, 2)]
        stays = [Stay(**days[0], **at), Stay(**days[1], **at, origin_partner_id=world.ids["mdph"], origin_version=1)]
        world.add(*stays)
        answer = world.get(
            "marc", f"/fhir/Organization?_id={at['structure_id']}&_revinclude=Encounter:service-provider"
        )
        lines = world.traces(request_id=answer.headers["x-request-id"], kind="stay")
        world.rows("DELETE FROM stay WHERE id = ANY($1)", [stay.id for stay in stays])
        for told in (modes(answer.json())["include"], [str(id) for line in lines for id in line["entry_ids"]]):
            assert {str(stay.id) for stay in stays} & {*told} == {str(stays[0].id)}


class TestTrail:
    @pytest.mark.threat("trail-search-untraced", "search-include")
    def test_what_comes_along_is_traced_as_a_read(self, world: World, made: dict[str, str]):
        answer = world.get("sonia", f"/fhir/Task?_id={made['service']}&_include=Task:part-of&_include=Task:based-on")
        lines = world.traces(request_id=answer.headers["x-request-id"])
        told = {(line["kind"], str(id)) for line in lines for id in line["entry_ids"]}
        assert told == {("service", made["service"]), ("action", made["action"]), ("project", made["CarePlan"])}
        assert {line["usager_id"] for line in lines} == {world.ids["jeanne"]}


class TestCost:
    @pytest.mark.parametrize(
        ("query", "statements"),
        [
            ("Task?_id={service}&_include=Task:part-of", 2),
            ("Task?_id={service}&_include=*&_revinclude=Task:part-of", 2),
            ("CarePlan?_id={CarePlan}&_revinclude=*", 2),
            ("Task?_id={action}&_include=Task:part-of", 1),
            ("Task?_id={service}&_include=Task:part-of&_include:iterate=Task:based-on", 3),
        ],
    )
    def test_all_that_comes_is_one_statement(self, world: World, made: dict[str, str], query: str, statements: int):
        asked = f"/fhir/{query.format(**made)}"
        world.get("sonia", asked)
        with world.statements() as counted:
            world.get("sonia", asked)
        assert len(counted) == statements, counted.sql


def test_each_link_that_is_declared_is_served(world: World, made: dict[str, str]):
    """And what each names is a type with that parameter, which leads to it."""
    told = {r["type"]: r for r in world.client.get("/fhir/metadata").json()["rest"][0]["resource"]}
    declared = [
        (type_name, parameter, said)
        for type_name, resource in told.items()
        for parameter, name in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude"))
        for said in resource.get(name, ())
    ]
    assert len(declared) > 60
    for type_name, parameter, said in declared:
        assert world.get("sonia", f"/fhir/{type_name}?{parameter}={said}&_count=0").status_code == 200, said
        source, _, name = said.partition(":")
        assert name in {one["name"] for one in told[source]["searchParam"] if one["type"] == "reference"}, said
        chain = f"{name}._id=x" if parameter == "_include" else f"_has:{source}:{name}:_id=x"
        assert world.get("sonia", f"/fhir/{type_name}?{chain}&_count=0").json()["total"] == 0, chain
    undeclared = [
        (type_name, f"{type_name}:{one['name']}")
        for type_name, resource in told.items()
        for one in resource.get("searchParam", ())
        if (type_name, "_include", f"{type_name}:{one['name']}") not in declared and type_name != "AuditEvent"
    ]
    for type_name, said in undeclared[::20]:
        assert world.get("sonia", f"/fhir/{type_name}?_include={said}").status_code == 400, said
