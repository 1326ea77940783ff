"""What the REST API hears and says about a request for orientation, and about a decision."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
import orjson
from pydantic import Field
from sqlalchemy import ColumnElement

from app.access.entry import DossierView, Opens
from app.access.protection import anywhere_protected, not_me
from app.access.sealed import opened
from app.features.orientation.models import OrientationDecision, OrientationRequest, RequestStatus
from app.features.situations.rooms import Coded, Shown
from app.kernel.fields import CONTROLS, Body, Code, Line, Note

Ids = Annotated[list[UUID], Field(max_length=100)]
System = Annotated[str, Field(max_length=300, pattern=rf"^[^\s|{CONTROLS}]+$")]


class _Request(Body):
    """`number` is given by the MDPH; `number_system` says whose numbers these are."""

    number: Line | None = None
    number_system: System | None = None
    status: RequestStatus = RequestStatus.DRAFT
    subject_code: Code | None = None
    subject_label: Line | None = None
    asked_on: date | None = None
    requester_kind: Literal["usager", "contact"] = "usager"
    requester_id: UUID | None = None
    requester_name: Line | None = None
    mdph_name: Line | None = None
    request_document_ids: Ids | None = None
    receipt_document_id: UUID | None = None
    answer_document_id: UUID | None = None
    more_document_ids: Ids | None = None
    comment: Note | None = None
    visibility: Shown = "shared"


class RequestIn(_Request):
    """Asked by the person, or by a contact, named by their id or by a name."""

    structure_id: UUID


class RequestPatch(_Request):
    """What is left out stays."""


class Detail(Body):
    """Of a right: what is aimed at or accepted instead, how often, which house."""

    qualification: Coded | None = None
    temporality: Coded | None = None
    precision: Coded | None = None
    structure_name: Line | None = None


class Right(Body):
    category: Coded | None = None
    type: Coded | None = None
    nature: Coded | None = None
    opens_on: date | None = None
    ends_on: date | None = None
    global_plan: bool | None = None  # plan d'accompagnement global
    creton: bool | None = None
    details: Annotated[list[Detail], Field(max_length=50)] | None = None


class _Decision(Body):
    """`revises`: the number of the decision that this one revises, renews or closes."""

    number: Line | None = None
    number_system: System | None = None
    revises: Line | None = None
    revises_system: System | None = None
    request_id: UUID | None = None
    decided_on: date | None = None
    decided_by: Line | None = None
    type_code: Code | None = None
    type_label: Line | None = None
    motivation: Code | None = None
    motivation_label: Line | None = None
    local_motivation: Note | None = None
    closes_on: date | None = None
    rights: Annotated[list[Right], Field(max_length=50)] | None = None
    visibility: Shown = "shared"


class DecisionIn(_Decision):
    structure_id: UUID


class DecisionPatch(_Decision):
    """What is left out stays; `rights` are told all at once."""


class _Numbered(DossierView, frozen=True, omit_defaults=True):
    def told_by(self, gate: Opens) -> Any:
        numbers = {name: opened(gate, self, name) for name in self.TABLE.SEALED}
        return msgspec.structs.replace(DossierView.told_by(self, gate), **numbers, wrapped_key=None)


class _RequestView(_Numbered, frozen=True):
    TABLE: ClassVar = OrientationRequest

    number: bytes | None
    number_system: str | None
    status: str
    status_changed_at: datetime | None
    subject_code: str | None
    subject_label: str | None
    asked_on: date | None
    requester_kind: str | None
    requester_name: str | None
    mdph_name: str | None
    request_document_ids: list[str] | None
    receipt_document_id: str | None
    answer_document_id: str | None
    more_document_ids: list[str] | None
    comment: str | None
    occurred_at: datetime


class MyRequestOut(_RequestView, frozen=True):
    wrapped_key: bytes | None = None


class RequestOut(_RequestView, frozen=True):
    requester_id: str | None
    mdph_id: str | None
    status_author_id: str | None
    structure_id: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    visibility: str
    recorded_at: datetime
    updated_at: datetime
    version: int
    wrapped_key: bytes | None = None


class _DecisionView(_Numbered, frozen=True):
    TABLE: ClassVar = OrientationDecision

    number: bytes | None
    number_system: str | None
    revises: bytes | None
    revises_system: str | None
    request_id: str | None
    decided_on: date | None
    decided_by: str | None
    type_code: str | None
    type_label: str | None
    motivation: str | None
    motivation_label: str | None
    local_motivation: str | None
    closes_on: date | None
    rights: str | None
    rights_end_on: date | None
    occurred_at: datetime


class DecisionOut(_DecisionView, frozen=True):
    structure_id: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    visibility: str
    recorded_at: datetime
    updated_at: datetime
    version: int
    wrapped_key: bytes | None = None


class MyDecisionOut(_DecisionView, frozen=True):
    """The same, as the person, or who represents them, reads it: these are told of no house of who is protected."""

    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "hidden": anywhere_protected(OrientationDecision) & not_me(OrientationDecision)
    }

    hidden: bool
    wrapped_key: bytes | None = None

    def told_by(self, gate: Opens) -> Any:
        shown = msgspec.structs.replace(self, rights=without_houses(self.rights)) if self.hidden else self
        return _Numbered.told_by(shown, gate)


def without_houses(rights: str | None) -> str | None:
    """The same rights, silent on where they are lived."""
    if rights is None:
        return None
    told = orjson.loads(rights)
    for right in told:
        for detail in right.get("details", ()):
            detail.pop("structure_id", None)
            detail.pop("structure_name", None)
    return orjson.dumps(told).decode()
