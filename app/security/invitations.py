"""An invitation: a link by which someone hired opens their own account. Good once, a week, kept hashed, told to the inviter only."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.clock import now
from app.kernel.errors import Unauthenticated
from app.kernel.ids import uuid7
from app.security import tokens
from app.security.models import Invitation

LASTS = timedelta(days=7)
OVER = "Cette invitation ne sert plus : elle a déjà servi, ou elle a plus de sept jours. Demandez-en une autre."
OF = text("SELECT organisation_id, invitation_id, professional_id, invited_by, name FROM invitation_of(:token_hash)")


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a link was made for, and who made it."""

    organisation_id: UUID
    id: UUID
    professional_id: UUID
    invited_by: UUID
    name: str


def new(organisation_id: UUID, professional_id: UUID, invited_by: UUID) -> tuple[str, Invitation]:
    """The link's token, told this once, and the row."""
    token, kept = tokens.new_opaque()
    return token, Invitation(
        id=uuid7(),
        organisation_id=organisation_id,
        professional_id=professional_id,
        invited_by=invited_by,
        token_hash=kept,
        expires_at=now() + LASTS,
    )


async def take_back(session: AsyncSession, organisation_id: UUID, professional_id: UUID) -> None:
    """Their links that wait open nothing more."""
    i = Invitation
    theirs = (i.organisation_id == organisation_id, i.professional_id == professional_id)
    await session.execute(
        update(i).where(*theirs, i.used_at.is_(None), i.revoked_at.is_(None)).values(revoked_at=now())
    )


async def found(session: AsyncSession, token: str) -> Invited:
    """Raises Unauthenticated, in the same words whether it never was, served, was taken back or is too old."""
    row = (await session.execute(OF, {"token_hash": tokens.digest(token)})).one_or_none()
    if row is None:
        raise Unauthenticated(OVER)
    return Invited(row.organisation_id, row.invitation_id, row.professional_id, row.invited_by, row.name)


async def serve(session: AsyncSession, invited: Invited) -> None:
    """In a session of its tenant: from now on it has served. Raises Unauthenticated when another was faster."""
    i = Invitation
    this = (i.organisation_id == invited.organisation_id, i.id == invited.id)
    waiting = (i.used_at.is_(None), i.revoked_at.is_(None), i.expires_at > now())
    if await session.scalar(update(i).where(*this, *waiting).values(used_at=now()).returning(i.id)) is None:
        raise Unauthenticated(OVER)
