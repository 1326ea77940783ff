"""What surrounds every request: caps before parsing, one log line of known keys, a host of ours, a neutral 500."""

import json

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.api import metrics
from app.kernel.hot import HotLane
from tests.world import World

NOTES = "/api/v1/transmissions"


@pytest.mark.threat("input-too-large")
def test_a_body_over_the_cap_is_413_telling_the_cap(world: World):
    answer = world.post("sonia", NOTES, {"text": "x" * (1024 * 1024)})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "1024 Kio" in answer.json()["detail"]


@pytest.mark.threat("input-deep-json")
@pytest.mark.parametrize("levels", [65, 20_000])
def test_a_body_too_deep_is_400(world: World, levels: int):
    headers = {**world.bearers["sonia"], "Content-Type": "application/json"}
    answer = world.client.post(NOTES, content="[" * levels + "]" * levels, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "too_deep")


def test_brackets_in_a_text_are_no_depth(world: World):
    body = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": "[" * 100 + '\\" {'}
    assert world.post("sonia", NOTES, body).status_code == 201


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 400), (b"\xff\xfe", 400), (b'{"a": NaN}', 422), (b"", 422), (b"null", 422)]
)
def test_a_broken_body_is_refused_in_words(world: World, content: bytes, status: int):
    headers = {**world.bearers["sonia"], "Content-Type": "application/json"}
    answer = world.client.post(NOTES, content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.threat("search-forged-host")
def test_another_host_is_400_but_for_supervisors(world: World):
    strange = {"Host": "evil.example", **world.bearers["sonia"]}
    assert world.client.get(NOTES, headers=strange).status_code == 400
    assert [world.client.get(p, headers=strange).status_code for p in ("/healthz", "/readyz")] == [200, 200]


@pytest.mark.threat("privacy-log-values")
def test_one_log_line_a_request_of_known_keys_only(world: World, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    world.get("sonia", f"{NOTES}?usager={world.ids['jeanne']}")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines] == [{"route", "method", "status", "ms", "request_id"}]
    assert str(world.ids["jeanne"]) not in str(lines)


@pytest.mark.threat("privacy-request-id")
def test_a_given_request_number_comes_back_when_it_is_one(world: World):
    number = "01900000-0000-7000-8000-000000000001"
    for given, same in ((number, True), ("hello", False), ("147720425367430", False)):
        back = world.get("sonia", NOTES, headers={"X-Request-Id": given}).headers["x-request-id"]
        assert (back == given) == same


@pytest.mark.threat("privacy-metrics-labels")
def test_metrics_count_by_route_and_never_by_path(world: World):
    world.get("sonia", f"{NOTES}/{world.ids['jeanne']}")
    labels = [s.labels for m in metrics.REGISTRY.collect() for s in m.samples]
    assert any("transmission_id" in label.get("route", "") for label in labels)
    assert not any(str(world.ids["jeanne"]) in str(label) for label in labels)


@pytest.mark.threat("privacy-error-values")
def test_a_fault_of_ours_is_told_in_neutral_words(world: World, monkeypatch: pytest.MonkeyPatch):
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("147720425367430")

    monkeypatch.setattr("app.features.transmissions.router.page", broken)
    monkeypatch.setattr(vars(world.client)["_transport"], "raise_server_exceptions", False)
    answer = world.get("sonia", NOTES)
    assert (answer.status_code, answer.json()["code"]) == (500, "bug")
    assert "1477" not in answer.text


@pytest.mark.threat("privacy-error-values")
@pytest.mark.parametrize("fault", [RuntimeError("147720425367430"), DBAPIError("147720425367430", {}, Exception())])
def test_so_is_one_of_a_fhir_read(world: World, monkeypatch: pytest.MonkeyPatch, fault: Exception):
    async def broken(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("app.api.fhir.read", broken)
    with pytest.raises(type(fault)):  # the server's own log hears of it
        world.get("sonia", f"/fhir/Patient/{world.ids['jeanne']}")
    monkeypatch.setattr(vars(world.client)["_transport"], "raise_server_exceptions", False)
    answer = world.get("sonia", f"/fhir/Patient/{world.ids['jeanne']}")
    assert (answer.status_code, answer.json()["resourceType"]) == (500, "OperationOutcome")
    assert "1477" not in answer.text


@pytest.mark.threat("fault-postgres-away")
@pytest.mark.parametrize("fault", [TimeoutError(), asyncpg.AdminShutdownError("bye"), asyncpg.ConnectionFailureError()])
def test_a_read_without_postgres_says_when_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Exception
):
    async def away(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(HotLane, "ask", away)
    for path in (f"{NOTES}/{world.ids['jeanne']}", f"/fhir/Patient/{world.ids['jeanne']}"):
        answer = world.get("sonia", path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


class Said(Exception):
    """What Postgres says, by its code."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.threat("fault-pool-exhausted", "fault-postgres-away")
@pytest.mark.parametrize(
    "fault",
    [
        PoolTimeout("full"),
        DBAPIError("disk", {}, Said("53100")),
        DBAPIError("told to stop", {}, Said("57P01")),
        DBAPIError("not up yet", {}, Said("57P03")),
        DBAPIError("cut", {}, Said("08006")),
        asyncpg.InternalClientError("got result for unknown protocol state"),
    ],
)
def test_what_will_pass_says_when_to_come_back(world: World, monkeypatch: pytest.MonkeyPatch, fault: Exception):
    async def full(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("app.features.transmissions.router.page", full)
    answer = world.get("sonia", NOTES)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.threat("fault-other-schema")
def test_not_ready_while_the_schema_is_another(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(world.client.app.state, "schema_head", "9999")
    assert (world.client.get("/readyz").status_code, world.client.get("/healthz").status_code) == (503, 200)


@pytest.mark.threat("input-log-forged")
@pytest.mark.parametrize("path", ["%0d%0aFORGED%1b[2J", "%0aFORGED", "x?usager=%0d%0aFORGED"])
def test_no_line_is_forged_in_the_log(world: World, capsys: pytest.CaptureFixture[str], path: str):
    capsys.readouterr()
    world.get("sonia", f"{NOTES}/{path}", headers={"User-Agent": "FORGED\x1b[2J"})
    out = capsys.readouterr().out
    assert [set(json.loads(line)) for line in out.splitlines()] == [{"route", "method", "status", "ms", "request_id"}]
    assert "FORGED" not in out


@pytest.mark.threat("privacy-metrics-labels")
def test_counts_are_not_read_from_outside(world: World):
    assert world.client.get("/metrics").status_code == 404
