"""Project ⇄ CarePlan.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-careplan-projet-personnalise
"""

from datetime import date
from typing import ClassVar

from app.features.projects.fhir.agreements import is_agreement
from app.features.projects.fhir.words import title_of, title_said
from app.features.projects.models import Project
from app.features.projects.questions import SIGNED_BY_OTHERS, SIGNED_HERE
from app.features.projects.vocabulary import ProjectStatus
from app.features.structures.shown import FINESS
from app.fhir.canonicals import extension
from app.fhir.identifiers import business_id
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Token, When, constant
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    ATTACHMENT,
    all_to,
    by_status,
    code_of,
    coded,
    day,
    day_of,
    discriminated,
    instant_of,
    issued,
    last_updated,
    led_to,
    profile,
    referred,
    referring,
    status_author,
    system,
    to,
    told_apart,
)
from app.fhir.types import Annotation, CarePlan, Extension, Period, Reference, heard
from app.kernel.clock import now

PROFILE, SYSTEM = profile("careplan-projet-personnalise"), system("projetpersonnalise")
NEXT_REVIEW = extension("project-next-review")
STATUSES = {
    ProjectStatus.DRAFT.value: "draft",
    ProjectStatus.ACTIVE.value: "active",
    ProjectStatus.ON_HOLD.value: "on-hold",
    ProjectStatus.COMPLETED.value: "completed",
}
HEARD = {code: status for status, code in STATUSES.items()} | {
    "revoked": ProjectStatus.COMPLETED.value,
    "entered-in-error": ProjectStatus.COMPLETED.value,
}
NUMBER_MOST = 6  # digits: what is longer is a serial, not the third project of someone


class ProjectFhir(RecordView, frozen=True):
    TABLE: ClassVar = Project
    COMPUTED: ClassVar = {"finess": FINESS, "signed_here": SIGNED_HERE, "signed_by_others": SIGNED_BY_OTHERS}

    title: str
    description: str | None
    status: str
    status_author_id: str | None
    status_author_kind: str | None
    starts: date | None
    ends: date | None
    type_code: str | None
    communication: str | None
    replaces_id: str | None
    next_review_on: date | None
    attachment_ids: list[str] | None
    finess: str | None = None
    signed_here: list[str] | None = None  # answers of the structure; of the person and those around them
    signed_by_others: list[str] | None = None


def to_fhir(p: ProjectFhir) -> CarePlan:
    kind = coded(p.type_code)
    return CarePlan(
        id=p.id,
        meta=meta(p, PROFILE),
        extension=(
            *referring(ATTACHMENT, "DocumentReference", p.attachment_ids),
            *((Extension(url=NEXT_REVIEW, valueDate=day(p.next_review_on)),) if p.next_review_on else ()),
        ),
        identifier=issued(p, SYSTEM),
        replaces=all_to("CarePlan", [p.replaces_id] if p.replaces_id else ()),
        status=STATUSES[p.status],
        status_ext=by_status(p.status_author_id, p.status_author_kind),
        intent="plan",
        category=(kind,) if kind else (),
        title=title_said(p, p.title, p.description),
        description=p.description,
        subject=to("Patient", p.usager_id),
        period=Period(day(p.starts), day(p.ends)) if p.starts or p.ends else None,
        supportingInfo=(
            *(_signed("accordStructure", id) for id in p.signed_here or ()),
            *(_signed("accordUsager", id) for id in p.signed_by_others or ()),
        ),
        note=(Annotation(text=p.communication),) if p.communication else (),
    )


def _signed(code: str, id: str) -> Reference:
    return Reference(f"Consent/{id}", extension=(discriminated(code),))


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Any CarePlan is a project: it says too little never, so that its parts always have a whole."""
    plan = heard(CarePlan, resource)
    period = plan.period or Period()
    starts = instant_of(period.start) or instant_of(plan.created)
    row = Project(
        number=_number(plan),
        title=title_of(plan.title, plan.description),
        description=plan.description,
        status=HEARD.get(plan.status or "", ProjectStatus.DRAFT.value),
        status_changed_at=last_updated(resource),
        starts=day_of(period.start),
        ends=day_of(period.end),
        type_code=code_of(plan.category[0] if plan.category else None),
        communication=plan.note[0].text if plan.note else None,
        replaces_id=next(iter(led_to(inbound, plan.replaces, "CarePlan") or ()), None),
        next_review_on=next((day_of(e.valueDate) for e in plan.extension if e.url == NEXT_REVIEW), None),
        attachment_ids=led_to(inbound, referred(plan.extension, ATTACHMENT), "DocumentReference"),
        occurred_at=starts or last_updated(resource) or now(),
        **status_author(inbound, plan.status_ext),
    )
    told = {
        "signed_here": _signers(plan, inbound, "accordStructure"),
        "signed_by_others": _signers(plan, inbound, "accordUsager"),
    }
    return Arrived(row, told=told)


def _signers(plan: CarePlan, inbound: Inbound, code: str) -> list[str]:
    """The answers to this project that become rows here."""
    found = [r for r in plan.supportingInfo if told_apart(r) == code and is_agreement(inbound, r)]
    return [str(id) for id in led_to(inbound, found, "Consent") or ()]


def _number(plan: CarePlan) -> int:
    for identifier in plan.identifier:
        written = business_id(identifier.value or "")
        if written and written.number.isdigit() and len(written.number) <= NUMBER_MOST:
            return int(written.number)
    return 1


PLAN = ResourceMap(
    profile=PROFILE,
    type_name="CarePlan",
    view=ProjectFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({SYSTEM}),
    search={
        "status": Token.by(Project.status, STATUSES, of="CarePlan.status"),
        "date": When(Project.starts, Project.ends),
        "category": Coded(Project.type_code),
        "intent": constant("plan", of="CarePlan.intent"),
        "replaces": Leads(Project.replaces_id, "CarePlan"),
        "identifier": Issued(Project, SYSTEM),
    },
)
