"""Review ⇄ Task (bilan).

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-task-bilan
"""

from datetime import date, datetime
from typing import ClassVar

from app.features.projects.fhir.words import TASK_STATUSES, TASK_STATUSES_HEARD, project_of
from app.features.projects.models import Review
from app.features.projects.vocabulary import TaskStatus
from app.features.structures.shown import FINESS
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Token, When, constant
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    all_to,
    at,
    code_of,
    coded,
    day,
    day_of,
    first_text,
    instant_of,
    issued,
    last_updated,
    led_to,
    parameter,
    parameters,
    profile,
    system,
    to,
)
from app.fhir.types import Annotation, Period, Task, TaskParameter, heard
from app.kernel.errors import Invalid

PROFILE, SYSTEM = profile("task-bilan"), system("bilan")
IN, OUT = "input-bilan", "output-bilan"


class ReviewFhir(RecordView, frozen=True):
    TABLE: ClassVar = Review
    COMPUTED: ClassVar = {"finess": FINESS}

    project_id: str
    status: str
    status_code: str | None
    starts_at: datetime
    ends_at: datetime | None
    perimeter: str | None
    question: str | None
    guests: str | None
    preparations: list[str] | None
    prepared_by: list[str] | None
    synthesis: str | None
    next_review_on: date | None
    attachment_ids: list[str] | None
    finess: str | None = None


def to_fhir(r: ReviewFhir) -> Task:
    return Task(
        id=r.id,
        meta=meta(r, PROFILE),
        identifier=issued(r, SYSTEM),
        basedOn=(to("CarePlan", r.project_id),),
        status=TASK_STATUSES[r.status],
        intent="plan",
        code=coded(r.status_code),
        for_=to("Patient", r.usager_id) if r.origin_partner_id is None else None,
        executionPeriod=Period(at(r.starts_at), at(r.ends_at)),
        input=(
            *parameter(IN, "perimetre", valueString=r.perimeter),
            *parameter(IN, "problematique", valueString=r.question),
            *parameter(IN, "invite", valueString=r.guests),
            *(
                each
                for reference in all_to("DocumentReference", r.attachment_ids)
                for each in parameter(IN, "pieceJointe", valueReference=reference)
            ),
            *parameter(IN, "dateProchainBilan", valueDateTime=day(r.next_review_on)),
            *_prepared(r),
        ),
        output=parameter(OUT, "syntheseBilan", valueString=r.synthesis),
    )


def _prepared(r: ReviewFhir) -> tuple[TaskParameter, ...]:
    said = zip(r.preparations or (), r.prepared_by or (), strict=True)
    return tuple(
        each
        for text, by in said
        for each in parameter(
            IN, "synthesePreparationBilan", valueAnnotation=Annotation(text=text, authorString=by or None)
        )
    )


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid when it tells no day: a review is known by it."""
    t = heard(Task, resource)
    period = t.executionPeriod or Period()
    starts_at = instant_of(period.start)
    if starts_at is None:
        raise Invalid("Un bilan a une date.", where="executionPeriod.start", code="review.no_date")
    told = [p.valueAnnotation for p in parameters(t.input, "synthesePreparationBilan")]
    said = [a for a in told if a and a.text]
    next_one = next((p for p in parameters(t.input, "dateProchainBilan")), None)
    row = Review(
        project_id=project_of(inbound, t.basedOn),
        status=TASK_STATUSES_HEARD.get(t.status or "", TaskStatus.DRAFT.value),
        status_code=code_of(t.code),
        starts_at=starts_at,
        ends_at=instant_of(period.end),
        perimeter=first_text(t.input, "perimetre"),
        question=first_text(t.input, "problematique"),
        guests=first_text(t.input, "invite"),
        preparations=[a.text for a in said] or None,
        prepared_by=[a.authorString or "" for a in said] or None,
        synthesis=first_text(t.output, "syntheseBilan"),
        next_review_on=day_of(next_one.valueDateTime) if next_one else None,
        attachment_ids=led_to(
            inbound, [p.valueReference for p in parameters(t.input, "pieceJointe")], "DocumentReference"
        ),
        occurred_at=starts_at or last_updated(resource),
    )
    return Arrived(row)


REVIEW = ResourceMap(
    profile=PROFILE,
    type_name="Task",
    view=ReviewFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({SYSTEM}),
    by_type=False,
    search={
        "status": Token.by(Review.status, TASK_STATUSES, of="Task.status"),
        "based-on": Leads(Review.project_id, "CarePlan"),
        "code": Coded(Review.status_code),
        "intent": constant("plan", of="Task.intent"),
        "period": When(Review.starts_at, Review.ends_at),
        "identifier": Issued(Review, SYSTEM),
    },
)
