"""Stay (séjour): a usager is received by a structure, in a unit or not, for a period `[starts, ends)`.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-encounter-sejour
"""

from datetime import date
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, declared_attr

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class Stay(DossierEntry):
    __tablename__ = "stay"
    KIND: ClassVar = Kind.STAY
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    unit_id: Mapped[UUID | None]
    status: Mapped[str]  # planned · in_progress · finished · cancelled
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

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(["organisation_id", "unit_id"], ["unit.organisation_id", "unit.id"]),
            Index(None, "organisation_id", "unit_id", postgresql_where=text("unit_id IS NOT NULL")),
            Index(None, "organisation_id", "structure_id"),
        )
