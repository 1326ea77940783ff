"""A base of one's own and the environment that names it: what is typed acts there."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli import main
from app.config import settings
from app.kernel.crypto import Keyring
from tests.postgres import TestDatabase

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def environment(
    fresh_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestDatabase]:
    Keyring.create(tmp_path / "keys.json")
    told = {
        "DUI_DATABASE_URL": fresh_database.app_url,
        "DUI_OWNER_DATABASE_URL": fresh_database.owner_url,
        "DUI_SEALER_DATABASE_URL": fresh_database.sealer_url,
        "DUI_KEY_FILE": str(tmp_path / "keys.json"),
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield fresh_database
    settings.cache_clear()


def typed(*words: str, said: str | None = None) -> Result:
    """`said`: what is given on the standard input."""
    return CliRunner().invoke(main, words, input=said, catch_exceptions=False)


def alone(*words: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    """The same in a process of its own, as it is in a house."""
    command = [sys.executable, "-m", "app.cli", *words]
    return subprocess.run(command, cwd=ROOT, input=said, capture_output=True, text=True, check=False)
