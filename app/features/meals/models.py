"""Meal: which one, when, and whether the person is there for it.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-observation-repas
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class MealStatus(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    CANCELLED = "cancelled"


class Meal(DossierEntry):
    __tablename__ = "meal"
    KIND: ClassVar = Kind.MEAL
    CATEGORY: ClassVar = Category.SUPPORT

    type_code: Mapped[str]  # TRE_R425, kept as `system|code`
    present: Mapped[bool | None]  # None: its sender does not say, though the profile asks
    comment: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=MealStatus.PLANNED.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            Index("ix_meal_of_structure", "organisation_id", "structure_id", "occurred_at", "id"),
        )
