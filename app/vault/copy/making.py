"""Making the copy that was asked for: by the direction, the care part signed by a health professional before (field.md §1).

What two persons signed is kept as it is, sealed under the person's key, and read on the page of who asked.
"""

from uuid import UUID

from sqlalchemy import func, or_, select

from app.access.acts import Act
from app.access.gate import Gate, MayNot
from app.access.mandates import Effect, Scope
from app.access.models import Consigne, Mandate, Professional
from app.access.refusal import refused
from app.access.standing import NEVER_ANSWERS
from app.features.copies import service
from app.features.copies.models import CopyAnswer, CopyFile, CopyRequest, Part, about
from app.kernel.clock import now, today
from app.kernel.errors import Conflict
from app.kernel.objects import Objects
from app.vault.copy.gather import gathered
from app.vault.copy.page import page
from app.vault.copy.rules import Asked


class Making(Gate):
    """The gate, and what it takes to read one dossier whole: the rules of the copy decide, not those of the caller."""

    async def make(self, id: UUID, objects: Objects | None = None) -> CopyRequest:
        """Raises MayNot, OutOfReach, Conflict: answered, care not signed, too early, who asked represents them no more."""
        await self.require(Act.PREPARE_COPY)
        row = await service.waiting(self, id)
        if row.part != Part.REST:
            await self._check_signed(row)
        opens = await self._opens(row) if row.author_kind == "representative" else None
        asked = _asked(row, opens)
        copy = await gathered(self._session, self.keyring, row.organisation_id, row.usager_id, asked, objects)
        key = await self.key_of(row.usager_id)
        told = {"page": page(copy).encode(), "data": copy.json()}
        sealed = {name: key.seal(content, about(row.id, name)) for name, content in told.items()}
        ready = {"answer": CopyAnswer.READY.value, "answered_by": self.principal.id, "answered_at": now()}
        made = await self.change(row, action=Act.PREPARE_COPY, **ready)
        self.note(
            CopyFile(
                organisation_id=row.organisation_id,
                request_id=row.id,
                usager_id=row.usager_id,
                made_at=now(),
                **sealed,
            )
        )
        return made

    async def _check_signed(self, row: CopyRequest) -> None:
        if row.care_signed_by is None:
            raise Conflict("Un professionnel de santé signe d'abord la partie soins.", code="copy.unsigned")
        two = (self.principal.id, row.care_signed_by)
        p = Professional
        query = select(func.count(func.distinct(func.coalesce(p.account_id, p.id))))
        if await self._session.scalar(query.where(p.organisation_id == row.organisation_id, p.id.in_(two))) != len(two):
            raise refused(MayNot, Act.PREPARE_COPY, row.KIND, [row.id], usager_id=row.usager_id)
        if row.not_before is not None and row.not_before > now():
            raise Conflict("La loi demande un délai avant de remettre une copie des soins.", code="copy.too_early")

    async def _opens(self, row: CopyRequest) -> frozenset[str]:
        """What the mandates of who asked open today. Raises Conflict: none does, or a decision closes their access."""
        m, c, day = Mandate, Consigne, today()
        theirs = select(m.opens).where(m.organisation_id == row.organisation_id, m.usager_id == row.usager_id)
        theirs = theirs.where(m.contact_id == row.author_id, m.effect == Effect.REPRESENTATION.value)
        theirs = theirs.where(m.scope.in_([Scope.PERSONNE.value, Scope.BOTH.value]), m.kind.not_in(NEVER_ANSWERS))
        theirs = theirs.where(m.confirmed_at.is_not(None), m.held.is_(False), m.deleted_at.is_(None))
        running = theirs.where(m.starts <= day, or_(m.ends.is_(None), m.ends > day))
        opens = frozenset(category for each in await self._session.scalars(running) for category in each)
        shut = select(c.id).where(c.organisation_id == row.organisation_id, c.usager_id == row.usager_id)
        shut = shut.where(c.contact_id == row.author_id, c.closes_access, c.lifted_at.is_(None), c.deleted_at.is_(None))
        shut = shut.where(c.starts <= day, or_(c.ends.is_(None), c.ends > day)).limit(1)
        if not opens or await self._session.scalar(shut) is not None:
            raise Conflict("Qui a demandé cette copie ne représente plus cette personne.", code="copy.no_mandate")
        return opens


def _asked(row: CopyRequest, opens: frozenset[str] | None) -> Asked:
    by = None if opens is None else row.author_id
    match row.part:
        case Part.REST:
            return Asked(care=False, opens=opens, by=by)
        case Part.OLD_CARE:
            return Asked(care=True, rest=False, care_before=row.old_before, opens=opens, by=by)
        case _:
            return Asked(care=True, rest=False, care_since=row.old_before, opens=opens, by=by)
