"""Observation: one thing said about the person, of which a code tells the nature and `value[x]` or the components the
answer. Source: https://hl7.org/fhir/R4/observation.html
"""

from app.fhir.types.base import Element
from app.fhir.types.datatypes import (
    Annotation,
    CodeableConcept,
    DomainResource,
    Extension,
    Identifier,
    Period,
    Primitive,
    Quantity,
    Reference,
)


class ObservationComponent(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    code: CodeableConcept | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueQuantity: Quantity | None = None
    valueDateTime: str | None = None
    valuePeriod: Period | None = None
    dataAbsentReason: CodeableConcept | None = None


class Observation(DomainResource, frozen=True, kw_only=True, tag=True):
    """A meal, a school period, how one moves about, a cause of death: the profile tells which."""

    identifier: tuple[Identifier, ...] = ()
    basedOn: tuple[Reference, ...] = ()
    partOf: tuple[Reference, ...] = ()
    status: str | None = None
    status_ext: Primitive | None = None
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept | None = None
    subject: Reference | None = None
    focus: tuple[Reference, ...] = ()
    encounter: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    issued: str | None = None
    performer: tuple[Reference, ...] = ()
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueQuantity: Quantity | None = None
    valueDateTime: str | None = None
    valuePeriod: Period | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    note: tuple[Annotation, ...] = ()
    method: CodeableConcept | None = None
    hasMember: tuple[Reference, ...] = ()
    derivedFrom: tuple[Reference, ...] = ()
    component: tuple[ObservationComponent, ...] = ()
