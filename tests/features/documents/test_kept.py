"""Where the bytes of documents go: in the base or beside it, in the person's copy, nowhere once they are erased."""

import asyncio
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest

from app.kernel import objects
from app.kernel.crypto import KeyFault
from app.kernel.objects import Misplaced
from app.vault import forgetting
from app.vault.copy.page import page
from tests.features.documents.papers import HTML, PATH, PDF, PNG, filed, told
from tests.vault.leaving import acted
from tests.vault.test_copy import copied
from tests.world import World


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Iterator[Path]:
    """This server keeps its files in a folder, as long as the test lasts."""
    state = world.client.app.state  # type: ignore[attr-defined]
    before, state.objects = state.objects, objects.opened(f"file://{quote(str(tmp_path / 'là'))}")
    yield tmp_path / "là"
    state.objects = before
    world.rows("DELETE FROM document WHERE content_id IN (SELECT id FROM content WHERE object IS NOT NULL)")
    world.rows("DELETE FROM content WHERE object IS NOT NULL")


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class TestFolder:
    @pytest.mark.threat("file-path-traversal")
    def test_bytes_lie_sealed_under_names_of_ours(self, world: World, folder: Path):
        place = filed(world, PDF + b"% canari", title="../../etc/passwd")
        [path] = stored(folder)
        assert re.fullmatch(r"[0-9a-f-]{36}/[0-9a-f-]{36}", str(path.relative_to(folder)))
        assert b"canari" not in path.read_bytes()
        assert world.get("sonia", place + "/content").content == PDF + b"% canari"

    def test_what_is_refused_is_never_put_away(self, world: World, folder: Path):
        refused = world.post("yann", PATH, told(world))
        assert refused.status_code == 404
        assert world.post("sonia", PATH, told(world, HTML)).status_code == 422
        assert not folder.exists() or stored(folder) == []

    def test_a_row_is_not_written_when_its_bytes_cannot_be(
        self, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
    ):
        async def full(*_: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(objects.Objects, "put", full)
        before = world.rows("SELECT count(*) FROM document")
        assert world.post("sonia", PATH, told(world)).status_code == 503
        assert world.rows("SELECT count(*) FROM document") == before

    def test_each_is_listed_and_can_be_taken_away(self, folder: Path):
        kept = objects.opened(f"file://{quote(str(folder))}")
        assert kept is not None

        async def told() -> list[str]:
            await kept.put("a/b", b"x")
            names = [name async for name, _ in kept.names()]
            await kept.delete("a/b")
            return names + [name async for name, _ in kept.names()]

        assert asyncio.run(told()) == ["a/b"]

    def test_a_file_lost_is_told_as_a_fault_never_as_an_empty_paper(self, world: World, folder: Path):
        place = filed(world, PDF + b"% perdu")
        [path] = stored(folder)
        path.unlink()
        with pytest.raises(KeyFault):
            world.get("sonia", place + "/content")

    def test_a_store_no_longer_told_of_is_a_fault(self, world: World, folder: Path):
        place = filed(world, PDF + b"% ailleurs")
        state = world.client.app.state  # type: ignore[attr-defined]
        elsewhere, state.objects = state.objects, None
        with pytest.raises(KeyFault):
            world.get("sonia", place + "/content")
        state.objects = elsewhere
        assert world.get("sonia", place + "/content").status_code == 200

    def test_the_paper_of_another_is_never_opened(self, world: World):
        """A row that leads to bytes of someone else: an altered base, never a way to read them."""
        hers, other = (filed(world, PDF + word) for word in (b"% une", b"% autre"))
        moved = "UPDATE content SET usager_id = $2 WHERE id = (SELECT content_id FROM document WHERE id = $1)"
        world.rows(moved, UUID(other.rpartition("/")[2]), world.ids["ines"])
        with pytest.raises(KeyFault):
            world.get("sonia", other + "/content")
        world.rows(moved, UUID(other.rpartition("/")[2]), world.ids["jeanne"])
        assert world.get("sonia", hers + "/content").status_code == 200


@pytest.mark.parametrize("place", ["", "ici", "file://ailleurs/x", "file:relatif", "http://x/y", "s3://"])
def test_another_place_is_refused(place: str):
    with pytest.raises(Misplaced):
        objects.opened(place)


class TestCopy:
    def test_the_file_is_in_the_copy_of_the_person(self, world: World):
        id = filed(world, PNG, title="Photo du jardin").rpartition("/")[2]
        copy = copied(world)
        [row] = [row for row in copy.sections["document"] if row["id"] == id]
        assert b64decode(row["file"]["data"]) == PNG
        assert 'download="Photo du jardin.png" href="data:application/octet-stream;base64,' in page(copy)


@pytest.mark.threat("file-after-erasure")
def test_nothing_is_left_of_someone_erased(world: World):
    filed(world, by="marc", who="ines", place="mecs")
    ines = world.ids["ines"]
    acted(world, lambda session: forgetting.forget(session, world.organisation, ines))
    for table in ("document", "content", "usager_key"):
        assert world.rows(f"SELECT 1 FROM {table} WHERE usager_id = $1", ines) == []
