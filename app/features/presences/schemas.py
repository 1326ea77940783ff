"""What the REST API hears and says about a presence or an absence."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from app.access.entry import DossierView
from app.features.presences.models import Presence
from app.kernel.fields import Body, Code, Note

Shown = Literal["not_shared", "shared"]
Status = Literal["planned", "confirmed", "cancelled"]
UNSAID = datetime.fromisoformat("1900-01-01T00:00:00+00:00")


class PresenceIn(Body):
    """From `occurred_at` to `ends_at`. `type_code` as TDDUI says it (JDV J405): its code 2 is an absence, which says its
    `reason_code` (JDV J406) and whether it was `planned`.
    """

    usager_id: UUID
    structure_id: UUID
    occurred_at: AwareDatetime
    ends_at: AwareDatetime
    type_code: Code
    reason_code: Code | None = None
    planned: bool | None = None
    comment: Note | None = None
    status: Literal["planned", "confirmed"] = "planned"
    visibility: Shown = "shared"


class PresencePatch(Body):
    """What is left out stays. `billed` is said of what is confirmed."""

    occurred_at: AwareDatetime = UNSAID
    ends_at: AwareDatetime = UNSAID
    type_code: Code = ""
    reason_code: Code | None = None
    planned: bool | None = None
    billed: bool = False
    comment: Note | None = None
    status: Status = "planned"
    visibility: Shown = "shared"


class PresenceOut(DossierView, frozen=True):
    TABLE: ClassVar = Presence

    structure_id: str
    schedule_id: str | None
    occurred_at: datetime
    ends_at: datetime
    absent: bool
    type_code: str
    reason_code: str | None
    planned: bool | None
    billed: bool | None
    comment: str | None
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    status_author_kind: str | None
    visibility: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int


class MyPresenceOut(DossierView, frozen=True):
    """For the person, and who represents them."""

    TABLE: ClassVar = Presence

    occurred_at: datetime
    ends_at: datetime
    absent: bool
    planned: bool | None
    status: str
