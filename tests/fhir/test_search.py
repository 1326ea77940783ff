"""FHIR search: what each parameter means, pages that neither repeat nor skip, and its cost."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.fhir.verbs import search_type, searchset
from app.kernel.clock import now
from app.security.principal import Role
from tests.fhir.sent import sent
from tests.fhir.test_read import changed_by_the_team, consented, grant, outcome, text_of, written
from tests.world import ORIGIN, World

__all__ = ["consented"]
PATH = "/fhir/DocumentReference"
DAY = datetime(2026, 5, 3, 10, 0, tzinfo=UTC)


def found(world: World, who: str, query: str = "", **more: Any) -> list[str]:
    entries = searched(world, who, query, **more).get("entry", [])
    return [e["resource"]["id"] for e in entries if e["search"]["mode"] != "outcome"]


def searched(world: World, who: str, query: str = "", **more: Any) -> dict[str, Any]:
    answer = world.get(who, f"{PATH}?{query}", **more)
    assert answer.status_code == 200, answer.text
    get_fhir_model_class("Bundle").model_validate(answer.json())
    told: dict[str, Any] = answer.json()
    return told


def link(bundle: dict[str, Any], relation: str) -> str | None:
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), None)


@pytest.fixture(scope="module")
def lucas(world: World) -> list[str]:
    """Five entries about Lucas, a day apart; the first of them given first."""
    return [written(world, occurred_at=(DAY + timedelta(days=n)).isoformat()) for n in range(5)]


class TestParameters:
    def test_patient_and_subject_name_one_person_in_three_spellings(self, world: World, lucas: list[str]):
        id = world.ids["lucas"]
        spellings = (str(id), f"Patient/{id}", f"{ORIGIN}/fhir/Patient/{id}")
        for name in ("patient", "subject"):
            assert [found(world, "sonia", f"{name}={said}") for said in spellings] == [lucas[::-1]] * 3

    @pytest.mark.threat("search-foreign-reference")
    @pytest.mark.parametrize(
        "reference", ["Practitioner/{id}", "https://elsewhere.example/fhir/Patient/{id}", "urn:uuid:{id}", "nobody"]
    )
    def test_a_reference_that_leads_elsewhere_finds_nobody(self, world: World, lucas: list[str], reference: str):
        assert found(world, "sonia", f"patient={reference.format(id=world.ids['lucas'])}") == []

    def test_a_comma_is_or_and_a_repetition_is_and(self, world: World, lucas: list[str]):
        first, second = lucas[0], lucas[1]
        assert set(found(world, "sonia", f"_id={first},{second},{uuid4()}")) == {first, second}
        assert found(world, "sonia", f"_id={first},{second}&_id={second}") == [second]
        assert found(world, "sonia", f"_id={first}&_id={second}") == []

    @pytest.mark.parametrize(
        ("said", "days"),
        [
            ("2026-05-04", [1]),
            ("eq2026-05-04", [1]),
            ("2026-05", [0, 1, 2, 3, 4]),
            ("2026", [0, 1, 2, 3, 4]),
            ("2025", []),
            ("ne2026-05-04", [0, 2, 3, 4]),
            ("gt2026-05-05", [3, 4]),
            ("ge2026-05-05", [2, 3, 4]),
            ("lt2026-05-05", [0, 1]),
            ("le2026-05-05", [0, 1, 2]),
            ("sa2026-05-05", [3, 4]),
            ("eb2026-05-05", [0, 1]),
            ("2026-05-04T12:00:00+02:00", [1]),
            ("2026-05-04T12:00:00 02:00", [1]),
            ("2026-05-04T12:00+02:00", [1]),
            ("2026-05-04T10:00:00Z", [1]),
            ("2026-05-04T12:00", [1]),
            ("2026-05-04T10:00", []),
            ("gt2026-05-04T10:00:00.000001Z", [2, 3, 4]),
            ("2026-05-03,2026-05-07", [0, 4]),
            ("ge2026-05-04&date=lt2026-05-06", [1, 2]),
        ],
    )
    def test_a_date_is_an_interval(self, world: World, lucas: list[str], said: str, days: list[int]):
        query = f"patient={world.ids['lucas']}&date={said}".replace("+", "%2B")
        assert found(world, "sonia", query) == [lucas[n] for n in reversed(days)]

    def test_a_day_is_a_day_in_paris(self, world: World):
        id = written(world, usager="karim", structure="mas_fam", occurred_at="2026-05-03T22:30:00Z")
        assert found(world, "sonia", f"_id={id}&date=2026-05-04") == [id]
        assert found(world, "sonia", f"_id={id}&date=2026-05-03") == []

    def test_last_updated(self, world: World, lucas: list[str]):
        hour = (now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        assert set(found(world, "sonia", f"_lastUpdated=gt{hour}")) >= set(lucas)
        assert found(world, "sonia", f"_lastUpdated=lt{hour}") == []

    def test_a_code_with_or_without_its_system(self, world: World):
        id = written(world, kind="data")
        system = "https://dui-serveur.example/fhir/CodeSystem/transmission-kind"
        for said in ("data", f"{system}|data", f"{system}|", "result,data"):
            assert found(world, "sonia", f"_id={id}&type={said}") == [id]
        for said in ("urn:other|data", "|data", "result", "never-a-code"):
            assert found(world, "sonia", f"_id={id}&type={said}") == []


class TestModifiers:
    def test_missing_and_not_tell_what_is_absent(self, world: World):
        id = written(world, kind="data")
        for said in ("type:not=result", "type:missing=false", "type:not=result,action", "date:missing=false"):
            assert found(world, "sonia", f"_id={id}&{said}") == [id], said
        for said in (
            "type:not=data",
            "type:not=result,data",
            "type:missing=true",
            "date:missing=true",
            "_id:not=" + id,
        ):
            assert found(world, "sonia", f"_id={id}&{said}") == [], said

    def test_a_modifier_not_served_names_those_that_are(self, world: World):
        issue = outcome(world.get("sonia", f"{PATH}?date:147720425367411=2026"))
        assert (issue["expression"], ":missing" in issue["diagnostics"]) == (["date"], True)
        assert "147720425367411" not in str(issue)

    def test_leniently_a_modifier_not_served_is_left_out_of_self(self, world: World, lucas: list[str]):
        query = f"_id={lucas[0]}&date:above=2026"
        bundle = searched(world, "sonia", query, headers={"Prefer": "handling=lenient"})
        assert "date" not in str(link(bundle, "self"))


@pytest.fixture(scope="module")
def dpo(world: World) -> None:
    world.hire("dpo", Role.DPO, "ehpad")


class TestRefused:
    @pytest.mark.threat("search-summary-total", "search-modifiers", "search-or-list")
    @pytest.mark.parametrize(
        "query",
        [
            "_count=abc", "_count=-1", "_count=1.5", "_count=", "_count=1&_count=2", "date=hier", "date=2026-13",
            "date=2026-02-30", "date=xx2026", "date=", "date=2026-05-03T24:00", "date=0000", "date=99999",
            "patient=", "patient=Patient/", "patient=a b", "_id=a,,b", "_sort=subject", "_has:x=y",
            "patient:missing=maybe", "_id:above=x", "date:not=2026", "patient.colour=x", "date=" + ",".join(["2026"] * 9),
            "_id=" + ",".join(["x"] * 101), "&".join(["_id=x"] * 21), "_id=%ff", "_total=banana", "_total=none&_total=none", "_summary=yes",
            "_page=x&_count=2", "_page=x",
        ],
    )  # fmt: skip
    def test_a_bad_parameter_is_400_and_says_which(self, world: World, query: str):
        answer = world.get("sonia", f"{PATH}?{query}")
        assert answer.status_code == 400, answer.text
        assert outcome(answer)["severity"] == "error"

    @pytest.mark.threat("search-outcome-text")
    def test_the_nearest_known_name_is_given_never_the_one_received(self, world: World):
        answer = world.get("sonia", f"{PATH}?patiant=147720425367411")
        issue = outcome(answer)
        assert (issue["expression"], "patient" in issue["diagnostics"]) == (["parameter[0]"], True)
        assert "patiant" not in answer.text
        assert "147720425367411" not in answer.text

    def test_all_faults_are_told_at_once(self, world: World):
        answer = world.get("sonia", f"{PATH}?patiant=1&date=x&_count=x")
        assert [i["expression"][0] for i in answer.json()["issue"]] == ["parameter[0]", "date", "_count"]

    def test_leniently_an_unknown_parameter_is_left_out_of_self(self, world: World):
        bundle = searched(
            world, "sonia", "_sart=date&_count=1", headers={"Prefer": 'respond-async, handling="lenient"'}
        )
        assert link(bundle, "self") == f"{ORIGIN}{PATH}?_count=1"

    @pytest.mark.threat(
        "search-has",
        "search-chain",
        "search-include",
        "search-summary-total",
        "search-sort",
        "search-elements",
        "search-modifiers",
        "search-text",
    )
    @pytest.mark.parametrize(
        "query",
        [
            "_has:Observation:patient:code=x", "_has:Consent:patient:_has:AuditEvent:entity:agent=x",
            "patient:Patient.colour=x",
            "_revinclude=Consent:patient",
            "type:above=data", "date:exact=2026", "_text=x", "_content=x", "_filter=date gt 1",
            "_list=x", "_query=everything", "_contained=both", "_security=R", "_tag=x", "_source=x",
        ],
    )  # fmt: skip
    def test_no_door_looks_beyond_what_is_declared(self, world: World, lucas: list[str], query: str):
        name = query.partition("=")[0]
        answer = world.get("sonia", f"{PATH}?patient={world.ids['lucas']}&{query}")
        assert (answer.status_code, outcome(answer)["severity"]) == (400, "error"), name
        lenient = found(world, "sonia", f"date=2026-05&{query}", headers={"Prefer": "handling=lenient"})
        assert set(lenient) <= set(found(world, "sonia", "date=2026-05")), name

    @pytest.mark.threat("input-sql-in-parameters")
    @pytest.mark.parametrize(
        "value", ["' OR '1'='1", "1'; DROP TABLE usager; --", "%", "_%", "\\", "$1", ":id", "%27)--"]
    )
    def test_sql_in_any_parameter_finds_nothing(self, world: World, dpo: None, lucas: list[str], value: str):
        told = world.get("marc", "/fhir/metadata").json()["rest"][0]["resource"]
        asked = [(each["type"], one["name"]) for each in told for one in each.get("searchParam", ())]
        assert len(asked) > 30
        for kind, name in asked:
            answer = world.get("dpo" if kind == "AuditEvent" else "marc", f"/fhir/{kind}", params={name: value})
            assert (answer.status_code, answer.json().get("entry")) in ((200, None), (400, None)), (kind, name)

    @pytest.mark.threat("search-redos")
    def test_a_value_made_to_be_slow_is_refused_at_once(self, world: World):
        told = world.get("marc", "/fhir/metadata").json()["rest"][0]["resource"]
        began = time.process_time()
        for each in told:
            for one in each.get("searchParam", ()):
                for value in ("1" * 15_000, "2026-" * 3_000, "|" * 15_000, "\\," * 7_000):
                    assert world.get("marc", f"/fhir/{each['type']}", params={one["name"]: value}).status_code < 500
        assert time.process_time() - began < 60

    @pytest.mark.threat("search-or-list")
    def test_a_long_query_is_refused(self, world: World):
        assert world.get("sonia", f"{PATH}?_id={'x' * 17_000}").status_code == 400


class TestPages:
    def test_without_double_or_hole_while_rows_arrive(self, world: World):
        ids = [written(world, usager="ines", structure="mecs") for _ in range(5)]
        bundle = searched(world, "sonia", f"patient={world.ids['ines']}&_count=2")
        seen = [e["resource"]["id"] for e in bundle["entry"]]
        late = written(world, usager="ines", structure="mecs")
        while url := link(bundle, "next"):
            bundle = world.get("sonia", url).json()
            seen += [e["resource"]["id"] for e in bundle["entry"]]
        assert seen == ids[::-1]
        assert late not in seen

    @pytest.mark.threat("search-next-link-read", "search-forged-host")
    def test_the_next_link_hides_the_query_and_keeps_our_address(self, world: World, lucas: list[str]):
        forged = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        url = link(searched(world, "sonia", f"patient={world.ids['lucas']}&_count=1", headers=forged), "next") or ""
        assert url.startswith(f"{ORIGIN}{PATH}?_page=")
        assert str(world.ids["lucas"]) not in url
        assert [name for name, _ in parse_qsl(urlsplit(url).query)] == ["_page"]

    @pytest.mark.threat("search-next-link-borrowed")
    def test_a_link_is_lent_to_nobody_and_to_no_other_type(self, world: World, lucas: list[str]):
        url = link(searched(world, "sonia", "_count=1"), "next") or ""
        token = urlsplit(url).query
        assert world.get("sonia", f"{PATH}?{token}").status_code == 200
        assert world.get("marc", f"{PATH}?{token}").status_code == 400
        assert world.get("sonia", f"{PATH}?{token}x").status_code == 400

    @pytest.mark.threat("search-withdrawn-next-page")
    def test_each_page_asks_the_policy_again(self, world: World, consented: None):
        mine = sent(world, "chu", date="2026-02-01T10:00:00Z")
        theirs = [written(world, occurred_at=f"2026-02-0{n}T10:00:00Z") for n in (2, 3)]
        url = link(searched(world, "chu", f"patient={world.ids['lucas']}&date=2026-02&_count=1"), "next") or ""
        before = world.get("chu", url).json()["entry"]
        world.rows("UPDATE sharing_consent SET withdrawn_at = $1", now())
        after = world.get("chu", url).json()["entry"]
        assert [each["resource"]["id"] for each in before + after] == [theirs[0], str(mine)]

    def test_self_repeats_what_was_asked(self, world: World):
        id = str(world.ids["lucas"])
        url = link(searched(world, "sonia", f"patient={id}&date=ge2026-05-04&date=lt2026-05-06"), "self") or ""
        assert parse_qsl(urlsplit(url).query) == [("patient", id), ("date", "ge2026-05-04"), ("date", "lt2026-05-06")]

    def test_the_total_is_said_when_all_of_it_is_here(self, world: World, lucas: list[str]):
        whole = searched(world, "sonia", f"patient={world.ids['lucas']}&date=2026-05")
        assert whole["total"] == 5 == len(whole["entry"])
        assert "total" not in searched(world, "sonia", f"patient={world.ids['lucas']}&_count=2")

    @pytest.mark.threat("search-summary-total")
    @pytest.mark.parametrize("said", ["accurate", "estimate"])
    def test_the_total_asked_for_is_that_of_every_page(self, world: World, lucas: list[str], said: str):
        url: str | None = f"{PATH}?patient={world.ids['lucas']}&date=2026-05&_count=2&_total={said}"
        totals = []
        while url:
            bundle = world.get("sonia", url).json()
            totals.append(bundle["total"])
            url = link(bundle, "next")
        assert totals == [5, 5, 5]
        assert searched(world, "yann", f"patient={world.ids['lucas']}&_total={said}")["total"] == 0

    def test_no_total_when_none_is_asked_for(self, world: World, lucas: list[str]):
        assert "total" not in searched(world, "sonia", f"_id={lucas[0]}&_total=none")

    @pytest.mark.parametrize(("said", "total"), [("accurate", None), ("estimate", 3)])
    def test_a_total_beyond_the_cap_is_said(
        self, world: World, lucas: list[str], said: str, total: int | None, monkeypatch: pytest.MonkeyPatch
    ):
        for room in (search_type, searchset):
            monkeypatch.setattr(room, "COUNTED_MOST", 3)
        bundle = searched(world, "sonia", f"patient={world.ids['lucas']}&date=2026-05&_count=1&_total={said}")
        assert bundle.get("total") == total
        [note] = [e["resource"]["issue"] for e in bundle["entry"] if e["search"]["mode"] == "outcome"]
        assert note[0]["expression"] == ["_total"]

    def test_the_first_page_is_linked_from_each(self, world: World, lucas: list[str]):
        bundle = searched(world, "sonia", f"patient={world.ids['lucas']}&_count=1")
        following = world.get("sonia", link(bundle, "next") or "").json()
        assert link(bundle, "first") == link(bundle, "self") == link(following, "first") != link(following, "self")

    @pytest.mark.threat("search-outcome-text")
    def test_what_is_left_out_leniently_is_said_without_being_repeated(self, world: World, lucas: list[str]):
        query = f"_id={lucas[0]}&patiant=147720425367411"
        bundle = searched(world, "sonia", query, headers={"Prefer": "handling=lenient"})
        [note] = [e["resource"]["issue"] for e in bundle["entry"] if e["search"]["mode"] == "outcome"]
        assert (note[0]["severity"], note[0]["expression"]) == ("warning", ["parameter[1]"])
        assert not {"patiant", "147720425367411"} & set(str(bundle).replace("'", " ").split())

    @pytest.mark.threat("search-count-zero")
    def test_a_count_of_zero_is_the_total_alone(self, world: World, lucas: list[str]):
        bundle = searched(world, "sonia", f"patient={world.ids['lucas']}&date=2026-05&_count=0")
        assert (bundle["total"], bundle.get("entry")) == (5, None)
        assert searched(world, "yann", f"patient={world.ids['lucas']}&_count=0")["total"] == 0

    def test_a_count_over_the_cap_is_capped_and_said(self, world: World, lucas: list[str]):
        bundle = searched(world, "sonia", "_count=1000")
        [said] = [e["resource"] for e in bundle["entry"] if e["search"]["mode"] == "outcome"]
        assert "200" in said["issue"][0]["diagnostics"]

    def test_an_entry_has_its_own_address(self, world: World, lucas: list[str]):
        [entry] = searched(world, "sonia", f"_id={lucas[0]}")["entry"]
        assert (entry["fullUrl"], entry["search"]["mode"]) == (f"{ORIGIN}{PATH}/{lucas[0]}", "match")


class TestReach:
    def test_each_finds_what_they_may_read(self, world: World, lucas: list[str]):
        shown = written(world, usager="lucas", visibility="shared")
        query = f"patient={world.ids['lucas']}&_count=200"
        assert set(found(world, "marc", query)) >= {*lucas, shown}
        assert found(world, "odile", query) == found(world, "yann", query) == found(world, "mdph", query) == []
        assert shown in found(world, "lucas", query)
        assert not set(lucas) & set(found(world, "lucas", query))

    def test_the_sender_finds_its_own_version_after_the_team_wrote(self, world: World):
        id = sent(world, "chu", usager="karim", date="2026-04-02T10:00:00Z")
        changed_by_the_team(world, id)
        world.rows("UPDATE transmission SET occurred_at = now() WHERE id = $1", id)
        for query in (f"_id={id}", f"patient={world.ids['karim']}", "date=2026-04-02", "_lastUpdated=gt2020"):
            told = {e["resource"]["id"]: e["resource"] for e in searched(world, "chu", query)["entry"]}
            assert text_of(told[str(id)]) == b"Belle nuit.", query
        assert found(world, "mdph", f"_id={id}") == []

    @pytest.mark.threat("search-former-version-guessed")
    def test_what_a_former_version_cannot_tell_is_not_guessed_from_the_team_s(self, world: World):
        id = sent(world, "chu", usager="karim")
        world.rows("UPDATE transmission SET kind = 'data', version = version + 1 WHERE id = $1", id)
        assert found(world, "chu", f"_id={id}&type=data") == []

    def test_a_row_is_found_once_when_a_consent_covers_it_too(self, world: World, consented: None):
        id = sent(world, "chu")
        changed_by_the_team(world, id)
        assert found(world, "chu", f"_id={id}") == [str(id)]

    def test_own_versions_are_paged_with_the_rest(self, world: World):
        grant(world, usager="jeanne")
        mine = [sent(world, "chu", usager="jeanne", date=f"2026-03-0{n}T10:00:00Z") for n in range(1, 5)]
        for id in mine[::2]:
            changed_by_the_team(world, id)
        world.rows("DELETE FROM sharing_consent")
        query, seen = f"patient={world.ids['jeanne']}&_count=1", []
        bundle = searched(world, "chu", query)
        while True:
            seen += [e["resource"]["id"] for e in bundle["entry"]]
            url = link(bundle, "next")
            if not url:
                break
            bundle = world.get("chu", url).json()
        assert seen == [str(id) for id in reversed(mine)]


class TestTrail:
    @pytest.mark.threat("trail-search-untraced")
    def test_one_line_per_person(self, world: World):
        written(world)
        written(world, usager="karim", structure="mas_fam")
        answer = world.get("sonia", f"{PATH}?_count=200")
        lines = world.traces(request_id=answer.headers["x-request-id"])
        told = {e["resource"]["subject"]["reference"].rpartition("/")[2] for e in answer.json()["entry"]}
        assert {str(line["usager_id"]) for line in lines} == told
        assert sum(len(line["entry_ids"]) for line in lines) == len(answer.json()["entry"])

    @pytest.mark.threat("search-count-zero", "trail-search-untraced")
    @pytest.mark.parametrize("more", ["", "&_count=0"])
    def test_nothing_found_names_whom_was_asked_for(self, world: World, more: str):
        answer = world.get("yann", f"{PATH}?patient={world.ids['jeanne']}{more}")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], line["usager_id"], line["action"]) == ("empty", world.ids["jeanne"], "read")

    @pytest.mark.threat("search-count-zero")
    def test_counting_is_traced_like_reading(self, world: World, lucas: list[str]):
        answer = world.get("sonia", f"{PATH}?patient={world.ids['lucas']}&date=2026-05&_count=0")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert ({str(id) for id in line["entry_ids"]}, line["usager_id"]) == (set(lucas), world.ids["lucas"])


class TestCost:
    @pytest.mark.parametrize(("who", "statements"), [("sonia", 1), ("chu", 2)])
    @pytest.mark.parametrize("query", ["", "date=ge2026-05&date=lt2026-06&type=data,result&_count=10", "_count=0"])
    def test_a_search_is_one_statement_after_whom_a_partner_means(
        self, world: World, who: str, statements: int, query: str
    ):
        url = f"{PATH}?patient={world.ids['lucas']}&{query}"
        world.get(who, url)
        with world.statements() as counted:
            world.get(who, url)
        assert len(counted) == statements, counted.sql

    @pytest.mark.parametrize(("more", "statements"), [("_count=200", 1), ("_count=1", 2), ("_count=1&_sort=type", 2)])
    def test_a_total_is_one_statement_more_and_only_when_it_must_be_counted(
        self, world: World, lucas: list[str], more: str, statements: int
    ):
        url = f"{PATH}?patient={world.ids['lucas']}&date=2026-05&_total=accurate&{more}"
        world.get("sonia", url)
        with world.statements() as counted:
            world.get("sonia", url)
        assert len(counted) == statements, counted.sql
