"""Life project (projet de vie) ⇄ Goal.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-goal-projet-vie
"""

from datetime import date
from typing import ClassVar

from app.access.entry import Who
from app.features.life_projects.models import LifeProject, LifeStatus
from app.features.structures.shown import FINESS
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Token, When
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    TDDUI,
    TYPES,
    by_status,
    day,
    instant_of,
    issued,
    known,
    last_updated,
    profile,
    someone,
    status_author,
    system,
    to,
    whole_day,
)
from app.fhir.types import CodeableConcept, Coding, Extension, Goal, GoalTarget, heard
from app.kernel.clock import now
from app.kernel.errors import Invalid

PROFILE, SYSTEM = profile("goal-projet-vie"), system("projetvie")
KIND = CodeableConcept((Coding(f"{TDDUI}/CodeSystem/tddui-goal-identifier", "PDV", "Identifiant du projet de vie"),))
# R4 asks what would be measured (gol-1); TDDUI, that nothing be: a life is not.
UNMEASURED = CodeableConcept(
    extension=(Extension(url="http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode="not-permitted"),)
)
STATUSES = {
    LifeStatus.DRAFT.value: "planned",
    LifeStatus.ACTIVE.value: "active",
    LifeStatus.COMPLETED.value: "completed",
}
HEARD = {code: status for status, code in STATUSES.items()} | {
    "on-hold": LifeStatus.ACTIVE.value,
    "cancelled": LifeStatus.COMPLETED.value,
    "rejected": LifeStatus.COMPLETED.value,
    "entered-in-error": LifeStatus.COMPLETED.value,
}


class LifeProjectFhir(RecordView, frozen=True):
    TABLE: ClassVar = LifeProject
    COMPUTED: ClassVar = {"finess": FINESS}

    words: str
    aim: str | None
    aim_on: date | None
    starts: date | None
    said_by_id: str | None
    said_by_kind: str | None
    said_by_name: str | None
    status: str
    status_author_id: str | None
    status_author_kind: str | None
    finess: str | None = None


def to_fhir(life: LifeProjectFhir) -> Goal:
    aim = GoalTarget(
        measure=UNMEASURED if life.origin_partner_id is None else None,
        detailString=life.aim,
        dueDate=day(life.aim_on),
    )
    by_team = life.status_author_kind != Who.USAGER
    return Goal(
        id=life.id,
        meta=meta(life, PROFILE),
        identifier=issued(life, SYSTEM, KIND),
        lifecycleStatus=STATUSES[life.status],
        lifecycleStatus_ext=by_status(life.status_author_id, life.status_author_kind) if by_team else None,
        description=CodeableConcept(text=life.words),
        subject=to("Patient", life.usager_id),
        startDate=day(life.starts),
        target=(aim,) if life.aim or life.aim_on else (),
        expressedBy=someone(life.said_by_id, life.said_by_kind, life.said_by_name),
    )


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid without words: there is nothing to read. What its sender would measure stays beside the row."""
    g = heard(Goal, resource)
    words = g.description.text if g.description else None
    if not (words and words.strip()):
        raise Invalid("Un projet de vie se dit avec des mots.", where="description.text", code="not_carried")
    aim = g.target[0] if g.target else GoalTarget()
    by, kind, name = known(inbound, g.expressedBy, *TYPES.values())
    row = LifeProject(
        words=words,
        aim=aim.detailString,
        aim_on=whole_day(aim.dueDate),
        starts=whole_day(g.startDate),
        said_by_id=by,
        said_by_kind=kind,
        said_by_name=name,
        status=HEARD.get(g.lifecycleStatus or "", LifeStatus.DRAFT.value),
        status_changed_at=last_updated(resource),
        occurred_at=instant_of(g.startDate) or last_updated(resource) or now(),
        **status_author(inbound, g.lifecycleStatus_ext),
    )
    return Arrived(row)


LIFE = ResourceMap(
    profile=PROFILE,
    type_name="Goal",
    view=LifeProjectFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({SYSTEM}),
    by_type=False,
    search={
        "lifecycle-status": Token.by(LifeProject.status, STATUSES, of="Goal.lifecycleStatus"),
        "start-date": When(LifeProject.starts, at=("startDate",), parts=LifeProject.told_in_part),
        "target-date": When(LifeProject.aim_on, at=("target.dueDate",), parts=LifeProject.told_in_part),
        "identifier": Issued(LifeProject, SYSTEM),
    },
)
