"""What the REST API hears and says about a school period."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from pydantic import Field
from sqlalchemy import ColumnElement

from app.access.entry import DossierView, Opens
from app.access.protection import PROTECTED, not_me
from app.features.schooling.models import SchoolPeriod
from app.features.situations.observed import Observed
from app.features.situations.rooms import Coded, Shown
from app.kernel.fields import Body, Code, Line, Note

Codeds = Annotated[list[Coded], Field(max_length=50)]
HIDDEN = ("school_id", "comment")  # of a protected school, beside its name


class Volume(Body):
    """So many hours a week, half-days, a share: `code` is of UCUM or another list."""

    value: Annotated[float, Field(ge=0, le=10_000)]
    unit: Line | None = None
    code: Code | None = None


class _School(Body):
    starts: date | None = None
    ends: date | None = None
    referent_id: UUID | None = None
    referent_name: Line | None = None
    school_id: UUID | None = None
    school_name: Line | None = None
    teachings: Codeds | None = None
    diplomas: Codeds | None = None
    volume: Volume | None = None
    comment: Note | None = None
    place_protected: bool = False
    status: Observed = Observed.FINAL
    visibility: Shown = "shared"


class SchoolPeriodIn(_School):
    """A period `[starts, ends)`. `school_id` is one of our structures; another school is named."""

    structure_id: UUID


class SchoolPeriodPatch(_School):
    """What is left out stays."""


class _SchoolOut(DossierView, frozen=True):
    status: str
    starts: date | None
    ends: date | None
    referent_id: str | None
    referent_name: str | None
    school_id: str | None
    school_name: str | None
    teachings: str | None
    diplomas: str | None
    volume: str | None
    comment: str | None


class SchoolPeriodOut(_SchoolOut, frozen=True):
    TABLE: ClassVar = SchoolPeriod

    structure_id: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    place_protected: bool
    visibility: str
    recorded_at: datetime
    updated_at: datetime
    occurred_at: datetime
    version: int


class MySchoolPeriodOut(_SchoolOut, frozen=True):
    """The same, as the person, or who represents them, reads it: these are not told of a protected school."""

    TABLE: ClassVar = SchoolPeriod
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {"hidden": SchoolPeriod.place_protected & not_me(SchoolPeriod)}

    occurred_at: datetime
    hidden: bool

    def told_by(self, gate: Opens) -> Any:
        told = DossierView.told_by(self, gate)
        if not self.hidden:
            return told
        return msgspec.structs.replace(told, school_name=PROTECTED, **dict.fromkeys(HIDDEN))
