"""A key file, a house with its people, and the application's own connection: what it is not granted fails here too."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import app.schema  # noqa: F401  every table is known
from app.access.models import Membership, Professional
from app.features.structures.models import Organisation, Structure
from app.features.usagers.models import Usager
from app.kernel.clock import today
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.security import accounts, jose, partners
from tests.postgres import TestDatabase
from tests.security import keys

PASSWORD = "le lac au printemps"


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture
def other_keyring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keys.json")


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    pool = Database(database.app_url, 8)
    yield pool
    await pool.close()


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[Database]:
    pool = Database(database.owner_url, 2)
    yield pool
    await pool.close()


@dataclass(frozen=True)
class House:
    """One organisation of two structures; Sonia works there, Jeanne lives there, the CHU sends to it."""

    id: UUID
    ehpad: UUID
    ime: UUID
    jeanne: UUID
    sonia: UUID  # the professional
    account: UUID
    login: str
    membership: UUID
    chu: UUID
    client_id: str


@pytest.fixture
async def house(owner: Database) -> House:
    return await built(owner)


async def built(owner: Database) -> House:
    """Another one for each test: nothing is shared but the tables."""
    here = uuid7()
    mine = {"organisation_id": here}
    async with owner.session(here) as session:
        session.add(Organisation(organisation_id=here, name="Les Tilleuls", finess=None))
        await session.flush()
        ehpad, ime = (Structure(id=uuid7(), name=name, model=name, **mine) for name in ("ehpad", "ime"))
        session.add_all([ehpad, ime])
        await session.flush()
        login, jeanne = f"sonia-{uuid4().hex[:8]}", uuid7()
        account = await accounts.create(session, login, "Sonia", PASSWORD)
        sonia = Professional(id=uuid7(), account_id=account, family_name="Test", given_name="Sonia", **mine)
        session.add(sonia)
        session.add(
            Usager(
                id=jeanne,
                usager_id=jeanne,
                structure_id=ehpad.id,
                category="administrative",
                author_kind="professional",
                birth_family_name="TEST",
                birth_given_names="Jeanne",
                name_key="test jeanne",
                **mine,
            )
        )
        await session.flush()
        role = Membership(
            id=uuid7(), professional_id=sonia.id, role="educateur", starts=today() - timedelta(days=1), **mine
        )
        session.add(role)
        client_id = f"chu-{uuid4().hex[:8]}"
        jwks = jose.public_keys({"keys": [keys.public_jwk(keys.ec_key(), "k1"), keys.public_jwk(keys.rsa_key(), "k2")]})
        chu = await partners.register(
            session, here, "CHU", client_id, jwks, "system/*.cruds", ime.id, structure_ids=[ehpad.id]
        )
        await session.commit()
    return House(here, ehpad.id, ime.id, jeanne, sonia.id, account, login, role.id, chu, client_id)
