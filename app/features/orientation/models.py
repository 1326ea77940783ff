"""Orientation: what is asked of the MDPH, and what the CDAPH decides: rights and services, each open for a time.

Law: CASF L146-9, L241-6. A number given by the MDPH is sealed under the usager's key.
Sources: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-service-request-demande-orientation
and https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-basic-decision
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Index, Uuid, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, ToldInPart, entry_args
from app.access.permissions import Category, Kind


class RequestStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class OrientationRequest(DossierEntry, ToldInPart):
    """Its documents are named by their ids; one that leads nowhere here stays beside the row."""

    __tablename__ = "orientation_request"
    KIND: ClassVar = Kind.ORIENTATION_REQUEST
    CATEGORY: ClassVar = Category.ADMINISTRATIVE
    SEALED: ClassVar = ("number",)

    number: Mapped[bytes | None]
    number_system: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=RequestStatus.DRAFT.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]
    subject_code: Mapped[str | None]  # what is asked, kept as `system|code`
    subject_label: Mapped[str | None]
    asked_on: Mapped[date | None]
    requester_id: Mapped[UUID | None]
    requester_kind: Mapped[str | None]
    requester_name: Mapped[str | None]
    mdph_id: Mapped[UUID | None]  # who came in a bundle
    mdph_name: Mapped[str | None]
    request_document_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    receipt_document_id: Mapped[UUID | None]
    answer_document_id: Mapped[UUID | None]
    more_document_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    comment: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls)


class OrientationDecision(DossierEntry, ToldInPart):
    """`rights_end_on`: the first of its rights to end, of those open when it was written; what is due is found by it."""

    __tablename__ = "orientation_decision"
    KIND: ClassVar = Kind.ORIENTATION_DECISION
    CATEGORY: ClassVar = Category.ADMINISTRATIVE
    SEALED: ClassVar = ("number", "revises")
    NESTED: ClassVar = ("rights",)

    number: Mapped[bytes | None]
    number_system: Mapped[str | None]
    revises: Mapped[bytes | None]  # the number of the decision it revises, renews or closes
    revises_system: Mapped[str | None]
    request_id: Mapped[UUID | None]  # no key: a request may be withdrawn, erased, or another partner's
    decided_on: Mapped[date | None]
    decided_by: Mapped[str | None]
    type_code: Mapped[str | None]
    type_label: Mapped[str | None]
    motivation: Mapped[str | None]
    motivation_label: Mapped[str | None]
    local_motivation: Mapped[str | None]
    closes_on: Mapped[date | None]
    rights: Mapped[str | None]
    rights_end_on: Mapped[date | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            Index(
                "ix_orientation_decision_due",
                "organisation_id",
                "rights_end_on",
                "id",
                postgresql_where=text("rights_end_on IS NOT NULL AND deleted_at IS NULL"),
            ),
        )
