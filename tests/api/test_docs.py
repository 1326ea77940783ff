"""What the server says of itself is true, readable, and comes from nowhere else."""

import json
import re
import subprocess
import sys

import pytest

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
