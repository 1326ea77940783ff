"""A start that fails says why, in words to act on, and nothing of what it was given."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app import start
from app.api.middleware import JsonFormatter
from app.kernel.crypto import Keyring
from tests.postgres import TestDatabase, free_port

SECRET = "n0t-to-be-said"
BASE, ENTRY = start.NO_BASE.format("DUI_DATABASE_URL"), start.NO_ENTRY.format("DUI_DATABASE_URL")


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def idle() -> int:
    return free_port()


def refused(*words: str, **told: str) -> str:
    """What a process that does not start says."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        env={**env, **told},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert SECRET not in done.stdout + done.stderr
    return done.stderr


def serve(port: int, **told: str) -> str:
    return refused("serve", "--port", str(port), **told)


class TestThePort:
    def test_one_that_is_taken_is_said_before_the_demo_prepares_anything(self, busy: int, tmp_path: Path):
        said = refused("demo", "--serve", "--port", str(busy), "--data", str(tmp_path / "dui"))
        assert f"Le port {busy} est déjà pris" in said
        assert "PORT=" in said
        assert not (tmp_path / "dui").exists()

    def test_one_that_is_taken_is_said_by_serve(self, busy: int):
        assert f"Le port {busy} est déjà pris" in serve(busy)

    def test_that_of_the_metrics_is_named(self, busy: int, idle: int, environment: TestDatabase):
        told = {"DUI_KEY_FILE": os.environ["DUI_KEY_FILE"], "DUI_DATABASE_URL": environment.app_url, "DUI_DEMO": "1"}
        assert f"DUI_METRICS_PORT : Le port {busy} est déjà pris" in serve(idle, DUI_METRICS_PORT=str(busy), **told)

    def test_an_address_that_is_none_is_said(self, idle: int):
        assert "--host" in refused("serve", "--host", "nowhere.invalid", "--port", str(idle))

    def test_one_that_is_the_systems_is_said(self, monkeypatch: pytest.MonkeyPatch):
        def kept(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(socket.socket, "bind", kept)
        assert "réservé au système" in str(start.taken("127.0.0.1", 80))


class TestTheBase:
    def test_one_that_does_not_answer(self, idle: int):
        keys = os.environ["DUI_KEY_FILE"]
        url = f"postgresql://dui_app:{SECRET}@127.0.0.1:{idle}/dui"
        assert BASE in serve(idle, DUI_KEY_FILE=keys, DUI_DATABASE_URL=url)

    def test_one_without_its_tables(self, idle: int, environment: TestDatabase):
        empty = environment.app_url.replace(environment.name, "template1")
        assert start.NO_TABLES in serve(idle, DUI_KEY_FILE=os.environ["DUI_KEY_FILE"], DUI_DATABASE_URL=empty)

    def test_keys_that_are_not_there(self, idle: int, tmp_path: Path):
        assert "(DUI_KEY_FILE) est absent" in serve(idle, DUI_KEY_FILE=str(tmp_path / "none.json"))

    @pytest.mark.parametrize(
        ("raised", "said"),
        [
            (asyncpg.InvalidPasswordError(SECRET), ENTRY),
            (asyncpg.InvalidCatalogNameError(SECRET), ENTRY),
            (asyncpg.TooManyConnectionsError(SECRET), BASE),
            (ZeroDivisionError(SECRET), start.A_BUG),
        ],
    )
    def test_each_cause_has_its_words(self, raised: Exception, said: str):
        assert start.why(raised) == said

    def test_what_nobody_foresaw_is_placed_in_the_log_without_its_words(self, caplog: pytest.LogCaptureFixture):
        with pytest.raises(ZeroDivisionError), start.telling():
            raise ZeroDivisionError(SECRET)
        [line] = caplog.records
        told = JsonFormatter().format(line)
        assert ("start_failed" in told, "test_start.py:" in told, SECRET in told) == (True, True, False)

    def test_nothing_is_said_of_a_start_that_holds(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
        with start.telling():
            Keyring.create(tmp_path / "others.json")
        assert capsys.readouterr().err == ""
