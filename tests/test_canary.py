"""No received value comes back in a refusal, a header or a log: it may be a NIR.

Generated from the OpenAPI document and the CapabilityStatement: every route, every string parameter, every header that
we read, every field of a body, in three spellings.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.world import World

SPELLINGS = ("147720425367430", "1 47 72 04 253 674 30", "1-47-72-04-253-674-30")
HEADERS = (
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Accept",
    "Content-Type",
    "X-Request-Id",
    "Prefer",
    "Authorization",
    "Cookie",
    "Host",
    "Referer",
    "User-Agent",
)
CALLERS = ("marc", "odile", "jeanne", "chu")
VERBS = ("get", "post", "put", "patch", "delete")


def routes(world: World) -> Iterator[tuple[str, str, dict[str, Any]]]:
    document = world.client.get("/openapi.json").json()
    for path, verbs in document["paths"].items():
        for verb, route in verbs.items():
            if verb in VERBS:
                yield verb, path, {**route, "schemas": document.get("components", {}).get("schemas", {})}


def fhir_routes(world: World) -> Iterator[tuple[str, str]]:
    statement = world.client.get("/fhir/metadata")
    if statement.status_code != 200:
        return
    for resource in statement.json()["rest"][0]["resource"]:
        yield "get", f"/fhir/{resource['type']}/{{id}}"
        for parameter in resource.get("searchParam", ()):
            yield "get", f"/fhir/{resource['type']}?{parameter['name']}={{value}}"
        yield "get", f"/fhir/{resource['type']}?{{name}}=x"


def filled(path: str, value: str) -> str:
    out = path
    while "{" in out:
        out = out[: out.index("{")] + quote(value, safe="") + out[out.index("}") + 1 :]
    return out


def bodies(route: dict[str, Any], nir: str) -> Iterator[dict[str, Any]]:
    """One body per field, the value where a value goes and where a name goes; and one that is not even an object."""
    for media in route.get("requestBody", {}).get("content", {}).values():
        name = str(media.get("schema", {}).get("$ref", "")).rpartition("/")[2]
        fields = route["schemas"].get(name, {}).get("properties", {})
        for field in fields:
            yield {field: nir}
            yield {field: [nir]}
            yield {field: {nir: nir}}
        yield {nir: nir}


def check(answer: Any, where: str) -> None:
    if answer.status_code < 400:
        return  # what was kept may be read again by who may
    seen = answer.text + json.dumps({k: v for k, v in answer.headers.items() if k != "location"})
    for nir in SPELLINGS:
        assert nir not in seen, where
        assert quote(nir) not in seen, where


def check_logs(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = capfd.readouterr()
    told = out + err + "".join(f"{r.getMessage()}{r.exc_text or ''}{r.args}" for r in caplog.records)
    for nir in SPELLINGS:
        assert nir not in told
        assert quote(nir) not in told


def test_nothing_received_comes_back(world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]):
    asked = 0
    for n, (verb, path, route) in enumerate(routes(world)):
        for m, nir in enumerate(SPELLINGS):
            for caller in (CALLERS[(n + m) % len(CALLERS)], "marc") if m == 0 else (CALLERS[(n + m) % len(CALLERS)],):
                auth = world.bearers[caller]
                place = filled(path, nir)
                tries: list[dict[str, Any]] = [{"headers": auth}]
                tries += [
                    {"headers": auth, "params": {p["name"]: nir}}
                    for p in route.get("parameters", ())
                    if p["in"] == "query"
                ]
                tries.append({"headers": auth, "params": {nir: nir}})
                if verb in ("post", "put", "patch"):
                    tries += [{"headers": {**auth, "If-Match": '"1"'}, "json": body} for body in bodies(route, nir)]
                    tries.append({"headers": auth, "content": nir.encode()})
                for more in tries:
                    answer = world.client.request(verb, place, **more)
                    asked += 1
                    assert answer.status_code < 500, f"{verb} {path} {answer.text[:300]}"
                    check(answer, f"{verb} {path} {caller}")
    check_logs(caplog, capfd)
    assert asked > 2_000


def test_nor_through_fhir(world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]):
    for verb, path in fhir_routes(world):
        for caller in ("marc", "chu"):
            for nir in SPELLINGS:
                answer = world.client.request(verb, filled(path, nir), headers=world.bearers[caller])
                assert answer.status_code < 500, path
                check(answer, f"{path} {caller}")
    for nir in SPELLINGS:
        for body in ({}, {"resourceType": nir}, {"resourceType": "Bundle", "type": nir}, {nir: nir}, [nir], nir):
            headers = {**world.bearers["chu"], "Content-Type": "application/fhir+json"}
            answer = world.client.post("/fhir", content=json.dumps(body), headers=headers)
            assert answer.status_code < 500
            check(answer, f"/fhir {nir}")
    check_logs(caplog, capfd)


@pytest.mark.parametrize("name", HEADERS)
def test_nor_from_a_header(
    world: World, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    body = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": "x"}
    for nir in SPELLINGS:
        headers = {**world.bearers["marc"], name: nir}
        for verb, path, more in (
            ("get", "/api/v1/transmissions", {}),
            ("post", "/api/v1/transmissions", {"json": body}),
            ("get", "/fhir/Patient", {}),
            ("get", "/mon-dossier", {}),
        ):
            answer = world.client.request(verb, path, headers=headers, **more)
            assert answer.status_code < 500
            check(answer, f"{name} {path}")
            assert nir not in str({k: v for k, v in answer.headers.items() if k != "location"})
    check_logs(caplog, capfd)
