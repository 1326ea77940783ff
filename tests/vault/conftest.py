"""A base with a life in it, sealed; what saves it, and empty bases to restore it into."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.audit import sealer
from app.kernel.postgres import Server
from app.vault import backup
from app.vault.backup import Saved
from tests import postgres
from tests.postgres import TestDatabase
from tests.world import World

NOTE = {"kind": "narrative", "text": "A bien dormi. Canari-4711."}


def seal(database: TestDatabase) -> int:
    async def main() -> int:
        connection = await asyncpg.connect(database.sealer_url)
        try:
            return await sealer.seal_all(connection)
        finally:
            await connection.close()

    return asyncio.run(main())


def written(world: World, usager: str = "jeanne", text: str = str(NOTE["text"])) -> str:
    body = {**NOTE, "text": text, "usager_id": str(world.ids[usager]), "structure_id": str(world.ids["ehpad"])}
    said = world.post("sonia", "/api/v1/transmissions", body)
    assert said.status_code == 201, said.text
    return str(said.json()["id"])


@pytest.fixture(scope="module")
def lived(world: World) -> World:
    """Notes, reads, links of the chain, a document."""
    for n in range(3):
        written(world, text=f"Note {n}. Canari-4711.")
    world.get("sonia", f"/api/v1/usagers/{world.ids['jeanne']}")
    (world.folder / "documents" / "2026").mkdir(parents=True)
    (world.folder / "documents" / "2026" / "livret.pdf").write_bytes(b"%PDF-1.7 livret" * 1000)
    assert seal(world.database)
    return world


def save(world: World, path: Path, passphrase: str | None = None) -> Saved:
    return asyncio.run(backup.save(world.database.owner_url, path, world.keyring, world.folder, passphrase=passphrase))


@pytest.fixture(scope="module")
def saved(lived: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Saved]:
    path = tmp_path_factory.mktemp("saved") / "dui.backup"
    return path, save(lived, path)


@pytest.fixture
def empty(cluster: Server) -> Iterator[TestDatabase]:
    with postgres.clone(cluster, None) as database:
        yield database
