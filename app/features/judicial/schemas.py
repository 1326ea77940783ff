"""What the REST API hears and says of a decision of justice, and of the consigne it yields."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec

from app.access.entry import DossierView, Opens
from app.access.models import Consigne
from app.access.sealed import opened
from app.features.judicial.models import JudicialDecision, Nature
from app.kernel.fields import Body, Line, Note, Prose


class ConsigneIn(Body):
    """What whoever meets the person must know, in plain words; never the text of the decision.

    `closes_access`: the contact it concerns reads nothing more of the dossier, from their next request.
    """

    fetch: Note | None = None
    call: Note | None = None
    visit: Note | None = None
    sign: Note | None = None
    in_doubt: Note
    contact_id: UUID | None = None
    closes_access: bool = False
    starts: date | None = None
    ends: date | None = None


class DecisionIn(Body):
    """A decision yields its consigne; a paper yields none."""

    usager_id: UUID
    structure_id: UUID
    nature: Nature
    title: Line
    text: Prose | None = None
    decided_on: date | None = None
    consigne: ConsigneIn | None = None


class DecisionPatch(Body):
    """By who confirms. What was made for the judge is never shown here: it is read at the court."""

    title: Line = ""
    text: Prose | None = None
    decided_on: date | None = None
    visibility: Literal["not_shared", "shared"] = "not_shared"


class ConsignePatch(Body):
    fetch: Note | None = None
    call: Note | None = None
    visit: Note | None = None
    sign: Note | None = None
    in_doubt: Note = ""
    ends: date | None = None


class Seen(Body):
    copy_seen_on: date


class DecisionOut(msgspec.Struct, frozen=True):
    id: str
    usager_id: str
    structure_id: str
    author_id: str | None
    nature: str
    title: str | None
    text: str | None
    decided_on: date | None
    visibility: str
    entered_by: str | None
    copy_seen_on: date | None
    confirmed_at: datetime | None
    confirmed_by: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int


class DecisionView(DossierView, frozen=True):
    TABLE: ClassVar = JudicialDecision

    structure_id: str
    author_id: str | None
    nature: str
    title: bytes
    text: bytes | None
    decided_on: date | None
    visibility: str
    entered_by: str | None
    copy_seen_on: date | None
    confirmed_at: datetime | None
    confirmed_by: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int
    wrapped_key: bytes | None = None

    def told_by(self, gate: Opens) -> DecisionOut:
        plain: dict[str, Any] = {name: getattr(self, name) for name in DecisionOut.__struct_fields__}
        return DecisionOut(**plain | {name: opened(gate, self, name) for name in JudicialDecision.SEALED})


class ConsigneOut(DossierView, frozen=True):
    TABLE: ClassVar = Consigne

    structure_id: str
    decision_id: str
    fetch: str | None
    call: str | None
    visit: str | None
    sign: str | None
    in_doubt: str
    contact_id: str | None
    closes_access: bool
    starts: date
    ends: date | None
    author_id: str | None
    entered_by: str | None
    confirmed_at: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int


class Filed(msgspec.Struct, frozen=True):
    """Where the paper is; who files it does not read it back."""

    id: str
    consigne_id: str | None
