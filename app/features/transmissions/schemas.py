"""What the REST API hears and says about a transmission."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from app.access.entry import ME, DossierView
from app.features.professionals import shown
from app.features.transmissions import masking
from app.features.transmissions.models import EntryKind, Transmission
from app.kernel.fields import Body, Line, Prose

EntryCategory = Literal["support", "care", "administrative"]
Shown = Literal["not_shared", "shared"]


class TransmissionIn(Body):
    """Without `visibility`, the setting `visibility.transmission` of the house decides; care is then not shown."""

    usager_id: UUID
    structure_id: UUID
    text: Prose
    kind: EntryKind = EntryKind.NARRATIVE
    target: Line | None = None
    thread_id: UUID | None = None
    occurred_at: AwareDatetime | None = None
    category: EntryCategory = "support"
    visibility: Shown | None = None
    important: bool = False
    consigne: bool = False


class LineIn(Body):
    """A one-line entry, `D: … A: … R: …`: up to three entries of one thread. `visibility` as for one entry."""

    usager_id: UUID
    structure_id: UUID
    line: Prose
    target: Line | None = None
    occurred_at: AwareDatetime | None = None
    category: EntryCategory = "support"
    visibility: Shown | None = None
    important: bool = False


class TransmissionPatch(Body):
    """A correction: what it leaves out stays; the reason is kept with the new version."""

    text: Prose = ""
    target: Line | None = None
    visibility: Shown = "not_shared"
    important: bool = False
    consigne: bool = False
    correction_reason: Line | None = None


class TransmissionOut(DossierView, frozen=True):
    TABLE: ClassVar = Transmission

    structure_id: str
    author_id: str | None
    author_kind: str
    thread_id: str
    target: str | None
    kind: str
    text: str
    important: bool
    consigne: bool
    category: str
    visibility: str
    withheld_reason: str | None
    withheld_until: date | None
    masked: list[str] | None
    occurred_at: datetime
    recorded_at: datetime
    updated_at: datetime
    correction_reason: str | None
    version: int


class MyTransmissionOut(DossierView, frozen=True):
    """The same, as the person, or who represents them, reads it: its author by role. `mine`: the reader wrote it."""

    TABLE: ClassVar = Transmission
    COMPUTED: ClassVar = {
        "text": masking.TEXT,
        "author_role": shown.role("transmission"),
        "author_first_name": shown.first_name("transmission"),
        "mine": Transmission.author_id == ME,
    }

    thread_id: str
    target: str | None
    kind: str
    text: str
    author_kind: str
    author_role: str | None
    author_first_name: str | None
    mine: bool
    occurred_at: datetime
