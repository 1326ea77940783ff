"""Schedule and Slot: what TDDUI says presences and absences with. Source: https://hl7.org/fhir/R4/slot.html"""

from app.fhir.types.datatypes import CodeableConcept, DomainResource, Identifier, Period, Primitive, Reference


class Schedule(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    active: bool | None = None
    serviceCategory: tuple[CodeableConcept, ...] = ()
    serviceType: tuple[CodeableConcept, ...] = ()
    specialty: tuple[CodeableConcept, ...] = ()
    actor: tuple[Reference, ...] = ()
    planningHorizon: Period | None = None
    comment: str | None = None


class Slot(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    serviceCategory: tuple[CodeableConcept, ...] = ()
    serviceType: tuple[CodeableConcept, ...] = ()
    specialty: tuple[CodeableConcept, ...] = ()
    appointmentType: CodeableConcept | None = None
    schedule: Reference | None = None
    status: str | None = None
    status_ext: Primitive | None = None
    start: str | None = None
    end: str | None = None
    overbooked: bool | None = None
    comment: str | None = None
