"""Letting someone of the house in: an invitation made by who may, accepted by who holds its link."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.acts import Act
from app.access.gate import Gate
from app.access.models import Professional
from app.access.refusal import MayNot, OutOfReach, refused
from app.kernel import db
from app.kernel.clock import now
from app.kernel.errors import Conflict, Unauthenticated
from app.security import invitations
from app.security.invitations import Invited
from app.security.models import Invitation

KIND, INVITE, TAKE_BACK = "invitation", "invite", "take_back_invitation"
ALREADY = "Cette personne a déjà un compte : elle entre avec lui."


class Inviting(Gate):
    """The gate, and the links it gives."""

    async def invite(self, professional: UUID) -> tuple[str, Invitation]:
        """A link for someone of this organisation who has no account yet; those made before open nothing more.

        Raises MayNot, OutOfReach, Conflict.
        """
        await self.require(Act.MANAGE_ACCOUNTS)
        await self.flush()  # someone hired by this very request
        await self._without_account(professional)
        organisation = self.principal.organisation_id
        await invitations.take_back(self._session, organisation, professional)
        token, row = invitations.new(organisation, professional, self.principal.id)
        self._session.add(row)
        await self._session.flush()
        self.tell(INVITE, KIND, [row.id], usager_id=None)
        return token, row

    async def take_back(self, professional: UUID) -> None:
        """Raises MayNot, OutOfReach, Conflict."""
        await self.require(Act.MANAGE_ACCOUNTS)
        await self._without_account(professional)
        await invitations.take_back(self._session, self.principal.organisation_id, professional)
        self.tell(TAKE_BACK, KIND, [professional], usager_id=None)

    async def _without_account(self, professional: UUID) -> None:
        p = Professional
        here = (p.organisation_id == self.principal.organisation_id, p.id == professional, p.deleted_at.is_(None))
        found = (await self._session.execute(select(p.account_id).where(*here).with_for_update())).one_or_none()
        if found is None:
            raise refused(OutOfReach, INVITE, KIND, [professional])
        if found.account_id is not None:
            raise Conflict(ALREADY)


async def accept(session: AsyncSession, invited: Invited, account_id: UUID) -> None:
    """This account is theirs from now on, in this house. The caller commits, with the line of the trail.

    Raises Unauthenticated when the link served meanwhile, or its holder left or got an account, Conflict when the account already works here, MayNot when it
    is the inviter's own: nobody gives themselves another function.
    """
    p = Professional
    await db.enter(session, invited.organisation_id)
    await invitations.serve(session, invited)
    here = (p.organisation_id == invited.organisation_id, p.deleted_at.is_(None))
    working = await session.scalar(select(p.id).where(*here, p.account_id == account_id).limit(1))
    if working == invited.invited_by:
        raise refused(MayNot, INVITE, KIND, [invited.id])
    if working is not None:
        raise Conflict("Ce compte travaille déjà dans cette organisation : demandez-y une autre fonction.")
    values = {"account_id": account_id, "version": p.version + 1, "updated_at": now()}
    theirs = update(p).where(*here, p.id == invited.professional_id, p.account_id.is_(None))
    if await session.scalar(theirs.values(**values).returning(p.id)) is None:
        raise Unauthenticated(invitations.OVER)
