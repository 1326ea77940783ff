"""What a mandate opens to who holds it: nothing before it is confirmed, nothing from the request after it ends."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from app.access import entering
from app.audit.vocabulary import Call, Door
from app.features.access_cards.lasting import LASTING
from app.kernel.clock import today
from app.kernel.db import Database
from app.security import access_cards
from tests.features.contacts.people import CURATELLE, TUTELLE, added, confirmed, entered
from tests.world import World


def card(world: World, name: str, usager: str, contact: str) -> None:
    """A card of their own, given to the contact, and the session it opens."""

    async def give() -> str:
        base = Database(world.database.owner_url, 1)
        async with base.session(world.organisation) as session:
            to = (world.ids[usager], world.ids[name])
            link, code = await access_cards.give(session, world.keyring, world.organisation, *to)
            await session.commit()
        opened = await entering.by_card(base, world.keyring, Call(Door.ME, "test"), link, code, LASTING)
        await base.close()
        return opened.token

    world.ids[name] = UUID(contact.rpartition("/")[2])
    world.bearers[name] = {"Authorization": f"Bearer {asyncio.run(give())}"}


@pytest.fixture
def blanc(world: World) -> str:
    contact = added(world, "karim", given_name="Paul")
    card(world, "blanc", "karim", contact)
    return contact


def reads(world: World) -> tuple[int, int]:
    """Karim's identity, and a note of support shared with him."""
    note = {
        "usager_id": str(world.ids["karim"]),
        "structure_id": str(world.ids["mas_fam"]),
        "text": "Atelier cuisine.",
        "visibility": "shared",
    }
    id = world.post("sonia", "/api/v1/transmissions", note).json()["id"]
    paths = (f"/fhir/Patient/{world.ids['karim']}", f"/fhir/DocumentReference/{id}")
    one, other = (world.get("blanc", path).status_code for path in paths)
    return one, other


def patched(world: World, mandate: str, version: int, **terms: Any) -> None:
    assert world.patch("odile", mandate, terms, version).status_code == 200


@pytest.mark.threat("mandate-unconfirmed")
def test_a_tutelle_opens_once_confirmed_and_closes_at_once(world: World, blanc: str):
    mandate = entered(world, blanc, **TUTELLE)
    assert reads(world) == (404, 404)
    confirmed(world, mandate)
    assert reads(world) == (200, 200)
    patched(world, mandate, 2, ends=str(today()))
    assert reads(world) == (404, 404)


@pytest.mark.threat("mandate-too-wide")
def test_a_property_mandate_opens_papers_only(world: World, blanc: str):
    confirmed(world, entered(world, blanc, **TUTELLE | {"scope": "biens"}))
    assert reads(world) == (200, 404)


@pytest.mark.threat("mandate-too-wide")
def test_a_curateur_reads_nothing_without_the_persons_yes(world: World, blanc: str):
    mandate = entered(world, blanc, **CURATELLE)
    confirmed(world, mandate)
    assert reads(world) == (404, 404)
    patched(world, mandate, 2, person_agreed=True)
    assert reads(world) == (404, 404)
    confirmed(world, mandate, version=3, who="marc")
    assert reads(world) == (200, 200)
    patched(world, mandate, 4, person_agreed=False)
    assert reads(world) == (404, 404)


def test_one_who_reads_may_change_nothing(world: World, blanc: str):
    confirmed(world, entered(world, blanc, **TUTELLE))
    tried = world.patch("blanc", f"/api/v1/usagers/{world.ids['karim']}", {"says_tu": True}, 1)
    assert tried.status_code == 401


@pytest.mark.threat("object-after-death")
def test_the_death_of_the_person_closes_it(world: World, blanc: str):
    confirmed(world, entered(world, blanc, **TUTELLE))
    assert reads(world) == (200, 200)
    patched(world, f"/api/v1/usagers/{world.ids['karim']}", 1, died_on=str(today()))
    assert reads(world) == (401, 401)
