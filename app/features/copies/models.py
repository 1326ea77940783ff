"""« Demander à lire mon dossier »: one part asked for, the day by which it is due, and what was answered.

Source: CSP L1111-7 (health information); RGPD art. 12 and 15 (the rest); design: field.md §6.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind
from app.kernel.clock import now
from app.kernel.db import Base


class Part(StrEnum):
    """Each has its own clock; care written long ago has more time."""

    CARE = "care"
    OLD_CARE = "old_care"
    REST = "rest"


class CopyAnswer(StrEnum):
    READY = "ready"  # on the page of who asked
    BY_HAND = "by_hand"
    REFUSED = "refused"


class AskedHow(StrEnum):
    """To the professional who writes it down: the person asks as they can (RGPD art. 12 §2)."""

    ORAL = "oral"
    PHONE = "phone"
    LETTER = "letter"
    EMAIL = "email"


class CopyRequest(DossierEntry):
    """Its author is the person, or who represents them: nobody else of theirs reads it, nor takes the copy.

    `entered_by`: the professional who heard it, and `asked_how`, `asked_at`; none of them when it was asked at the page.
    """

    __tablename__ = "copy_request"
    KIND: ClassVar = Kind.COPY_REQUEST
    CATEGORY: ClassVar = Category.ADMINISTRATIVE
    WRITTEN_BY: ClassVar = "entered_by"

    part: Mapped[str]
    entered_by: Mapped[UUID | None]
    asked_how: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    due_on: Mapped[date]
    not_before: Mapped[datetime | None]  # health information is not handed over at once
    old_before: Mapped[date | None]  # the care written before this day is `old_care`
    care_signed_by: Mapped[UUID | None]  # the health professional; the direction prepares
    care_signed_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    words: Mapped[str | None]  # said to who asked
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        waits = text("answer IS NULL AND deleted_at IS NULL")
        once = ("organisation_id", "usager_id", "author_id", "part")
        return entry_args(
            cls,
            CheckConstraint("part IN ('care', 'old_care', 'rest')", name="part"),
            CheckConstraint("answer IN ('ready', 'by_hand', 'refused')", name="answer"),
            CheckConstraint("asked_how IN ('oral', 'phone', 'letter', 'email')", name="asked_how"),
            CheckConstraint("num_nonnulls(entered_by, asked_how, asked_at) IN (0, 3)", name="entered"),
            CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
            Index("uq_copy_request_waiting", *once, unique=True, postgresql_where=waits),
            Index("ix_copy_request_due", "organisation_id", "due_on", "id", postgresql_where=waits),
        )


class CopyFile(Base):
    """The copy as it was signed, sealed under the person's key: a page to read, and the same for a program."""

    __tablename__ = "copy_file"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "request_id"], ["copy_request.organisation_id", "copy_request.id"]),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    usager_id: Mapped[UUID]
    page: Mapped[bytes]
    data: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(default=now)


def about(request: UUID | str, name: str) -> str:
    """What the sealing of a copy's `page` or `data` is bound to."""
    return f"copy_file:{request}:{name}"
