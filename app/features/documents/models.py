"""Document: a paper, a scan, a photo of someone's dossier, and what is said of it; its bytes are a `content`.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-document-reference
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class DocumentStatus(StrEnum):
    CURRENT = "current"
    SUPERSEDED = "superseded"
    ENTERED_IN_ERROR = "entered_in_error"


class Document(DossierEntry):
    """Codes are kept as `system|code`. A document received may say where its bytes are without giving them: it has no
    `content_id`. `writer`, `authenticator`: who wrote it and who vouches for it, when that is not who filed it.
    """

    __tablename__ = "document"
    KIND: ClassVar = Kind.DOCUMENT
    CATEGORY: ClassVar = Category.SUPPORT

    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=DocumentStatus.CURRENT.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]
    content_id: Mapped[UUID | None]
    content_type: Mapped[str | None]
    language: Mapped[str | None]
    size: Mapped[int | None]
    sha256: Mapped[str | None]  # of the clear bytes, in hexadecimal
    sha1: Mapped[str | None]  # the same in base64, as R4 tells a hash
    written_on: Mapped[str | None]  # the day, month or year the paper itself bears
    type: Mapped[str | None]
    class_code: Mapped[str | None]
    format: Mapped[str | None]
    writer_id: Mapped[UUID | None]
    writer_kind: Mapped[str | None]
    writer_name: Mapped[str | None]
    authenticator_id: Mapped[UUID | None]
    authenticator_kind: Mapped[str | None]
    authenticator_name: Mapped[str | None]
    event: Mapped[str | None]  # what was done, that it is about
    period_starts: Mapped[datetime | None]
    period_ends: Mapped[datetime | None]
    facility: Mapped[str | None]
    practice: Mapped[str | None]
    encounter_id: Mapped[UUID | None]  # a stay, or someone's part in an event
    replaces_id: Mapped[UUID | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(
                ["organisation_id", "content_id"],
                ["content.organisation_id", "content.id"],
                deferrable=True,  # the key that seals the bytes is told as the row is written
                initially="DEFERRED",
            ),
            CheckConstraint("status IN ('current', 'superseded', 'entered_in_error')", name="status"),
            CheckConstraint("num_nonnulls(content_id, sha256, size, sha1) IN (0, 4)", name="content"),
            Index("ix_document_of_structure", "organisation_id", "structure_id", "occurred_at", "id"),
            Index(None, "organisation_id", "content_id"),
        )
