"""A key file and, for the tests that need one, the floor's database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.kernel.crypto import Keyring
from app.kernel.db import Database
from tests.postgres import TestDatabase


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture
def other_keyring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keys.json")


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    """The application's own connection: whatever it is not granted fails here too."""
    pool = Database(database.app_url, 8)
    yield pool
    await pool.close()
