"""Need ⇄ ServiceRequest (besoin).

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-service-request-besoin
"""

from typing import ClassVar

from sqlalchemy import Text, literal_column

from app.features.projects.fhir.words import REPLACES, project_of, title_of, title_said
from app.features.projects.models import Need
from app.features.structures.shown import FINESS
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, constant
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    ATTACHMENT,
    TDDUI,
    code_of,
    coded,
    instant_of,
    issued,
    last_updated,
    led_to,
    profile,
    referred,
    referring,
    system,
    to,
)
from app.fhir.types import CodeableConcept, Coding, ServiceRequest, heard
from app.kernel.clock import now

PROFILE, SYSTEM = profile("service-request-besoin"), system("besoin")
KIND = CodeableConcept((Coding(f"{TDDUI}/CodeSystem/tddui-service-request-identifier", "BES"),))


class NeedFhir(RecordView, frozen=True):
    TABLE: ClassVar = Need
    COMPUTED: ClassVar = {"finess": FINESS}

    project_id: str
    replaces_id: str | None
    text: str
    serafin: str | None
    attachment_ids: list[str] | None
    finess: str | None = None


def to_fhir(n: NeedFhir) -> ServiceRequest:
    category, text = coded(n.serafin), title_said(n, n.text)
    return ServiceRequest(
        id=n.id,
        meta=meta(n, PROFILE),
        extension=(
            *referring(ATTACHMENT, "DocumentReference", n.attachment_ids),
            *referring(REPLACES, "ServiceRequest", [n.replaces_id] if n.replaces_id else ()),
        ),
        identifier=issued(n, SYSTEM, KIND),
        basedOn=(to("CarePlan", n.project_id),),
        status="active",
        intent="plan",
        category=(category,) if category else (),
        code=CodeableConcept(text=text) if text else None,
        subject=to("Patient", n.usager_id),
    )


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    r = heard(ServiceRequest, resource)
    former = [e for e in referred(r.extension, REPLACES) if e and e.reference in inbound.around]
    row = Need(
        project_id=project_of(inbound, r.basedOn),
        replaces_id=next(iter(led_to(inbound, former, "ServiceRequest") or ()), None),
        text=title_of(r.code.text if r.code else None),
        serafin=code_of(r.category[0] if r.category else None),
        attachment_ids=led_to(inbound, referred(r.extension, ATTACHMENT), "DocumentReference"),
        occurred_at=instant_of(r.authoredOn) or last_updated(resource) or now(),
    )
    return Arrived(row)


NEED = ResourceMap(
    profile=PROFILE,
    type_name="ServiceRequest",
    view=NeedFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({SYSTEM}),
    by_type=False,  # a request for orientation is a ServiceRequest too
    search={
        "based-on": Leads(Need.project_id, "CarePlan"),
        "category": Coded(Need.serafin),
        "code": Coded(literal_column("NULL", Text()), Need.text),
        "intent": constant("plan", of="ServiceRequest.intent"),
        "status": constant("active", of="ServiceRequest.status"),
        "identifier": Issued(Need, SYSTEM),
    },
)
