"""The rules of each part of a project, apart from answers (`agreeing`). None changes once the project is over."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam

from app.access.entry import View, Who
from app.access.gate import Gate, Listing, Reading
from app.access.models import Professional
from app.access.permissions import Action, Category
from app.access.refusal import NOT_FOUND
from app.features.projects import parts
from app.features.projects.labels import STEPS_OF
from app.features.projects.models import Expectation, Goal, Means, Need, Project, ProjectAction, ProjectService, Review
from app.features.projects.service import check_period, moved, next_review, opened
from app.features.projects.vocabulary import GoalKind, ProjectStatus, TaskStatus
from app.kernel.clock import PARIS, today
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.fields import Body

SERAFIN = "https://smt.esante.gouv.fr/terminologie-SERAFINPH"
Values = dict[str, Any]
Rules = Callable[[Gate, Project, Values, Any], Awaitable[Values]]


@dataclass(frozen=True)
class Room:
    """One kind of part: what is heard, what is said, and its rules.

    The rules take what was said, and the row it corrects or None; they give the columns to write.
    """

    path: str
    table: Any
    view: type[parts.PartOut]
    body: type[Body]
    patch: type[Body]
    rules: Rules


async def add(gate: Gate, room: Room, project_id: UUID, said: Body) -> Any:
    """A new part. The caller settles the gate. Raises Conflict when the project is over, Invalid naming what is wrong."""
    project = await opened(gate, project_id, Action.READ)
    values = await room.rules(gate, project, said.model_dump(), None)
    return gate.add(room.table(**_whose(project), **values))


async def correct(gate: Gate, room: Room, project_id: UUID, id: UUID, version: int, said: Body) -> Any:
    row = await _part(gate, room, project_id, id, Action.UPDATE, version)
    project = await opened(gate, project_id, Action.READ)
    return await gate.change(row, **await room.rules(gate, project, said.model_dump(exclude_unset=True), row))


async def remove(gate: Gate, room: Room, project_id: UUID, id: UUID, version: int) -> None:
    """Only from a draft: what was validated stays, ended or cancelled."""
    row = await _part(gate, room, project_id, id, Action.DELETE, version)
    project = await opened(gate, project_id, Action.READ)
    if project.status != ProjectStatus.DRAFT:
        raise Conflict(
            "Ce projet a été validé : rien ne s'en efface. Dites plutôt que c'est terminé ou annulé.",
            where="/status",
            code="project.validated",
        )
    await gate.remove(row)


async def read(gate: Reading, room: Room, project_id: UUID, id: UUID) -> parts.PartOut:
    row = await gate.get(room.view, id)
    if row.project_id != str(project_id):
        raise NotFound(NOT_FOUND)
    return row


async def _part(gate: Gate, room: Room, project_id: UUID, id: UUID, action: Action, version: int) -> Any:
    row = await gate.entry(room.table, id, action, version)
    if row.project_id != project_id:
        raise NotFound(NOT_FOUND)
    return row


def _whose(project: Project) -> Values:
    return {
        "project_id": project.id,
        "usager_id": project.usager_id,
        "structure_id": project.structure_id,
        "category": Category.SUPPORT.value,
    }


async def _expectation(gate: Gate, project: Project, said: Values, row: Expectation | None) -> Values:
    """Someone's words are never edited: a patch adds a comment after the others."""
    if row:
        comment = said.pop("comment", None)
        return {**said, "comments": [*(row.comments or []), comment]} if comment else said
    if said["said_on"] and said["said_on"] > today():
        raise Invalid("Des mots notés ont déjà été dits.", where="/said_on", code="expectation.future")
    await _of_project(gate, project, "/adds_to_id", OF_PROJECT[parts.ExpectationOut], said["adds_to_id"])
    return said


async def _need(gate: Gate, project: Project, said: Values, row: Need | None) -> Values:
    if not _serafin(said.get("serafin"), "1"):
        raise Invalid("Un besoin se code dans la partie 1 de SERAFIN-PH.", where="/serafin", code="need.serafin")
    return said


async def _goal(gate: Gate, project: Project, said: Values, row: Goal | None) -> Values:
    kind = GoalKind(said.get("kind") or (row.kind if row else GoalKind.AVANCER))
    step = said.get("step", row.step if row else None)
    if step and step not in STEPS_OF[kind]:
        raise Invalid("Ce mot ne va pas avec ce genre d'objectif.", where="/step", code="goal.step")
    for at, need in enumerate(said.get("need_ids") or ()):
        await _of_project(gate, project, f"/need_ids/{at}", OF_PROJECT[parts.NeedOut], need)
    if said.get("team_view"):
        said |= {"team_view_at": moved(gate, "")["status_changed_at"], "team_view_by": gate.principal.id}
    return _moved(gate, await _named(gate, said, "referent"), row)


async def _action(gate: Gate, project: Project, said: Values, row: ProjectAction | None) -> Values:
    check_period(said.get("starts", row and row.starts), said.get("ends", row and row.ends))
    for at, goal in enumerate(said.get("goal_ids") or ()):
        await _of_project(gate, project, f"/goal_ids/{at}", OF_PROJECT[parts.GoalOut], goal)
    return _moved(gate, await _named(gate, said, "owner"), row)


async def _service(gate: Gate, project: Project, said: Values, row: ProjectService | None) -> Values:
    for at, code in enumerate(said.get("types") or ()):
        if not _serafin(code, "2", "3"):
            raise Invalid(
                "Une prestation se code dans les parties 2 et 3 de SERAFIN-PH.",
                where=f"/types/{at}",
                code="service.serafin",
            )
    await _of_project(gate, project, "/action_id", OF_PROJECT[parts.ActionOut], said.get("action_id"))
    return _moved(gate, said, row)


async def _means(gate: Gate, project: Project, said: Values, row: Means | None) -> Values:
    await _of_project(gate, project, "/action_id", OF_PROJECT[parts.ActionOut], said.get("action_id"))
    return said


async def _review(gate: Gate, project: Project, said: Values, row: Review | None) -> Values:
    """A review that took place says when the project is reviewed next: at the date given, or in time."""
    starts: datetime = said["starts_at"] if row is None else said.get("starts_at", row.starts_at)
    ends = said.get("ends_at", row.ends_at if row else None)
    due = said.get("next_review_on", row.next_review_on if row else None)
    day = starts.astimezone(PARIS).date()
    if ends and ends < starts:
        raise Invalid("La fin ne peut pas être avant le début.", where="/ends_at", code="review.period")
    if due and due <= day:
        raise Invalid("Le prochain bilan vient après celui-ci.", where="/next_review_on", code="review.next")
    if "preparations" in said:
        told = said["preparations"] or []
        said |= {"preparations": [p["text"] for p in told], "prepared_by": [p["by"] for p in told]}
    if said.get("status") == TaskStatus.COMPLETED:
        await gate.change(project, next_review_on=due or await next_review(gate, project.id, day))
    return said


def _moved(gate: Gate, said: Values, row: Any) -> Values:
    """When the status changes: since when, and by whom."""
    status = said.get("status")
    return {**said, **moved(gate, status)} if status and (row is None or row.status != status) else said


async def _named(gate: Gate, said: Values, who: str) -> Values:
    """The professional named exists in the directory. Raises Invalid when not."""
    if said.get(f"{who}_id"):
        if not await gate.list(_Known, KNOWN, 1, id=said[f"{who}_id"]):
            raise Invalid(
                "Ce professionnel n'est pas dans l'annuaire.", where=f"/{who}_id", code="professional.unknown"
            )
        said[f"{who}_kind"] = Who.PROFESSIONAL.value
    return said


async def _of_project(gate: Gate, project: Project, where: str, listing: Listing, id: UUID | None) -> None:
    """What a part leads to is of the same project, within reach. Raises Invalid when not."""
    if id and not await gate.list(VIEWS[listing], listing, 1, ids=[id], project=project.id):
        raise Invalid("Cet élément n'est pas dans ce projet.", where=where, code="project.other")


def _serafin(code: str | None, *starts: str) -> bool:
    """Whether a code is of these parts of SERAFIN-PH; a code of another system is not judged here."""
    system, _, value = (code or "").rpartition("|")
    return system != SERAFIN or value.partition(".")[0] in starts


class _Known(View, frozen=True):
    TABLE: ClassVar = Professional


KNOWN = Listing(Professional.id == bindparam("id", type_=Uuid()))


def _in_project(table: Any) -> Listing:
    ids = bindparam("ids", type_=ARRAY(Uuid()))
    return Listing((table.id == any_(ids)) & (table.project_id == bindparam("project", type_=Uuid())))


OF_PROJECT = {
    view: _in_project(view.TABLE) for view in (parts.ExpectationOut, parts.NeedOut, parts.GoalOut, parts.ActionOut)
}
VIEWS = {listing: view for view, listing in OF_PROJECT.items()}
ROOMS: Sequence[Room] = (
    Room("expectations", Expectation, parts.ExpectationOut, parts.ExpectationIn, parts.ExpectationPatch, _expectation),
    Room("needs", Need, parts.NeedOut, parts.NeedIn, parts.NeedPatch, _need),
    Room("goals", Goal, parts.GoalOut, parts.GoalIn, parts.GoalPatch, _goal),
    Room("actions", ProjectAction, parts.ActionOut, parts.ActionIn, parts.ActionPatch, _action),
    Room("services", ProjectService, parts.ServiceOut, parts.ServiceIn, parts.ServicePatch, _service),
    Room("means", Means, parts.MeansOut, parts.MeansIn, parts.MeansPatch, _means),
    Room("reviews", Review, parts.ReviewOut, parts.ReviewIn, parts.ReviewPatch, _review),
)
