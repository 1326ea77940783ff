"""The keys on live data: changed while the server answers, found again when cut, refused when they are not the right ones."""

import asyncio
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.kernel import crypto
from app.kernel.crypto import KeyFault, Keyring
from app.kernel.db import Database
from app.kernel.roles import write_secret
from app.main import create_app
from app.security import second_factor
from app.vault import restore, rotation
from app.vault.sealed import BackupFault
from tests.exchange.bundles import project
from tests.exchange.sending import sent
from tests.postgres import TestDatabase, ask
from tests.vault.conftest import save, written
from tests.world import ORIGIN, World

OLD = "SELECT count(*) FROM {} WHERE substr({}, 3, 4) = '\\x{}'"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "FOLLOWED_EVERY", 0.05)


@pytest.fixture(scope="module")
def full(lived: World) -> World:
    """With a number, changed once (a version remembers the first), a bundle, a telephone: every column that is sealed."""
    usager = lived.ids["jeanne"]
    said = lived.post("odile", f"/api/v1/usagers/{usager}/identifiers", {"system": "urn:local", "value": "A-1"})
    assert said.status_code == 201, said.text
    assert sent(lived, project()).status_code == 200
    asyncio.run(_telephone(lived))
    return lived


async def _telephone(world: World) -> None:
    base = Database(world.database.owner_url, 1)
    async with base.session(None) as session:
        await second_factor.begin(session, world.keyring, world.ids["sonia_account"], "sonia")
        await session.commit()
    await base.close()


def turn(world: World) -> rotation.Turned:
    path, url = world.folder / "keys.json", world.database.owner_url
    return asyncio.run(rotation.rotate(url, path, settle=0.2, tell=lambda _: None))


def ids(world: World) -> list[str]:
    return [key["id"] for key in json.loads((world.folder / "keys.json").read_text())["keys"]]


def counts(world: World, key: str) -> dict[str, int]:
    return {s.table: world.rows(OLD.format(s.table, s.column, key))[0]["count"] for s in rotation.SEALED}


def numbers(world: World) -> Any:
    return [
        n["value"] for n in world.get("odile", f"/api/v1/usagers/{world.ids['jeanne']}/identifiers").json()["items"]
    ]


@pytest.mark.threat("keys-rotation-misses")
def test_every_sealed_column_has_a_value_here(full: World) -> None:
    """Else the trials below would hold of nothing."""
    assert {table for table, count in counts(full, ids(full)[0]).items() if not count} == set()


@pytest.mark.threat("keys-rotation-misses")
def test_nothing_needs_the_old_key_and_everything_still_opens(full: World) -> None:
    old, before = ids(full)[0], numbers(full)
    done = turn(full)
    assert set(counts(full, old).values()) == {0}
    assert (ids(full)[1], done.key, done.versions >= 1) == (old, ids(full)[0], True)
    assert numbers(full) == before
    assert asyncio.run(rotation.retire(full.database.owner_url, full.folder / "keys.json"))
    assert ids(full) == [done.key]
    full.keyring.follow(at_once=True)
    assert numbers(full) == before
    with TestClient(create_app(full.client.app.state.settings), base_url=ORIGIN) as client:  # type: ignore[attr-defined]
        place = f"/api/v1/usagers/{full.ids['jeanne']}/identifiers"
        assert client.get(place, headers=full.bearers["odile"]).json()["items"][0]["value"] == "A-1"


@pytest.mark.threat("keys-rotation-misses")
def test_a_version_that_remembers_a_value_under_another_key_is_seen(full: World) -> None:
    """Inside a snapshot nothing shows from outside: it is opened."""

    async def seen() -> tuple[int, int]:
        connection = await asyncpg.connect(full.database.owner_url)
        try:
            keyring = Keyring.load(full.folder / "keys.json")
            later = {**keyring.keys, b"\1\2\3\4": bytes(range(32))}
            ahead = Keyring(later, b"\1\2\3\4", keyring.index, signing=keyring.signing)
            now = await rotation._turn_versions(connection, keyring, count_only=True)  # noqa: SLF001
            return now, await rotation._turn_versions(connection, ahead, count_only=True)  # noqa: SLF001
        finally:
            await connection.close()

    now, ahead = asyncio.run(seen())
    assert (now, ahead >= 1) == (0, True)


@pytest.mark.threat("keys-rotation-cut")
@pytest.mark.parametrize("step", range(1, len(rotation.SEALED) + 2))
def test_cut_at_any_step_it_goes_on_with_the_same_key(full: World, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies once `step` tables are turned (the last: in the middle of the versions)."""
    seen, turned, versions = [0], rotation._turn, rotation._turn_versions  # noqa: SLF001

    async def dying(*args: Any) -> int:
        seen[0] += 1
        if seen[0] == step:
            raise KeyboardInterrupt
        return await turned(*args)

    async def dying_too(*args: Any, **more: Any) -> int:
        if seen[0] and not more:
            raise KeyboardInterrupt
        return await versions(*args, **more)

    before = ids(full)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_turn", dying)
        patch.setattr(rotation, "_turn_versions", dying_too)
        with pytest.raises(KeyboardInterrupt):
            turn(full)
    begun = ids(full)
    assert len(begun) == len(before) + 1
    assert numbers(full)
    turn(full)
    assert ids(full) == begun
    assert asyncio.run(rotation.retire(full.database.owner_url, full.folder / "keys.json"))
    assert numbers(full)


@pytest.mark.threat("keys-rotation-while-serving")
def test_requests_are_served_meanwhile(full: World) -> None:
    stop, statuses = threading.Event(), list[int]()

    def using() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            written(full)
            place = f"/api/v1/usagers/{full.ids['karim']}/identifiers"
            said = {"system": f"urn:local:{n}", "value": f"B-{n}"}
            statuses.append(full.post("odile", place, said).status_code)
            statuses.append(full.get("odile", place).status_code)

    thread = threading.Thread(target=using)
    thread.start()
    try:
        old = ids(full)[0]
        turn(full)
        in_all = len(statuses)
    finally:
        stop.set()
        thread.join()
    assert in_all > 2
    assert set(statuses) == {200, 201}
    assert set(counts(full, old).values()) == {0}


@pytest.mark.threat("keys-retired-too-soon")
def test_a_key_that_still_serves_is_not_retired(full: World) -> None:
    path = full.folder / "keys.json"
    before = path.read_text()
    told = json.loads(before)
    new = {"id": "0a0b0c0d", "key": bytes(range(32)).hex()}
    write_secret(path, json.dumps({**told, "keys": [new, *told["keys"]]}))
    try:
        with pytest.raises(KeyFault, match=r"usager_key\.wrapped"):
            asyncio.run(rotation.retire(full.database.owner_url, path))
        assert ids(full)[1:] == [key["id"] for key in told["keys"]]
    finally:
        write_secret(path, before)


def test_a_backup_of_before_opens_with_the_key_put_aside(full: World, empty: TestDatabase, tmp_path: Path) -> None:
    full.keyring.follow(at_once=True)
    save(full, tmp_path / "x.backup")
    old = ids(full)[0]
    turn(full)
    asyncio.run(rotation.retire(full.database.owner_url, full.folder / "keys.json"))
    aside = full.folder / rotation.RETIRED.format(old)
    with pytest.raises(BackupFault, match="clé absente"):
        restore.load(empty.owner_url, tmp_path / "x.backup", Keyring.load(full.folder / "keys.json"), tmp_path)
    assert restore.load(empty.owner_url, tmp_path / "x.backup", Keyring.load(aside), tmp_path).rows


class TestStart:
    """The server does not start without the key file, nor with one that does not open what is there."""

    @pytest.fixture
    def folder(self, full: World, tmp_path: Path) -> Path:
        shutil.copy(full.folder / "keys.json", tmp_path / "keys.json")
        return tmp_path

    def start(self, world: World, folder: Path) -> None:
        config = Settings(database_url=world.database.app_url, key_file=folder / "keys.json", demo=True, pool_size=1)
        with TestClient(create_app(config), base_url=ORIGIN):
            pass

    def change(self, folder: Path, **told: Any) -> None:
        path = folder / "keys.json"
        write_secret(path, json.dumps({**json.loads(path.read_text()), **told}))

    def test_with_its_own_it_starts(self, full: World, folder: Path) -> None:
        self.start(full, folder)

    @pytest.mark.threat("keys-absent")
    def test_without_one(self, full: World, folder: Path) -> None:
        (folder / "keys.json").unlink()
        with pytest.raises(KeyFault, match="absent ou illisible"):
            self.start(full, folder)

    @pytest.mark.threat("keys-absent")
    def test_readable_by_others(self, full: World, folder: Path) -> None:
        (folder / "keys.json").chmod(0o644)
        with pytest.raises(KeyFault, match="chmod 600"):
            self.start(full, folder)

    @pytest.mark.threat("keys-of-another-base")
    def test_of_another_base(self, full: World, folder: Path) -> None:
        (folder / "keys.json").unlink()
        Keyring.create(folder / "keys.json", demo=True)
        with pytest.raises(KeyFault, match="n'ouvre pas ce que contient cette base"):
            self.start(full, folder)

    @pytest.mark.threat("keys-of-another-base")
    def test_of_another_base_under_the_same_name(self, full: World, folder: Path) -> None:
        [key, *_] = json.loads((folder / "keys.json").read_text())["keys"]
        self.change(folder, keys=[{**key, "key": bytes(range(32)).hex()}])
        with pytest.raises(KeyFault, match="n'ouvre pas"):
            self.start(full, folder)

    @pytest.mark.threat("keys-of-another-base")
    def test_with_another_index(self, full: World, folder: Path) -> None:
        self.change(folder, index=bytes(range(32)).hex())
        with pytest.raises(KeyFault, match="n'ouvre pas"):
            self.start(full, folder)

    @pytest.mark.threat("keys-of-another-base")
    def test_a_base_older_than_the_proof_is_asked_for_a_person_s_key(self, full: World, folder: Path) -> None:
        ask(full.database.owner_url, "CREATE TABLE kept AS SELECT * FROM key_check", "DELETE FROM key_check")
        try:
            (folder / "keys.json").unlink()
            Keyring.create(folder / "keys.json", demo=True)
            with pytest.raises(KeyFault, match="n'ouvre pas"):
                self.start(full, folder)
            assert ask(full.database.owner_url, "SELECT count(*) FROM key_check") == 0
            shutil.copy(full.folder / "keys.json", folder / "keys.json")
            self.start(full, folder)
            assert ask(full.database.owner_url, "SELECT count(*) FROM key_check") == 1
        finally:
            ask(
                full.database.owner_url,
                "DELETE FROM key_check",
                "INSERT INTO key_check SELECT * FROM kept",
                "DROP TABLE kept",
            )


def test_a_file_broken_meanwhile_changes_nothing(tmp_path: Path) -> None:
    ring = Keyring.create(tmp_path / "keys.json")
    sealed = ring.seal(b"x", "y")
    (tmp_path / "keys.json").write_text("{")
    ring.follow(at_once=True)
    assert ring.open(sealed, "y") == b"x"
    (tmp_path / "keys.json").unlink()
    ring.follow(at_once=True)
    assert ring.open(sealed, "y") == b"x"
