"""A life written by an older version, read by this one: rows, versions and traces as they were, the chain whole.

`upgrade/` holds backups of the demonstration as older versions made it, each with its (demo) key file.
"""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from starlette.testclient import TestClient

from app.audit import verify
from app.config import Settings
from app.kernel import migrations
from app.kernel.crypto import Keyring
from app.main import create_app
from app.vault import check, restore, tables
from app.vault.backup import Saved
from tests.postgres import TestDatabase, ask
from tests.vault.conftest import seal
from tests.world import ORIGIN, World

OLDER = sorted((Path(__file__).parent / "upgrade").glob("*.backup"))
# What a later migration rightly rewrites, by table: its rows are counted, not compared.
REWRITTEN = {"audit_seal": "", "cluster_epoch": "a restore opens an epoch"}

# What a later migration says by another column, by table: compared by a test of its own.
SAID_OTHERWISE = {("sharing_consent", "both_parents")}


def keyring(file: Path, folder: Path) -> Keyring:
    shutil.copy(file.with_name(f"{file.stem}.keys.json"), folder / "keys.json")
    (folder / "keys.json").chmod(0o600)
    return Keyring.load(folder / "keys.json")


async def told(url: str, then: list[tables.Table]) -> dict[str, tables.Told]:
    """The tables, by the columns they had then."""
    connection = await asyncpg.connect(url, server_settings=tables.SETTINGS)
    try:
        return {table.name: await tables.stream(connection, table) for table in then}
    finally:
        await connection.close()


async def known(url: str) -> list[tables.Table]:
    connection = await asyncpg.connect(url, server_settings=tables.SETTINGS)
    try:
        found = await tables.tables(connection)
        return [replace(t, columns=tuple(c for c in t.columns if (t.name, c) not in SAID_OTHERWISE)) for t in found]
    finally:
        await connection.close()


async def broken(url: str) -> list[str | None]:
    """Why, of each chain that no longer holds."""
    connection = await asyncpg.connect(url)
    try:
        verdicts = [v async for v in verify.verify_all(connection)]
        assert sum(v.links for v in verdicts) > 0
        return [v.why for v in verdicts if v.broken is not None]
    finally:
        await connection.close()


@pytest.mark.threat("fault-upgrade-loses")
@pytest.mark.parametrize("file", OLDER, ids=lambda path: f"from {path.stem}")
class TestOlder:
    def loaded(self, file: Path, empty: TestDatabase, folder: Path) -> Saved:
        return restore.load(empty.owner_url, file, keyring(file, folder), folder)

    def test_rows_versions_and_traces_are_unchanged(self, file: Path, empty: TestDatabase, tmp_path: Path) -> None:
        saved = self.loaded(file, empty, tmp_path)
        assert saved.revision == file.stem
        then = [t for t in asyncio.run(known(empty.owner_url)) if t.name not in REWRITTEN]
        before = asyncio.run(told(empty.owner_url, then))
        migrations.upgrade(empty.owner_url)
        assert asyncio.run(told(empty.owner_url, then)) == before
        assert before["entry_version"].rows > 20

    def test_the_chain_holds_and_the_keys_open(self, file: Path, empty: TestDatabase, tmp_path: Path) -> None:
        saved = self.loaded(file, empty, tmp_path)
        ring = Keyring.load(tmp_path / "keys.json")
        report = check.prove(empty.owner_url, empty.app_url, file, saved, ring, tmp_path / "documents")
        assert (report.wrong, report.links >= 1) == ([], True)

    def test_the_application_starts_on_it_and_a_person_is_read(
        self, file: Path, empty: TestDatabase, tmp_path: Path
    ) -> None:
        restore.restore(empty.owner_url, file, keyring(file, tmp_path), tmp_path)
        config = Settings(database_url=empty.app_url, key_file=tmp_path / "keys.json", demo=True, pool_size=1)
        with TestClient(create_app(config), base_url=ORIGIN) as client:
            assert client.get("/readyz").status_code == 200
        assert ask(empty.owner_url, "SELECT count(*) FROM usager") == 4


def test_what_asked_both_parents_still_does(empty: TestDatabase, tmp_path: Path) -> None:
    file = next(path for path in OLDER if path.stem == "0012")
    restore.load(empty.owner_url, file, keyring(file, tmp_path), tmp_path)
    before = ask(empty.owner_url, "SELECT count(*) FROM sharing_consent WHERE both_parents")
    migrations.upgrade(empty.owner_url)
    assert ask(empty.owner_url, "SELECT count(*) FROM sharing_consent WHERE act = 'non_usuel'") == before > 0


def test_an_older_life_is_there_to_upgrade_from() -> None:
    assert [path.stem for path in OLDER][:2] == ["0002", "0012"]


@pytest.mark.threat("fault-upgrade-loses")
def test_the_last_migration_keeps_a_life_of_today(
    lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
) -> None:
    """Undone, then done again, with everything in."""
    restore.load(empty.owner_url, saved[0], lived.keyring, tmp_path)
    migrations.downgrade(empty.owner_url, "-1")
    then = asyncio.run(known(empty.owner_url))
    before = asyncio.run(told(empty.owner_url, then))
    migrations.upgrade(empty.owner_url)
    assert asyncio.run(told(empty.owner_url, then)) == before
    assert before["audit_entry"].rows > 3
    seal(empty)
    assert asyncio.run(broken(empty.owner_url)) == []
