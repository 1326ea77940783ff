"""Envelopes and answers: Bundle, OperationOutcome, CapabilityStatement, AuditEvent.

Source: https://hl7.org/fhir/R4/http.html
"""

from typing import Any

from app.fhir.types.base import Element
from app.fhir.types.datatypes import (
    CodeableConcept,
    Coding,
    DomainResource,
    Extension,
    Identifier,
    Period,
    Reference,
    Resource,
)


class OutcomeIssue(Element, frozen=True, kw_only=True):
    severity: str
    code: str
    details: CodeableConcept | None = None
    diagnostics: str | None = None
    expression: tuple[str, ...] = ()


class OperationOutcome(DomainResource, frozen=True, kw_only=True, tag=True):
    issue: tuple[OutcomeIssue, ...]


class BundleLink(Element, frozen=True):
    relation: str
    url: str


class EntrySearch(Element, frozen=True):
    mode: str | None = None


class EntryRequest(Element, frozen=True, kw_only=True):
    method: str
    url: str
    ifNoneExist: str | None = None


class EntryResponse(Element, frozen=True, kw_only=True):
    status: str
    location: str | None = None
    etag: str | None = None
    lastModified: str | None = None
    outcome: OperationOutcome | None = None


class BundleEntry(Element, frozen=True, kw_only=True):
    """`resource` is a structure of ours or, once merged with what was kept beside it, a plain object."""

    fullUrl: str | None = None
    resource: Any = None
    search: EntrySearch | None = None
    request: EntryRequest | None = None
    response: EntryResponse | None = None


class Bundle(Resource, frozen=True, kw_only=True, tag=True):
    identifier: Identifier | None = None
    type: str
    timestamp: str | None = None
    total: int | None = None
    link: tuple[BundleLink, ...] = ()
    entry: tuple[BundleEntry, ...] = ()


class Software(Element, frozen=True, kw_only=True):
    name: str
    version: str | None = None


class Implementation(Element, frozen=True, kw_only=True):
    description: str
    url: str | None = None


class Interaction(Element, frozen=True):
    code: str
    documentation: str | None = None


class SearchParam(Element, frozen=True, kw_only=True):
    name: str
    definition: str | None = None
    type: str
    documentation: str | None = None


class Operation(Element, frozen=True, kw_only=True):
    name: str
    definition: str
    documentation: str | None = None


class CapabilityResource(Element, frozen=True, kw_only=True):
    type: str
    profile: str | None = None
    supportedProfile: tuple[str, ...] = ()
    documentation: str | None = None
    interaction: tuple[Interaction, ...] = ()
    versioning: str | None = None
    readHistory: bool | None = None
    updateCreate: bool | None = None
    conditionalCreate: bool | None = None
    conditionalRead: str | None = None
    conditionalUpdate: bool | None = None
    conditionalDelete: str | None = None
    searchInclude: tuple[str, ...] = ()
    searchRevInclude: tuple[str, ...] = ()
    searchParam: tuple[SearchParam, ...] = ()
    operation: tuple[Operation, ...] = ()


class Security(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    cors: bool | None = None
    service: tuple[CodeableConcept, ...] = ()
    description: str | None = None


class Rest(Element, frozen=True, kw_only=True):
    mode: str
    documentation: str | None = None
    security: Security | None = None
    resource: tuple[CapabilityResource, ...] = ()
    interaction: tuple[Interaction, ...] = ()
    operation: tuple[Operation, ...] = ()
    compartment: tuple[str, ...] = ()


class CapabilityStatement(DomainResource, frozen=True, kw_only=True, tag=True):
    url: str | None = None
    version: str | None = None
    name: str | None = None
    title: str | None = None
    status: str
    date: str
    publisher: str | None = None
    description: str | None = None
    kind: str
    instantiates: tuple[str, ...] = ()
    software: Software | None = None
    implementation: Implementation | None = None
    fhirVersion: str
    format: tuple[str, ...]
    patchFormat: tuple[str, ...] = ()
    rest: tuple[Rest, ...] = ()


class AgentNetwork(Element, frozen=True, kw_only=True):
    address: str | None = None
    type: str | None = None


class AuditAgent(Element, frozen=True, kw_only=True):
    type: CodeableConcept | None = None
    role: tuple[CodeableConcept, ...] = ()
    who: Reference | None = None
    name: str | None = None
    requestor: bool
    network: AgentNetwork | None = None


class AuditSource(Element, frozen=True, kw_only=True):
    site: str | None = None
    observer: Reference
    type: tuple[Coding, ...] = ()


class AuditEntity(Element, frozen=True, kw_only=True):
    what: Reference | None = None
    type: Coding | None = None
    role: Coding | None = None
    name: str | None = None


class AuditEvent(DomainResource, frozen=True, kw_only=True, tag=True):
    """One line of the trail, as a partner or the DPO reads it."""

    type: Coding
    subtype: tuple[Coding, ...] = ()
    action: str | None = None
    period: Period | None = None
    recorded: str
    outcome: str | None = None
    outcomeDesc: str | None = None
    purposeOfEvent: tuple[CodeableConcept, ...] = ()
    agent: tuple[AuditAgent, ...]
    source: AuditSource
    entity: tuple[AuditEntity, ...] = ()
