"""Assessment ⇄ QuestionnaireResponse. Its answers go both ways whole; a self-assessment has the usager as its source.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-questionnaire-response
"""

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from app.access.protection import HOUSE_HIDDEN, PROTECTED
from app.features.assessments import answers
from app.features.assessments.grids import category_of, doubts
from app.features.assessments.models import Assessment, AssessmentStatus
from app.features.structures.shown import FINESS
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Canonical, Token, When
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.criteria import someone as who
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    ATTACHMENT,
    OF_THE_HOUSE,
    at,
    by_status,
    code_of,
    coded,
    house,
    instant_of,
    issued,
    known,
    last_updated,
    led_to,
    profile,
    referred,
    referring,
    someone,
    status_author,
    system,
    to,
)
from app.fhir.types import Extension, Reference, heard
from app.fhir.types.forms import QuestionnaireResponse
from app.kernel.clock import now
from app.kernel.errors import Invalid

PROFILE, SYSTEM = profile("questionnaire-response"), system("evaluation")
PARTICIPANT, METHOD, COMMENT = profile("qr-participant"), profile("assessment-method"), profile("comment")
RESPONSIBLE, HOLDER = "TDDUIResponsible", "TDDUIHolder"
HOLDERS = (HOLDER, "TDDUIPorteur")  # as it was named before
WHO = (*OF_THE_HOUSE, "Patient", "RelatedPerson")
STATUSES = {
    AssessmentStatus.DONE.value: "in-progress",
    AssessmentStatus.APPROVED.value: "completed",
    AssessmentStatus.VALIDATED.value: "amended",
    AssessmentStatus.CANCELLED.value: "entered-in-error",
}
HEARD = {code: status for status, code in STATUSES.items()} | {"stopped": AssessmentStatus.CANCELLED.value}


class AssessmentFhir(RecordView, frozen=True):
    TABLE: ClassVar = Assessment
    COMPUTED: ClassVar = {"finess": FINESS, "house_hidden": HOUSE_HIDDEN}

    questionnaire: str
    status: str
    status_author_id: str | None
    status_author_kind: str | None
    assessed_at: datetime | None
    assessor_id: str | None
    assessor_kind: str | None
    assessor_name: str | None
    responsible_id: str | None
    responsible_kind: str | None
    responsible_name: str | None
    recorder_id: str | None
    recorder_kind: str | None
    recorder_name: str | None
    holder_id: str | None
    event_id: str | None
    method: str | None
    comment: str | None
    attachment_ids: list[str] | None
    items: str
    finess: str | None = None
    house_hidden: bool = True  # where nobody could tell


def to_fhir(a: AssessmentFhir) -> QuestionnaireResponse:
    return QuestionnaireResponse(
        id=a.id,
        meta=meta(a, PROFILE),
        extension=(*_participant(a), *referring(ATTACHMENT, "DocumentReference", a.attachment_ids), *_words(a)),
        identifier=next(iter(issued(a, SYSTEM)), None),
        questionnaire=a.questionnaire,
        status=STATUSES[a.status],
        status_ext=by_status(a.status_author_id, a.status_author_kind),
        subject=to("Patient", a.usager_id),
        encounter=to("Encounter", a.event_id) if a.event_id else None,
        authored=at(a.assessed_at),
        author=someone(a.recorder_id, a.recorder_kind, a.recorder_name),
        source=someone(a.assessor_id, a.assessor_kind, a.assessor_name),
        item=answers.to_fhir(answers.read(a.items)),
    )


def _participant(a: AssessmentFhir) -> tuple[Extension, ...]:
    responsible = someone(a.responsible_id, a.responsible_kind, a.responsible_name)
    told = [Extension(url=RESPONSIBLE, valueReference=responsible)] if responsible else []
    if a.holder_id:
        place = house(a.holder_id)
        told.append(Extension(url=HOLDER, valueReference=place))
    return (Extension(url=PARTICIPANT, extension=tuple(told)),) if told else ()


def _words(a: AssessmentFhir) -> tuple[Extension, ...]:
    """The type of the method is not in the sources read: a text, or a code when it is one."""
    said = (Extension(url=COMMENT, valueString=a.comment),) if a.comment else ()
    if not a.method:
        return said
    if "|" in a.method:
        return (*said, Extension(url=METHOD, valueCodeableConcept=coded(a.method)))
    return (*said, Extension(url=METHOD, valueString=a.method))


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid when it names no questionnaire. A holder that leads nowhere here stays beside the row."""
    r = heard(QuestionnaireResponse, resource)
    if not r.questionnaire:
        raise Invalid("Une évaluation nomme sa grille.", where="questionnaire", code="assessment.no_grid")
    inside = [part for e in r.extension if e.url == PARTICIPANT for part in e.extension]
    holders = led_to(inbound, [p.valueReference for p in inside if p.url in HOLDERS], "Organization")
    encounter = r.encounter if r.encounter and r.encounter.reference else None
    row = Assessment(
        category=category_of(r.questionnaire).value,
        questionnaire=r.questionnaire,
        status=HEARD.get(r.status or "", AssessmentStatus.DONE.value),
        status_changed_at=last_updated(resource),
        assessed_at=instant_of(r.authored),
        holder_id=holders[0] if holders else None,
        event_id=inbound.target(encounter, "Encounter"),
        method=_method(r.extension),
        comment=next((e.valueString for e in r.extension if e.url == COMMENT), None),
        attachment_ids=led_to(inbound, referred(r.extension, ATTACHMENT), "DocumentReference"),
        items=answers.written(answers.from_fhir(r.item, inbound)),
        occurred_at=instant_of(r.authored) or last_updated(resource) or now(),
        **status_author(inbound, r.status_ext),
        **_who(inbound, "assessor", r.source),
        **_who(inbound, "recorder", r.author),
        **_who(inbound, "responsible", next((p.valueReference for p in inside if p.url == RESPONSIBLE), None)),
    )
    return Arrived(row)


def _who(inbound: Inbound, role: str, reference: Reference | None) -> Json:
    id, kind, name = known(inbound, reference, *WHO)
    return {f"{role}_id": id, f"{role}_kind": kind, f"{role}_name": name}


def _method(extensions: tuple[Extension, ...]) -> str | None:
    told = next((e for e in extensions if e.url == METHOD), None)
    if told is None or (told.valueString and "|" in told.valueString):
        return None
    code = code_of(told.valueCodeableConcept)
    return code if code and "|" in code else told.valueString


def masked(a: AssessmentFhir) -> AssessmentFhir:
    """Where the person lives in a protected place, the structure that holds it may be that place, and what is written
    freely may name it."""
    if not a.house_hidden:
        return a
    return msgspec.structs.replace(
        a,
        holder_id=PROTECTED if a.holder_id else None,
        items=answers.written(answers.without_words(answers.read(a.items))),
        comment=None,
        method=None,
        assessor_name=_hidden(a.assessor_id, a.assessor_name),
        responsible_name=_hidden(a.responsible_id, a.responsible_name),
        recorder_name=_hidden(a.recorder_id, a.recorder_name),
    )


def _hidden(id: str | None, name: str | None) -> str | None:
    """Who is told by a name alone may be the house itself."""
    return PROTECTED if name and id is None else None


CRITERIA: dict[str, Any] = {
    "author": who(Assessment.recorder_id, Assessment.recorder_kind, Assessment.recorder_name),
    "authored": When(Assessment.assessed_at),
    "encounter": Leads(Assessment.event_id, "Encounter"),
    "identifier": Issued(Assessment, SYSTEM),
    "questionnaire": Canonical(Assessment.questionnaire),
    "source": who(Assessment.assessor_id, Assessment.assessor_kind, Assessment.assessor_name),
    "status": Token.by(Assessment.status, STATUSES, of="QuestionnaireResponse.status"),
}
ASSESSMENT = ResourceMap(
    profile=PROFILE,
    type_name="QuestionnaireResponse",
    view=AssessmentFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({SYSTEM}),
    search=CRITERIA,
    masked=masked,
    hides=lambda a: a.house_hidden,
    doubts=doubts,
)
