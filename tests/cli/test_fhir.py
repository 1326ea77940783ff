"""`dui fhir`: packages in and out of the base, by its owner."""

from pathlib import Path

import pytest

from tests.cli.conftest import typed
from tests.fhir.packages.tgz import CODES, GRID, LEVELS, tgz
from tests.postgres import TestDatabase, ask

COUNT = "SELECT count(*) FROM fhir_definition"


@pytest.fixture
def package(tmp_path: Path) -> str:
    return str(tgz(tmp_path / "p.tgz", GRID, CODES, LEVELS))


def test_a_package_is_installed_listed_and_removed(package: str, environment: TestDatabase):
    done = typed("fhir", "install", package)
    assert (done.exit_code, "3 définition(s), dont 1 grille(s)" in done.output) == (0, True)
    assert "exemple.fhir.grilles 1.0.0 · 3 définition(s), 1 grille(s) · Grilles" in typed("fhir", "list").output
    assert typed("fhir", "remove", "exemple.fhir.grilles", "1.0.0").exit_code == 0
    assert ask(environment.owner_url, COUNT) == 0
    assert "Aucun paquet" in typed("fhir", "list").output


def test_installed_twice_nothing_changes(package: str, environment: TestDatabase):
    typed("fhir", "install", package)
    again = typed("fhir", "install", package)
    assert (again.exit_code, "rien n'a changé" in again.output) == (0, True)
    assert ask(environment.owner_url, COUNT) == 3


def test_the_same_version_with_another_content_is_refused(package: str, tmp_path: Path, environment: TestDatabase):
    typed("fhir", "install", package)
    other = typed("fhir", "install", str(tgz(tmp_path / "o.tgz", GRID)))
    assert (other.exit_code, "dui fhir remove" in other.stderr) == (1, True)
    assert ask(environment.owner_url, COUNT) == 3


def test_a_refusal_is_a_sentence(tmp_path: Path):
    (tmp_path / "p.tgz").write_bytes(b"hello")
    done = typed("fhir", "install", str(tmp_path / "p.tgz"))
    assert (done.exit_code, done.stderr.startswith("Ce fichier n'est pas un paquet FHIR")) == (1, True)


def test_what_is_not_there_is_not_removed():
    done = typed("fhir", "remove", "inconnu", "1")
    assert (done.exit_code, "dui fhir list" in done.stderr) == (1, True)


@pytest.mark.threat("package-written-by-app")
def test_the_application_only_reads_them(environment: TestDatabase):
    import asyncpg

    for table in ("fhir_package", "fhir_definition"):
        assert ask(environment.app_url, f"SELECT count(*) FROM {table}") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            ask(environment.app_url, f"DELETE FROM {table}")
