"""Projet de vie: what the person wants of their life, in their words; the personalised project answers it, and ends before.

Law: CASF L114-1-1, L146-8. Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-goal-projet-vie
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, ToldInPart, entry_args
from app.access.permissions import Category, Kind


class LifeStatus(StrEnum):
    """ENPREPARATION, ENCOURS, TERMINE."""

    DRAFT = "draft"
    ACTIVE = "active"
    COMPLETED = "completed"


class LifeProject(DossierEntry, ToldInPart):
    """`words` are those of `said_by`; `aim` is what it would change, `aim_on` by when."""

    __tablename__ = "life_project"
    KIND: ClassVar = Kind.LIFE_PROJECT
    CATEGORY: ClassVar = Category.SUPPORT

    words: Mapped[str]
    aim: Mapped[str | None]
    aim_on: Mapped[date | None]
    starts: Mapped[date | None]
    said_by_id: Mapped[UUID | None]
    said_by_kind: Mapped[str | None]
    said_by_name: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=LifeStatus.ACTIVE.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls)
