"""What is written in a dossier: stays, events, projects, agreements, notes.

Source: https://hl7.org/fhir/R4/resourcelist.html
"""

from app.fhir.types.base import Element
from app.fhir.types.datatypes import (
    Annotation,
    Attachment,
    CodeableConcept,
    Coding,
    DomainResource,
    Extension,
    Identifier,
    Money,
    Period,
    Primitive,
    Quantity,
    Reference,
)


class EncounterParticipant(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    type: tuple[CodeableConcept, ...] = ()
    period: Period | None = None
    individual: Reference | None = None


class EncounterLocation(Element, frozen=True, kw_only=True):
    location: Reference | None = None
    status: str | None = None
    period: Period | None = None


class Hospitalization(Element, frozen=True, kw_only=True):
    """How a stay begins and ends."""

    extension: tuple[Extension, ...] = ()
    origin: Reference | None = None
    admitSource: CodeableConcept | None = None
    destination: Reference | None = None
    dischargeDisposition: CodeableConcept | None = None


class Encounter(DomainResource, frozen=True, kw_only=True, tag=True):
    """A stay, or one occurrence of an event for one person: the profile tells which."""

    identifier: tuple[Identifier, ...] = ()
    status: str | None = None
    status_ext: Primitive | None = None
    class_: Coding | None = None
    type: tuple[CodeableConcept, ...] = ()
    serviceType: CodeableConcept | None = None
    subject: Reference | None = None
    appointment: tuple[Reference, ...] = ()
    participant: tuple[EncounterParticipant, ...] = ()
    period: Period | None = None
    reasonCode: tuple[CodeableConcept, ...] = ()
    hospitalization: Hospitalization | None = None
    location: tuple[EncounterLocation, ...] = ()
    serviceProvider: Reference | None = None
    partOf: Reference | None = None


class CarePlan(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    basedOn: tuple[Reference, ...] = ()
    replaces: tuple[Reference, ...] = ()
    partOf: tuple[Reference, ...] = ()
    status: str | None = None
    status_ext: Primitive | None = None
    intent: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    title: str | None = None
    description: str | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    period: Period | None = None
    created: str | None = None
    author: Reference | None = None
    contributor: tuple[Reference, ...] = ()
    careTeam: tuple[Reference, ...] = ()
    supportingInfo: tuple[Reference, ...] = ()
    goal: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()


class GoalTarget(Element, frozen=True, kw_only=True):
    measure: CodeableConcept | None = None
    detailString: str | None = None
    detailQuantity: Quantity | None = None
    detailCodeableConcept: CodeableConcept | None = None
    dueDate: str | None = None


class Goal(DomainResource, frozen=True, kw_only=True, tag=True):
    """An expectation, an objective or a life project: the profile tells which."""

    identifier: tuple[Identifier, ...] = ()
    lifecycleStatus: str | None = None
    lifecycleStatus_ext: Primitive | None = None
    achievementStatus: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    priority: CodeableConcept | None = None
    description: CodeableConcept | None = None
    subject: Reference | None = None
    startDate: str | None = None
    target: tuple[GoalTarget, ...] = ()
    statusDate: str | None = None
    statusReason: str | None = None
    expressedBy: Reference | None = None
    addresses: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()


class ServiceRequest(DomainResource, frozen=True, kw_only=True, tag=True):
    identifier: tuple[Identifier, ...] = ()
    basedOn: tuple[Reference, ...] = ()
    status: str | None = None
    status_ext: Primitive | None = None
    intent: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    priority: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    authoredOn: str | None = None
    requester: Reference | None = None
    performer: tuple[Reference, ...] = ()
    reasonCode: tuple[CodeableConcept, ...] = ()
    supportingInfo: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()


class TaskParameter(Element, frozen=True, kw_only=True):
    """`input` and `output` of a Task: what its type says, one value."""

    extension: tuple[Extension, ...] = ()
    type: CodeableConcept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueDate: str | None = None
    valueDateTime: str | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueReference: Reference | None = None
    valueAnnotation: Annotation | None = None
    valueAttachment: Attachment | None = None
    valuePeriod: Period | None = None
    valueMoney: Money | None = None
    valueDistance: Quantity | None = None
    valueDuration: Quantity | None = None
    valueQuantity: Quantity | None = None


class Task(DomainResource, frozen=True, kw_only=True, tag=True):
    """An action, a service, a means, a review or a transport: the profile tells which."""

    identifier: tuple[Identifier, ...] = ()
    basedOn: tuple[Reference, ...] = ()
    partOf: tuple[Reference, ...] = ()
    status: str | None = None
    status_ext: Primitive | None = None
    statusReason: CodeableConcept | None = None
    intent: str | None = None
    priority: str | None = None
    code: CodeableConcept | None = None
    description: str | None = None
    focus: Reference | None = None
    for_: Reference | None = None
    encounter: Reference | None = None
    executionPeriod: Period | None = None
    authoredOn: str | None = None
    lastModified: str | None = None
    requester: Reference | None = None
    owner: Reference | None = None
    note: tuple[Annotation, ...] = ()
    input: tuple[TaskParameter, ...] = ()
    output: tuple[TaskParameter, ...] = ()


class ConsentPolicy(Element, frozen=True, kw_only=True):
    authority: str | None = None
    uri: str | None = None


class ConsentActor(Element, frozen=True, kw_only=True):
    role: CodeableConcept | None = None
    reference: Reference | None = None


class ConsentProvision(Element, frozen=True, kw_only=True):
    type: str | None = None
    period: Period | None = None
    actor: tuple[ConsentActor, ...] = ()
    action: tuple[CodeableConcept, ...] = ()
    securityLabel: tuple[Coding, ...] = ()
    purpose: tuple[Coding, ...] = ()
    class_: tuple[Coding, ...] = ()
    code: tuple[CodeableConcept, ...] = ()
    dataPeriod: Period | None = None
    provision: tuple["ConsentProvision", ...] = ()


class Consent(DomainResource, frozen=True, kw_only=True, tag=True):
    """The signature of a project, or a consent to share: the profile tells which."""

    identifier: tuple[Identifier, ...] = ()
    status: str | None = None
    scope: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    patient: Reference | None = None
    dateTime: str | None = None
    performer: tuple[Reference, ...] = ()
    organization: tuple[Reference, ...] = ()
    sourceReference: Reference | None = None
    policy: tuple[ConsentPolicy, ...] = ()
    policyRule: CodeableConcept | None = None
    provision: ConsentProvision | None = None


class DocumentContent(Element, frozen=True, kw_only=True):
    attachment: Attachment | None = None
    format: Coding | None = None


class DocumentRelation(Element, frozen=True, kw_only=True):
    code: str | None = None
    target: Reference | None = None


class DocumentContext(Element, frozen=True, kw_only=True):
    encounter: tuple[Reference, ...] = ()
    event: tuple[CodeableConcept, ...] = ()
    period: Period | None = None
    facilityType: CodeableConcept | None = None
    practiceSetting: CodeableConcept | None = None
    related: tuple[Reference, ...] = ()


class DocumentReference(DomainResource, frozen=True, kw_only=True, tag=True):
    masterIdentifier: Identifier | None = None
    identifier: tuple[Identifier, ...] = ()
    status: str | None = None
    docStatus: str | None = None
    type: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    date: str | None = None
    author: tuple[Reference, ...] = ()
    authenticator: Reference | None = None
    custodian: Reference | None = None
    relatesTo: tuple[DocumentRelation, ...] = ()
    description: str | None = None
    securityLabel: tuple[CodeableConcept, ...] = ()
    content: tuple[DocumentContent, ...] = ()
    context: DocumentContext | None = None
