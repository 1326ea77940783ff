"""Basic: a thing R4 has no type for; its code tells which. Source: https://hl7.org/fhir/R4/basic.html"""

from app.fhir.types.datatypes import CodeableConcept, DomainResource, Identifier, Reference


class Basic(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    code: CodeableConcept | None = None
    subject: Reference | None = None
    created: str | None = None
    author: Reference | None = None
