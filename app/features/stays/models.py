"""Stay (séjour): a usager is received by a structure, in a unit or not, for a period `[starts, ends)`.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-encounter-sejour
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class StayStatus(StrEnum):
    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Stay(DossierEntry):
    """Dates open and close it for the policy; a cancelled one is empty (`ends` equals `starts`)."""

    __tablename__ = "stay"
    KIND: ClassVar = Kind.STAY
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    unit_id: Mapped[UUID | None]
    status: Mapped[str]  # as last written: `schemas.STATUS_TODAY` says what it is now
    admitted_on: Mapped[date | None]
    planned_start: Mapped[date | None]
    planned_end: Mapped[date | None]
    starts: Mapped[date]
    ends: Mapped[date | None]
    modality: Mapped[str | None]  # JDV_J226, kept as `system|code`
    entry_mode: Mapped[str | None]
    exit_mode: Mapped[str | None]
    comes_from: Mapped[str | None]
    file_number: Mapped[str | None]
    comment: Mapped[str | None]
    place_protected: Mapped[bool] = mapped_column(default=False)  # told as « lieu protégé » outside the staff

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(
                ["organisation_id", "structure_id", "unit_id"],
                ["unit.organisation_id", "unit.structure_id", "unit.id"],
            ),
            CheckConstraint("ends >= starts", name="period"),
            Index(None, "organisation_id", "unit_id", postgresql_where=text("unit_id IS NOT NULL")),
            Index(None, "organisation_id", "structure_id"),
            Index(None, "organisation_id", "starts", "id"),
        )
