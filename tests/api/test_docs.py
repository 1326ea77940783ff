"""What the server says of itself is true, readable, and comes from nowhere else."""

import json
import re
import subprocess
import sys

import pytest

from app.api.openapi_shared import resolved
from tests.world import World
from tools.openapi import PLACE, text


def test_the_committed_openapi_is_what_the_app_says():
    fresh = [sys.executable, "-c", "from tools.openapi import text; print(text(), end='')"]  # no other test's app in it
    said = subprocess.run(fresh, cwd=PLACE.parents[1], capture_output=True, text=True, check=True).stdout
    assert PLACE.read_text() == said, "make openapi"


def test_every_operation_has_an_id_of_its_own_and_a_rubric():
    routes = [r for verbs in json.loads(text())["paths"].values() for r in verbs.values()]
    ids = [r["operationId"] for r in routes]
    assert len(ids) == len(set(ids)) > 20
    assert [r["operationId"] for r in routes if not r.get("tags")] == []


def test_no_correction_declares_a_default():
    """What it leaves out stays; a client that fills in what is declared would hide a note that was shared."""
    document = json.loads(text())
    corrections = [v["patch"]["requestBody"]["content"] for v in document["paths"].values() if "patch" in v]
    assert len(corrections) > 20
    told = [content["application/json"] for content in corrections if "application/json" in content]  # FHIR: operations
    names = [content["schema"]["$ref"].rpartition("/")[2] for content in told]
    fields = {(n, f): said for n in names for f, said in document["components"]["schemas"][n]["properties"].items()}
    assert [field for field, said in fields.items() if "default" in said] == []


NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("who", "verb", "path", "status"),
    [
        ("helene", "get", "/api/v1/access/trail", 403),
        ("helene", "get", "/api/v1/access/trail/{line_id}", 403),
        ("sonia", "get", "/api/v1/professionals/{professional_id}/sessions", 403),
        ("helene", "get", "/api/v1/usagers/check?birth_family_name=a&birth_given_names=b", 403),
        ("odile", "get", "/api/v1/access/explain?what=x", 403),
        ("sonia", "get", "/api/v1/exchanges", 403),
        ("sonia", "get", "/api/v1/professionals/templates", 403),
        ("lucas", "get", "/api/v1/me/project", 404),
        ("helene", "post", "/api/v1/contacts/{contact_id}/mandates/{mandate_id}/confirm", 428),
        ("helene", "post", "/api/v1/judicial/{decision_id}/confirm", 428),
        ("marc", "post", "/api/v1/projects/{project_id}/amend", 428),
        ("marc", "post", "/api/v1/projects/{project_id}/complete", 428),
        ("marc", "post", "/api/v1/projects/{project_id}/pause", 428),
        ("marc", "post", "/api/v1/projects/{project_id}/resume", 428),
        ("marc", "post", "/api/v1/projects/{project_id}/validate", 428),
        ("odile", "post", "/api/v1/usagers/{usager_id}/identity", 428),
        ("chu", "post", "/fhir/{type_name}/$validate", 404),
    ],
)
def test_a_refusal_that_was_heard_is_told(world: World, who: str, verb: str, path: str, status: int):
    """Each was found by schemathesis (test_schemathesis.py), which the document did not tell."""
    place = re.sub(r"\{\w+\}", "%C3%A9" if path.startswith("/fhir") else NOBODY, path)
    body = {"copy_seen_on": "2026-11-10"} if path.endswith("confirm") else {}
    body = {"checked_on": "2026-11-10", "document": "passeport", "status": "validee"} if "identity" in path else body
    more = {"json": body} if verb == "post" else {}
    answer = world.client.request(verb, place, headers=world.bearers[who], **more)
    assert answer.status_code == status, answer.text
    assert str(status) in json.loads(text())["paths"][path.partition("?")[0]][verb]["responses"]


def test_a_bundle_in_xml_is_answered_in_xml_as_told(world: World):
    headers = {**world.bearers["chu"], "Content-Type": "application/fhir+xml"}
    answer = world.client.post("/fhir?dry-run=x", content=b"<", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/fhir+xml")
    document = json.loads(text())
    told = resolved(document, document["paths"]["/fhir"]["post"]["responses"]["400"])
    assert "application/fhir+xml" in told["content"]


@pytest.mark.parametrize("path", ["/api/v1/exchanges/handovers", "/api/v1/exchanges/sent"])
def test_what_is_only_tried_is_told_beside_what_is_done(path: str):
    """`dry-run=true` is 200, where the act is 201."""
    assert {"200", "201"} <= {*json.loads(text())["paths"][path]["post"]["responses"]}


def test_a_token_given_back_is_answered_by_nothing():
    document = json.loads(text())
    assert "content" not in resolved(document, document["paths"]["/oauth/revoke"]["post"]["responses"]["200"])


def test_a_version_is_asked_for_where_it_is_told_and_there_only():
    document = json.loads(text())
    for path, verbs in document["paths"].items():
        for verb, route in verbs.items():
            if path.startswith("/api/v1"):
                asked = "If-Match" in [resolved(document, each)["name"] for each in route.get("parameters", ())]
                assert asked == ("428" in route["responses"]), f"{verb} {path}"
                assert not asked or "412" in route["responses"], f"{verb} {path}"


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/erreurs"])
def test_pages_need_nothing_from_elsewhere(world: World, path: str):
    page = world.client.get(path)
    assert page.status_code == 200
    assert "<script" not in page.text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_docs_tell_every_route(world: World):
    page = world.client.get("/docs").text
    assert "/api/v1/transmissions/{transmission_id}" in page
    assert "If-Match" in page
    assert world.client.get("/docs/docs.css").headers["content-type"].startswith("text/css")


def test_every_error_type_resolves_to_its_line(world: World):
    told = world.get("sonia", "/api/v1/transmissions?limit=0").json()
    anchor = told["type"].partition("#")[2]
    assert f'id="{anchor}"' in world.client.get("/docs/erreurs").text


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/api/v1/nothing", 404), ("/docs/erreurs/x", 404), ("/healthz", 405)]
)
def test_what_the_router_refuses_is_a_problem_too(world: World, path: str, status: int):
    answer = world.client.delete(path) if status == 405 else world.client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) == (status == 405)
