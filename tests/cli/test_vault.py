"""`dui backup`, `dui restore`: what is typed and what is told."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from app.config import settings
from app.kernel.crypto import Keyring
from app.vault import restore as restores
from app.vault.check import read_signed
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, ask


class TestBackup:
    def test_saves_proves_and_restores(
        self,
        fresh_database: TestDatabase,
        empty_database: TestDatabase,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ):
        typed("seed", "--usagers", "3")
        file = str(tmp_path / "dui.backup")
        assert typed("backup", file).exit_code == 0
        told = typed("restore", "--check", file)
        assert (told.exit_code, "Cette sauvegarde se restaure." in told.output) == (0, True)
        report = read_signed((tmp_path / "dui.backup.report.json").read_text(), Keyring.load(settings().key_file))
        assert (report["wrong"], report["file"]) == ([], "dui.backup")
        assert report["sha256"] == hashlib.sha256((tmp_path / "dui.backup").read_bytes()).hexdigest()
        assert report["rows"] == sum(map(int, re.findall(r"(\d+) lignes", told.output)))
        assert min(report[name] for name in ("tables", "rows", "callers", "questions")) > 0
        monkeypatch.setenv("DUI_OWNER_DATABASE_URL", empty_database.owner_url)
        settings.cache_clear()
        assert typed("restore", file).exit_code == 0
        assert ask(empty_database.owner_url, "SELECT count(*) FROM usager") == 3

    def test_a_restore_over_a_life_is_refused_in_words(self, fresh_database: TestDatabase, tmp_path: Path):
        typed("seed", "--usagers", "1")
        typed("backup", str(tmp_path / "dui.backup"))
        told = typed("restore", str(tmp_path / "dui.backup"))
        assert (told.exit_code, "n'est pas vide" in told.output) == (1, True)

    def test_a_check_that_fails_is_told_and_fails_the_command(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        typed("seed", "--usagers", "1")
        typed("backup", str(tmp_path / "dui.backup"))
        original = restores.load

        def altered(owner_url: str, *args: Any, **more: Any) -> Any:
            saved = original(owner_url, *args, **more)
            ask(owner_url, "UPDATE usager SET birth_given_names = 'X'")
            return saved

        monkeypatch.setattr(restores, "load", altered)
        told = typed("restore", "--check", str(tmp_path / "dui.backup"))
        assert (told.exit_code, "FAUX : table usager" in told.output) == (1, True)
