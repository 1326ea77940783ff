"""Wider than a unit: a team shared by several structures for one person; who is on call for a night or a week-end.

Source: CSP L1110-12 (équipe); design: field.md §1, §2.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, true

from app.access.acts import Act
from app.access.gate import Gate, Listing
from app.access.openings import OnCall, SharedTeam
from app.access.permissions import Action, Visibility
from app.features.teams.schemas import OnCallIn, OnCallPatch, SharedTeamIn, SharedTeamPatch
from app.features.teams.service import not_oneself
from app.kernel.clock import now, today
from app.kernel.errors import Conflict, Invalid

ON_CALL = Listing(true(), ("starts_at", "id"))
SHARED_OF_USAGER = Listing(SharedTeam.usager_id == bindparam("usager", type_=Uuid()), ("starts", "id"), usager="usager")


async def share(gate: Gate, said: SharedTeamIn) -> SharedTeam:
    """From now on each of these structures reads of this person what the others write. Raises MayNot, Invalid."""
    await gate.require(Act.MANAGE_TEAM)
    starts = said.starts or today()
    if said.ends is not None and said.ends <= starts:
        raise Invalid("La fin vient après le début.", where="/ends", code="team.period")
    if said.person_told_on > today():
        raise Invalid("Dites le jour où la personne a été informée.", where="/person_told_on", code="team.told")
    together = list(dict.fromkeys(said.structure_ids))
    if said.structure_id not in together or len(together) == 1:
        raise Invalid(
            "Une équipe commune réunit votre structure et au moins une autre.", where="/structure_ids", code="team.one"
        )
    values = said.model_dump(exclude={"starts", "structure_ids"})
    return gate.add(SharedTeam(starts=starts, structure_ids=together, visibility=Visibility.SHARED.value, **values))


async def change_shared(gate: Gate, id: UUID, version: int, said: SharedTeamPatch) -> SharedTeam:
    """End it, or note that the person opposes it: it joins nothing more from the next request."""
    await gate.require(Act.MANAGE_TEAM)
    row = await gate.entry(SharedTeam, id, Action.UPDATE, version)
    if said.ends is not None and said.ends < row.starts:
        raise Invalid("La fin vient après le début.", where="/ends", code="team.period")
    values: dict[str, Any] = said.model_dump(exclude_unset=True, exclude={"opposed"})
    if said.opposed:
        values["opposed_at"] = now()
    return await gate.change(row, **values)


async def oppose(gate: Gate, id: UUID) -> SharedTeam:
    """By the person's own hand. Raises Conflict once ended or opposed."""
    row = await gate.entry(SharedTeam, id, Action.UPDATE)
    if row.opposed_at is not None or (row.ends is not None and row.ends <= today()):
        raise Conflict("Cette équipe commune a déjà pris fin.", code="team.ended")
    return await gate.change(row, opposed_at=now())


async def call(gate: Gate, said: OnCallIn) -> OnCall:
    """Raises Forbidden for oneself, Invalid for a period that does not hold."""
    await gate.require(Act.MANAGE_TEAM)
    not_oneself(gate, said.professional_id)
    if said.ends_at <= said.starts_at:
        raise Invalid("La fin vient après le début.", where="/ends_at", code="on_call.period")
    return gate.add(OnCall(**said.model_dump()))


async def change_call(gate: Gate, id: UUID, version: int, said: OnCallPatch) -> OnCall:
    """Raises as `call`."""
    await gate.require(Act.MANAGE_TEAM)
    row = await gate.entry(OnCall, id, Action.UPDATE, version)
    not_oneself(gate, row.professional_id)
    if said.ends_at <= row.starts_at:
        raise Invalid("La fin vient après le début.", where="/ends_at", code="on_call.period")
    return await gate.change(row, ends_at=said.ends_at)
