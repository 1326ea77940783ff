"""Who else answers: representatives with their mandates, and a partner that looks at a row."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from app.access.entry import DossierView
from app.access.models import Mandate
from app.access.reading import Reading
from app.access.refusal import OutOfReach
from app.audit.vocabulary import Call, Door
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.security import sessions
from app.security.principal import Partner
from app.security.tokens import Door as TokenDoor
from tests.world import World

HOUSES = {"jeanne": "ehpad", "karim": "mas_fam", "lucas": "ime", "ines": "mecs"}


def represent(
    world: World,
    name: str,
    usager: str,
    kind: str,
    *,
    scope: str = "both",
    effect: str = "representation",
    opens: tuple[str, ...] = ("administrative", "support"),
    contact: UUID | None = None,
) -> UUID:
    """A contact with a confirmed mandate, and a session of their own."""
    contact = contact or uuid7()
    world.ids[name] = contact
    world.add(
        Mandate(
            usager_id=world.ids[usager],
            structure_id=world.ids[HOUSES[usager]],
            contact_id=contact,
            kind=kind,
            scope=scope,
            effect=effect,
            opens=list(opens),
            starts=date(2022, 1, 1),
            confirmed_at=now(),
        )
    )

    async def enter() -> str:
        base = Database(world.database.owner_url, 1)
        async with base.session(None) as session:
            until = datetime.now(UTC) + timedelta(hours=1)
            opened = await sessions.open_person(
                session, world.organisation, uuid7(), world.ids[usager], contact, TokenDoor.ME, until
            )
            await session.commit()
        await base.close()
        return opened.token

    world.bearers[name] = {"Authorization": f"Bearer {asyncio.run(enter())}"}
    return contact


def partner_reads(world: World, partner: str, transmission: str) -> bool:
    """Whether this partner reads that entry now, at its own door."""
    status = world.get(partner, f"/fhir/DocumentReference/{transmission}").status_code
    assert status in (200, 404)
    return bool(status == 200)


def partner_asks(world: World, partner: str, row: str, view: type[DossierView]) -> bool:
    """The same of a row that no resource tells yet: what the gate would answer."""
    who = Partner(
        id=world.ids[partner],
        organisation_id=world.organisation,
        session_id=world.ids[f"{partner}_session"],
        expires=0,
        structure_id=world.ids["ime"],
        scopes=frozenset(),
    )

    async def look() -> bool:
        state = world.client.app.state
        reading = Reading(who, Call(Door.FHIR, "test"), state.keyring, state.lane)
        try:
            await reading.get(view, UUID(row))
        except OutOfReach:
            return False
        return True

    assert world.client.portal is not None
    return bool(world.client.portal.call(look))
