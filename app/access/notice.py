"""The notice d'information, shown at the first opening with a card, and the day it was read (RGPD art. 13; field.md §9)."""

from sqlalchemy import select, update

from app.access.cards import KIND
from app.access.gate import Gate
from app.kernel.clock import now
from app.security.models import LiveSession, PersonalAccess
from app.security.principal import Representative

READ = "read_notice"


class Noting(Gate):
    """The gate, and the card by which this session was opened."""

    async def notice_read(self) -> None:
        """Once a card; a session that no card opened notes nothing. Raises Unauthenticated when it has ended."""
        a, s, who = PersonalAccess, LiveSession, self.principal
        mine = select(s.access_id).where(s.id == who.session_id, s.revoked_at.is_(None), s.expires_at > now())
        noted = update(a).where(a.id == mine.scalar_subquery(), a.notice_at.is_(None)).values(notice_at=now())
        card = await self._session.scalar(noted.returning(a.id))
        if card is None:
            return await self._check_alive()
        usager = who.usager_id if isinstance(who, Representative) else who.id
        self.tell(READ, KIND, [card], usager_id=usager)
        return None
