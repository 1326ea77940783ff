"""`dui exchange send`: bundles and manifests for their owner only, by the rules of the API; nothing by a wrong hand."""

import hashlib
import json
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import Result

from tests.cli.conftest import typed
from tests.cli.test_account import PASSWORD, house  # noqa: F401  the fixture
from tests.cli.test_partner import EC, jwks
from tests.postgres import TestDatabase, ask


@pytest.fixture
def usager(fresh_database: TestDatabase, house: UUID, tmp_path: Path) -> str:  # noqa: F811
    """Someone seeded, a chief and a secretary of their structure, a partner of it."""
    typed("seed", "--usagers", "1")
    place = str(ask(fresh_database.owner_url, "SELECT structure_id FROM usager"))
    words = ("--given-name", "A", "--family-name", "B", "--structure", place, "--password-stdin")
    for login, role in (("marc", "chef_de_service"), ("odile", "secretariat")):
        assert typed("account", "add", login, *words, "--role", role, said=PASSWORD).exit_code == 0
    keys = ("--jwks", jwks(tmp_path, ("k", EC)), "--structure", place, "--client-id", "chu")
    assert typed("partner", "add", "CHU", *keys).exit_code == 0
    return str(ask(fresh_database.owner_url, "SELECT id FROM usager"))


def asked(fresh_database: TestDatabase, usager: str, *more: str, by: str = "marc", ground: str = "loi") -> Result:
    place = str(ask(fresh_database.owner_url, "SELECT structure_id FROM usager"))
    words = ("--structure", place, "--to", "chu", "--ground", ground, "--by", by, *more)
    return typed("exchange", "send", usager, *words, said=f"{PASSWORD}\n")


LAW = ("--article", "CASF L241-10")


@pytest.mark.parametrize("ending", ["json", "xml"])
def test_a_bundle_and_its_manifest_for_their_owner_only(
    fresh_database: TestDatabase, usager: str, tmp_path: Path, ending: str
):
    to = tmp_path / "envois"
    told = asked(fresh_database, usager, *LAW, "--folder", str(to), *(("--xml",) if ending == "xml" else ()))
    assert told.exit_code == 0, told.output
    files = {path.name: path for path in (to / usager).iterdir()}
    assert set(files) == {f"bundle.{ending}", "manifest.json"}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    manifest = json.loads(files["manifest.json"].read_text())
    assert manifest["sha256"] == hashlib.sha256(files[f"bundle.{ending}"].read_bytes()).hexdigest()
    assert manifest["entries"] == sum(manifest["profiles"].values()) > 1
    left = "SELECT concat_ws(' ', direction, ground, entries) FROM exchange"
    assert ask(fresh_database.owner_url, left) == f"sent loi {manifest['entries']}"
    assert (
        ask(fresh_database.owner_url, "SELECT count(*) FROM session WHERE revoked_at IS NULL AND kind = 'staff'") == 0
    )


@pytest.mark.threat("sending-by-looking")
def test_a_dry_run_shows_and_sends_nothing(fresh_database: TestDatabase, usager: str):
    told = asked(fresh_database, usager, *LAW, "--dry-run")
    assert (told.exit_code, "tddui-patient" in told.output) == (0, True), told.output
    assert ask(fresh_database.owner_url, "SELECT count(*) FROM exchange") == 0


@pytest.mark.threat("sending-too-wide")
@pytest.mark.parametrize(
    ("more", "by", "ground", "words"),
    [
        ((), "marc", "loi", "article"),
        ((), "marc", "habitude", "--ground"),
        (("--kind", "rien"), "marc", "loi", "--kind"),
        (LAW, "odile", "loi", "Ce compte ne transmet"),
        ((), "marc", "accord", "accord"),
    ],
)
def test_refused_in_words_and_nothing_is_written(
    fresh_database: TestDatabase, usager: str, tmp_path: Path, more: tuple[str, ...], by: str, ground: str, words: str
):
    to = tmp_path / "envois"
    told = asked(fresh_database, usager, *more, "--folder", str(to), by=by, ground=ground)
    assert (told.exit_code, words in told.output, to.exists()) == (1, True, False), told.output
    assert ask(fresh_database.owner_url, "SELECT count(*) FROM exchange") == 0


def test_a_folder_that_exists_is_not_written_in(fresh_database: TestDatabase, usager: str, tmp_path: Path):
    told = asked(fresh_database, usager, *LAW, "--folder", str(tmp_path))
    assert (told.exit_code, "n'existe pas encore" in told.output) == (1, True)
