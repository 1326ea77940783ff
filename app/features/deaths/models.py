"""Décès: what a person died of, as a doctor said it. That they died, and when, is on their identity (`usager.died_on`).

Law: CGCT L2223-42 (the certificate); the causes are care, under the secret of CSP L1110-4.
Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-observation-cause-mortalite
"""

from datetime import date
from typing import ClassVar

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, ToldInPart, entry_args
from app.access.permissions import Category, Kind
from app.features.situations.observed import Observed

OURS = text("origin_partner_id IS NULL AND deleted_at IS NULL AND status = 'final'")


class Death(DossierEntry, ToldInPart):
    """One of ours at most stands for a person; each partner may have said its own."""

    __tablename__ = "death"
    KIND: ClassVar = Kind.DEATH
    CATEGORY: ClassVar = Category.CARE
    NESTED: ClassVar = ("causes",)

    status: Mapped[str] = mapped_column(default=Observed.FINAL.value)
    causes: Mapped[str | None]  # CIM-10, codes and labels, the first one first
    noted_on: Mapped[date | None]
    said_by: Mapped[str | None]  # the doctor
    comment: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            Index("uq_death_one", "organisation_id", "usager_id", unique=True, postgresql_where=OURS),
        )
