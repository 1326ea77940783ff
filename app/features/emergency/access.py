"""Emergency access: someone on duty opens a dossier that nothing else opens to them, for some hours, saying why.

It opens the role's own reading and the consignes, never judicial rows, never alerts; each reading under it says so in
the trail. Source: CSP L1110-4; design: field.md §1.
"""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, DateTime, Uuid, and_, bindparam, or_, true

from app.access.acts import Act
from app.access.gate import Gate, Listing, MayNot
from app.access.models import EmergencyAccess
from app.access.permissions import EMERGENCY_ROLES, Action, Visibility
from app.access.refusal import refused
from app.features.emergency.schemas import EmergencyIn, Known, ReviewIn
from app.features.settings.tuned import tuned
from app.features.usagers.models import Usager
from app.kernel.clock import PARIS, now
from app.kernel.errors import Conflict

HOURS = "emergency.hours"


def _moment(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=DateTime(timezone=True))


LATEST_FIRST = ("starts_at", "id")
_E = EmergencyAccess
_NOW = _moment("now")
_running = and_(_E.closed_at.is_(None), _E.ends_at > _NOW)
_of_usager = _E.usager_id == bindparam("usager", type_=Uuid())
_to_review = and_(_E.reviewed_at.is_(None), or_(_E.closed_at.is_not(None), _E.ends_at <= _NOW))


def _both(which: ColumnElement[bool]) -> tuple[Listing, Listing]:
    """Of everyone, of one person."""
    return Listing(which, LATEST_FIRST), Listing(and_(_of_usager, which), LATEST_FIRST, usager="usager")


LISTINGS = {"all": _both(true()), "running": _both(_running), "to_review": _both(_to_review)}
OF_DAY = Listing(and_(_E.starts_at >= _moment("since"), _E.starts_at < _moment("until")), LATEST_FIRST)
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


async def review(gate: Gate, id: UUID, said: ReviewIn) -> EmergencyAccess:
    """Once it is over, by a chief or the direction, never by who opened it. Raises Conflict while it runs, or twice."""
    await gate.require(Act.REVIEW_EMERGENCY)
    row = await gate.entry(_E, id, Action.UPDATE)
    if row.professional_id == gate.principal.id:
        raise refused(MayNot, Act.REVIEW_EMERGENCY, _E.KIND, [id], usager_id=row.usager_id)
    if row.closed_at is None and row.ends_at > now():
        raise Conflict("Cet accès court encore : fermez-le d'abord.", code="emergency.runs")
    if row.reviewed_at is not None:
        raise Conflict("Cet accès a déjà été revu.", code="emergency.reviewed")
    gate.tell(Act.REVIEW_EMERGENCY, _E.KIND, [id], usager_id=row.usager_id)
    return await gate.change(row, review=said.review, reviewed_at=now(), reviewed_by=gate.principal.id)


def of_day(day: date) -> dict[str, object]:
    """The first and last moment of a day, in Paris."""
    since = datetime.combine(day, time(), PARIS)
    return {"since": since, "until": datetime.combine(day + timedelta(days=1), time(), PARIS)}
