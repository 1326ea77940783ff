"""What every answer says to a browser, whatever the face it is of and however it ends."""

from typing import Any

import pytest

from app.security.rates import Rates
from tests.portal.visitor import Visitor, visit
from tests.world import ORIGIN, World

PAGE, PROBLEM, FHIR, TEXT = "text/html", "application/problem+json", "application/fhir+json", "text/plain"
OPEN = "/api/v1/usagers/{jeanne}"
# who asks, how, where; the status, the type
FACES = {
    "doors": ("", "GET", "/", 200, PAGE),
    "docs": ("", "GET", "/docs", 200, PAGE),
    "style of docs": ("", "GET", "/docs/docs.css", 200, "text/css"),
    "openapi": ("", "GET", "/openapi.json", 200, "application/json"),
    "health": ("", "GET", "/healthz", 200, "application/json"),
    "keys": ("", "GET", "/.well-known/jwks.json", 200, "application/json"),
    "no such address": ("", "GET", "/nowhere", 404, PROBLEM),
    "no such method": ("", "PUT", "/healthz", 405, PROBLEM),
    "rest": ("sonia", "GET", OPEN, 200, "application/json"),
    "rest, nobody": ("", "GET", OPEN, 401, PROBLEM),
    "rest, out of reach": ("yann", "GET", OPEN, 404, PROBLEM),
    "rest, bad parameter": ("sonia", "GET", "/api/v1/transmissions?limit=0", 400, PROBLEM),
    "rest, bad body": ("sonia", "POST", "/api/v1/transmissions", 422, PROBLEM),
    "own application": ("jeanne", "GET", "/api/v1/me", 200, "application/json"),
    "fhir": ("sonia", "GET", "/fhir/Patient/{jeanne}", 200, FHIR),
    "fhir search": ("sonia", "GET", "/fhir/Patient", 200, FHIR),
    "fhir metadata": ("", "GET", "/fhir/metadata", 200, FHIR),
    "fhir, nobody": ("", "GET", "/fhir/Patient/{jeanne}", 401, FHIR),
    "fhir, out of reach": ("yann", "GET", "/fhir/Patient/{jeanne}", 404, FHIR),
    "fhir, not a bundle": ("chu", "POST", "/fhir", 415, FHIR),
    "token refused": ("", "POST", "/oauth/token", 415, "application/json"),
    "invitation": ("", "GET", "/invitation/nothing", 400, PAGE),
    "card": ("", "GET", "/p/anything", 200, PAGE),
    "notice": ("", "GET", "/vos-donnees", 200, PAGE),
    "page, nobody": ("", "GET", "/mon-dossier", 401, PAGE),
    "page": ("visitor", "GET", "/mon-dossier", 200, PAGE),
    "page, no such": ("visitor", "GET", "/mon-dossier/rien", 404, PAGE),
    "static": ("", "GET", "/static/dui.css", 200, "text/css"),
    "static, no such": ("", "GET", "/static/rien.css", 404, PROBLEM),
}
KEPT = {"static": "public, max-age=86400", "docs": "no-cache", "doors": "no-cache"}


@pytest.fixture(scope="module")
def visitor(world: World) -> Visitor:
    return visit(world, "jeanne")


def asked(world: World, visitor: Visitor, who: str, method: str, path: str, **more: str) -> Any:
    world.client.cookies.clear()
    headers = {"Cookie": visitor.cookie} if who == "visitor" else world.bearers.get(who, {})
    return world.client.request(method, path.format(**world.ids), headers={**headers, **more})


def check(answer: Any, kind: str) -> None:
    said = answer.headers
    assert said["content-type"].partition(";")[0] == kind
    assert said["x-content-type-options"] == "nosniff"
    assert said["referrer-policy"] == "no-referrer"
    policy = said["content-security-policy"].split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert any(rule.startswith("form-action ") for rule in policy)
    assert not [rule for rule in policy if "script" in rule or "unsafe" in rule or "http" in rule]
    assert not [name for name in said if name.startswith("access-control-") or name in ("server", "x-powered-by")]


@pytest.mark.threat("page-framing", "page-referer", "page-cors")
@pytest.mark.parametrize("face", FACES)
def test_each_answer_says_it(world: World, visitor: Visitor, face: str) -> None:
    who, method, path, status, kind = FACES[face]
    answer = asked(world, visitor, who, method, path)
    assert answer.status_code == status, answer.text
    check(answer, kind)
    if face in KEPT:
        assert answer.headers["cache-control"] == KEPT[face]
    elif who or status >= 400:
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.threat("page-framing")
@pytest.mark.parametrize(("path", "kind"), [(OPEN, PROBLEM), ("/fhir/Patient", FHIR), ("/mon-dossier", PAGE)])
@pytest.mark.parametrize("how", ["another host", "too fast", "a fault of ours"])
def test_so_does_a_refusal_from_around_and_a_fault(
    world: World, visitor: Visitor, path: str, kind: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = "visitor" if path == "/mon-dossier" else "sonia"
    state, host = world.client.app.state, ORIGIN.rpartition("/")[2]
    before = state.rates
    if how == "too fast":
        state.rates = Rates(10, clock=lambda: 0.0)
        state.rates.spend(world.ids["jeanne" if who == "visitor" else "sonia"], 100)
    elif how == "a fault of ours":
        state.rates = None
        monkeypatch.setattr(vars(world.client)["_transport"], "raise_server_exceptions", False)
    else:
        host = "evil.example"
    try:
        answer = asked(world, visitor, who, "GET", path, Host=host)
    finally:
        state.rates = before
    assert answer.status_code == {"another host": 400, "too fast": 429, "a fault of ours": 500}[how]
    check(answer, kind)
    assert answer.headers["cache-control"] == "no-store"
