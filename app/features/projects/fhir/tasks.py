"""Action, service, means ⇄ Task (action, prestation, moyen ou ressource).

Sources: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-task-action, …-task-prestation,
…-task-moyen-ressource. `for` is said of what is ours only: the profiles ask for no subject, `basedOn` tells it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from app.features.projects.fhir.words import (
    REPLACES,
    TASK_STATUSES,
    TASK_STATUSES_HEARD,
    project_of,
    same_bundle,
    title_of,
    title_said,
)
from app.features.projects.models import Means, ProjectAction, ProjectService
from app.features.projects.vocabulary import TaskStatus
from app.features.structures.shown import FINESS
from app.fhir.canonicals import OURS
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Criterion, Token, When, constant
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.criteria import someone as who
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    OF_THE_HOUSE,
    all_to,
    by_status,
    code_of,
    coded,
    day,
    day_of,
    first_text,
    instant_of,
    issued,
    known,
    last_updated,
    led_to,
    parameter,
    parameters,
    profile,
    referred,
    referring,
    someone,
    status_author,
    system,
    to,
)
from app.fhir.types import Period, Reference, Task, TaskParameter, heard
from app.kernel.clock import now
from app.kernel.errors import Invalid

ACTION, SERVICE, RESOURCE = profile("task-action"), profile("task-prestation"), profile("task-moyen-ressource")
ACTION_IDS, SERVICE_IDS = system("action"), system("prestation")
MEANS_IDS = f"{OURS}/sid/moyen-ressource"  # TDDUI names no system for these
OF_ACTION, OF_SERVICE, OF_MEANS = "input-action", "input-prestation", "input-moyen-ressource"
PLANNED = {"intent": constant("plan", of="Task.intent")}


class ActionFhir(RecordView, frozen=True):
    TABLE: ClassVar = ProjectAction
    COMPUTED: ClassVar = {"finess": FINESS}

    project_id: str
    replaces_id: str | None
    title: str
    description: str | None
    status: str
    status_author_id: str | None
    status_author_kind: str | None
    expected_result: str | None
    person_opinion: str | None
    owner_id: str | None
    owner_kind: str | None
    owner_name: str | None
    starts: date | None
    ends: date | None
    goal_ids: list[str] | None
    evaluation_ids: list[str] | None
    attachment_ids: list[str] | None
    finess: str | None = None


def action_to_fhir(a: ActionFhir) -> Task:
    return Task(
        **_common(a, ACTION, ACTION_IDS),
        basedOn=(to("CarePlan", a.project_id),),
        status_ext=by_status(a.status_author_id, a.status_author_kind),
        executionPeriod=Period(day(a.starts), day(a.ends)) if a.starts or a.ends else None,
        owner=someone(a.owner_id, a.owner_kind, a.owner_name),
        input=(
            *parameter(OF_ACTION, "titre", valueString=title_said(a, a.title, a.description)),
            *_each(OF_ACTION, "evaluation", "QuestionnaireResponse", a.evaluation_ids),
            *parameter(OF_ACTION, "avisUsager", valueString=a.person_opinion),
            *parameter(OF_ACTION, "resultatAttendu", valueString=a.expected_result),
            *_each(OF_ACTION, "pieceJointe", "DocumentReference", a.attachment_ids),
            *_each(OF_ACTION, "objectif", "Goal", a.goal_ids),
        ),
    )


def action_from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    t = heard(Task, resource)
    period = t.executionPeriod or Period()
    owner = dict(zip(("owner_id", "owner_kind", "owner_name"), known(inbound, t.owner, *OF_THE_HOUSE), strict=True))
    row = ProjectAction(
        **_heard(t, resource, inbound),
        project_id=project_of(inbound, t.basedOn),
        expected_result=first_text(t.input, "resultatAttendu"),
        person_opinion=first_text(t.input, "avisUsager"),
        starts=day_of(period.start),
        ends=day_of(period.end),
        goal_ids=_led(inbound, t, "objectif", "Goal"),
        evaluation_ids=_led(inbound, t, "evaluation", "QuestionnaireResponse"),
        attachment_ids=_led(inbound, t, "pieceJointe", "DocumentReference"),
        status_changed_at=last_updated(resource),
        **owner,
        **status_author(inbound, t.status_ext),
    )
    return Arrived(row)


class ServiceFhir(RecordView, frozen=True):
    TABLE: ClassVar = ProjectService
    COMPUTED: ClassVar = {"finess": FINESS}

    project_id: str
    replaces_id: str | None
    action_id: str | None
    title: str
    description: str | None
    types: list[str] | None
    status: str
    status_author_id: str | None
    status_author_kind: str | None
    evaluation_id: str | None
    attachment_ids: list[str] | None
    finess: str | None = None


def service_to_fhir(s: ServiceFhir) -> Task:
    return Task(
        **_common(s, SERVICE, SERVICE_IDS),
        basedOn=(to("CarePlan", s.project_id),),
        partOf=all_to("Task", [s.action_id] if s.action_id else ()),
        status_ext=by_status(s.status_author_id, s.status_author_kind),
        input=(
            *parameter(OF_SERVICE, "titre", valueString=title_said(s, s.title, s.description)),
            *(
                each
                for code in s.types or ()
                for each in parameter(OF_SERVICE, "typePrestation", valueCodeableConcept=coded(code))
            ),
            *_each(OF_SERVICE, "evaluation", "QuestionnaireResponse", [s.evaluation_id] if s.evaluation_id else ()),
            *_each(OF_SERVICE, "pieceJointe", "DocumentReference", s.attachment_ids),
        ),
    )


def service_from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    t = heard(Task, resource)
    types = [code_of(p.valueCodeableConcept) for p in parameters(t.input, "typePrestation")]
    row = ProjectService(
        **_heard(t, resource, inbound),
        project_id=project_of(inbound, t.basedOn),
        action_id=_action_of(inbound, t),
        types=[code for code in types if code] or None,
        evaluation_id=next(iter(_led(inbound, t, "evaluation", "QuestionnaireResponse") or ()), None),
        attachment_ids=_led(inbound, t, "pieceJointe", "DocumentReference"),
        status_changed_at=last_updated(resource),
        **status_author(inbound, t.status_ext),
    )
    return Arrived(row)


class MeansFhir(RecordView, frozen=True):
    TABLE: ClassVar = Means
    COMPUTED: ClassVar = {"finess": FINESS}

    project_id: str
    replaces_id: str | None
    action_id: str | None
    title: str
    description: str | None
    status: str
    evaluation_id: str | None
    attachment_ids: list[str] | None
    finess: str | None = None


def means_to_fhir(m: MeansFhir) -> Task:
    """The profile asks for no `basedOn`: said of what is ours only."""
    return Task(
        **_common(m, RESOURCE, MEANS_IDS),
        basedOn=(to("CarePlan", m.project_id),) if m.origin_partner_id is None else (),
        partOf=all_to("Task", [m.action_id] if m.action_id else ()),
        input=(
            *parameter(OF_MEANS, "titre", valueString=title_said(m, m.title, m.description)),
            *_each(OF_MEANS, "evaluation", "QuestionnaireResponse", [m.evaluation_id] if m.evaluation_id else ()),
            *_each(OF_MEANS, "pieceJointe", "DocumentReference", m.attachment_ids),
        ),
    )


def means_from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    t = heard(Task, resource)
    row = Means(
        **_heard(t, resource, inbound),
        project_id=_project_of_means(inbound, t),
        action_id=_action_of(inbound, t),
        evaluation_id=next(iter(_led(inbound, t, "evaluation", "QuestionnaireResponse") or ()), None),
        attachment_ids=_led(inbound, t, "pieceJointe", "DocumentReference"),
    )
    return Arrived(row)


def _project_of_means(inbound: Inbound, t: Task) -> UUID:
    """By `basedOn`; else by the action it is part of; else its own, when it stands; else the only one of theirs in the bundle."""
    wholes: list[Reference | None] = list(t.basedOn)
    bases = inbound.around.told(_bases) if t.partOf else {}
    for action in dict.fromkeys(reference.reference or "" for reference in t.partOf):
        wholes += bases.get(action, ())
    if found := led_to(inbound, wholes, "CarePlan"):
        return found[0]
    if isinstance(inbound.stands, MeansFhir):
        return UUID(inbound.stands.project_id)
    whose = ("", f"Patient/{inbound.known_as or inbound.usager_id}")
    plans = [name for name, person in inbound.around.told(_plans).items() if person in whose]
    if len(plans) == 1:
        return UUID(plans[0].partition("/")[2])
    raise Invalid("On ne sait pas de quel projet c'est.", where=inbound.where, code="project.none")


def _bases(around: Mapping[str, Json]) -> dict[str, tuple[Reference, ...]]:
    """What each action of the bundle is based on."""
    return {name: heard(Task, each).basedOn for name, each in around.items() if each.get("resourceType") == "Task"}


def _plans(around: Mapping[str, Json]) -> dict[str, str]:
    """The projects of the bundle, and whose each is; empty where that is said by no reference."""
    plans = {name: each for name, each in around.items() if each.get("resourceType") == "CarePlan"}
    return {name: each["subject"].get("reference", "") for name, each in plans.items()}


def _common(view: Any, its_profile: str, ids: str) -> dict[str, Any]:
    return {
        "id": view.id,
        "meta": meta(view, its_profile),
        "extension": referring(REPLACES, "Task", [view.replaces_id] if view.replaces_id else ()),
        "identifier": issued(view, ids),
        "status": TASK_STATUSES[view.status],
        "intent": "plan",
        "description": view.description,
        "for_": to("Patient", view.usager_id) if view.origin_partner_id is None else None,
    }


def _heard(t: Task, resource: Json, inbound: Inbound) -> dict[str, Any]:
    former = [e for e in referred(t.extension, REPLACES) if e and e.reference in inbound.around]
    title = title_of(first_text(t.input, "titre"), t.description)
    begun = instant_of(t.executionPeriod.start) if t.executionPeriod else None
    return {
        "replaces_id": next(iter(led_to(inbound, former, "Task") or ()), None),
        "title": title,
        "description": t.description,
        "status": TASK_STATUSES_HEARD.get(t.status or "", TaskStatus.DRAFT.value),
        "occurred_at": begun or instant_of(t.authoredOn) or last_updated(resource) or now(),
    }


def _action_of(inbound: Inbound, t: Task) -> UUID | None:
    return same_bundle(inbound, t.partOf[0] if t.partOf else None, ACTION)


def _each(of: str, code: str, type_name: str, ids: Any) -> tuple[TaskParameter, ...]:
    return tuple(each for r in all_to(type_name, ids) for each in parameter(of, code, valueReference=r))


def _led(inbound: Inbound, t: Task, code: str, type_name: str) -> list[UUID] | None:
    return led_to(inbound, [p.valueReference for p in parameters(t.input, code)], type_name)


def _searched(table: Any, ids: str, **more: Criterion) -> dict[str, Criterion]:
    based_on = Leads(table.project_id, "CarePlan")
    return {
        "status": Token.by(table.status, TASK_STATUSES, of="Task.status"),
        "based-on": based_on,
        **PLANNED,
        "identifier": Issued(table, ids),
        **more,
    }


ACTIONS = ResourceMap(
    profile=ACTION,
    type_name="Task",
    view=ActionFhir,
    to_fhir=action_to_fhir,
    from_fhir=action_from_fhir,
    systems=frozenset({ACTION_IDS}),
    by_type=False,
    search=_searched(
        ProjectAction,
        ACTION_IDS,
        owner=who(ProjectAction.owner_id, ProjectAction.owner_kind, ProjectAction.owner_name),
        period=When(ProjectAction.starts, ProjectAction.ends),
    ),
)
SERVICES = ResourceMap(
    profile=SERVICE,
    type_name="Task",
    view=ServiceFhir,
    to_fhir=service_to_fhir,
    from_fhir=service_from_fhir,
    systems=frozenset({SERVICE_IDS}),
    by_type=False,
    search=_searched(ProjectService, SERVICE_IDS) | {"part-of": Leads(ProjectService.action_id, "Task")},
)
MEANS = ResourceMap(
    profile=RESOURCE,
    type_name="Task",
    view=MeansFhir,
    to_fhir=means_to_fhir,
    from_fhir=means_from_fhir,
    systems=frozenset({MEANS_IDS}),
    by_type=False,
    recalls=True,
    search=_searched(Means, MEANS_IDS) | {"part-of": Leads(Means.action_id, "Task")},
)
