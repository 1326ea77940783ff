"""The rules of a stated purpose: the direction chooses one before it reads the support of someone, and the log shows it.

Source: CSP R1110-1 (within the perimeter of one's mission); design: field.md §1.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Uuid, bindparam, true

from app.access.gate import Gate, Listing
from app.access.openings import Purpose, StatedPurpose
from app.access.permissions import Action, Visibility
from app.features.purposes.schemas import Asked, PurposeIn
from app.features.settings.tuned import tuned
from app.kernel.clock import now
from app.kernel.errors import Conflict, Invalid

HOURS = "purpose.hours"
OF_OTHERS = (Purpose.EVALUATION, Purpose.INSPECTION)
MISSION_MOST = timedelta(days=31)
LATEST_FIRST = ("starts_at", "id")
ALL = Listing(true(), LATEST_FIRST)
OF_USAGER = Listing(StatedPurpose.usager_id == bindparam("usager", type_=Uuid()), LATEST_FIRST, usager="usager")


async def state(gate: Gate, said: PurposeIn) -> StatedPurpose:
    """Raises Invalid naming what is missing, OutOfReach for a consent that is not there."""
    starts = now()
    if said.purpose in OF_OTHERS:
        _check_mission(said)
    elif said.professional_id is not None or said.ends_at is not None:
        where = "/ends_at" if said.professional_id is None else "/professional_id"
        raise Invalid("Chacun choisit son motif, pour la durée réglée.", where=where, code="purpose.own")
    if (said.purpose is Purpose.EVALUATION) != (said.consent_id is not None):
        raise Invalid("Une évaluation repose sur l'accord de la personne.", where="/consent_id", code="purpose.consent")
    if said.consent_id is not None:
        asked = await gate.get(Asked, said.consent_id)
        if asked.usager_id != str(said.usager_id) or asked.kind != "autre" or asked.answer != "yes":
            raise Invalid("Cet accord n'est pas un oui à l'évaluation.", where="/consent_id", code="purpose.consent")
    hours = timedelta(hours=await tuned(gate, said.structure_id, HOURS))
    shown = Visibility.NOT_SHARED if said.purpose is Purpose.INSPECTION else Visibility.SHARED
    values = said.model_dump(exclude={"professional_id", "ends_at"})
    return gate.add(
        StatedPurpose(
            professional_id=said.professional_id or gate.principal.id,
            starts_at=starts,
            ends_at=said.ends_at or starts + hours,
            visibility=shown.value,
            **values,
        )
    )


def _check_mission(said: PurposeIn) -> None:
    if said.professional_id is None:
        raise Invalid("Dites qui évalue ou inspecte.", where="/professional_id", code="purpose.whom")
    if said.ends_at is None or not now() < said.ends_at <= now() + MISSION_MOST:
        raise Invalid("Une mission a une fin, dans les 31 jours.", where="/ends_at", code="purpose.period")


async def close(gate: Gate, id: UUID) -> StatedPurpose:
    """It opens nothing more from the next reading. Raises Conflict once ended."""
    row = await gate.entry(StatedPurpose, id, Action.UPDATE)
    if row.closed_at is not None or row.ends_at <= now():
        raise Conflict("Cette lecture a déjà pris fin.", code="purpose.ended")
    return await gate.change(row, closed_at=now())
