"""Files beside the base: saved with it, erased with the person, and what nobody names swept, never what is arriving."""

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from obstore.store import MemoryStore

from app.kernel import objects
from app.kernel.objects import Objects
from app.vault import backup, check, files, forgetting, restore
from tests.features.documents.papers import PDF, filed
from tests.postgres import TestDatabase
from tests.vault.leaving import acted
from tests.world import World

OLD = 2 * 24 * 3600.0  # seconds


@pytest.fixture(params=["folder", "memory"])
def store(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Objects]:
    """Where this server keeps its files, as long as the test lasts."""
    state = world.client.app.state  # type: ignore[attr-defined]
    memory = Objects(MemoryStore())
    kept = memory if request.param == "memory" else objects.opened(f"file://{quote(str(tmp_path / 'là'))}")
    before, state.objects = state.objects, kept
    yield kept  # type: ignore[misc]
    state.objects = before
    world.rows("DELETE FROM document WHERE content_id IN (SELECT id FROM content WHERE object IS NOT NULL)")
    world.rows("DELETE FROM content WHERE object IS NOT NULL")


async def _names(store: Objects) -> set[str]:
    return {name async for name, _ in store.names()}


def names(store: Objects) -> set[str]:
    return asyncio.run(_names(store))


def look(world: World, store: Objects | None, grace: timedelta = files.GRACE) -> files.Found:
    return asyncio.run(files.look(world.database.owner_url, store, grace))


def sweep(world: World, store: Objects, grace: timedelta = files.GRACE) -> list[str]:
    return asyncio.run(files.sweep(world.database.owner_url, store, grace))


def put(store: Objects, name: str) -> str:
    asyncio.run(store.put(name, b"sealed"))
    return name


NOW = timedelta(seconds=-5)  # a grace that even what was just put is past


def test_what_a_row_names_is_there_and_stays(world: World, store: Objects) -> None:
    place = filed(world)
    assert look(world, store, NOW) == files.Found(1, [], [])
    assert sweep(world, store, NOW) == []
    assert world.get("sonia", f"{place}/content").content == PDF


def test_what_nobody_names_is_swept_once(world: World, store: Objects) -> None:
    filed(world)
    left = put(store, f"{world.organisation}/{uuid4()}")
    assert look(world, store, NOW).unnamed == [left]
    assert (sweep(world, store, NOW), sweep(world, store, NOW)) == ([left], [])
    assert len(names(store)) == 1


@pytest.mark.threat("file-swept-while-put")
def test_what_is_being_put_away_is_left_alone(world: World, store: Objects) -> None:
    young = put(store, f"{world.organisation}/{uuid4()}")
    assert sweep(world, store) == []
    assert young in names(store)


@pytest.mark.threat("file-swept-while-put")
def test_what_is_not_of_ours_is_left_alone(world: World, store: Objects) -> None:
    other = put(store, "photos/vacances.jpg")
    assert sweep(world, store, NOW) == []
    assert other in names(store)


def test_what_is_lost_is_told(world: World, store: Objects) -> None:
    filed(world)
    [name] = names(store)
    asyncio.run(store.delete(name))
    assert look(world, store) == files.Found(1, [name], [])


def test_taken_away_twice_is_no_fault(store: Objects) -> None:
    asyncio.run(files.take_away(store, ["a/b", "a/b"]))


def test_a_store_that_is_not_told_of_is_seen(world: World, store: Objects) -> None:
    filed(world)
    assert look(world, None).named == 1


@pytest.mark.threat("file-after-erasure")
def test_the_files_of_someone_erased_are_known_before_their_rows_go(world: World, store: Objects) -> None:
    filed(world, by="marc", who="karim", place="mas_fam")
    filed(world)
    karim, there = world.ids["karim"], names(store)
    left = acted(world, lambda session: forgetting.objects_of(session, world.organisation, karim))
    [of_karim] = world.rows("SELECT object FROM content WHERE usager_id = $1 AND object IS NOT NULL", karim)
    assert left == [of_karim["object"]]
    asyncio.run(files.take_away(store, left))
    assert names(store) == there - set(left)


class TestSaved:
    @pytest.fixture
    def folder(self, world: World, tmp_path: Path) -> Iterator[Path]:
        state = world.client.app.state  # type: ignore[attr-defined]
        before, state.objects = state.objects, objects.opened(f"file://{tmp_path / 'papers'}")
        yield tmp_path / "papers"
        state.objects = before
        world.rows("DELETE FROM document WHERE content_id IN (SELECT id FROM content WHERE object IS NOT NULL)")
        world.rows("DELETE FROM content WHERE object IS NOT NULL")

    @pytest.mark.once
    def test_a_folder_elsewhere_is_saved_and_given_back(
        self, world: World, folder: Path, empty: TestDatabase, tmp_path: Path
    ) -> None:
        filed(world)
        [path] = [p for p in folder.rglob("*") if p.is_file()]
        file, back = tmp_path / "dui.backup", tmp_path / "back"
        saved = asyncio.run(backup.save(world.database.owner_url, file, world.keyring, tmp_path / "data", files=folder))
        assert [*saved.files] == [str(path.relative_to(folder))]
        restore.load(empty.owner_url, file, world.keyring, tmp_path / "data", files=back)
        assert (back / path.relative_to(folder)).read_bytes() == path.read_bytes()
        other = objects.opened(f"file://{back}")
        assert asyncio.run(files.look(empty.owner_url, other)) == files.Found(1, [], [])

    @pytest.mark.once
    def test_a_file_missing_from_a_backup_is_told_by_its_trial(
        self, world: World, folder: Path, tmp_path: Path
    ) -> None:
        for word in (b"% un", b"% deux"):
            filed(world, PDF + word)
        lost = next(p for p in folder.rglob("*") if p.is_file())
        lost.unlink()
        file = tmp_path / "dui.backup"
        asyncio.run(backup.save(world.database.owner_url, file, world.keyring, tmp_path / "data", files=folder))
        report = check.check(file, world.keyring, scratch=tmp_path)
        assert report.wrong == [f"document {lost.relative_to(folder)} : sa ligne est là, pas son fichier"]


def test_age_is_that_of_the_file(world: World, tmp_path: Path) -> None:
    kept = objects.opened(f"file://{tmp_path}")
    assert kept is not None
    name = put(kept, f"{UUID(int=1)}/{UUID(int=2)}")
    assert look(world, kept).unnamed == []
    os.utime(tmp_path / name, (time.time() - OLD,) * 2)
    assert look(world, kept).unnamed == [name]
