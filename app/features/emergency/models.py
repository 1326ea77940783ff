"""Fiche d'urgence: one sheet a person, short fields, each with the day it was said and by whom.

What whoever is on duty reads first, without any emergency access; no medication circuit (design: field.md §7).
"""

from datetime import date
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, declared_attr

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class EmergencySheet(DossierEntry):
    __tablename__ = "emergency_sheet"
    KIND: ClassVar = Kind.EMERGENCY_SHEET
    CATEGORY: ClassVar = Category.SUPPORT

    allergies: Mapped[str | None]
    allergies_on: Mapped[date | None]
    allergies_by: Mapped[UUID | None]
    conditions: Mapped[str | None]  # what a rescuer must know
    conditions_on: Mapped[date | None]
    conditions_by: Mapped[UUID | None]
    treatment: Mapped[str | None]  # in course: a text, or where the prescription is
    treatment_on: Mapped[date | None]
    treatment_by: Mapped[UUID | None]
    treatment_signatory: Mapped[str | None]
    treatment_signatory_on: Mapped[date | None]
    treatment_signatory_by: Mapped[UUID | None]
    texture: Mapped[str | None]  # of meals and drinks
    texture_on: Mapped[date | None]
    texture_by: Mapped[UUID | None]
    risks: Mapped[str | None]
    risks_on: Mapped[date | None]
    risks_by: Mapped[UUID | None]
    soothes: Mapped[str | None]  # ce qui calme
    soothes_on: Mapped[date | None]
    soothes_by: Mapped[UUID | None]
    communication: Mapped[str | None]
    communication_on: Mapped[date | None]
    communication_by: Mapped[UUID | None]
    mobility: Mapped[str | None]
    mobility_on: Mapped[date | None]
    mobility_by: Mapped[UUID | None]
    equipment: Mapped[str | None]  # glasses, hearing aid, prosthesis
    equipment_on: Mapped[date | None]
    equipment_by: Mapped[UUID | None]
    advance_directives: Mapped[str | None]  # oui, non, où
    advance_directives_on: Mapped[date | None]
    advance_directives_by: Mapped[UUID | None]
    trusted_person: Mapped[str | None]
    trusted_person_on: Mapped[date | None]
    trusted_person_by: Mapped[UUID | None]
    call_in_order: Mapped[str | None]
    call_in_order_on: Mapped[date | None]
    call_in_order_by: Mapped[UUID | None]
    measure: Mapped[str | None]  # of protection, and who holds it
    measure_on: Mapped[date | None]
    measure_by: Mapped[UUID | None]
    physician: Mapped[str | None]
    physician_on: Mapped[date | None]
    physician_by: Mapped[UUID | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        once = text("deleted_at IS NULL AND origin_partner_id IS NULL")
        name = "uq_emergency_sheet_one_a_person"
        return entry_args(cls, Index(name, "organisation_id", "usager_id", unique=True, postgresql_where=once))


FIELDS = tuple(c.key.removesuffix("_on") for c in EmergencySheet.__table__.columns if c.key.endswith("_on"))
