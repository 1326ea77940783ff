"""A partner that a house knows, with every right: what arrives from it is accepted at once."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.ids import uuid7
from app.security.models import PartnerClient, PartnerStructure

CLIENT = "bench"
SCOPES = frozenset({"*.c", "*.r", "*.u", "*.d", "*.s"})


async def known(session: AsyncSession, organisation_id: UUID, place: UUID) -> UUID:
    """Its id."""
    id, scopes = uuid7(), sorted(SCOPES)
    who = {"id": id, "name": "CHU", "kind": "other", "client_id": CLIENT, "jwks": [], "scopes": scopes}
    session.add(PartnerClient(organisation_id=organisation_id, default_structure_id=place, **who))
    await session.flush()
    session.add(PartnerStructure(organisation_id=organisation_id, partner_id=id, structure_id=place, accepts=True))
    return id
