"""No received value comes back in a refusal, a header or a log: it may be a NIR.

Generated from the OpenAPI document and the CapabilityStatement: every route, every string parameter, every header that
we read, every field of a body, in three spellings.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from app.api.openapi_shared import resolved
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
                told = [resolved(document, each) for each in route.get("parameters", ())]
                yield verb, path, {**route, "parameters": told, "schemas": document["components"]["schemas"]}


def fhir_routes(world: World) -> Iterator[tuple[str, str]]:
    for resource in world.client.get("/fhir/metadata").json()["rest"][0]["resource"]:
        yield "get", f"/fhir/{resource['type']}/{{id}}"
        yield "get", f"/fhir/{resource['type']}/{{id}}/_history/{{version}}"
        for name in ("_since", "_at", "_count"):
            yield "get", f"/fhir/{resource['type']}/{{id}}/_history?{name}={{value}}"
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


def callers_for(n: int, m: int) -> tuple[str, ...]:
    """One caller, in turn, for the nth route and the mth spelling, and marc, who reads most, for the first.

    All of them at each would take minutes and find little more: `make long` asks it.
    """
    return tuple({CALLERS[(n + m) % len(CALLERS)], *(("marc",) if m == 0 else ())})


def requests_of(verb: str, route: dict[str, Any], auth: dict[str, str], nir: str) -> Iterator[dict[str, Any]]:
    """Each place of a request of this route where something is received."""
    yield {"headers": auth}
    yield from (
        {"headers": auth, "params": {p["name"]: nir}} for p in route.get("parameters", ()) if p["in"] == "query"
    )
    yield {"headers": auth, "params": {nir: nir}}
    if verb in ("post", "put", "patch"):
        yield from ({"headers": {**auth, "If-Match": '"1"'}, "json": body} for body in bodies(route, nir))
        yield {"headers": auth, "content": nir.encode()}


def told_back(world: World, callers: Callable[[int, int], Iterable[str]]) -> int:
    """Ask every route with every spelling as these callers; how many requests were made."""
    asked = 0
    for n, (verb, path, route) in enumerate(routes(world)):
        for m, nir in enumerate(SPELLINGS):
            for caller in callers(n, m):
                for more in requests_of(verb, route, world.bearers[caller], nir):
                    answer = world.client.request(verb, filled(path, nir), **more)
                    asked += 1
                    assert answer.status_code < 500, f"{verb} {path} {answer.text[:300]}"
                    check(answer, f"{verb} {path} {caller}")
    return asked


@pytest.mark.once
@pytest.mark.threat("privacy-canary-refusals")
def test_nothing_received_comes_back(
    world: World,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    figure: Callable[[str], None],
):
    asked = told_back(world, callers_for)
    figure(f"canary: {asked} requests, a number planted in each")
    assert asked > 2_000
    check_logs(caplog, capfd)


@pytest.mark.long
def test_nor_to_any_caller(
    world: World,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    figure: Callable[[str], None],
):
    asked = told_back(world, lambda *_: CALLERS)
    figure(f"canary, every caller: {asked} requests, a number planted in each")
    assert asked > 10_000
    check_logs(caplog, capfd)


@pytest.mark.once
@pytest.mark.threat("privacy-canary-fhir")
def test_nor_through_fhir(world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]):
    promised = [*fhir_routes(world)]
    assert len(promised) > 50
    for verb, path in promised:
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


@pytest.mark.threat("privacy-canary-refusals")
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
