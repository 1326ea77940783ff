"""Alert: what may have to be told to an authority. Read by who wrote it, the direction and those it names, nobody else.

Source: CASF L226-2-1 (information préoccupante, signalement), L331-8-1 (fait grave); design: field.md §1.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, declared_attr

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class AlertNature(StrEnum):
    INFORMATION_PREOCCUPANTE = "information_preoccupante"
    SIGNALEMENT = "signalement"
    MALTRAITANCE = "maltraitance"
    FAIT_GRAVE = "fait_grave"


class Authority(StrEnum):
    """Who was told outside: the cell of the département, the prosecutor, the health agency, the département, the prefect."""

    CRIP = "crip"
    PROCUREUR = "procureur"
    ARS = "ars"
    DEPARTEMENT = "departement"
    PREFET = "prefet"


class Alert(DossierEntry):
    """`reserved_to` are the professionals it names: one taken out reads nothing of it at the next request."""

    __tablename__ = "alert"
    KIND: ClassVar = Kind.ALERT
    CATEGORY: ClassVar = Category.ALERT
    SEALED: ClassVar = ("facts", "representatives_not_told_why")

    nature: Mapped[str]
    facts: Mapped[bytes]
    representatives_told_on: Mapped[date | None]
    representatives_not_told_why: Mapped[bytes | None]
    sent_to: Mapped[str | None]
    sent_on: Mapped[date | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        told = CheckConstraint(
            "representatives_told_on IS NULL OR representatives_not_told_why IS NULL", name="told_or_not"
        )
        sent = CheckConstraint("(sent_to IS NULL) = (sent_on IS NULL)", name="sent")
        return entry_args(cls, told, sent)
