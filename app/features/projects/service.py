"""The rules of a project as a whole: it is prepared, validated, paused, amended, ended. Its parts: `writing`.

Law: CASF L311-4 and the contrat de séjour's décret of 26 Nov 2004 (the avenant); TDDUI, classe Bilan (yearly review).
"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app.access.acts import Act
from app.access.entry import Who
from app.access.gate import Gate
from app.access.permissions import Action, Category
from app.features.projects.labels import STATUSES
from app.features.projects.models import Project
from app.features.projects.parts import AgreementOut
from app.features.projects.questions import NUMBERED, SIGNED_BY_STRUCTURE
from app.features.projects.schemas import Pace, ProjectIn, ProjectOut, ProjectPatch
from app.features.projects.vocabulary import ProjectStatus
from app.kernel.clock import now, today
from app.kernel.errors import Conflict, Invalid

PAGE_MOST = 200  # projects of one person in one place: a life holds fewer
FROM: dict[ProjectStatus, tuple[ProjectStatus, ...]] = {  # what a project may become, and from what
    ProjectStatus.ACTIVE: (ProjectStatus.DRAFT, ProjectStatus.ON_HOLD),
    ProjectStatus.ON_HOLD: (ProjectStatus.ACTIVE,),
    ProjectStatus.COMPLETED: (ProjectStatus.ACTIVE, ProjectStatus.ON_HOLD),
}


async def prepare(gate: Gate, said: ProjectIn) -> Project:
    """A new project, in preparation. The caller settles the gate. Raises Invalid when it would end before it starts."""
    check_period(said.starts, said.ends)
    before = await in_place(gate, said.usager_id, said.structure_id)
    number = before[0].number + 1 if before else 1
    return gate.add(Project(category=Category.SUPPORT.value, number=number, **started(gate), **said.model_dump()))


async def correct(gate: Gate, id: UUID, version: int, said: ProjectPatch) -> Project:
    row = await opened(gate, id, Action.UPDATE, version)
    values = said.model_dump(exclude_unset=True)
    check_period(values.get("starts", row.starts), values.get("ends", row.ends))
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    """Only a draft: what was validated stays."""
    row = await gate.entry(Project, id, Action.DELETE, version)
    if row.status != ProjectStatus.DRAFT:
        raise Conflict(
            "Ce projet a été validé : il reste au dossier. Terminez-le.", where="/status", code="project.validated"
        )
    await gate.remove(row)


async def validate(gate: Gate, id: UUID, version: int) -> Project:
    """ENCOURS: the structure has signed. An answer of the person is not waited for, and stays shown whatever it is.

    An amendment ends the project it replaces. Raises MayNot for who may not validate, Conflict without a signature.
    """
    await gate.require(Act.VALIDATE_PROJECT)
    row = await gate.entry(Project, id, Action.UPDATE, version)
    check_move(row, ProjectStatus.ACTIVE, only_from=ProjectStatus.DRAFT)
    if not await gate.list(AgreementOut, SIGNED_BY_STRUCTURE, 1, project=id):
        raise Conflict(
            "La structure n'a pas encore signé ce projet : ajoutez son accord, puis validez.",
            where="/agreements",
            code="project.no_structure_agreement",
        )
    if row.replaces_id:
        former = await gate.entry(Project, row.replaces_id)
        if former.status in (ProjectStatus.ACTIVE, ProjectStatus.ON_HOLD):
            await gate.change(former, ends=former.ends or today(), **moved(gate, ProjectStatus.COMPLETED))
    due = row.next_review_on or await next_review(gate, id, today())
    starts = row.starts or today()
    return await gate.change(row, starts=starts, next_review_on=due, **moved(gate, ProjectStatus.ACTIVE))


async def pause(gate: Gate, id: UUID, version: int) -> Project:
    return await _move(gate, id, version, ProjectStatus.ON_HOLD)


async def resume(gate: Gate, id: UUID, version: int) -> Project:
    return await _move(gate, id, version, ProjectStatus.ACTIVE, only_from=ProjectStatus.ON_HOLD)


async def complete(gate: Gate, id: UUID, version: int) -> Project:
    return await _move(gate, id, version, ProjectStatus.COMPLETED)


async def in_place(gate: Gate, usager: UUID, structure: UUID) -> Sequence[ProjectOut]:
    """The projects of one person in one place, the last number first: 1, 2, 3, amendments among them."""
    return await gate.list(ProjectOut, NUMBERED, PAGE_MOST, usager=usager, structure=structure)


async def opened(gate: Gate, id: UUID, action: Action, version: int | None = None) -> Project:
    """A project that may still be written in, locked. Raises Conflict when it is over."""
    row = await gate.entry(Project, id, action, version)
    if row.status == ProjectStatus.COMPLETED:
        raise Conflict(
            "Ce projet est terminé : il ne change plus. Commencez-en un autre.",
            where="/status",
            code="project.completed",
        )
    return row


def started(gate: Gate) -> dict[str, Any]:
    return moved(gate, ProjectStatus.DRAFT)


def moved(gate: Gate, status: str) -> dict[str, Any]:
    """A status, since when and by whom: what every entity of TDDUI says of its own."""
    return {
        "status": str(status),
        "status_changed_at": now(),
        "status_author_id": gate.principal.id,
        "status_author_kind": Who.PROFESSIONAL.value,
    }


async def _move(
    gate: Gate, id: UUID, version: int, to: ProjectStatus, only_from: ProjectStatus | None = None
) -> Project:
    row = await gate.entry(Project, id, Action.UPDATE, version)
    check_move(row, to, only_from)
    values = moved(gate, to)
    if to is ProjectStatus.COMPLETED:
        values["ends"] = row.ends or today()
    return await gate.change(row, **values)


def check_move(row: Project, to: ProjectStatus, only_from: ProjectStatus | None = None) -> None:
    """Raises Conflict when a project in this state does not become that one."""
    if row.status not in ((only_from,) if only_from else FROM[to]):
        raise Conflict(
            f"Ce projet est {STATUSES[ProjectStatus(row.status)]} : ce geste n'est pas possible.",
            where="/status",
            code="project.status",
        )


def check_period(starts: date | None, ends: date | None) -> None:
    if starts and ends and ends < starts:
        raise Invalid("La fin ne peut pas être avant le début.", where="/ends", code="project.period")


async def next_review(gate: Gate, project_id: UUID, day: date) -> date:
    """Re-evaluated « à minima une fois par an » (TDDUI, classe Bilan), or sooner where the house says so."""
    pace = await gate.get(Pace, project_id)
    years, month = divmod(day.month - 1 + int(pace.review_months), 12)
    first = date(day.year + years, month + 1, 1)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))
