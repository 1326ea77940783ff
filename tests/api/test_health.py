"""What a supervisor hears: ready, degraded in closed words, and the public keys anyone may check with."""

import pytest

from app.audit import heads
from app.audit.watch import Watch
from tests.world import World


def ready(world: World) -> tuple[int, dict[str, object]]:
    answer = world.client.get("/readyz")
    return answer.status_code, answer.json()


def watch(world: World) -> Watch:
    told: Watch = world.client.app.state.watch  # type: ignore[attr-defined]
    return told


def test_without_a_sealer_here_it_says_so_and_serves(world: World) -> None:
    assert ready(world) == (200, {"status": "ok", "degraded": ["seal_elsewhere"]})


def test_nothing_is_said_while_the_seal_keeps_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch(world), "here", True)
    watch(world).saw(0)
    assert ready(world) == (200, {"status": "ok"})


@pytest.mark.threat("trail-seal-late")
def test_a_late_seal_is_said_and_stops_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch(world), "here", True)
    monkeypatch.setattr(watch(world), "late", -1.0)
    assert ready(world) == (200, {"status": "ok", "degraded": ["seal_late"]})
    assert world.get("sonia", f"/api/v1/usagers/{world.ids['jeanne']}").status_code == 200


def test_the_keys_published_are_those_that_sign(world: World) -> None:
    answer = world.client.get("/.well-known/jwks.json")
    assert answer.json() == heads.published(world.keyring)
    assert [set(key) for key in answer.json()["keys"]] == [{"kty", "crv", "kid", "use", "alg", "x", "y"}]


def test_trace_is_no_method_here(world: World) -> None:
    """It would give back the headers of a request: its bearer."""
    for path in ("/healthz", "/fhir/Patient", "/api/v1/usagers", "/mon-dossier"):
        answer = world.client.request("TRACE", path, headers=world.bearers["marc"])
        assert answer.status_code in (404, 405), path
        assert world.bearers["marc"]["Authorization"] not in answer.text
