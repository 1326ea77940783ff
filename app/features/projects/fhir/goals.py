"""Expectation ⇄ Goal (attente), goal ⇄ Goal (objectif).

Sources: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-goal-attente
and https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-goal-objectif
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import case, or_

from app.access.entry import word as ours_is
from app.features.projects.fhir.words import CAREPLAN, EVALUATION, REPLACES, project_of, title_of, title_said
from app.features.projects.labels import FEELINGS, GOAL_KINDS, ORIGINS, STEPS
from app.features.projects.models import Expectation, Goal
from app.features.projects.vocabulary import Feeling, GoalKind, GoalStatus, Origin, Step
from app.features.structures.shown import FINESS
from app.fhir.canonicals import code_system, extension
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Token, When, constant
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    ATTACHMENT,
    OF_THE_HOUSE,
    all_to,
    at,
    by_status,
    day,
    day_of,
    instant_of,
    issued,
    known,
    last_updated,
    led_to,
    note,
    notes,
    profile,
    referred,
    referring,
    someone,
    status_author,
    system,
    to,
)
from app.fhir.types import Annotation, CodeableConcept, Coding, Extension, GoalTarget, heard
from app.fhir.types import Goal as FhirGoal
from app.kernel.clock import now

EXPECTED, AIMED = profile("goal-attente"), profile("goal-objectif")
EXPECTED_IDS, AIMED_IDS = system("attente"), system("objectif")
ADDS_TO, TEAM_VIEW = extension("expectation-adds-to"), extension("goal-team-view")
KINDS, STEPS_SAID = code_system("goal-kind"), code_system("goal-step")
STATUSES = {
    GoalStatus.PLANNED.value: "planned",
    GoalStatus.ACTIVE.value: "active",
    GoalStatus.COMPLETED.value: "completed",
    GoalStatus.CANCELLED.value: "cancelled",
}
HEARD = {code: status for status, code in STATUSES.items()} | {
    "on-hold": GoalStatus.ACTIVE.value,
    "rejected": GoalStatus.CANCELLED.value,
    "entered-in-error": GoalStatus.CANCELLED.value,
}
SAYS = " : "  # « Famille : sa sœur », « Pas bien : je sors trop »


class ExpectationFhir(RecordView, frozen=True):
    TABLE: ClassVar = Expectation
    COMPUTED: ClassVar = {"finess": FINESS}

    project_id: str
    replaces_id: str | None
    adds_to_id: str | None
    origin: str
    said_by: str | None
    said_on: date | None
    words: str
    comments: list[str] | None
    attachment_ids: list[str] | None
    finess: str | None = None


def expectation_to_fhir(e: ExpectationFhir) -> FhirGoal:
    words = title_said(e, e.words)
    return FhirGoal(
        id=e.id,
        meta=meta(e, EXPECTED),
        extension=(
            *referring(CAREPLAN, "CarePlan", [e.project_id]),
            *referring(ATTACHMENT, "DocumentReference", e.attachment_ids),
            *referring(ADDS_TO, "Goal", [e.adds_to_id] if e.adds_to_id else ()),
            *referring(REPLACES, "Goal", [e.replaces_id] if e.replaces_id else ()),
        ),
        identifier=issued(e, EXPECTED_IDS),
        lifecycleStatus="active",
        description=CodeableConcept(text=words) if words else None,
        subject=to("Patient", e.usager_id),
        startDate=day(e.said_on),
        note=(
            *note("origineAttente", _origin_said(e)),
            *(each for text in e.comments or () for each in note("commentaireAttente", text)),
        ),
    )


def expectation_from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    g = heard(FhirGoal, resource)
    origin, said_by = _origin(next((n.text for n in notes(g.note, "origineAttente")), None))
    row = Expectation(
        project_id=project_of(inbound, referred(g.extension, CAREPLAN)),
        replaces_id=_one(inbound, g.extension, REPLACES),
        adds_to_id=_one(inbound, g.extension, ADDS_TO),
        origin=origin.value,
        said_by=said_by,
        said_on=day_of(g.startDate),
        words=title_of(g.description.text if g.description else None),
        comments=[n.text for n in notes(g.note, "commentaireAttente")] or None,
        attachment_ids=led_to(inbound, referred(g.extension, ATTACHMENT), "DocumentReference"),
        occurred_at=instant_of(g.startDate) or last_updated(resource) or now(),
    )
    return Arrived(row)


def _origin_said(e: ExpectationFhir) -> str | None:
    """« Famille », « Famille : sa sœur »; of another origin, the words that tell it, if any came."""
    word = ORIGINS[Origin(e.origin)]
    if e.origin == Origin.AUTRE:
        return e.said_by or (word if e.origin_partner_id is None else None)
    return f"{word}{SAYS}{e.said_by}" if e.said_by else word


def _origin(text: str | None) -> tuple[Origin, str | None]:
    told, _, who = (text or "").partition(SAYS)
    for origin, word in ORIGINS.items():
        if told.strip().lower() == word.lower() and origin is not Origin.AUTRE:
            return origin, who.strip() or None
    return Origin.AUTRE, text


def _one(inbound: Inbound, extensions: Any, url: str) -> Any:
    """The Goal an extension of ours leads to, in the same bundle: elsewhere it may be of another kind."""
    inside = [r for r in referred(extensions, url) if r and r.reference in inbound.around]
    return next(iter(led_to(inbound, inside, "Goal") or ()), None)


class GoalFhir(RecordView, frozen=True):
    TABLE: ClassVar = Goal
    COMPUTED: ClassVar = {"finess": FINESS}

    project_id: str
    replaces_id: str | None
    title: str
    description: str | None
    kind: str
    status: str
    status_author_id: str | None
    status_author_kind: str | None
    step: str | None
    strategy: str | None
    referent_id: str | None
    referent_kind: str | None
    referent_name: str | None
    review_on: date | None
    need_ids: list[str] | None
    team_view: str | None
    team_view_at: datetime | None
    team_view_by: str | None
    opinion_feeling: str | None
    opinion_words: str | None
    opinion_at: datetime | None
    evaluation_ids: list[str] | None
    attachment_ids: list[str] | None
    finess: str | None = None


def goal_to_fhir(g: GoalFhir) -> FhirGoal:
    """A kind is said when it is ours to say: what arrived without one is « avancer » here and nothing there."""
    ours = g.origin_partner_id is None
    who = someone(g.referent_id, g.referent_kind, g.referent_name)
    said = ours or g.kind != GoalKind.AVANCER
    kind = CodeableConcept((Coding(KINDS, g.kind),), GOAL_KINDS[GoalKind(g.kind)])
    return FhirGoal(
        id=g.id,
        meta=meta(g, AIMED),
        extension=(
            *referring(EVALUATION, "QuestionnaireResponse", g.evaluation_ids),
            *referring(CAREPLAN, "CarePlan", [g.project_id]),
            *referring(ATTACHMENT, "DocumentReference", g.attachment_ids),
            *referring(REPLACES, "Goal", [g.replaces_id] if g.replaces_id else ()),
        ),
        identifier=issued(g, AIMED_IDS),
        lifecycleStatus=STATUSES[g.status],
        lifecycleStatus_ext=by_status(g.status_author_id, g.status_author_kind),
        achievementStatus=CodeableConcept((Coding(STEPS_SAID, g.step),), STEPS[Step(g.step)]) if g.step else None,
        category=(kind,) if said else (),
        description=CodeableConcept(text=g.description or g.title) if ours or g.description else None,
        subject=to("Patient", g.usager_id),
        target=(GoalTarget(dueDate=day(g.review_on)),) if g.review_on else (),
        expressedBy=who,
        addresses=all_to("ServiceRequest", g.need_ids),
        note=(
            *note("titreObjectif", title_said(g, g.title, g.description)),
            *_opinion(g),
            *note("strategieMiseEnOeuvreObjectif", g.strategy),
            *_team_view(g),
        ),
    )


def _opinion(g: GoalFhir) -> tuple[Annotation, ...]:
    """« Pas bien : je sors trop »: the feeling, the words, or both."""
    feeling = FEELINGS[Feeling(g.opinion_feeling)] if g.opinion_feeling else None
    text = SAYS.join(part for part in (feeling, g.opinion_words) if part)
    who = to("Patient", g.usager_id) if g.origin_partner_id is None else None
    return note("avisUsagerObjectif", text or None, time=at(g.opinion_at), authorReference=who)


def _team_view(g: GoalFhir) -> tuple[Annotation, ...]:
    if g.team_view is None:
        return ()
    mark = Extension(url=TEAM_VIEW, valueBoolean=True)
    who = someone(g.team_view_by, None)
    return (Annotation(extension=(mark,), text=g.team_view, time=at(g.team_view_at), authorReference=who),)


def goal_from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    g = heard(FhirGoal, resource)
    text = g.description.text if g.description else None
    title = title_of(next((n.text for n in notes(g.note, "titreObjectif")), None), text)
    opinion = next(iter(notes(g.note, "avisUsagerObjectif")), None)
    feeling, words = _felt(opinion.text if opinion else None)
    team = next((n for n in g.note if any(e.url == TEAM_VIEW for e in n.extension)), None)
    referent = dict(
        zip(
            ("referent_id", "referent_kind", "referent_name"), known(inbound, g.expressedBy, *OF_THE_HOUSE), strict=True
        )
    )
    row = Goal(
        project_id=project_of(inbound, referred(g.extension, CAREPLAN)),
        replaces_id=_one(inbound, g.extension, REPLACES),
        title=title,
        description=text,
        kind=_ours(g.category, KINDS, GoalKind) or GoalKind.AVANCER.value,
        status=HEARD.get(g.lifecycleStatus or "", GoalStatus.PLANNED.value),
        status_changed_at=last_updated(resource),
        step=_ours([g.achievementStatus] if g.achievementStatus else (), STEPS_SAID, Step),
        strategy=next((n.text for n in notes(g.note, "strategieMiseEnOeuvreObjectif")), None),
        review_on=day_of(g.target[0].dueDate) if g.target else None,
        need_ids=led_to(inbound, g.addresses, "ServiceRequest"),
        team_view=team.text if team else None,
        team_view_at=instant_of(team.time) if team else None,
        team_view_by=inbound.target(team.authorReference, "Practitioner") if team else None,
        opinion_feeling=feeling,
        opinion_words=words,
        opinion_at=instant_of(opinion.time) if opinion else None,
        evaluation_ids=led_to(inbound, referred(g.extension, EVALUATION), "QuestionnaireResponse"),
        attachment_ids=led_to(inbound, referred(g.extension, ATTACHMENT), "DocumentReference"),
        occurred_at=instant_of(g.startDate) or instant_of(g.statusDate) or last_updated(resource) or now(),
        **referent,
        **status_author(inbound, g.lifecycleStatus_ext),
    )
    return Arrived(row)


def _felt(text: str | None) -> tuple[str | None, str | None]:
    for feeling, word in FEELINGS.items():
        if text == word or (text and text.startswith(f"{word}{SAYS}")):
            return feeling.value, text[len(word) + len(SAYS) :] or None
    return None, text


def _ours(concepts: Any, of: str, words: Any) -> str | None:
    codes = {c.code for concept in concepts for c in concept.coding if c.system == of}
    return next((word.value for word in words if word.value in codes), None)


EXPECTATION = ResourceMap(
    profile=EXPECTED,
    type_name="Goal",
    view=ExpectationFhir,
    to_fhir=expectation_to_fhir,
    from_fhir=expectation_from_fhir,
    systems=frozenset({EXPECTED_IDS}),
    by_type=False,
    search={
        "identifier": Issued(Expectation, EXPECTED_IDS),
        "lifecycle-status": constant("active", of="Goal.lifecycleStatus"),
        "start-date": When(Expectation.said_on),
    },
)
OBJECTIVE = ResourceMap(
    profile=AIMED,
    type_name="Goal",
    view=GoalFhir,
    to_fhir=goal_to_fhir,
    from_fhir=goal_from_fhir,
    systems=frozenset({AIMED_IDS}),
    by_type=False,
    search={
        "achievement-status": Token(
            Goal.step,
            {step.value: (step.value,) for step in Step},
            STEPS_SAID,
            labels={s.value: w for s, w in STEPS.items()},
        ),
        "category": Token(
            case((or_(Goal.origin_partner_id.is_(None), Goal.kind != ours_is(GoalKind.AVANCER)), Goal.kind)),
            {kind.value: (kind.value,) for kind in GoalKind},
            KINDS,
            labels={kind.value: words for kind, words in GOAL_KINDS.items()},
        ),
        "lifecycle-status": Token.by(Goal.status, STATUSES, of="Goal.lifecycleStatus"),
        "target-date": When(Goal.review_on),
        "identifier": Issued(Goal, AIMED_IDS),
    },
)
