"""Professionals and memberships. Ending a membership closes its access the same minute; what they wrote stays theirs."""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, true

from app.access.gate import Gate, Listing
from app.access.models import Membership, MembershipStructure, Professional
from app.access.permissions import Action
from app.features.professionals import giving
from app.features.professionals.schemas import MembershipIn, MembershipPatch, ProfessionalIn, ProfessionalPatch
from app.kernel.errors import Invalid

BY_NAME = ("family_name", "given_name", "id")
PROFESSIONALS = Listing(true(), BY_NAME, newest_first=False)
MEMBERSHIPS_OF = Listing(Membership.professional_id == bindparam("professional", type_=Uuid()), ("starts", "id"))


def add(gate: Gate, said: ProfessionalIn) -> Professional:
    return gate.add(Professional(**said.model_dump()))


async def change(gate: Gate, id: UUID, version: int, said: ProfessionalPatch) -> Professional:
    row = await gate.entry(Professional, id, Action.UPDATE, version)
    values = said.model_dump(exclude_unset=True)
    for name in ("family_name", "given_name"):
        if name in values and values[name] is None:
            raise Invalid("Ce champ ne peut pas être vide.", where=f"/{name}", code="required")
    return await gate.change(row, **values)


async def give_role(gate: Gate, said: MembershipIn) -> Membership:
    """Raises Invalid when it ends before it starts, or names a structure that is not here; MayNot for one's own function,
    for one above that of who leads, or elsewhere than where they lead.
    """
    await giving.check_given(gate, said.professional_id, said.role, said.structure_ids)
    if said.ends is not None and said.ends <= said.starts:
        raise Invalid("La fin vient après le début.", where="/ends", code="membership.period")
    row = gate.add(Membership(**said.model_dump(exclude={"structure_ids"})))
    for structure_id in dict.fromkeys(said.structure_ids):
        gate.beside(MembershipStructure(membership_id=row.id, structure_id=structure_id))
    return row


async def end_role(gate: Gate, id: UUID, version: int, said: MembershipPatch) -> Membership:
    """Raises as `give_role`: a later end is given too."""
    row = await gate.entry(Membership, id, Action.UPDATE, version)
    await giving.check_changed(gate, row)
    if said.ends is not None and said.ends < row.starts:
        raise Invalid("La fin vient après le début.", where="/ends", code="membership.period")
    return await gate.change(row, ends=said.ends)
