"""What the REST API hears and says of an alert. Its texts are sealed: they are opened for the answer."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, Field

from app.access.entry import DossierView, Opens, View
from app.access.models import Professional
from app.access.sealed import opened
from app.features.alerts.models import Alert, AlertNature, Authority
from app.kernel.fields import Body, Prose, written

Why = Annotated[str, written(2_000, 10)]
Named = Annotated[list[UUID], Field(max_length=20)]


class AlertIn(Body):
    """Facts, words as they were said. `named`: the professionals who must know, beside you and the direction.

    The direction of the house always reads it: of facts that concern the direction itself, tell an authority directly
    (119, CRIP, procureur, ARS). « Représentants informés le … », or why not: against the interest of the child (CASF L226-2-1). Never both.
    """

    usager_id: UUID
    structure_id: UUID
    nature: AlertNature
    facts: Prose
    occurred_at: AwareDatetime | None = None
    named: Named = Field(default_factory=list)
    representatives_told_on: date | None = None
    representatives_not_told_why: Why | None = None
    sent_to: Authority | None = None
    sent_on: date | None = None


class AlertPatch(Body):
    """What is left out stays. Who is no longer `named` reads nothing more, from their next request."""

    nature: AlertNature = AlertNature.FAIT_GRAVE
    facts: Prose = ""
    named: Named = Field(default_factory=list)
    representatives_told_on: date | None = None
    representatives_not_told_why: Why | None = None
    sent_to: Authority | None = None
    sent_on: date | None = None


class AlertOut(msgspec.Struct, frozen=True):
    id: str
    usager_id: str
    structure_id: str
    author_id: str | None
    nature: str
    facts: str | None
    named: list[str]
    representatives_told_on: date | None
    representatives_not_told_why: str | None
    sent_to: str | None
    sent_on: date | None
    occurred_at: datetime
    recorded_at: datetime
    updated_at: datetime
    version: int


class AlertView(DossierView, frozen=True):
    TABLE: ClassVar = Alert

    structure_id: str
    author_id: str | None
    nature: str
    facts: bytes
    reserved_to: list[str] | None
    representatives_told_on: date | None
    representatives_not_told_why: bytes | None
    sent_to: str | None
    sent_on: date | None
    occurred_at: datetime
    recorded_at: datetime
    updated_at: datetime
    version: int
    wrapped_key: bytes | None = None

    def told_by(self, gate: Opens) -> AlertOut:
        plain: dict[str, Any] = {name: getattr(self, name, None) for name in AlertOut.__struct_fields__}
        texts = {name: opened(gate, self, name) for name in Alert.SEALED}
        return AlertOut(**{**plain, **texts, "named": self.reserved_to or []})


class Here(View, frozen=True):
    """Someone who works in this organisation."""

    TABLE: ClassVar = Professional
