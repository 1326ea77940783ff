"""Assessment (évaluation): a grid (SERAFIN-PH, AGGIR…) answered about a usager, by a professional or by themselves.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-questionnaire-response
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Uuid
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args, leading
from app.access.permissions import Category, Kind


class AssessmentStatus(StrEnum):
    """TERMINE, APPROUVE, VALIDE; a cancelled one was answered by mistake."""

    DONE = "done"
    APPROVED = "approved"
    VALIDATED = "validated"
    CANCELLED = "cancelled"


class Assessment(DossierEntry):
    """`items`: the questions and their answers, as JSON (`answers` says its shape): read, versioned and compared whole."""

    __tablename__ = "assessment"
    KIND: ClassVar = Kind.ASSESSMENT
    CATEGORY: ClassVar = Category.CARE  # of a grid that we know nothing of

    questionnaire: Mapped[str]  # its canonical, `url|version`
    status: Mapped[str] = mapped_column(default=AssessmentStatus.DONE.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]
    assessed_at: Mapped[datetime | None]
    assessor_id: Mapped[UUID | None]  # évaluateur; the usager of a self-assessment
    assessor_kind: Mapped[str | None]
    assessor_name: Mapped[str | None]
    responsible_id: Mapped[UUID | None]
    responsible_kind: Mapped[str | None]
    responsible_name: Mapped[str | None]
    recorder_id: Mapped[UUID | None]  # auteur: who wrote the answers down
    recorder_kind: Mapped[str | None]
    recorder_name: Mapped[str | None]
    holder_id: Mapped[UUID | None]  # porteur: the structure that a self-assessment is given to
    event_id: Mapped[UUID | None]
    method: Mapped[str | None]
    comment: Mapped[str | None]
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    items: Mapped[str]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            CheckConstraint("jsonb_typeof(items::jsonb) = 'array'", name="items"),
            leading("ix_assessment_of_event", "event_id"),
            leading("ix_assessment_of_recorder", "recorder_id"),
            leading("ix_assessment_of_assessor", "assessor_id"),
        )
