"""A ticket: what a browser or an application carries for us a moment, sealed under the key file, and good once.

Giving one writes nothing, so that a stranger who asks for thousands fills no table; a row is written when it serves.
"""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.clock import now
from app.kernel.crypto import KeyFault, Keyring
from app.kernel.errors import Unauthenticated
from app.security import tokens
from app.security.models import JtiSeen

OVER = "Cette connexion a déjà servi, ou elle a trop attendu. Recommencez."


@dataclass(frozen=True, slots=True)
class Ticket:
    id: str  # what is spent: the same ticket may be written in several ways
    until: datetime
    told: dict[str, Any]


def sealed(keyring: Keyring, about: str, lasts: timedelta, told: dict[str, Any]) -> tuple[str, str]:
    """Its id, and the ticket."""
    id = secrets.token_urlsafe(32)
    said = json.dumps({"id": id, "until": (now() + lasts).timestamp(), "told": told}).encode()
    return id, base64.urlsafe_b64encode(keyring.seal(said, f"ticket:{about}")).decode().rstrip("=")


def opened(keyring: Keyring, about: str, ticket: str) -> Ticket:
    """Raises Unauthenticated when it is not ours, of another kind, or too old."""
    try:
        raw = base64.urlsafe_b64decode(ticket.encode() + b"=" * (-len(ticket) % 4))
        said = json.loads(keyring.open(raw, f"ticket:{about}"))
    except (KeyFault, ValueError):
        raise Unauthenticated(OVER) from None
    found = Ticket(said["id"], datetime.fromtimestamp(said["until"], UTC), said["told"])
    if found.until <= now():
        raise Unauthenticated(OVER)
    return found


async def spend(session: AsyncSession, about: str, ticket: Ticket) -> None:
    """Raises Unauthenticated when it served already."""
    if not await once(session, f"ticket {about}", ticket.id, ticket.until):  # no partner's client_id has a space
        raise Unauthenticated(OVER)


async def once(session: AsyncSession, whose: str, what: str, until: datetime) -> bool:
    """Was it never shown? The primary key decides, between workers too: the second waits for the first."""
    past = (JtiSeen.client_id == whose) & (JtiSeen.expires_at < func.now())
    await session.execute(delete(JtiSeen).where(past))
    row = insert(JtiSeen).values(client_id=whose, jti_hash=tokens.digest(what), expires_at=until)
    return await session.scalar(row.on_conflict_do_nothing().returning(JtiSeen.client_id)) is not None
