"""Which Postgres is run: the one chosen, else the wheel's, else the system's; the one an existing base needs."""

import os
import shutil
from pathlib import Path

import pytest

from app.kernel import engine
from app.kernel.engine import Account, Engine, PostgresFault, find


def fake(folder: Path, version: str) -> Path:
    """A program that only says its version."""
    folder.mkdir(parents=True)
    program = folder / "postgres"
    program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
    program.chmod(0o755)
    return folder


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no wheel and an empty PATH."""
    monkeypatch.delenv("DUI_PG_BIN", raising=False)
    monkeypatch.setattr(engine, "SYSTEM", str(tmp_path / "system"))
    monkeypatch.setattr(engine, "wheel_bin", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path / "system"


def test_the_wheel_is_found_first() -> None:
    assert find().major == 18
    assert find().bin == engine.wheel_bin()


def test_without_the_wheel_the_newest_of_the_system(system: Path) -> None:
    fake(system / "9.6" / "bin", "9.6.24")
    fake(system / "15" / "bin", "15.9")
    fake(system / "17" / "bin", "17.2 (Debian 17.2-1)")
    assert find() == Engine(system / "17" / "bin", 17)


def test_an_existing_base_gets_its_own_version(system: Path) -> None:
    fake(system / "15" / "bin", "15.9")
    fake(system / "17" / "bin", "17.2")
    assert find(15).bin == system / "15" / "bin"


def test_else_the_one_of_the_path(system: Path, tmp_path: Path) -> None:
    folder = fake(tmp_path / "path", "16.1")
    assert find().bin == folder


def test_the_one_chosen_is_the_only_one(system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(system / "17" / "bin", "17.2")
    monkeypatch.setenv("DUI_PG_BIN", str(tmp_path / "nowhere"))
    with pytest.raises(PostgresFault, match="Aucun PostgreSQL"):
        find()


def test_too_old_is_none(system: Path) -> None:
    fake(system / "14" / "bin", "14.1")
    with pytest.raises(PostgresFault, match="Aucun PostgreSQL"):
        find()


def test_a_program_that_is_not_postgres_is_none(system: Path) -> None:
    (fake(system / "15" / "bin", "15.1") / "postgres").write_text("#!/bin/sh\necho hello\n")
    with pytest.raises(PostgresFault, match="Aucun PostgreSQL"):
        find()


def test_the_version_a_base_needs_is_named(system: Path) -> None:
    fake(system / "17" / "bin", "17.2")
    with pytest.raises(PostgresFault, match="PostgreSQL 15"):
        find(15)


@pytest.mark.skipif(os.geteuid() != 0, reason="this account may not become another")
class TestAsRoot:
    @pytest.fixture
    def closed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A wheel in a folder that only root may go through, and an open place to copy it to."""
        tmp_path.chmod(0o700)
        package = engine.wheel_bin().parent.parent
        copy = shutil.copytree(package, tmp_path / package.name, symlinks=True)
        libraries = f"{package.name}.libs"
        shutil.copytree(package.with_name(libraries), tmp_path / libraries)
        monkeypatch.setattr(engine, "wheel_bin", lambda: copy / "pginstall" / "bin")
        return tmp_path

    def test_a_wheel_out_of_reach_is_copied_once(self, closed: Path, tmp_path_factory) -> None:
        account = Account(engine.SERVICE_UID)
        near = find().within_reach(account)
        assert closed not in near.bin.parents
        assert account.run([near.command("initdb"), "--version"]).returncode == 0
        made = near.bin.stat().st_mtime_ns
        assert find().within_reach(account) == near
        assert near.bin.stat().st_mtime_ns == made
        shutil.rmtree(near.bin.parents[2])

    def test_a_system_engine_out_of_reach_is_refused(self, closed: Path) -> None:
        folder = fake(closed / "mine" / "bin", "17.2")
        with pytest.raises(PostgresFault, match="lisible"):
            Engine(folder, 17).within_reach(Account(engine.SERVICE_UID))

    def test_a_machine_without_an_ordinary_account_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engine.pwd, "getpwall", list)
        with pytest.raises(PostgresFault, match="sans être root"):
            engine.named()

    def test_a_system_that_cannot_be_written_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setattr(engine, "ROOT_HOME", tmp_path / "file" / "home")
        with pytest.raises(PostgresFault, match="DATABASE_URL"):
            engine.root_home()
