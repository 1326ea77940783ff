"""`dui exchange send`: bundles and manifests for their owner only, by the rules of the API; nothing by a wrong hand."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import Result

from app import start
from app.cli import envelopes, refusals
from tests.cli.conftest import ROOT, typed
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


def asked(
    fresh_database: TestDatabase,
    usager: str,
    *more: str,
    by: str = "marc",
    ground: str = "loi",
    to: str = "chu",
    place: str = "",
) -> Result:
    place = place or str(ask(fresh_database.owner_url, "SELECT structure_id FROM usager"))
    words = ("--structure", place, "--to", to, "--ground", ground, "--by", by, *more)
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


def lines_of(fresh_database: TestDatabase) -> tuple[object, object]:
    """What the journal and the trail say left."""
    sent = "SELECT count(*) FROM audit_entry WHERE action = 'send'"
    return ask(fresh_database.owner_url, "SELECT count(*) FROM exchange"), ask(fresh_database.owner_url, sent)


@pytest.mark.threat("sending-untold")
class TestNothingIsSaidToHaveLeftThatDidNot:
    def test_where_no_folder_can_be_made(self, fresh_database: TestDatabase, usager: str):
        told = asked(fresh_database, usager, *LAW, "--folder", "/proc/x/envoi")
        assert (told.exit_code, "Vérifiez son chemin" in told.output) == (1, True), told.output
        assert lines_of(fresh_database) == (0, 0)

    def test_on_a_disk_that_fills_up(
        self, fresh_database: TestDatabase, usager: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(envelopes.os, "fsync", full)
        told = asked(fresh_database, usager, *LAW, "--folder", str(tmp_path / "envois"))
        assert (told.exit_code, start.FULL in told.output) == (1, True), told.output
        assert lines_of(fresh_database) == (0, 0)
        assert not (tmp_path / "envois").exists()

    def test_the_same_person_named_twice_leaves_once(self, fresh_database: TestDatabase, usager: str, tmp_path: Path):
        told = asked(fresh_database, usager, usager, *LAW, "--folder", str(tmp_path / "envois"))
        assert told.exit_code == 0, told.output
        assert lines_of(fresh_database)[0] == 1
        assert [path.name for path in (tmp_path / "envois").iterdir()] == [usager]


class TestAReaderWhoLeft:
    """`… | head -1`: nothing is told to nobody, and what leaves does not wait to be read."""

    def piped(self, fresh_database: TestDatabase, usager: str, *more: str) -> "subprocess.CompletedProcess[str]":
        place = str(ask(fresh_database.owner_url, "SELECT structure_id FROM usager"))
        words = ("exchange", "send", usager, "--structure", place, "--to", "chu", "--ground", "loi", "--by", "marc")
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w") as out:
            done = subprocess.run(
                [sys.executable, "-m", "app.cli", *words, *LAW, *more],
                cwd=ROOT, input=f"{PASSWORD}\n", stdout=out, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        return done

    def test_what_is_only_shown_ends_silently(self, fresh_database: TestDatabase, usager: str):
        done = self.piped(fresh_database, usager, "--dry-run")
        assert (done.returncode, done.stderr) == (refusals.PIPE_CLOSED, "")

    def test_what_leaves_leaves_all_the_same(self, fresh_database: TestDatabase, usager: str, tmp_path: Path):
        done = self.piped(fresh_database, usager, "--folder", str(tmp_path / "envois"))
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / "envois" / usager / "manifest.json").exists()
        assert lines_of(fresh_database)[0] == 1


@pytest.mark.parametrize("name", ["CHU", "chu", " Chu "])
def test_a_partner_is_named_by_its_name_or_its_client_id(fresh_database: TestDatabase, usager: str, name: str):
    told = asked(fresh_database, usager, *LAW, "--dry-run", to=name)
    assert told.exit_code == 0, told.output


def test_a_structure_is_named_by_its_finess_or_its_name(fresh_database: TestDatabase, usager: str):
    for column in ("finess", "name"):
        place = str(
            ask(fresh_database.owner_url, f"SELECT s.{column} FROM structure s JOIN usager u ON u.structure_id = s.id")
        )
        told = asked(fresh_database, usager, *LAW, "--dry-run", place=place)
        assert told.exit_code == 0, told.output


@pytest.mark.parametrize(
    ("more", "ground", "words"),
    [
        (("--kind", "bananes"), "loi", "assessment (évaluations)"),
        (("--reason", "Malaise"), "vital", "choisissez quoi. (--kind)"),
        (("--kind", "transmission"), "echange", "(--informed)"),
        ((), "loi", "(--article)"),
    ],
)
def test_a_refusal_names_what_to_type(
    fresh_database: TestDatabase, usager: str, more: tuple[str, ...], ground: str, words: str
):
    told = asked(fresh_database, usager, *more, "--dry-run", ground=ground)
    assert (told.exit_code, words in told.output) == (1, True), told.output


def test_a_partner_that_nobody_knows_is_told_where_to_look(fresh_database: TestDatabase, usager: str):
    assert "« dui partner list »" in asked(fresh_database, usager, *LAW, "--dry-run", to="clinique").output


def test_what_stays_is_told_in_french(fresh_database: TestDatabase, usager: str):
    ask(
        fresh_database.owner_url,
        "UPDATE transmission SET visibility = 'withheld' WHERE id = (SELECT id FROM transmission LIMIT 1)",
    )
    told = asked(fresh_database, usager, *LAW, "--dry-run").output
    assert "1  notes : reste ici. Retenu" in told
    assert "transmission" not in told.partition("En FHIR")[0]
