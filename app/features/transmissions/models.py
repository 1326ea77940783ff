"""Transmission: one dated entry by one author, for those who come next. Entries of one thread share a target."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Index, Text, and_, case, literal_column
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args, word
from app.access.permissions import Category, Kind, Visibility
from app.features.settings.chosen import chosen


class EntryKind(StrEnum):
    """Transmissions ciblées (DAR): data, action, result; a free narrative; a reply to one of them."""

    DATA = "data"
    ACTION = "action"
    RESULT = "result"
    NARRATIVE = "narrative"
    REPLY = "reply"


SHOWN = "visibility.transmission"
_SHARED: ColumnElement[str] = literal_column("'\"shared\"'", Text())  # as JSON
_MAY_BE = literal_column("given.category").in_([word(Category.SUPPORT), word(Category.ADMINISTRATIVE)])


class Transmission(DossierEntry):
    """Shown to the person or not as its author says; else as the house does, which never shows care by itself."""

    __tablename__ = "transmission"
    KIND: ClassVar = Kind.TRANSMISSION
    CATEGORY: ClassVar = Category.SUPPORT
    CHOSEN: ClassVar = {
        "visibility": case(
            (and_(_MAY_BE, chosen(SHOWN, "given") == _SHARED), word(Visibility.SHARED)),
            else_=word(Visibility.NOT_SHARED),
        )
    }

    thread_id: Mapped[UUID]  # the first entry of the thread; itself at first
    target: Mapped[str | None]
    kind: Mapped[str]
    text: Mapped[str]
    important: Mapped[bool] = mapped_column(default=False)
    correction_reason: Mapped[str | None]
    masked: Mapped[list[str] | None] = mapped_column(ARRAY(Text()))  # the words that name someone else
    shown_text: Mapped[str | None]  # the text as the person reads it, these words masked

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            Index(None, "organisation_id", "thread_id"),
            Index("ix_transmission_of_structure", "organisation_id", "structure_id", "occurred_at", "id"),
        )
