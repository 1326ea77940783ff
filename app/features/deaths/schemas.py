"""What the REST API hears and says about what a person died of."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from app.access.entry import DossierView
from app.features.deaths.models import Death
from app.features.situations.observed import Observed
from app.features.situations.rooms import Coded, Shown
from app.kernel.fields import Body, Line, Note

Causes = Annotated[list[Coded], Field(min_length=1, max_length=50)]


class DeathIn(Body):
    """The causes, the first one first; `noted_on` is the day they were established."""

    structure_id: UUID
    causes: Causes
    noted_on: date | None = None
    said_by: Line | None = None
    comment: Note | None = None
    visibility: Shown = "not_shared"


class DeathPatch(Body):
    """What is left out stays."""

    causes: Causes = Field(default_factory=list)
    noted_on: date | None = None
    said_by: Line | None = None
    comment: Note | None = None
    status: Observed = Observed.FINAL
    visibility: Shown = "not_shared"


class MyDeathOut(DossierView, frozen=True):
    TABLE: ClassVar = Death

    status: str
    causes: str | None
    noted_on: date | None
    comment: str | None
    occurred_at: datetime


class DeathOut(MyDeathOut, frozen=True):
    said_by: str | None
    structure_id: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    visibility: str
    recorded_at: datetime
    updated_at: datetime
    version: int
