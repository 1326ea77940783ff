"""Request for orientation (demande d'orientation) ⇄ ServiceRequest.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-service-request-demande-orientation
"""

from collections.abc import Iterable
from datetime import date
from typing import ClassVar

from app.features.orientation.fhir.numbers import named, unsealed
from app.features.orientation.models import OrientationRequest, RequestStatus
from app.fhir.concepts import Concept, concept, concept_of
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.observed import remark, remark_of
from app.fhir.search.criteria import Coded, Token, When, constant
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.criteria import someone as who
from app.fhir.search.issued import Named
from app.fhir.tddui import (
    TDDUI,
    TYPES,
    day,
    discriminated,
    instant_of,
    known,
    last_updated,
    led_to,
    profile,
    someone,
    to,
    told_apart,
    whole_day,
)
from app.fhir.types import CodeableConcept, Coding, Reference, ServiceRequest, heard
from app.kernel.clock import now

PROFILE = profile("service-request-demande-orientation")
CODES = f"{TDDUI}/CodeSystem/tddui-service-request-identifier"
KIND = CodeableConcept((Coding(CODES, "DEMANDE_ORIENTATION"),))
STATUSES = {
    RequestStatus.DRAFT.value: "draft",
    RequestStatus.SENT.value: "active",
    RequestStatus.ANSWERED.value: "completed",
    RequestStatus.WITHDRAWN.value: "revoked",
}
HEARD = {code: status for status, code in STATUSES.items()} | {"entered-in-error": RequestStatus.WITHDRAWN.value}
ASKED, RECEIPT, ANSWER, MORE = "demandeOrientation", "depotPoste", "reponseOrientation", "pieceComplementaire"
DOCUMENT = "DocumentReference"


class RequestFhir(RecordView, frozen=True):
    TABLE: ClassVar = OrientationRequest

    number: bytes | None
    number_system: str | None
    status: str
    subject_code: str | None
    subject_label: str | None
    asked_on: date | None
    requester_id: str | None
    requester_kind: str | None
    requester_name: str | None
    mdph_id: str | None
    mdph_name: str | None
    request_document_ids: list[str] | None
    receipt_document_id: str | None
    answer_document_id: str | None
    more_document_ids: list[str] | None
    comment: str | None


def to_fhir(r: RequestFhir) -> ServiceRequest:
    about = concept(Concept(r.subject_code, r.subject_label) if r.subject_code or r.subject_label else None)
    mdph = Reference(f"Organization/{r.mdph_id}" if r.mdph_id else None, r.mdph_name)
    return ServiceRequest(
        id=r.id,
        meta=meta(r, PROFILE),
        identifier=named(r, KIND),
        status=STATUSES[r.status],
        intent="order",
        category=(about,) if about else (),
        subject=to("Patient", r.usager_id),
        authoredOn=day(r.asked_on),
        requester=someone(r.requester_id, r.requester_kind, r.requester_name),
        performer=(mdph,) if r.mdph_id or r.mdph_name else (),
        supportingInfo=(
            *_documents(ASKED, r.request_document_ids),
            *_documents(RECEIPT, [r.receipt_document_id]),
            *_documents(ANSWER, [r.answer_document_id]),
            *_documents(MORE, r.more_document_ids),
        ),
        note=remark(r.comment),
    )


def _documents(slice_name: str, ids: Iterable[str | None] | None) -> Iterable[Reference]:
    return (Reference(f"{DOCUMENT}/{id}", extension=(discriminated(slice_name),)) for id in ids or () if id)


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    r = heard(ServiceRequest, resource)
    about = concept_of(r.category[0] if r.category else None) or Concept()
    requester_id, requester_kind, requester_name = known(inbound, r.requester, *TYPES.values())
    mdph = r.performer[0] if len(r.performer) == 1 else Reference()
    mdph_id = inbound.target(mdph, "Organization")
    papers = {
        code: led_to(inbound, [one for one in r.supportingInfo if told_apart(one) == code], DOCUMENT)
        for code in (ASKED, RECEIPT, ANSWER, MORE)
    }
    row = OrientationRequest(
        status=HEARD.get(r.status or "", RequestStatus.SENT.value),
        status_changed_at=last_updated(resource),
        subject_code=about.code,
        subject_label=about.label,
        asked_on=whole_day(r.authoredOn),
        requester_id=requester_id,
        requester_kind=requester_kind,
        requester_name=requester_name,
        mdph_id=mdph_id,
        mdph_name=mdph.display if mdph_id or mdph.reference is None else None,
        request_document_ids=papers[ASKED],
        receipt_document_id=next(iter(papers[RECEIPT] or ()), None),
        answer_document_id=next(iter(papers[ANSWER] or ()), None),
        more_document_ids=papers[MORE],
        comment=remark_of(r.note),
        occurred_at=instant_of(r.authoredOn) or last_updated(resource) or now(),
    )
    return Arrived(row)


REQUEST = ResourceMap(
    profile=PROFILE,
    type_name="ServiceRequest",
    view=RequestFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    by_type=False,  # a need is a ServiceRequest too
    unseals=unsealed,
    search={
        "authored": When(OrientationRequest.asked_on, at=("authoredOn",), parts=OrientationRequest.told_in_part),
        "category": Coded(OrientationRequest.subject_code, OrientationRequest.subject_label),
        "identifier": Named(OrientationRequest),
        "intent": constant("order", of="ServiceRequest.intent"),
        "performer": Leads(OrientationRequest.mdph_id, "Organization", OrientationRequest.mdph_name),
        "requester": who(
            OrientationRequest.requester_id, OrientationRequest.requester_kind, OrientationRequest.requester_name
        ),
        "status": Token.by(OrientationRequest.status, STATUSES, of="ServiceRequest.status"),
    },
)
