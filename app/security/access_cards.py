"""The card of the person, or of who represents them: a link and, on another slip, a code of six digits.

A link that never was, one that was taken back, a wrong code: one answer, the same wait, the same words. The code is kept
under a key (a million codes are quickly tried against a bare hash), and tried five times a quarter of an hour.
"""

import base64
import hmac
import re
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel import db
from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Unauthenticated
from app.kernel.ids import uuid7
from app.security import sessions, throttle, tokens
from app.security.models import LiveSession, PersonalAccess
from app.security.sessions import Opened
from app.security.tokens import Door

LINK_BYTES = 16  # 22 characters
LINK = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
WRONG = "Ce code ne marche pas."
NO_ACCESS = UUID(int=0)

ACCESS = text(
    "SELECT organisation_id, access_id, usager_id, contact_id, code_hash, own_device, ends FROM access_of(:token_hash)"
)


async def give(
    session: AsyncSession,
    keyring: Keyring,
    organisation_id: UUID,
    usager_id: UUID,
    contact_id: UUID | None = None,
    *,
    given_by: UUID | None = None,
    ends: datetime | None = None,
    own_device: bool = False,
    id: UUID | None = None,
) -> tuple[str, str]:
    """In a session of this tenant: the link's token and the code, told once. `contact_id`: who represents the person."""
    link = base64.urlsafe_b64encode(secrets.token_bytes(LINK_BYTES)).rstrip(b"=").decode()
    code = f"{secrets.randbelow(10**6):06}"
    access = PersonalAccess(
        organisation_id=organisation_id,
        id=id or uuid7(),
        usager_id=usager_id,
        contact_id=contact_id,
        token_hash=tokens.digest(link),
        own_device=own_device,
        given_by=given_by,
        ends=ends,
    )
    access.code_hash = _code_hash(keyring, access.id, code)
    session.add(access)
    await session.flush()
    return link, code


async def take_back(session: AsyncSession, access_id: UUID) -> None:
    """In a session of its tenant: the link opens nothing more, and what it had opened ends at the next request."""
    await session.execute(
        update(PersonalAccess)
        .where(PersonalAccess.id == access_id, PersonalAccess.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    await sessions.revoke(session, LiveSession.access_id == access_id)


async def take_back_all(session: AsyncSession, organisation_id: UUID, usager_id: UUID) -> None:
    """Every link to this person's dossier, theirs and their representatives', and what these had opened."""
    a = PersonalAccess
    mine = (a.organisation_id == organisation_id, a.usager_id == usager_id)
    await session.execute(update(a).where(*mine, a.revoked_at.is_(None)).values(revoked_at=func.now()))
    theirs = (LiveSession.organisation_id == organisation_id, LiveSession.subject_id == usager_id)
    await sessions.revoke(session, and_(*theirs) | LiveSession.access_id.in_(select(a.id).where(*mine)))


async def tried(database: Database, keyring: Keyring, link: str) -> list[bytes]:
    """What counts this try, to be forgiven when it was right. Raises TooMany."""
    here = [throttle.key(keyring, "link", link)]
    await throttle.spend(database, here)
    return here


async def enter(
    session: AsyncSession,
    keyring: Keyring,
    link: str,
    code: str,
    door: Door,
    lasting: Select[timedelta, timedelta],
    *,
    own_device: bool | None = None,
) -> Opened:
    """A session for who holds both. Raises Unauthenticated. Nothing is used up: the card serves again.

    `lasting`: asked of the person's house, how long on a shared device, on their own. `own_device`: as they say; None: as
    the card does.
    """
    found = (await session.execute(ACCESS, {"token_hash": tokens.digest(link)})).one_or_none()
    said = _code_hash(keyring, found.access_id if found else NO_ACCESS, code)
    if not hmac.compare_digest(said, found.code_hash if found else b"") or found is None:
        raise Unauthenticated(WRONG)
    await db.enter(session, found.organisation_id)
    shared, own = (await session.execute(lasting, {"usager": found.usager_id})).one()
    until = now() + (own if (found.own_device if own_device is None else own_device) else shared)
    return await sessions.open_person(
        session,
        found.organisation_id,
        found.access_id,
        found.usager_id,
        found.contact_id,
        door,
        min(until, found.ends or until),
    )


def _code_hash(keyring: Keyring, access_id: UUID, code: str) -> bytes:
    return keyring.blind(f"{access_id}:{code.strip()}", "code")
