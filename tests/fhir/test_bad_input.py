"""What comes in wrong at the door of FHIR: always an OperationOutcome that says what, where and why, and nothing else."""

import threading
import time
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from app.api import validating
from app.fhir import xml
from app.fhir.mapping import Json
from app.security.principal import Role
from tests.exchange.bundles import bundle, entry, goal, patient, plan, project
from tests.exchange.sending import FHIR, fresh, read_back, sent, taken
from tests.fhir.test_writing import asked, flag, kept, person
from tests.world import World

FHIR_XML = "application/fhir+xml"
STRICT = {"Prefer": "handling=strict"}
CAP = 32 * 1024 * 1024
NEVER = "00000000-0000-7000-8000-000000000000"


def outcome(answer: Any, status: int) -> list[Json]:
    """The issues of a refusal: never a page, never a problem of the other door."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] in (FHIR, FHIR_XML)
    told = xml.read(answer.content) if answer.headers["content-type"] == FHIR_XML else answer.json()
    OperationOutcome.model_validate(told)
    for issue in told["issue"]:
        assert issue["severity"] in ("error", "fatal")
        assert issue["code"]
        assert len(issue["diagnostics"]) > 10
        assert issue["diagnostics"].endswith((".", "?"))
    issues: list[Json] = told["issue"]
    return issues


def posted(world: World, path: str, body: bytes, kind: str = FHIR, **headers: str) -> Any:
    told = {**world.bearers["chu"], "Content-Type": kind, **headers}
    return world.client.post(path, content=body, headers=told)


@pytest.mark.threat("input-nul")
def test_a_nul_in_any_criterion_is_told(world: World):
    """The base would refuse it: of each parameter of each type, in an address, a form, a condition, a reference."""
    told = world.client.get("/fhir/metadata").json()["rest"][0]["resource"]
    asked = [(each["type"], one["name"]) for each in told for one in each.get("searchParam", ())]
    asked = [each for each in asked if each[0] != "Questionnaire"]  # of which the base is not asked
    world.hire("dora", Role.DPO, "ehpad")
    readers = {"AuditEvent": "dora"}
    wrong = [
        f"{name}?{parameter}: {answer.status_code}"
        for name, parameter in asked
        for value in ("%00", "a%00", "a%7C%00")
        if (answer := world.get(readers.get(name, "helene"), f"/fhir/{name}?{parameter}={value}")).status_code != 400
    ]
    assert wrong == []
    condition = {"request": {"method": "PUT", "url": "Flag?code=%00"}, "resource": flag("Patient/x")}
    outcome(sent(world, bundle(condition)), 400)
    reference = {"request": {"method": "POST", "url": "Flag"}, "resource": flag("Patient?family=%00")}
    outcome(sent(world, bundle(reference)), 400)


@pytest.mark.parametrize(
    "said", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"]
)
def test_a_date_of_http_that_is_none_is_passed_over(world: World, said: str):
    place = f"/fhir/Patient/{world.ids['lucas']}"
    assert world.get("sonia", place, headers={"If-Modified-Since": said}).status_code == 200


@pytest.mark.parametrize("op", [["add"], {}, None, 1, True])
def test_an_operation_of_a_patch_that_is_no_text_is_told(world: World, op: Any):
    place = f"Flag/{kept(world)['id']}"
    [issue] = outcome(asked(world, "PATCH", place, [{"op": op, "path": "/code", "value": 1}]), 400)
    assert issue["expression"] == ["Flag"]


def test_a_batch_of_which_one_entry_breaks_us_tells_the_others(world: World, monkeypatch: pytest.MonkeyPatch):
    """What the others wrote stands, and is told where it is."""

    async def broken(*_: Any) -> Any:
        raise RuntimeError("2 55 08 14 168 025 38")

    monkeypatch.setattr("app.api.transaction.look", broken)
    body = {**bundle(entry(patient(fresh())), {"request": {"method": "GET", "url": "Patient"}}), "type": "batch"}
    written, no = sent(world, body).json()["entry"]
    assert (written["response"]["status"][:3], no["response"]["status"][:3]) == ("201", "500")
    assert read_back(world, "Patient", written["response"]["location"].split("/")[1])
    assert "255" not in str(no).replace(" ", "")


def test_a_batch_is_not_tried(world: World):
    body = {**bundle(entry(patient(fresh()))), "type": "batch"}
    [issue] = outcome(sent(world, body, path="/fhir?dry-run=true"), 400)
    assert issue["expression"] == ["dry-run"]


def test_an_entry_that_reads_may_say_an_accent_as_it_is(world: World):
    here = {**patient(fresh()), "name": [{"family": "Élévé", "given": ["Zoé"]}]}
    id = taken(world, bundle(entry(here)))[0][1]
    get = {"request": {"method": "GET", "url": f"Patient?family=Élévé&_id={id}"}}
    [told] = sent(world, {**bundle(get), "type": "batch"}).json()["entry"]
    assert [each["resource"]["id"] for each in told["resource"]["entry"]] == [str(id)]


def test_a_profile_that_is_absent_for_a_reason_is_taken(world: World, monkeypatch: pytest.MonkeyPatch):
    """`null` beside an extension: R4's JSON allows it in any list; its schema of JSON does not know it."""
    monkeypatch.setitem(world.client.event_hooks, "response", [])
    about = {"profile": [None], "_profile": [{"extension": [{"url": "http://x.test/why", "valueString": "?"}]}]}
    id = taken(world, bundle(entry({**patient(fresh()), "meta": about})))[0][1]
    assert read_back(world, "Patient", id)["meta"]["_profile"] == about["_profile"]


class TestCaps:
    @pytest.mark.threat("input-too-large")
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/fhir", FHIR), ("/fhir", FHIR_XML), ("/fhir/Flag", FHIR), ("/fhir/$validate", FHIR),
            ("/fhir/Patient/_search", "application/x-www-form-urlencoded"),
        ],
    )  # fmt: skip
    def test_a_body_over_the_cap_is_told_the_cap(self, world: World, path: str, kind: str):
        [issue] = outcome(posted(world, path, b" " * (CAP + 1), kind), 413)
        assert issue["code"] == "too-long"
        assert "32 Mio" in issue["diagnostics"] or "32768 Kio" in issue["diagnostics"]

    @pytest.mark.threat("input-value-bomb")
    def test_a_bundle_of_5000_is_told_how_many_it_may_hold(self, world: World):
        body = bundle(*(entry(goal(n)) for n in range(5_000)))
        [issue] = outcome(sent(world, body), 413)
        assert (issue["code"], issue["expression"]) == ("too-long", ["Bundle.entry"])
        assert "1000" in issue["diagnostics"]

    @pytest.mark.threat("input-deep-json")
    @pytest.mark.parametrize("path", ["/fhir", "/fhir/Flag", "/fhir/$validate"])
    def test_json_20000_deep_holds_nobody(self, world: World, path: str):
        body = b'{"resourceType":"Flag","extension":' + b'[{"a":' * 20_000 + b"1" + b"}]" * 20_000 + b"}"
        began, waited = time.monotonic(), list[float]()

        def another() -> None:
            world.client.get("/fhir/metadata")
            waited.append(time.monotonic() - began)

        beside = threading.Thread(target=another)
        beside.start()
        [issue] = outcome(posted(world, path, body), 400)
        beside.join()
        assert issue["details"]["coding"][0]["code"] == "too_deep"
        assert waited[0] < 5


class TestBundles:
    def test_a_reference_cycle_is_taken(self, world: World):
        local = fresh()
        first, second = ({**goal(n, local), "addresses": [{"reference": f"Goal/g{3 - n}"}]} for n in (1, 2))
        told = taken(world, bundle(entry(first), entry(second), entry(plan(local)), entry(patient(local))))
        ids = [str(id) for _, id, _ in told]
        back = [read_back(world, "Goal", told[n][1])["addresses"] for n in (0, 1)]
        assert back == [[{"reference": f"Goal/{ids[1]}"}], [{"reference": f"Goal/{ids[0]}"}]]

    def test_what_refers_to_itself_is_taken(self, world: World):
        local = fresh()
        body = bundle(entry({**goal(1, local), "addresses": [{"reference": "Goal/g1"}]}), entry(patient(local)))
        [(_, id, _), _] = taken(world, body)
        assert read_back(world, "Goal", id)["addresses"] == [{"reference": f"Goal/{id}"}]

    @pytest.mark.threat("search-bundle-full-url")
    def test_two_entries_of_one_full_url_are_refused(self, world: World):
        urn = "urn:uuid:6f1c9f0e-0000-4000-8000-000000000001"
        for other in (urn, urn.upper().replace("URN:UUID", "urn:uuid")):
            [issue] = outcome(sent(world, bundle(entry(patient(fresh()), urn), entry(goal(1), other))), 400)
            assert (issue["code"], issue["expression"]) == ("duplicate", ["Bundle.entry[1].fullUrl"])

    def test_an_unresolved_urn_is_refused_to_the_letter_and_reported_leniently(self, world: World):
        local = fresh()
        lost = {**goal(1, local), "addresses": [{"reference": "urn:uuid:6f1c9f0e-0000-4000-8000-00000000dead"}]}
        body = bundle(entry(lost), *project(local, 0)["entry"])
        where = "Bundle.entry[0].resource.addresses[0]"
        [issue] = outcome(sent(world, body, **STRICT), 422)
        assert (issue["code"], issue["expression"]) == ("not-found", [where])
        answer = sent(world, body)
        assert answer.status_code == 200
        [told] = answer.json()["entry"][0]["response"]["outcome"]["issue"]
        assert (told["severity"], told["code"], told["expression"]) == ("warning", "not-found", [where])
        kept_as_it_was = read_back(world, "Goal", answer.json()["entry"][0]["response"]["location"].split("/")[1])
        assert kept_as_it_was["addresses"] == lost["addresses"]

    def test_the_address_of_an_entry_may_hold_a_query(self, world: World):
        """Of a search, and of a condition; never of a creation."""
        whose = person(world)
        system, value = whose["identifier"][0]["system"], whose["identifier"][0]["value"]
        search = {"request": {"method": "GET", "url": f"Patient?identifier={system}|{value}"}}
        found = sent(world, bundle(search)).json()["entry"][0]["resource"]
        assert [each["resource"]["id"] for each in found["entry"]] == [whose["id"]]
        body = bundle(entry(flag(f"Patient/{whose['id']}", id="f"), url=f"Flag?identifier={system}|x"))
        [issue] = outcome(sent(world, body), 400)
        assert issue["expression"] == ["Bundle.entry[0].request.url"]
        for url in (f"Patient?nothing={value}", "Patient?identifier=%ff", "Patient?_count=-1"):
            [issue] = outcome(sent(world, bundle({"request": {"method": "GET", "url": url}})), 400)
            assert value not in str(issue)

    def test_one_bad_entry_is_named_and_nothing_is_written(self, world: World):
        before = world.rows("SELECT count(*) AS n FROM goal")[0]["n"]
        body = bundle(*project(fresh(), 3)["entry"], entry({**patient(fresh(), "q"), "gender": "banana"}))
        [issue] = outcome(sent(world, body), 400)
        assert (issue["code"], issue["expression"]) == ("code-invalid", ["Bundle.entry[7].resource.gender"])
        assert world.rows("SELECT count(*) AS n FROM goal")[0]["n"] == before


class TestValues:
    WRONG = (
        ({"gender": "banana"}, "code-invalid", "gender"),
        ({"birthDate": "2026-02-31"}, "value", "birthDate"),
        ({"birthDate": "2023-02-29"}, "value", "birthDate"),
        ({"_birthDate": []}, "structure", "birthDate"),
        ({"name": []}, "structure", "name"),
        ({"name": "Agathe"}, "structure", "name"),
        ({"active": "true"}, "structure", "active"),
        ({"gendre": "female"}, "structure", None),
        ({"contained": [{"resourceType": "Organization", "contained": [{"resourceType": "Flag"}]}]}, None, None),
        ({"contained": [{"resourceType": "Unicorn"}]}, "not-supported", "contained[0].resourceType"),
    )

    @pytest.mark.parametrize(
        ("wrong", "code", "where"), WRONG, ids=[f"{n}-{next(iter(w))}" for n, (w, _, _) in enumerate(WRONG)]
    )
    def test_alone_and_in_a_bundle(self, world: World, wrong: Json, code: str | None, where: str | None):
        body = {**patient(fresh()), **wrong}
        alone, within = (
            outcome(asked(world, "POST", "Patient", body), 400),
            outcome(sent(world, bundle(entry(body))), 400),
        )
        assert [(i["code"], i["diagnostics"]) for i in alone] == [(i["code"], i["diagnostics"]) for i in within]
        assert [i["expression"][0] for i in within] == [
            i["expression"][0].replace("Patient", "Bundle.entry[0].resource", 1) for i in alone
        ]
        if code:
            assert code in {i["code"] for i in alone}
        if where:
            assert f"Patient.{where}" in {i["expression"][0] for i in alone}

    @pytest.mark.threat("input-lone-surrogate")
    @pytest.mark.parametrize("path", ["/fhir", "/fhir/Patient", "/fhir/$validate"])
    def test_a_lone_surrogate(self, world: World, path: str):
        outcome(posted(world, path, b'{"resourceType":"Patient","language":"\\ud800"}'), 400)

    def test_a_stale_deletion(self, world: World):
        standing = kept(world)
        [issue] = outcome(asked(world, "DELETE", f"Flag/{standing['id']}", If_Match='W/"7"'), 412)
        assert issue["code"] == "conflict"
        body = bundle({"request": {"method": "DELETE", "url": f"Flag/{standing['id']}", "ifMatch": 'W/"7"'}})
        [issue] = outcome(sent(world, body), 412)
        assert issue["expression"][0].startswith("Bundle.entry[0].request")
        assert world.get("chu", f"/fhir/Flag/{standing['id']}").status_code == 200


class TestFormats:
    DOCTYPE = b'<!DOCTYPE Flag [<!ENTITY a "aaaa">]><Flag xmlns="http://hl7.org/fhir"><id value="&a;"/></Flag>'

    @pytest.mark.threat("input-xml-doctype")
    @pytest.mark.parametrize("path", ["/fhir", "/fhir/$validate", "/fhir/Flag/$validate"])
    def test_a_document_type_is_refused_wherever_xml_is_read(self, world: World, path: str):
        [issue] = outcome(posted(world, path, self.DOCTYPE, FHIR_XML), 400)
        assert issue["details"]["coding"][0]["code"] == "xml_refused"

    @pytest.mark.parametrize(
        ("method", "path", "says"),
        [
            ("POST", "/fhir/Flag", "application/fhir+json"), ("PUT", f"/fhir/Flag/{NEVER}", "application/fhir+json"),
            ("PATCH", f"/fhir/Flag/{NEVER}", "application/json-patch+json"),
            ("POST", "/fhir/Flag/_search", "application/x-www-form-urlencoded"), ("POST", "/fhir", "application/fhir+json"),
        ],
    )  # fmt: skip
    def test_what_is_sent_otherwise_is_told_how(self, world: World, method: str, path: str, says: str):
        kind = "text/csv" if path == "/fhir" else FHIR_XML
        headers = {**world.bearers["chu"], "Content-Type": kind, "Accept": FHIR}
        [issue] = outcome(world.client.request(method, path, content=b"<x/>", headers=headers), 415)
        assert (issue["code"], issue["expression"]) == ("not-supported", ["Content-Type"])
        assert says in issue["diagnostics"]

    @pytest.mark.parametrize("path", ["metadata", "Flag", f"Flag/{NEVER}", "_history", f"Patient/{NEVER}/$everything"])
    def test_what_is_asked_otherwise_is_told_how(self, world: World, path: str):
        answer = world.get("chu", f"/fhir/{path}", headers={"Accept": FHIR_XML})
        [issue] = outcome(answer, 406)
        assert (issue["code"], issue["expression"]) == ("not-supported", ["Accept"])
        assert FHIR in issue["diagnostics"]


class TestElsewhere:
    @pytest.mark.parametrize(
        "path",
        [
            "a/b/c",
            "$what",
            "Flag/$what",
            f"Flag/{NEVER}/_history/1/x",
            "Unicorn",
            f"Flag/{NEVER}",
            "%F0%9F%90%91",
            "../fhir/x/y/z",
        ],
    )
    def test_an_unknown_address(self, world: World, path: str):
        [issue] = outcome(world.get("chu", f"/fhir/{path}"), 404)
        assert issue["code"] in ("not-found", "not-supported")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("DELETE", ""),
            ("POST", "metadata"),
            ("PUT", "_history"),
            ("TRACE", "Flag"),
            ("GET", "$validate"),
        ],
    )
    def test_an_act_that_does_not_exist_there(self, world: World, method: str, path: str):
        answer = world.client.request(method, f"/fhir/{path}", headers={**world.bearers["chu"], "Content-Type": FHIR})
        [issue] = outcome(answer, answer.status_code)
        assert (answer.status_code in (404, 405), issue["code"] in ("not-supported", "not-found")) == (True, True)

    @pytest.mark.parametrize("accept", [FHIR, FHIR_XML])
    def test_a_bug_of_ours(self, world: World, monkeypatch: pytest.MonkeyPatch, accept: str):
        def broken(*_: Any) -> Any:
            raise RuntimeError("147720425367411")

        monkeypatch.setattr(validating.validate, "verdict", broken)
        monkeypatch.setattr(world.client._transport, "raise_server_exceptions", False)  # noqa: SLF001  # type: ignore[attr-defined]
        answer = posted(world, "/fhir/$validate", b'{"resourceType":"Flag"}', Accept=accept)
        [issue] = outcome(answer, 500)
        assert issue["code"] == "exception"
        assert "147720425367411" not in answer.text

    def test_who_brings_no_token(self, world: World):
        for path in ("Flag", f"Flag/{NEVER}", "_history", f"Flag/{NEVER}/$validate"):
            [issue] = outcome(world.client.get(f"/fhir/{path}"), 401)
            assert issue["code"] == "login"
