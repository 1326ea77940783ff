"""Emergency access: someone on duty opens a dossier that nothing else opens to them, for some hours, saying why.

It opens the role's own reading and the consignes, never judicial rows, never alerts; each reading under it says so in
the trail. Source: CSP L1110-4; design: field.md §1.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import DateTime, Uuid, and_, bindparam, true

from app.access.gate import Gate, Listing, MayNot
from app.access.models import EmergencyAccess
from app.access.permissions import EMERGENCY_ROLES, Act, Action, Visibility
from app.access.refusal import refused
from app.features.emergency.schemas import EmergencyIn, Known
from app.features.settings.tuned import tuned
from app.features.usagers.models import Usager
from app.kernel.clock import now
from app.kernel.errors import Conflict

HOURS = "emergency.hours"
LATEST_FIRST = ("starts_at", "id")
_E = EmergencyAccess
_running = and_(_E.closed_at.is_(None), _E.ends_at > bindparam("now", type_=DateTime(timezone=True)))
_of_usager = _E.usager_id == bindparam("usager", type_=Uuid())
ALL = Listing(true(), LATEST_FIRST)
RUNNING = Listing(_running, LATEST_FIRST)
OF_USAGER = Listing(_of_usager, LATEST_FIRST, usager="usager")
RUNNING_OF_USAGER = Listing(and_(_of_usager, _running), LATEST_FIRST, usager="usager")
KNOWN = Listing(Usager.id == bindparam("usager", type_=Uuid()), usager="usager")


async def open(gate: Gate, said: EmergencyIn) -> EmergencyAccess:
    """Raises MayNot for a role that has none, Conflict when the dossier is already open to the caller."""
    if gate.principal.shape.role not in EMERGENCY_ROLES:
        raise refused(MayNot, Action.CREATE, _E.KIND, usager_id=said.usager_id)
    if await gate.list(Known, KNOWN, 1, usager=said.usager_id):
        raise Conflict(
            "Ce dossier vous est déjà ouvert : l'accès en urgence n'est pas nécessaire.", code="emergency.open"
        )
    hours = await tuned(gate, said.structure_id, HOURS)
    starts = now()
    return gate.add(
        _E(
            usager_id=said.usager_id,
            structure_id=said.structure_id,
            professional_id=gate.principal.id,
            reason=said.reason,
            starts_at=starts,
            ends_at=starts + timedelta(hours=hours),
            visibility=Visibility.SHARED.value,  # the person is told
        )
    )


async def close(gate: Gate, id: UUID) -> EmergencyAccess:
    """By a chief or the direction: it opens nothing more from the next reading. Raises Conflict once ended."""
    await gate.require(Act.CLOSE_EMERGENCY)
    row = await gate.entry(_E, id, Action.UPDATE)
    if row.closed_at is not None or row.ends_at <= now():
        raise Conflict("Cet accès a déjà pris fin.", code="emergency.ended")
    return await gate.change(row, closed_at=now(), closed_by=gate.principal.id)
