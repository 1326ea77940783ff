"""Where the stories are told: each act through a gate, opened by the one who acts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.access.gate import Gate
from app.access.opening import opened
from app.audit.vocabulary import Call, Door
from app.demo.places import Places, Worker
from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.hot import HotLane
from app.kernel.ids import uuid7
from app.security import sessions
from app.security.tokens import Door as SessionDoor

CURTAIN = timedelta(minutes=5)


def scene() -> Call:
    """Each act is a request of its own: the trail tells visits by them."""
    return Call(Door.SYSTEM, str(uuid7()))


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the stories are told: the running parts, and who may tell them."""

    database: Database
    lane: HotLane
    keyring: Keyring
    issuer: str
    places: Places

    @asynccontextmanager
    async def as_staff(self, worker: Worker) -> AsyncIterator[Gate]:
        """A gate opened by one of the staff, for one transaction."""
        place = sessions.Place(worker.organisation_id, worker.professional_id, worker.membership_id, worker.role)
        async with self.database.session(None) as session:
            found = await sessions.open_staff(session, self.keyring, self.issuer, worker.account_id, place)
            await session.commit()
        async with opened(found.principal, scene(), self.keyring, self.lane, self.database) as gate:
            yield gate

    @asynccontextmanager
    async def as_person(self, usager_id: UUID) -> AsyncIterator[Gate]:
        """A gate opened by the person supported, for one transaction."""
        async with self.database.session(None) as session:
            until = now() + CURTAIN
            organisation = self.places.organisation_id
            found = await sessions.open_person(session, organisation, uuid7(), usager_id, None, SessionDoor.ME, until)
            await session.commit()
        async with opened(found.principal, scene(), self.keyring, self.lane, self.database) as gate:
            yield gate
