"""Whatever is typed, what could not be done is one sentence in French: no library's words, which may quote a value."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from app import start
from app.cli import house, refusals, vault
from app.config import settings
from tests.cli.conftest import ROOT, alone, typed
from tests.postgres import TestDatabase, free_port

SECRET = "n0t-to-be-said"
OWNER, SEALER = "DUI_OWNER_DATABASE_URL", "DUI_SEALER_DATABASE_URL"
TYPED = [
    "settings show",
    "settings answer tls Oui",
    "organisation add Tilleuls",
    "structure list",
    "account list",
    "account disable helene",
    "partner list",
    "audit verify",
    "audit head",
    "audit export {folder}/trail",
    "backup {folder}/dui.backup",
    "erasure list",
    "erasure run --certificates {folder}",
    "keys rotate",
    "keys retire",
    "seed",
]
MIGRATE = "migrate"


@pytest.fixture
def type_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def type_in(line: str, **told: str) -> Result:
        for name, value in {"DUI_DATA": str(tmp_path), **told}.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        done = typed(*line.format(folder=tmp_path).split())
        assert SECRET not in done.output
        return done

    return type_in


def one_sentence(done: Result) -> str:
    assert done.exit_code in (1, 2)
    lines = done.output.strip().splitlines()
    assert len(lines) == 1, done.output
    return lines[0]


@pytest.mark.parametrize("line", TYPED)
def test_a_base_that_does_not_answer(line: str, type_in: Callable[..., Result]):
    away = f"postgresql://dui_owner:{SECRET}@127.0.0.1:{free_port()}/dui"
    said = one_sentence(type_in(line, DUI_OWNER_DATABASE_URL=away, DUI_SEALER_DATABASE_URL=away))
    assert said == start.NO_BASE.format(refusals.ADDRESSES)


@pytest.mark.parametrize("line", ["settings show", "account list", "audit verify", "backup {folder}/b"])
def test_a_role_that_the_base_refuses(line: str, environment: TestDatabase, type_in: Callable[..., Result]):
    other = environment.owner_url.replace("dui_owner:", f"dui_other:{SECRET}")
    said = one_sentence(type_in(line, DUI_OWNER_DATABASE_URL=other, DUI_SEALER_DATABASE_URL=other))
    assert said == start.NO_ENTRY.format(refusals.ADDRESSES)


@pytest.mark.parametrize("line", ["settings show", "organisation add Tilleuls", "account list", "audit verify"])
def test_a_base_without_its_tables(line: str, environment: TestDatabase, type_in: Callable[..., Result]):
    empty = environment.owner_url.replace(environment.name, "template1")
    assert one_sentence(type_in(line, DUI_OWNER_DATABASE_URL=empty)) == start.NO_TABLES


@pytest.mark.parametrize("line", ["settings answer tls Oui", "account list"])
def test_a_role_without_the_right(line: str, environment: TestDatabase, type_in: Callable[..., Result]):
    said = one_sentence(type_in(line, DUI_OWNER_DATABASE_URL=environment.sealer_url))
    assert said == start.NOT_ALLOWED.format(refusals.ADDRESSES)


def test_a_migration_towards_a_base_that_does_not_answer_interrupted_nothing(type_in: Callable[..., Result]):
    away = f"postgresql://dui_owner:{SECRET}@127.0.0.1:{free_port()}/dui"
    said = one_sentence(type_in(MIGRATE, DUI_OWNER_DATABASE_URL=away))
    assert ("n'a pas répondu" in said, "Rien n'est changé" in said, "interrompue" in said) == (True, True, False)


def test_a_migration_under_a_refused_role_says_so(environment: TestDatabase, type_in: Callable[..., Result]):
    other = environment.owner_url.replace("dui_owner:", f"dui_other:{SECRET}")
    assert "refuse le rôle de DUI_OWNER_DATABASE_URL" in one_sentence(type_in(MIGRATE, DUI_OWNER_DATABASE_URL=other))


@pytest.mark.parametrize("line", ["audit keys", "audit head", "backup {folder}/b", "keys sign", "account link h sub"])
def test_no_key_file(line: str, type_in: Callable[..., Result]):
    said = one_sentence(type_in(line, DUI_KEY_FILE="/nowhere/keys.json"))
    assert ("dui keys create" in said, "gardée ailleurs" in said) == (True, True)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("audit export /nowhere/trail.gz", "trail.gz"),
        ("backup /nowhere/dui.backup", "dui.backup"),
        ("backup {folder}/b --passphrase-file /nowhere/phrase", "phrase"),
        ("restore --check /nowhere/dui.backup", "dui.backup"),
    ],
)
def test_a_file_that_is_not_there(line: str, named: str, type_in: Callable[..., Result]):
    said = one_sentence(type_in(line))
    assert (named in said, "Errno" in said) == (True, False)


def test_a_disk_that_is_full(type_in: Callable[..., Result], monkeypatch: pytest.MonkeyPatch):
    async def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(vault.backups, "save", full)
    assert one_sentence(type_in("backup {folder}/dui.backup")) == start.FULL


def test_what_nobody_foresaw_is_not_hidden(monkeypatch: pytest.MonkeyPatch):
    async def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(house, "_answers", broken)
    with pytest.raises(ZeroDivisionError):
        typed("settings", "show")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("exchange send", "Il manque usagers (Les numéros internes des personnes)."),
        ("exchange send 185057800608436", "usagers"),
        ("account add 185057800608436 --role 185057800608436", "'educateur'"),
        ("audit verify --185057800608436", "n'a pas une de ces options"),
        ("audit verify 185057800608436", "un mot de trop"),
        ("185057800608436", "Cette commande n'existe pas."),
        ("fhir install {folder}/absent.tgz", "n'existe pas"),
    ],
)
def test_what_is_mistyped_is_told_in_french_and_never_said_again(line: str, words: str, type_in: Callable[..., Result]):
    said = one_sentence(type_in(line))
    assert words in said
    assert "185057800608436" not in said


def test_the_command_goes_by_its_name():
    assert "Usage: dui exchange" in alone("exchange", "--help").stdout


def test_a_reader_who_left_is_no_silent_base(tmp_path: Path):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "app.cli", "audit", "verify"]
    with os.fdopen(write, "w") as out:
        env = {**os.environ, "DUI_DATA": str(tmp_path)}
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (refusals.PIPE_CLOSED, "")
