"""Presence: from when to when a person is there, or absent and why; what a house counts and bills.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-slot-presence-absence
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Uuid, literal_column, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class PresenceStatus(StrEnum):
    PLANNED = "planned"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class PresenceSchedule(DossierEntry):
    """What gathers the presences of one person in one house; it says nothing else. Ours comes with the first of them."""

    __tablename__ = "presence_schedule"
    KIND: ClassVar = Kind.PRESENCE_SCHEDULE
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            Index(
                "uq_presence_schedule_once",
                "organisation_id",
                "usager_id",
                "structure_id",
                unique=True,
                postgresql_where=text("origin_partner_id IS NULL AND deleted_at IS NULL"),
            ),
        )


class Presence(DossierEntry):
    """From `occurred_at` to `ends_at`. Its schedule, when nobody says one, is that of the person in this house: the one
    there is, else the one that `opens` with it.
    """

    __tablename__ = "presence"
    KIND: ClassVar = Kind.PRESENCE
    CATEGORY: ClassVar = Category.ADMINISTRATIVE
    CHOSEN: ClassVar = {
        "schedule_id": literal_column(
            """CASE WHEN given.origin_partner_id IS NULL THEN coalesce(
                (SELECT s.id FROM presence_schedule s WHERE s.organisation_id = given.organisation_id
                 AND s.usager_id = given.usager_id AND s.structure_id = given.structure_id
                 AND s.origin_partner_id IS NULL AND s.deleted_at IS NULL LIMIT 1), md5(given.id::text)::uuid) END""",
            Uuid(),
        )
    }

    schedule_id: Mapped[UUID | None]  # None: its sender names one that it did not send
    ends_at: Mapped[datetime]
    absent: Mapped[bool]
    type_code: Mapped[str]  # JDV_J405, kept as `system|code`
    reason_code: Mapped[str | None]  # JDV_J406, of an absence
    planned: Mapped[bool | None]  # an absence that was told before
    billed: Mapped[bool | None]
    comment: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=PresenceStatus.PLANNED.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            CheckConstraint("ends_at >= occurred_at", name="order"),
            Index(None, "organisation_id", "schedule_id"),
            Index("ix_presence_of_structure", "organisation_id", "structure_id", "occurred_at", "id"),
        )


def opens(presence: UUID) -> UUID:
    """The id of the schedule that opens with this presence, as `CHOSEN` makes it."""
    return UUID(hashlib.md5(str(presence).encode(), usedforsecurity=False).hexdigest())
