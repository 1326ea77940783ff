"""What the REST API hears and says of the emergency sheet and of emergency access."""

from calendar import monthrange
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, cast
from uuid import UUID

import msgspec
from pydantic import Field, create_model
from sqlalchemy import ColumnElement, Integer, literal_column

from app.access.entry import DossierView
from app.access.models import EmergencyAccess
from app.features.emergency.models import FIELDS, EmergencySheet
from app.features.usagers.models import Usager
from app.kernel.clock import today
from app.kernel.fields import Body, written

MONTHS_FRESH = 3  # beyond, a field is orange: to be asked again (design: field.md §7)
Short = Annotated[str, written(500)]
# The lines of the trail that say they were read under it.
_READINGS: ColumnElement[Any] = literal_column(
    """(SELECT count(*) FROM audit_entry a WHERE a.organisation_id = emergency_access.organisation_id
    AND a.usager_id = emergency_access.usager_id AND a.principal_id = emergency_access.professional_id
    AND a.ground = 'urgence' AND a.at >= emergency_access.starts_at AND a.at <= emergency_access.ends_at)""",
    Integer(),
)
Reason = Annotated[str, written(500, 10)]

_fields: dict[str, Any] = {name: (Short | None, None) for name in FIELDS}
_structure: dict[str, Any] = {"structure_id": (UUID, Field())}
SheetIn: type[Body] = create_model("SheetIn", __base__=Body, **_structure, **_fields)
SheetPatch: type[Body] = create_model("SheetPatch", __base__=Body, **_fields)

_told: list[tuple[str, Any]] = [("structure_id", str), ("visibility", str)]
for _name in FIELDS:
    _told += [(_name, str | None), (f"{_name}_on", date | None), (f"{_name}_by", str | None)]
_told += [("updated_at", datetime), ("version", int)]
SheetView = cast(
    type[DossierView],
    msgspec.defstruct("SheetView", _told, bases=(DossierView,), frozen=True, namespace={"TABLE": EmergencySheet}),
)


class Said(msgspec.Struct, frozen=True):
    """One field: `stale` when it was said more than three months ago, or never."""

    value: str | None
    on: date | None
    by: str | None
    stale: bool


class SheetOut(msgspec.Struct, frozen=True):
    id: str
    usager_id: str
    structure_id: str
    fields: dict[str, Said]
    stale: bool
    updated_at: datetime
    version: int


def sheet(view: Any) -> SheetOut:
    """The sheet as it is told, each field with its day and its author."""
    fresh = months_ago(today(), MONTHS_FRESH)
    fields = {}
    for name in FIELDS:
        value, on, by = getattr(view, name), getattr(view, f"{name}_on"), getattr(view, f"{name}_by")
        fields[name] = Said(value, on, by, stale=on is None or on < fresh)
    old = any(said.stale for said in fields.values() if said.value is not None)
    return SheetOut(view.id, view.usager_id, view.structure_id, fields, old, view.updated_at, view.version)


def months_ago(day: date, months: int) -> date:
    """The same day of an earlier month; its last one when it has fewer."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class EmergencyIn(Body):
    """« Pourquoi maintenant ? » is read by the chief, the DPO and the person."""

    usager_id: UUID
    structure_id: UUID
    reason: Reason


class ReviewIn(Body):
    """What who answers for it thinks of it, once it is over."""

    review: Literal["justified", "unjustified", "to_discuss"]


class EmergencyOut(DossierView, frozen=True):
    TABLE: ClassVar = EmergencyAccess

    structure_id: str
    professional_id: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    reviewed_at: datetime | None
    reviewed_by: str | None
    review: str | None
    version: int


class DigestOut(EmergencyOut, frozen=True):
    """The same, and how many times something was read under it, until it ended."""

    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {"readings": _READINGS}

    readings: int = 0


class Known(DossierView, frozen=True):
    """A person whose dossier the caller reads already."""

    TABLE: ClassVar = Usager
