"""What the REST API hears and says about how a person moves about."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from app.access.entry import DossierView
from app.features.mobility.models import Mobility
from app.features.situations.observed import Observed
from app.features.situations.rooms import Shown
from app.kernel.fields import Body, Code, Line, Note


class Detail(Body):
    """« Avec une canne » : `label` says about what, `code` too when a list has a word for it."""

    code: Code | None = None
    label: Line | None = None
    text: Note


class _Mobility(Body):
    mode: Code | None = None
    mode_label: Line | None = None
    noted_on: date | None = None
    details: Annotated[list[Detail], Field(max_length=50)] | None = None
    comment: Note | None = None
    status: Observed = Observed.FINAL
    visibility: Shown = "shared"


class MobilityIn(_Mobility):
    """`mode`, or its label alone, or a detail: one at least."""

    structure_id: UUID


class MobilityPatch(_Mobility):
    """What is left out stays."""


class MyMobilityOut(DossierView, frozen=True):
    TABLE: ClassVar = Mobility

    status: str
    mode: str | None
    mode_label: str | None
    noted_on: date | None
    details: str | None
    comment: str | None
    occurred_at: datetime


class MobilityOut(MyMobilityOut, frozen=True):
    structure_id: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    visibility: str
    recorded_at: datetime
    updated_at: datetime
    version: int
