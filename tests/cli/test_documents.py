"""`dui documents sweep`, and what `dui doctor` and `dui backup` say of the files beside the base."""

import os
import time
from pathlib import Path
from uuid import UUID

import pytest

from app.config import settings
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, ask

NAME = f"{UUID(int=1)}/{UUID(int=2)}"
OLD = 2 * 24 * 3600.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DUI_DOCUMENTS", f"file://{tmp_path / 'papers'}")
    settings.cache_clear()
    return tmp_path / "papers"


def lying(folder: Path, name: str = NAME, age: float = OLD) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    os.utime(path, (time.time() - age,) * 2)
    return path


def said(look: str) -> str:
    [line] = [line for line in typed("doctor").output.splitlines() if line.split()[1] == look]
    return line


def named(database: TestDatabase) -> None:
    typed("seed", "--usagers", "1")
    ask(
        database.owner_url,
        f"""INSERT INTO content (organisation_id, id, usager_id, object, kept_at)
            SELECT organisation_id, id, id, '{NAME}', now() FROM usager""",
    )


def test_in_the_base_there_is_nothing_to_do() -> None:
    told = typed("documents", "sweep")
    assert (told.exit_code, told.output) == (0, "Les documents sont dans la base : rien à enlever.\n")
    assert "✓ Fichiers" in said("Fichiers")


def test_what_nobody_names_is_told_then_swept(folder: Path) -> None:
    old, young = lying(folder), lying(folder, f"{UUID(int=3)}/{UUID(int=4)}", age=0)
    assert "dui documents sweep" in said("Fichiers")
    assert typed("documents", "sweep").output.startswith("1 fichier(s)")
    assert (old.exists(), young.exists()) == (False, True)
    assert "✓ Fichiers" in said("Fichiers")
    assert typed("documents", "sweep").output.startswith("0 fichier(s)")


def test_what_is_lost_is_told(folder: Path, environment: TestDatabase) -> None:
    named(environment)
    assert "n'ont plus leur fichier" in said("Fichiers")
    lying(folder)
    assert "✓ Fichiers    1, hors de la base" in said("Fichiers")


def test_a_folder_no_longer_named_is_told(environment: TestDatabase) -> None:
    named(environment)
    assert "DUI_DOCUMENTS doit dire où" in said("Fichiers")


def test_a_place_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUI_DOCUMENTS", "ici")
    settings.cache_clear()
    told = typed("documents", "sweep")
    assert (told.exit_code, "DUI_DOCUMENTS attend" in told.output) == (1, True)
    assert "DUI_DOCUMENTS attend" in said("Fichiers")


def test_the_backup_takes_the_folder(folder: Path, tmp_path: Path) -> None:
    lying(folder)
    told = typed("backup", str(tmp_path / "dui.backup"))
    assert ("1 documents" in told.output, "ATTENTION" in told.output) == (True, False)


def test_a_bucket_is_not_in_the_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUI_DOCUMENTS", "s3://papiers/maison")
    settings.cache_clear()
    assert "ATTENTION" in typed("backup", str(tmp_path / "dui.backup")).output
