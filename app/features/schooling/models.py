"""Période scolaire: where a person goes to school for a time `[starts, ends)`, who follows it there, what is taught.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-observation-periode-scolaire
"""

from datetime import date
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, ToldInPart, entry_args
from app.access.permissions import Category, Kind
from app.features.situations.observed import Observed


class SchoolPeriod(DossierEntry, ToldInPart):
    __tablename__ = "school_period"
    KIND: ClassVar = Kind.SCHOOL_PERIOD
    CATEGORY: ClassVar = Category.SUPPORT
    NESTED: ClassVar = ("teachings", "diplomas", "volume")

    status: Mapped[str] = mapped_column(default=Observed.FINAL.value)
    starts: Mapped[date | None]
    ends: Mapped[date | None]
    referent_id: Mapped[UUID | None]  # a contact: the enseignant référent
    referent_name: Mapped[str | None]
    school_id: Mapped[UUID | None]  # a structure of ours, or one that came in a bundle
    school_name: Mapped[str | None]
    teachings: Mapped[str | None]  # JDV_J386, codes and labels
    diplomas: Mapped[str | None]  # JDV_J81
    volume: Mapped[str | None]  # how much of the week: value, unit, code
    comment: Mapped[str | None]
    place_protected: Mapped[bool] = mapped_column(
        default=False
    )  # the school is told as « lieu protégé » outside the staff

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            CheckConstraint("ends > starts", name="period"),
        )
