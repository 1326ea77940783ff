"""Persons, houses and teams. Source: https://hl7.org/fhir/R4/administration-module.html"""

from app.fhir.types.base import Element
from app.fhir.types.datatypes import (
    Address,
    Attachment,
    CodeableConcept,
    ContactPoint,
    DomainResource,
    HumanName,
    Identifier,
    Period,
    Primitive,
    Reference,
)


class PatientContact(Element, frozen=True, kw_only=True):
    relationship: tuple[CodeableConcept, ...] = ()
    name: HumanName | None = None
    telecom: tuple[ContactPoint, ...] = ()
    address: Address | None = None
    gender: str | None = None
    organization: Reference | None = None
    period: Period | None = None


class PatientLink(Element, frozen=True, kw_only=True):
    other: Reference | None = None
    type: str | None = None


class Communication(Element, frozen=True, kw_only=True):
    language: CodeableConcept | None = None
    preferred: bool | None = None


class Patient(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    active: bool | None = None
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    gender: str | None = None
    gender_ext: Primitive | None = None
    birthDate: str | None = None
    birthDate_ext: Primitive | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None
    address: tuple[Address, ...] = ()
    maritalStatus: CodeableConcept | None = None
    multipleBirthBoolean: bool | None = None
    multipleBirthInteger: int | None = None
    photo: tuple[Attachment, ...] = ()
    contact: tuple[PatientContact, ...] = ()
    communication: tuple[Communication, ...] = ()
    generalPractitioner: tuple[Reference, ...] = ()
    managingOrganization: Reference | None = None
    link: tuple[PatientLink, ...] = ()


class RelatedPerson(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    active: bool | None = None
    patient: Reference | None = None
    relationship: tuple[CodeableConcept, ...] = ()
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    gender: str | None = None
    birthDate: str | None = None
    address: tuple[Address, ...] = ()
    period: Period | None = None
    communication: tuple[Communication, ...] = ()


class Qualification(Element, frozen=True, kw_only=True):
    identifier: tuple[Identifier, ...] = ()
    code: CodeableConcept | None = None
    period: Period | None = None
    issuer: Reference | None = None


class Practitioner(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    active: bool | None = None
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    address: tuple[Address, ...] = ()
    gender: str | None = None
    birthDate: str | None = None
    qualification: tuple[Qualification, ...] = ()


class PractitionerRole(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    active: bool | None = None
    period: Period | None = None
    practitioner: Reference | None = None
    organization: Reference | None = None
    code: tuple[CodeableConcept, ...] = ()
    specialty: tuple[CodeableConcept, ...] = ()
    location: tuple[Reference, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()


class Organization(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    active: bool | None = None
    type: tuple[CodeableConcept, ...] = ()
    name: str | None = None
    alias: tuple[str | None, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    address: tuple[Address, ...] = ()
    partOf: Reference | None = None


class Location(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    status: str | None = None
    name: str | None = None
    description: str | None = None
    mode: str | None = None
    type: tuple[CodeableConcept, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    address: Address | None = None
    managingOrganization: Reference | None = None
    partOf: Reference | None = None
