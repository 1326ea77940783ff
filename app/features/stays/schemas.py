"""What the REST API hears and says about a stay."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Text, case, cast, func, literal_column

from app.access.entry import DossierView
from app.features.stays.models import Stay, StayStatus
from app.kernel.fields import Body, Code, Line, Note

_DAY = cast(func.timezone(literal_column("'Europe/Paris'"), func.now()), Date())
_CANCELLED, _PLANNED, _FINISHED, _IN_PROGRESS = (
    literal_column(f"'{status.value}'", Text())
    for status in (StayStatus.CANCELLED, StayStatus.PLANNED, StayStatus.FINISHED, StayStatus.IN_PROGRESS)
)
# What was planned begins, and what has an end is over, without anybody writing it down.
STATUS_TODAY = case(
    (Stay.status == _CANCELLED, _CANCELLED),
    (Stay.starts > _DAY, _PLANNED),
    (Stay.ends <= _DAY, _FINISHED),
    else_=_IN_PROGRESS,
)


class StayPlan(Body):
    """A period `[starts, ends)`; one that starts later is planned."""

    unit_id: UUID | None = None
    starts: date
    ends: date | None = None
    admitted_on: date | None = None
    planned_start: date | None = None
    planned_end: date | None = None
    modality: Code | None = None
    entry_mode: Note | None = None
    exit_mode: Note | None = None
    comes_from: Line | None = None
    file_number: Line | None = None
    comment: Note | None = None
    place_protected: bool = False


class StayIn(StayPlan):
    usager_id: UUID
    structure_id: UUID


class StayPatch(Body):
    """What is left out stays. `ends` closes the stay; `status` only cancels it: the rest follows from its dates."""

    unit_id: UUID | None = None
    starts: date = date.min
    ends: date | None = None
    admitted_on: date | None = None
    planned_end: date | None = None
    modality: Code | None = None
    entry_mode: Note | None = None
    exit_mode: Note | None = None
    comes_from: Line | None = None
    file_number: Line | None = None
    comment: Note | None = None
    place_protected: bool = False
    status: Literal["cancelled"] = "cancelled"


class StayOut(DossierView, frozen=True):
    TABLE: ClassVar = Stay
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {"status": STATUS_TODAY}

    structure_id: str
    unit_id: str | None
    status: str
    starts: date
    ends: date | None
    admitted_on: date | None
    planned_start: date | None
    planned_end: date | None
    modality: str | None
    entry_mode: str | None
    exit_mode: str | None
    comes_from: str | None
    file_number: str | None
    comment: str | None
    place_protected: bool
    origin_partner_id: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int
