"""Transport: how the person, or a professional who comes to them, goes to an event and back.

A professional's transport has no usager of its own: it belongs to the dossier of the event it is for, and to no other,
even when the event gathers several persons.
Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-task-transport, …-usager, …-professionnel
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class TransportStatus(StrEnum):
    PLANNED = "planned"
    CONFIRMED = "confirmed"
    DONE = "done"
    CANCELLED = "cancelled"


class Traveller(StrEnum):
    USAGER = "usager"
    PROFESSIONAL = "professional"
    UNSAID = "unsaid"  # as a partner that follows the base profile alone


class Transport(DossierEntry):
    """Each `…_unit` is as FHIR says it, `system|code`, or words; numbers are as they were received."""

    __tablename__ = "transport"
    KIND: ClassVar = Kind.TRANSPORT
    CATEGORY: ClassVar = Category.SUPPORT

    traveller: Mapped[str]
    professional_id: Mapped[UUID | None]  # who travels, when a professional; of the house, or as a partner tells them
    professional_kind: Mapped[str | None]
    professional_name: Mapped[str | None]
    event_id: Mapped[UUID | None]  # the person's row of an event, or what is kept of one that arrived
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    mode_code: Mapped[str | None]  # JDV_ModeDeTransport, kept as `system|code`
    engine_code: Mapped[str | None]
    nature_code: Mapped[str | None]  # SERAFIN 3.2.4
    accompanied: Mapped[bool | None]
    asepsis: Mapped[bool | None]
    carrier_id: Mapped[UUID | None]
    carrier_name: Mapped[str | None]
    distance: Mapped[float | None]
    distance_unit: Mapped[str | None]
    duration: Mapped[float | None]  # théorique
    duration_unit: Mapped[str | None]
    budget_planned: Mapped[float | None]
    budget_planned_currency: Mapped[str | None]
    budget_actual: Mapped[float | None]
    budget_actual_currency: Mapped[str | None]
    description: Mapped[str | None]
    place_protected: Mapped[bool] = mapped_column(default=False)  # it leads to such a place, or from one
    status: Mapped[str] = mapped_column(default=TransportStatus.PLANNED.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            CheckConstraint("ends_at >= starts_at", name="order"),
            Index(None, "organisation_id", "event_id", postgresql_where=text("event_id IS NOT NULL")),
            Index("ix_transport_of_structure", "organisation_id", "structure_id", "occurred_at", "id"),
        )
