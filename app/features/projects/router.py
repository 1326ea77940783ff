"""REST for staff applications: a project, its life, and its parts."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    StaffGate,
    StaffReading,
    Version,
    acted,
    changed,
    created,
    one,
    page,
    removed,
)
from app.access.refusal import NOT_FOUND
from app.features.projects import agreeing, amending, questions, service, writing
from app.features.projects.models import Project
from app.features.projects.parts import AgreementOut
from app.features.projects.schemas import AgreementIn, Amendment, ProjectIn, ProjectOut, ProjectPatch
from app.features.projects.seen import Seen, whole
from app.features.projects.writing import ROOMS, Room
from app.kernel.answers import etag, told
from app.kernel.errors import NotFound

router = APIRouter(prefix="/projects", tags=["projects"])
PATH = "/api/v1/projects"


@router.post("", status_code=201, operation_id="prepareProject")
async def prepare(said: ProjectIn, gate: StaffGate) -> Response:
    return await created(gate, ProjectOut, PATH, lambda: service.prepare(gate, said))


@router.get("", operation_id="listProjects")
async def listed(
    gate: StaffReading,
    usager: UUID | None = None,
    due_before: date | None = None,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """The latest first. `usager` narrows to one dossier; `due_before` to those to review before that day, soonest first."""
    if due_before:
        return await page(gate, ProjectOut, questions.DUE, limit, after, "due", due_before=due_before)
    if usager:
        return await page(gate, ProjectOut, questions.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, ProjectOut, questions.ALL, limit, after, "all")


@router.get("/{project_id}", operation_id="readProject")
async def read(project_id: UUID, gate: StaffReading) -> Response:
    """The project with all its parts; `seen` is the fingerprint an answer is given on."""
    return told_whole(await whole(gate, project_id))


@router.patch("/{project_id}", operation_id="correctProject", responses={409: {}})
async def correct(project_id: UUID, said: ProjectPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, ProjectOut, await service.correct(gate, project_id, version, said))


@router.delete("/{project_id}", status_code=204, operation_id="removeProject", responses={409: {}})
async def remove(project_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, project_id, version)
    return await removed(gate)


@router.post("/{project_id}/validate", operation_id="validateProject")
async def validate(project_id: UUID, version: Version, gate: StaffGate) -> Response:
    return await _moved(gate, project_id, version, service.validate)


@router.post("/{project_id}/pause", operation_id="pauseProject")
async def pause(project_id: UUID, version: Version, gate: StaffGate) -> Response:
    return await _moved(gate, project_id, version, service.pause)


@router.post("/{project_id}/resume", operation_id="resumeProject")
async def resume(project_id: UUID, version: Version, gate: StaffGate) -> Response:
    return await _moved(gate, project_id, version, service.resume)


@router.post("/{project_id}/complete", operation_id="completeProject")
async def complete(project_id: UUID, version: Version, gate: StaffGate) -> Response:
    return await _moved(gate, project_id, version, service.complete)


@router.post("/{project_id}/amend", status_code=201, operation_id="amendProject")
async def amend(project_id: UUID, said: Amendment, version: Version, gate: StaffGate) -> Response:
    """Avenant: a draft that will replace this project."""
    return await created(gate, ProjectOut, PATH, lambda: amending.amend(gate, project_id, version, said))


@router.post("/{project_id}/agreements", status_code=201, operation_id="recordAgreement")
async def record(project_id: UUID, said: AgreementIn, gate: StaffGate) -> Response:
    path = f"{PATH}/{project_id}/agreements"
    return await created(gate, AgreementOut, path, lambda: agreeing.record(gate, project_id, said))


@router.get("/{project_id}/agreements/{part_id}", operation_id="readAgreement")
async def read_agreement(project_id: UUID, part_id: UUID, gate: StaffReading) -> Response:
    row = await gate.get(AgreementOut, part_id)
    if row.project_id != str(project_id):
        raise NotFound(NOT_FOUND)
    return one(row)


async def _moved(
    gate: StaffGate, project_id: UUID, version: int, move: Callable[[Any, UUID, int], Awaitable[Project]]
) -> Response:
    return await acted(gate, ProjectOut, project_id, lambda: move(gate, project_id, version))


def told_whole(seen: Seen) -> Response:
    return told(seen.told(), headers={"ETag": etag(seen.project.version)})


def _routes(room: Room) -> None:
    """The four routes of one kind of part; its bodies are told to the framework by their types."""

    async def write(project_id: UUID, said: Any, gate: StaffGate) -> Response:
        path = f"{PATH}/{project_id}/{room.path}"
        return await created(gate, room.view, path, lambda: writing.add(gate, room, project_id, said))

    async def read(project_id: UUID, part_id: UUID, gate: StaffReading) -> Response:
        return one(await writing.read(gate, room, project_id, part_id))

    async def correct(project_id: UUID, part_id: UUID, said: Any, version: Version, gate: StaffGate) -> Response:
        return await changed(gate, room.view, await writing.correct(gate, room, project_id, part_id, version, said))

    async def remove(project_id: UUID, part_id: UUID, version: Version, gate: StaffGate) -> Response:
        await writing.remove(gate, room, project_id, part_id, version)
        return await removed(gate)

    write.__annotations__["said"], correct.__annotations__["said"] = room.body, room.patch
    name = room.table.__name__
    many, one_of = f"/{{project_id}}/{room.path}", f"/{{project_id}}/{room.path}/{{part_id}}"
    router.add_api_route(many, write, methods=["POST"], status_code=201, operation_id=f"write{name}")
    router.add_api_route(one_of, read, methods=["GET"], operation_id=f"read{name}")
    over: dict[int | str, Any] = {409: {}}  # a project that ended is kept as it was
    router.add_api_route(one_of, correct, methods=["PATCH"], operation_id=f"correct{name}", responses=over)
    router.add_api_route(
        one_of, remove, methods=["DELETE"], status_code=204, operation_id=f"remove{name}", responses=over
    )


for _room in ROOMS:
    _routes(_room)
