"""Mobilité: by what means a person moves about, as it was noted one day, and what that takes.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-observation-mobilite-usager
"""

from datetime import date
from typing import ClassVar

from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, ToldInPart, entry_args
from app.access.permissions import Category, Kind
from app.features.situations.observed import Observed


class Mobility(DossierEntry, ToldInPart):
    __tablename__ = "mobility"
    KIND: ClassVar = Kind.MOBILITY
    CATEGORY: ClassVar = Category.SUPPORT
    NESTED: ClassVar = ("details",)

    status: Mapped[str] = mapped_column(default=Observed.FINAL.value)
    mode: Mapped[str | None]  # JDV ModeDeTransport, kept as `system|code`
    mode_label: Mapped[str | None]
    noted_on: Mapped[date | None]
    details: Mapped[str | None]  # what about, and the words
    comment: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls)
