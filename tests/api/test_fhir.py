"""The FHIR endpoint's edges: what it promises in /metadata, what it speaks, and how it refuses."""

from typing import Any
from uuid import uuid4

import pytest
from fhir.resources.R4B import get_fhir_model_class
from starlette.testclient import TestClient

from app.api.fhir import served
from app.api.resources import REGISTRY
from app.fhir.known_types import R4_TYPES
from app.kernel.clock import today
from app.security.principal import Role
from tests.fhir.test_read import outcome, written
from tests.world import ORIGIN, World

SOME = {"AuditEvent": f"&date={today().year}"}  # a search of the trail says of whom, or when


def reader_of(resource: dict[str, Any]) -> str:
    return "dora" if resource["type"] == "AuditEvent" else "marc"


@pytest.fixture(scope="module", autouse=True)
def dpo(world: World) -> None:
    world.hire("dora", Role.DPO, "ehpad")


@pytest.fixture(scope="module")
def promised(world: World) -> dict[str, Any]:
    answer = world.client.get("/fhir/metadata")
    assert answer.status_code == 200
    get_fhir_model_class("CapabilityStatement").model_validate(answer.json())
    told: dict[str, Any] = answer.json()
    return told


class TestMetadata:
    def test_needs_no_token_and_says_which_fhir(self, promised: dict[str, Any]):
        assert (promised["fhirVersion"], promised["kind"], promised["format"]) == (
            "4.0.1",
            "instance",
            ["application/fhir+json"],
        )
        assert promised["patchFormat"] == ["application/json-patch+json"]
        [rest] = promised["rest"]
        assert "application/fhir+xml" in rest["documentation"]
        assert rest["security"]["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"

    def test_older_clients_find_there_where_tokens_are_given(self, promised: dict[str, Any]):
        [told] = promised["rest"][0]["security"]["extension"]
        assert told["url"].endswith("/StructureDefinition/oauth-uris")
        assert told["extension"] == [{"url": "token", "valueUri": f"{ORIGIN}/oauth/token"}]

    def test_every_map_is_there(self, promised: dict[str, Any]):
        said = {(r["type"], p) for r in promised["rest"][0]["resource"] for p in r.get("supportedProfile", ())}
        maps = {(m.type_name, p) for m in REGISTRY.maps for p in (m.profile, *m.also)}
        assert said == maps | {(each.type_name, each.profile) for each in REGISTRY.beside}

    def test_each_declared_interaction_answers(self, world: World, promised: dict[str, Any]):
        for resource in promised["rest"][0]["resource"]:
            declared = {i["code"] for i in resource["interaction"]}
            never = world.get("marc", f"/fhir/{resource['type']}/{uuid4()}")
            assert (never.status_code, outcome(never)["code"]) == (404, "not-found"), resource["type"]
            searched = world.get(
                reader_of(resource), f"/fhir/{resource['type']}?_count=1{SOME.get(resource['type'], '')}"
            )
            assert searched.status_code == (200 if "search-type" in declared else 405), resource["type"]
            for code, place, there in (
                ("history-type", f"{resource['type']}/_history?_count=1", 200),
                ("history-instance", f"{resource['type']}/{uuid4()}/_history", 404),
                ("vread", f"{resource['type']}/{uuid4()}/_history/1", 404),
            ):
                answer = world.get("marc", f"/fhir/{place}")
                assert answer.status_code == (there if code in declared else 405), (resource["type"], code)

    def test_each_declared_operation_answers(self, world: World, promised: dict[str, Any]):
        told = {(r["type"], o["name"]) for r in promised["rest"][0]["resource"] for o in r.get("operation", ())}
        types = {r["type"] for r in promised["rest"][0]["resource"]}
        of_a_person = {("Patient", "everything"), ("Patient", "tddui-export"), ("Patient", "validate")}
        assert told - of_a_person <= {(each, "validate") for each in types}
        assert told >= of_a_person | {(each.type_name, "validate") for each in REGISTRY.maps}
        for _, name in of_a_person:
            assert world.get("lucas", f"/fhir/Patient/{world.ids['lucas']}/${name}").status_code == 200

    def test_each_declared_parameter_is_taken(self, world: World, promised: dict[str, Any]):
        good = {"date": "2026", "reference": str(uuid4()), "token": "x", "string": "x", "uri": "urn:x"}
        good |= {"quantity": "1", "number": "1", "composite": "urn:x|x$urn:x|x"}
        lenient = {"Prefer": "handling=lenient"}  # a code that a closed list lacks is refused to the letter
        for resource in promised["rest"][0]["resource"]:
            for parameter in resource.get("searchParam", ()):
                value = "urn:x|x" if parameter["name"] == "identifier" else good[parameter["type"]]
                asked = f"{parameter['name']}={value}{SOME.get(resource['type'], '')}"
                answer = world.get(reader_of(resource), f"/fhir/{resource['type']}?{asked}", headers=lenient)
                assert answer.status_code == 200, (resource["type"], parameter["name"], answer.text)

    @pytest.mark.threat("search-undeclared-type")
    def test_an_undeclared_type_is_not_found(self, world: World, promised: dict[str, Any]):
        declared = {r["type"] for r in promised["rest"][0]["resource"]}
        for name in [*sorted(R4_TYPES - declared)[:3], "Patiente"]:
            for path in (f"/fhir/{name}", f"/fhir/{name}/{uuid4()}"):
                answer = world.get("marc", path)
                assert (answer.status_code, outcome(answer)["severity"]) == (404, "error")

    @pytest.mark.threat("search-undeclared-act")
    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/fhir/DocumentReference/{id}"), ("POST", "/fhir/metadata"), ("BREW", "/fhir/DocumentReference")],
    )
    def test_an_undeclared_interaction_is_405_and_says_what_is_allowed(self, world: World, method: str, path: str):
        url = path.format(id=written(world))
        answer = world.client.request(method, url, headers=world.bearers["marc"])
        assert (answer.status_code, outcome(answer)["code"]) == (405, "not-supported")
        assert "GET" in answer.headers["allow"]

    def test_each_declared_way_of_writing_answers_a_partner(self, world: World, promised: dict[str, Any]):
        for resource in promised["rest"][0]["resource"]:
            declared, name = {i["code"] for i in resource["interaction"]}, resource["type"]
            for code, method, place, there in (
                ("create", "POST", name, 400),
                ("update", "PUT", f"{name}/{uuid4()}", 400),
                ("patch", "PATCH", f"{name}/{uuid4()}", 404),
                ("delete", "DELETE", f"{name}/{uuid4()}", 404),
            ):
                headers = {
                    **world.bearers["chu"],
                    "Content-Type": f"application/{'json-patch' if code == 'patch' else 'fhir'}+json",
                }
                body = b"[]" if code == "patch" else b"{}"
                answer = world.client.request(method, f"/fhir/{place}", content=body, headers=headers)
                expected = there if code in declared or (name, code) == ("Patient", "delete") else 405
                assert (answer.status_code, outcome(answer)["severity"]) == (expected, "error"), (name, code)

    @pytest.mark.threat("search-undeclared-type")
    @pytest.mark.parametrize(
        "path",
        [
            "Patient/{jeanne}/$other", "Patient/$match", "Patient/{jeanne}/Banana", "Patient/{jeanne}/Organization",
            "AuditEvent/_history", "AuditEvent/{jeanne}/_history",
            "$graphql", "$meta", "DocumentReference/$docref", "Binary/{jeanne}", "AuditEvent", "List",
        ],
    )  # fmt: skip
    def test_no_other_way_leads_to_a_record(self, world: World, path: str):
        for method in ("GET", "POST"):
            answer = world.client.request(method, f"/fhir/{path.format(**world.ids)}", headers=world.bearers["marc"])
            assert answer.status_code in (404, 405, 403, 415), (method, answer.text)
            assert outcome(answer)["severity"] == "error"

    @pytest.mark.threat("search-conditional")
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_a_condition_on_what_one_may_not_read_meets_nothing(self, world: World, method: str):
        kind = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"
        headers = {**world.bearers["chu"], "Content-Type": kind, "X-Request-Id": str(uuid4())}
        told = []
        for id in (written(world), uuid4()):
            body = b"[]" if method == "PATCH" else b"{}"
            answer = world.client.request(method, f"/fhir/DocumentReference?_id={id}", content=body, headers=headers)
            told.append((answer.status_code, answer.content))
        assert told[0] == told[1]

    def test_the_root_takes_bundles_and_searches_of_named_types(self, world: World, promised: dict[str, Any]):
        assert [i["code"] for i in promised["rest"][0]["interaction"]] == [
            "transaction",
            "batch",
            "search-system",
            "history-system",
        ]
        empty = {"resourceType": "Bundle", "type": "transaction", "entry": []}
        assert world.post("chu", "/fhir", empty, headers={"Content-Type": "application/fhir+json"}).status_code == 400
        for path in ("/fhir", "/fhir/"):
            answer = world.get("marc", path)
            assert (answer.status_code, outcome(answer)["expression"]) == (400, ["_type"])

    @pytest.mark.parametrize("path", ["/fhir/DocumentReference/{id}/_history/1/x", "/fhir/a/b/c", "/fhir/$export"])
    def test_an_unknown_address_is_an_outcome_too(self, world: World, path: str):
        answer = world.get("marc", path.format(id=uuid4()))
        assert (answer.status_code, outcome(answer)["severity"]) == (404, "error")


class TestSpoken:
    @pytest.mark.parametrize(
        "accept",
        [
            "", "*/*", "application/*", "application/json", "application/fhir+json", "application/fhir+json;q=0.9",
            "application/fhir+json; fhirVersion=4.0", "text/html, application/xhtml+xml, */*;q=0.8", "APPLICATION/JSON",
            "application/fhir+xml, application/fhir+json;q=0.1",
        ],
    )  # fmt: skip
    def test_json_is_served(self, world: World, accept: str):
        assert world.client.get("/fhir/metadata", headers={"Accept": accept}).status_code == 200

    @pytest.mark.parametrize(
        "accept",
        ["application/fhir+xml", "text/xml", "application/fhir+json; fhirVersion=3.0", "application/json;q=0", "x"],
    )
    def test_anything_else_is_406(self, world: World, accept: str):
        answer = world.client.get("/fhir/metadata", headers={"Accept": accept})
        assert (answer.status_code, outcome(answer)["code"]) == (406, "not-supported")

    @pytest.mark.parametrize(
        ("said", "status"),
        [("json", 200), ("application/fhir%2Bjson", 200), ("application/fhir+json", 200), ("xml", 406), ("", 200)],
    )
    def test_format_wins_over_accept(self, world: World, said: str, status: int):
        answer = world.client.get(f"/fhir/metadata?_format={said}", headers={"Accept": "application/fhir+xml"})
        assert answer.status_code == status

    def test_every_read_asks_for_json(self, world: World):
        for path in ("/fhir/DocumentReference", f"/fhir/DocumentReference/{written(world)}"):
            assert world.get("sonia", path, headers={"Accept": "application/fhir+xml"}).status_code == 406

    def test_head_says_what_get_says_without_a_body(self, world: World):
        path = f"/fhir/DocumentReference/{written(world)}"
        head = world.client.head(path, headers=world.bearers["sonia"])
        assert (head.status_code, head.headers["etag"]) == (200, 'W/"1"')

    @pytest.mark.threat("page-cors")
    def test_options_says_what_may_be_done(self, world: World):
        answer = world.client.options("/fhir/DocumentReference")
        assert (answer.status_code, answer.headers["allow"]) == (
            204,
            "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        )
        assert "access-control-allow-origin" not in answer.headers

    @pytest.mark.parametrize("type_name", ["Patient", "Task", "Flag", "Questionnaire", "AuditEvent"])
    def test_options_says_of_a_type_what_is_declared(self, world: World, type_name: str):
        promised = world.client.get("/fhir/metadata").json()["rest"][0]["resource"]
        [does] = [{each["code"] for each in one["interaction"]} for one in promised if one["type"] == type_name]
        allowed = world.client.options(f"/fhir/{type_name}/x").headers["allow"].split(", ")
        verbs = {"read": "GET", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}
        assert {verbs[code] for code in does if code in verbs} == {*allowed} - {"HEAD", "OPTIONS"}

    @pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/DocumentReference"])
    def test_a_slash_at_the_end_changes_nothing(self, world: World, path: str):
        plain, slashed = (
            world.client.get(p, headers=world.bearers["sonia"], follow_redirects=False) for p in (path, f"{path}/")
        )
        assert (slashed.status_code, slashed.headers["content-type"]) == (200, plain.headers["content-type"])

    @pytest.mark.threat("page-caching")
    def test_what_is_told_is_kept_by_nobody_on_the_way(self, world: World):
        assert world.get("sonia", "/fhir/DocumentReference").headers["cache-control"] == "no-store"


class TestSearchByForm:
    FORM = "application/x-www-form-urlencoded"

    def post(self, world: World, body: str, kind: str = FORM, who: str = "sonia", query: str = "") -> Any:
        headers = {**world.bearers[who], "Content-Type": kind}
        return world.client.post(f"/fhir/DocumentReference/_search{query}", content=body, headers=headers)

    def test_finds_what_get_finds(self, world: World):
        id = written(world)
        by_form = self.post(world, f"_id={id}", query="?_count=3").json()
        by_get = world.get("sonia", f"/fhir/DocumentReference?_count=3&_id={id}").json()
        get_fhir_model_class("Bundle").model_validate(by_form)
        assert (by_form["entry"], by_form["link"]) == (by_get["entry"], by_get["link"])

    @pytest.mark.parametrize(
        ("body", "status"), [("", 200), ("patiant=1", 400), ("_id=%ff", 400), ("_id=" + "x" * 17_000, 400)]
    )
    def test_reads_its_body_as_a_query(self, world: World, body: str, status: int):
        assert self.post(world, body).status_code == status

    @pytest.mark.threat("search-by-form")
    @pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", ""])
    def test_takes_a_form_only(self, world: World, kind: str):
        answer = self.post(world, "", kind)
        assert (answer.status_code, outcome(answer)["code"]) == (415, "not-supported")

    @pytest.mark.threat("search-by-form")
    def test_obeys_the_same_policy(self, world: World):
        assert "entry" not in self.post(world, f"_id={written(world)}", who="yann").json()

    def test_options_says_post(self, world: World):
        assert world.client.options("/fhir/DocumentReference/_search").headers["allow"] == "POST, OPTIONS"


@pytest.mark.threat("input-accept-flood")
def test_the_memory_of_accept_headers_is_bounded(world: World):
    client: TestClient = world.client
    for n in range(600):
        client.get("/fhir/metadata", headers={"Accept": f"application/json; v={n}"})
    assert served.cache_info().currsize <= 500
