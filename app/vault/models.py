"""What proves, at each start, that the key file is the one of this base; and whom a house erases, with its certificate."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.clock import now
from app.kernel.db import Base
from app.kernel.ids import uuid7


class KeyCheck(Base):
    """One row: a value sealed by the first key, and the fingerprint of the same by the index key."""

    __tablename__ = "key_check"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes]
    blind: Mapped[bytes]


class Erasure(Base):
    """One person whose time is over: proposed, signed, then erased; it outlives them and says nothing of them.

    `usager_id` refers to no row: it is what the trail names. `rules` are those that made it due; `certificate` is signed.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'signed', 'stopped', 'erased')", name="state"),
        CheckConstraint("copy IN ('given', 'refused', 'unreachable')", name="copy"),
        CheckConstraint("state <> 'erased' OR (certificate IS NOT NULL AND signed_by IS NOT NULL)", name="proven"),
        Index(
            "uq_erasure_open",
            "organisation_id",
            "usager_id",
            unique=True,
            postgresql_where=text("state IN ('proposed', 'signed')"),
        ),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    usager_id: Mapped[UUID]
    state: Mapped[str]
    rules: Mapped[str]
    due_on: Mapped[date]
    proposed_at: Mapped[datetime] = mapped_column(default=now)
    copy: Mapped[str | None]  # of their dossier, proposed to the person first: what became of it
    signed_by: Mapped[UUID | None]  # the account of the direction
    signed_at: Mapped[datetime | None]  # and the DPO told, in the trail
    not_before: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    why_stopped: Mapped[str | None]
    certificate: Mapped[str | None]
