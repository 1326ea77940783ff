"""Decisions of justice and the papers around them. What they ask of the house is another row: the consigne.

Source: CASF L311-3, L221-4; CADA on the three natures of papers; design: field.md §1, §6.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, declared_attr

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class Nature(StrEnum):
    """A decision of which the person was notified; a paper made for the judge, read at the court; one of the house."""

    NOTIFIED = "notified"
    FOR_JUDGE = "for_judge"
    OF_HOUSE = "of_house"


class JudicialDecision(DossierEntry):
    """Filed by one, confirmed by another with the paper in hand."""

    __tablename__ = "judicial_decision"
    KIND: ClassVar = Kind.JUDICIAL_DECISION
    CATEGORY: ClassVar = Category.JUDICIAL
    SEALED: ClassVar = ("title", "text")

    nature: Mapped[str]
    title: Mapped[bytes]
    text: Mapped[bytes | None]
    decided_on: Mapped[date | None]
    entered_by: Mapped[UUID | None]  # who said its terms as they stand: another confirms them
    copy_seen_on: Mapped[date | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls)
