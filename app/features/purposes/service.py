"""The rules of a stated purpose: the direction chooses one before it reads the support of someone, and the log shows it.

Source: CSP R1110-1 (within the perimeter of one's mission); design: field.md §1.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Date, Uuid, and_, bindparam, or_, true

from app.access.entry import word
from app.access.gate import Gate, Listing
from app.access.models import Membership
from app.access.openings import Purpose, StatedPurpose
from app.access.permissions import Action, Visibility
from app.features.purposes.schemas import Asked, PurposeIn, WhoEvaluates
from app.features.settings.tuned import tuned
from app.kernel.clock import now, today
from app.kernel.errors import Conflict, Invalid
from app.security.principal import Role

HOURS = "purpose.hours"
OF_OTHERS = (Purpose.EVALUATION, Purpose.INSPECTION)
MISSION_MOST = timedelta(days=31)
LATEST_FIRST = ("starts_at", "id")
ALL = Listing(true(), LATEST_FIRST)
OF_USAGER = Listing(StatedPurpose.usager_id == bindparam("usager", type_=Uuid()), LATEST_FIRST, usager="usager")
_day = bindparam("day", type_=Date())
WHO_EVALUATES = Listing(
    and_(
        Membership.professional_id == bindparam("professional", type_=Uuid()),
        Membership.role == word(Role.EVALUATEUR),
        Membership.starts <= _day,
        or_(Membership.ends.is_(None), Membership.ends > _day),
    ),
    when_none=None,
)


async def state(gate: Gate, said: PurposeIn) -> StatedPurpose:
    """Raises Invalid naming what is missing, OutOfReach for a consent that is not there."""
    starts = now()
    if said.purpose in OF_OTHERS:
        await _check_mission(gate, said)
    elif said.professional_id is not None or said.ends_at is not None:
        where = "/ends_at" if said.professional_id is None else "/professional_id"
        raise Invalid("Chacun choisit son motif, pour la durée réglée.", where=where, code="purpose.own")
    if (said.purpose is Purpose.EVALUATION) != (said.consent_id is not None):
        raise Invalid("Une évaluation repose sur l'accord de la personne.", where="/consent_id", code="purpose.consent")
    if said.consent_id is not None:
        asked = await gate.get(Asked, said.consent_id)
        if asked.usager_id != str(said.usager_id) or asked.about != said.purpose.value or asked.answer != "yes":
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


async def _check_mission(gate: Gate, said: PurposeIn) -> None:
    """An inspection is not told to the person, and lasts: nobody gives themselves one, nor one who has no such function."""
    who = said.professional_id
    if who is None or who == gate.principal.id:
        raise Invalid(
            "Dites qui évalue ou inspecte : quelqu'un d'autre.", where="/professional_id", code="purpose.whom"
        )
    if not await gate.list(WhoEvaluates, WHO_EVALUATES, 1, professional=who, day=today()):
        raise Invalid(
            "Cette personne n'a pas ici la fonction d'évaluateur : donnez-la-lui d'abord.",
            where="/professional_id",
            code="purpose.whom",
        )
    if said.ends_at is None or not now() < said.ends_at <= now() + MISSION_MOST:
        raise Invalid("Une mission a une fin, dans les 31 jours.", where="/ends_at", code="purpose.period")


async def close(gate: Gate, id: UUID) -> StatedPurpose:
    """It opens nothing more from the next reading. Raises Conflict once ended."""
    row = await gate.entry(StatedPurpose, id, Action.UPDATE)
    if row.closed_at is not None or row.ends_at <= now():
        raise Conflict("Cette lecture a déjà pris fin.", code="purpose.ended")
    return await gate.change(row, closed_at=now())
