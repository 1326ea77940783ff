"""`dui export person`: two persons at the keyboard, two files for one."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from app.kernel.ids import uuid7
from tests.cli.conftest import alone, typed
from tests.cli.test_account import PASSWORD, house  # noqa: F401  the fixture
from tests.postgres import TestDatabase, ask

WHO = {"helene": "direction", "leila": "infirmier"}


@pytest.fixture
def usager(fresh_database: TestDatabase, house: UUID) -> str:  # noqa: F811
    """Someone seeded, and who may prepare their copy, in their organisation."""
    typed("seed", "--usagers", "1")
    place = str(ask(fresh_database.owner_url, "SELECT structure_id FROM usager"))
    for login, role in WHO.items():
        words = ("--given-name", "A", "--family-name", "B", "--role", role, "--structure", place, "--password-stdin")
        assert typed("account", "add", login, *words, said=PASSWORD).exit_code == 0
    return str(ask(fresh_database.owner_url, "SELECT id FROM usager"))


def test_both_files_are_for_their_owner_only(usager: str, tmp_path: Path):
    to = tmp_path / "copie"
    said = f"{PASSWORD}\n{PASSWORD}\n"
    told = typed("export", "person", usager, "--to", str(to), "--by", "helene", "--care-by", "leila", said=said)
    assert told.exit_code == 0, told.output
    assert sorted((p.name, p.stat().st_mode & 0o777) for p in to.iterdir()) == [
        ("dossier.html", 0o600),
        ("dossier.json", 0o600),
    ]
    assert len(json.loads((to / "dossier.json").read_text())["sections"]["transmission"]) == 60


@pytest.mark.threat("copy-by-one-alone")
@pytest.mark.parametrize(
    ("by", "said"), [("leila", f"{PASSWORD}\n"), ("helene", "un autre\n")], ids=["not the direction", "not her"]
)
def test_refused_nothing_is_written(usager: str, tmp_path: Path, by: str, said: str):
    told = typed("export", "person", usager, "--to", str(tmp_path / "copie"), "--by", by, said=said)
    assert (told.exit_code, (tmp_path / "copie").exists()) == (1, False)


def test_a_folder_that_exists_is_not_written_in(usager: str, tmp_path: Path):
    told = typed("export", "person", usager, "--to", str(tmp_path), "--by", "helene", said=f"{PASSWORD}\n")
    assert (told.exit_code, "existe déjà" in told.output) == (1, True)


def test_someone_unknown_is_told_in_words(usager: str, tmp_path: Path):
    to = str(tmp_path / "copie")
    told = typed("export", "person", str(uuid7()), "--to", to, "--by", "helene", said=f"{PASSWORD}\n")
    assert (told.exit_code, "Personne de ce numéro" in told.output) == (1, True)


def test_in_a_process_of_its_own(usager: str, tmp_path: Path):
    """What the command line loads is enough: no other test has loaded the rest for it."""
    words = ("export", "person", usager, "--to", str(tmp_path / "copie"), "--by", "helene", "--care-by", "leila")
    done = alone(*words, said=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copie" / "dossier.json").exists()
