"""The rules of a stay: dates decide, a unit is in its structure, one stay at a time in a structure (both by the base)."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, true

from app.access.gate import Gate, Listing
from app.access.permissions import Action, Visibility
from app.features.stays.models import Stay, StayStatus
from app.features.stays.schemas import StayIn, StayPatch, StayPlan
from app.kernel.clock import PARIS, today
from app.kernel.errors import Conflict, Invalid

NEWEST_FIRST = ("starts", "id")
ALL = Listing(true(), NEWEST_FIRST)
OF_USAGER = Listing(Stay.usager_id == bindparam("usager", type_=Uuid()), NEWEST_FIRST, usager="usager")


def plan(gate: Gate, said: StayIn) -> Stay:
    """A new stay, planned when it starts later. The caller settles the gate. Raises Invalid when it ends before."""
    return of_newcomer(gate, said, said.usager_id, said.structure_id)


def of_newcomer(gate: Gate, said: StayPlan, usager_id: UUID, structure_id: UUID) -> Stay:
    """The same, for someone whose dossier opens in this very request."""
    _check(said.starts, said.ends)
    values = said.model_dump(exclude={"usager_id", "structure_id"})
    status = _status(said.starts, said.ends)
    if status is StayStatus.PLANNED:
        values["planned_start"] = said.planned_start or said.starts
    return gate.add(
        Stay(
            usager_id=usager_id,
            structure_id=structure_id,
            status=status.value,
            occurred_at=_midnight(said.starts),
            visibility=Visibility.SHARED.value,
            **values,
        )
    )


async def change(gate: Gate, id: UUID, version: int, said: StayPatch) -> Stay:
    """Close, move within the structure, correct, cancel. Raises Conflict once cancelled: another stay is written."""
    row = await gate.entry(Stay, id, Action.UPDATE, version)
    if row.status == StayStatus.CANCELLED:
        raise Conflict("Ce séjour est annulé. Pour une nouvelle venue, écrivez un autre séjour.", code="stay.cancelled")
    values: dict[str, Any] = said.model_dump(exclude_unset=True)
    starts, ends = values.get("starts", row.starts), values.get("ends", row.ends)
    if "status" in values:
        ends = values["ends"] = starts  # no day of it was lived: the period is empty, and opens nothing
    else:
        _check(starts, ends)
        values["status"] = _status(starts, ends).value
    return await gate.change(row, **values, occurred_at=_midnight(starts))


async def remove(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Stay, id, Action.DELETE, version))


def _check(starts: date, ends: date | None) -> None:
    if ends is not None and ends <= starts:
        raise Invalid("Un séjour finit après avoir commencé.", where="/ends", code="stay.ends_before")


def _status(starts: date, ends: date | None) -> StayStatus:
    if starts > today():
        return StayStatus.PLANNED
    return StayStatus.FINISHED if ends is not None and ends <= today() else StayStatus.IN_PROGRESS


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, PARIS).astimezone(UTC)
