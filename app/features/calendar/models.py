"""The agenda: an event is one occurrence; each usager who takes part has their own row of it, in their own dossier.

`event` holds when it is and nothing else: the base keeps it equal to what its participants say (a trigger of the
migration), and the bookings of rooms and vehicles follow it. What is told of an event stands in the row of each person,
so that each has its history, its trace, and can be read without the others.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-encounter-evenement
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DirectoryEntry, DossierEntry, entry_args
from app.access.permissions import Category, Kind
from app.kernel.db import Base

WALL = DateTime(timezone=False)  # an hour on the wall, in the zone named beside it
SPAN = "tstzrange(starts_at, ends_at)"


class EventStatus(StrEnum):
    PLANNED = "planned"
    CONFIRMED = "confirmed"
    DONE = "done"
    CANCELLED = "cancelled"


class Coming(StrEnum):
    """« Je viens · Je ne viens pas · Je veux en parler ». Nothing is cancelled by itself."""

    ASKED = "asked"
    YES = "yes"
    NO = "no"
    TALK = "talk"


class EventSeries(Base):
    """A rule and its first hour; occurrences are rows of their own, up to `until`, the horizon or the rule's end."""

    __tablename__ = "event_series"

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    rule: Mapped[str]  # RFC 5545 RRULE, of the few forms of `recurrence`
    starts: Mapped[datetime] = mapped_column(WALL)
    ends: Mapped[datetime] = mapped_column(WALL)
    zone: Mapped[str]
    exceptions: Mapped[list[date]] = mapped_column(ARRAY(Date()))
    until: Mapped[date]  # no occurrence was made from this day on


class Event(Base):
    __tablename__ = "event"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "series_id"],
            ["event_series.organisation_id", "event_series.id"],
            deferrable=True,
            initially="DEFERRED",  # the series is written with the work, after its occurrences
        ),
        UniqueConstraint("organisation_id", "id", "starts_at", "ends_at", name="uq_event_when"),
        CheckConstraint("ends_at >= starts_at", name="order"),
        Index(None, "organisation_id", "series_id", postgresql_where=text("series_id IS NOT NULL")),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    series_id: Mapped[UUID | None]
    starts: Mapped[datetime] = mapped_column(WALL)
    ends: Mapped[datetime] = mapped_column(WALL)
    zone: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    span: Mapped[Any] = mapped_column(TSTZRANGE, Computed(SPAN, persisted=True))


class EventParticipant(DossierEntry):
    """An event in one person's dossier. `occurred_at` and `ends_at` are its instants, `starts` and `ends` its hours."""

    __tablename__ = "event_participant"
    KIND: ClassVar = Kind.EVENT
    CATEGORY: ClassVar = Category.SUPPORT

    event_id: Mapped[UUID]
    series_id: Mapped[UUID | None]
    title: Mapped[str | None]
    types: Mapped[list[str]]  # each kept as `system|code`
    reason: Mapped[str | None]
    comment: Mapped[str | None]
    place: Mapped[str | None]
    place_protected: Mapped[bool] = mapped_column(default=False)
    all_day: Mapped[bool] = mapped_column(default=False)
    starts: Mapped[datetime] = mapped_column(WALL)
    ends: Mapped[datetime] = mapped_column(WALL)
    zone: Mapped[str]
    ends_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default=EventStatus.PLANNED.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    cancel_reason: Mapped[str | None]
    outside_service: Mapped[bool | None]  # hors prestation prévue dans le projet
    stay_id: Mapped[UUID | None]  # a stay, or what is kept of one that arrived
    # Of this person alone.
    report: Mapped[str | None]
    present: Mapped[bool | None]
    approved: Mapped[bool | None]  # validé par l'usager
    answer: Mapped[str] = mapped_column(default=Coming.ASKED.value)
    answered_at: Mapped[datetime | None]
    answered_by_kind: Mapped[str | None]  # usager · representative · professional (noted for them)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(["organisation_id", "event_id"], ["event.organisation_id", "event.id"]),
            Index(
                "uq_event_participant_once",
                "organisation_id",
                "event_id",
                "usager_id",
                unique=True,
                postgresql_where=text("deleted_at IS NULL"),
            ),
            Index(None, "organisation_id", "series_id", postgresql_where=text("series_id IS NOT NULL")),
            Index("ix_event_participant_of_structure", "organisation_id", "structure_id", "occurred_at", "id"),
        )


class EventAttendee(Base):
    """Who else takes part. With `usager_id`, told to the readers of that person's row only."""

    __tablename__ = "event_attendee"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "event_id"], ["event.organisation_id", "event.id"]),
        ForeignKeyConstraint(
            ["organisation_id", "professional_id"], ["professional.organisation_id", "professional.id"]
        ),
        ForeignKeyConstraint(["organisation_id", "contact_id"], ["contact.organisation_id", "contact.id"]),
        ForeignKeyConstraint(["organisation_id", "partner_id"], ["partner.organisation_id", "partner.id"]),
        ForeignKeyConstraint(["organisation_id", "usager_id"], ["usager.organisation_id", "usager.id"]),
        Index(None, "organisation_id", "event_id"),
        Index(None, "organisation_id", "professional_id", postgresql_where=text("professional_id IS NOT NULL")),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    usager_id: Mapped[UUID | None]
    professional_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    partner_id: Mapped[UUID | None]
    name: Mapped[str | None]  # someone of no directory
    companion: Mapped[bool]  # goes there with the person
    removed: Mapped[bool]


class Resource(DirectoryEntry):
    """What is booked: a room, a vehicle, a device."""

    __tablename__ = "resource"
    KIND: ClassVar = Kind.RESOURCE
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "structure_id"], ["structure.organisation_id", "structure.id"]),
        Index(None, "organisation_id", "structure_id"),
    )

    structure_id: Mapped[UUID]
    name: Mapped[str]
    kind: Mapped[str]  # room · vehicle · device


class ResourceBooking(Base):
    """One thing, at one place at a time: the base refuses two bookings that overlap."""

    __tablename__ = "resource_booking"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "resource_id"], ["resource.organisation_id", "resource.id"]),
        ForeignKeyConstraint(
            ["organisation_id", "event_id", "starts_at", "ends_at"],
            ["event.organisation_id", "event.id", "event.starts_at", "event.ends_at"],
            name="fk_resource_booking_when",
            onupdate="CASCADE",  # an event that moves takes its rooms along, or is refused
        ),
        ExcludeConstraint(
            ("organisation_id", "="),
            ("resource_id", "="),
            ("span", "&&"),
            where=text("NOT cancelled"),
            using="gist",
            name="ex_resource_booking_span",
        ),
        Index(None, "organisation_id", "event_id"),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    resource_id: Mapped[UUID]
    event_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    cancelled: Mapped[bool]
    span: Mapped[Any] = mapped_column(TSTZRANGE, Computed(SPAN, persisted=True))
