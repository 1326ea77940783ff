"""The plugin that holds the OpenAPI document against what the suite heard (`tests/statuses.py`)."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.statuses import DRAWN, WHOLE, Heard, Whole, told

ROOT = Path(__file__).parent.parent
NOTE = "/api/v1/transmissions/{transmission_id}"


@pytest.fixture
def heard() -> Heard:
    """All that is told."""
    own = Heard()
    own.seen |= told()
    return own


def finished(own: Heard) -> int:
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    Whole(own).pytest_sessionfinish(session)  # type: ignore[arg-type]
    return int(session.exitstatus)


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUI_TEST_STATUSES", raising=False)
    monkeypatch.setenv(WHOLE, "1")


def test_all_that_is_told_was_heard(heard: Heard):
    assert finished(heard) == 0


def test_what_no_test_produced_fails_the_whole_run(heard: Heard):
    heard.seen.remove(("get", NOTE, "404"))
    assert Whole(heard).lacking() == ({("get", NOTE, "404")}, set())
    assert finished(heard) == 1


def test_what_was_heard_and_is_not_told_fails_it_too(heard: Heard):
    heard.note("get", "/api/v1/transmissions/0199", "418")
    assert Whole(heard).lacking() == (set(), {("get", NOTE, "418")})
    assert finished(heard) == 1


def test_a_part_of_the_suite_does_not_fail_by_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(WHOLE)
    assert finished(Heard()) == 0


@pytest.mark.parametrize(("verb", "status"), [("options", "204"), ("put", "405"), ("get", "500")])
def test_a_verb_that_is_not_there_and_a_fault_of_ours_are_told_by_none(heard: Heard, verb: str, status: str):
    heard.note(verb, "/api/v1/transmissions/0199", status)
    assert Whole(heard).lacking() == (set(), set())


def test_a_run_goes_on_from_what_the_one_before_heard(heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = tmp_path / "heard.json"
    monkeypatch.setenv("DUI_TEST_STATUSES", str(kept))
    heard.seen.remove(("get", NOTE, "404"))
    kept.write_text(json.dumps([["get", NOTE, "404"]]))
    assert finished(heard) == 0
    assert ["get", NOTE, "404"] in json.loads(kept.read_text())


def test_what_a_draw_produced_another_may_not(heard: Heard):
    heard.seen.remove(("get", NOTE, "404"))
    heard.drawn = True
    heard.note("get", "/api/v1/transmissions/0199", "404")
    heard.note("get", "/api/v1/transmissions/0199", "418")
    assert Whole(heard).lacking() == ({("get", NOTE, "404")}, {("get", NOTE, "418")})


def test_what_is_gone_in_a_world_that_is_drawn_no_act_took_away(heard: Heard):
    heard.world = True
    heard.note("get", "/api/v1/consignes/0199", "410")
    assert not any(Whole(heard).lacking())
    heard.world = False
    heard.note("get", "/api/v1/consignes/0199", "410")
    assert Whole(heard).lacking() == (set(), {("get", "/api/v1/consignes/{consigne_id}", "410")})


@pytest.mark.parametrize("place", DRAWN)
def test_what_draws_stands_where_it_is_said(place: str):
    assert [*ROOT.glob(f"{place}*")]
