"""REST of life projects: for staff applications, and for the person's own."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    PersonGate,
    PersonReading,
    StaffGate,
    StaffReading,
    Version,
    changed,
    created,
    one,
    page,
    removed,
    whom,
)
from app.features.life_projects import service
from app.features.life_projects.schemas import (
    LifeProjectIn,
    LifeProjectOut,
    LifeProjectPatch,
    MyLifeProjectIn,
    MyLifeProjectOut,
)

router = APIRouter(prefix="/projects/life", tags=["projects"])
me = APIRouter(prefix="/me/project/life", tags=["me"])
PATH, MINE = "/api/v1/projects/life", "/api/v1/me/project/life"


@router.post("", status_code=201, operation_id="writeLifeProject")
async def write(said: LifeProjectIn, gate: StaffGate) -> Response:
    return await created(gate, LifeProjectOut, PATH, lambda: service.write(gate, said))


@router.get("", operation_id="listLifeProjects")
async def listed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """The latest first. `usager` narrows to one dossier."""
    if usager:
        return await page(gate, LifeProjectOut, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, LifeProjectOut, service.ALL, limit, after, "all")


@router.get("/{life_project_id}", operation_id="readLifeProject")
async def read(life_project_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(LifeProjectOut, life_project_id))


@router.patch("/{life_project_id}", operation_id="correctLifeProject", responses={409: {}})
async def correct(life_project_id: UUID, said: LifeProjectPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, LifeProjectOut, await service.correct(gate, life_project_id, version, said))


@router.delete("/{life_project_id}", status_code=204, operation_id="removeLifeProject", responses={409: {}})
async def remove(life_project_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, life_project_id, version)
    return await removed(gate)


@me.get("", operation_id="listMyLifeProjects")
async def mine(gate: PersonReading, after: After = None, limit: Limit = PAGE) -> Response:
    """« Ce que je veux pour ma vie », the latest first."""
    return await page(gate, MyLifeProjectOut, service.OF_USAGER, limit, after, "mine", usager=whom(gate))


@me.get("/{life_project_id}", operation_id="readMyLifeProject")
async def read_mine(life_project_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(MyLifeProjectOut, life_project_id))


@me.post("", status_code=201, operation_id="writeMyLifeProject")
async def write_mine(said: MyLifeProjectIn, gate: PersonGate) -> Response:
    """In the person's own words, which nobody writes again in their place."""
    return await created(gate, MyLifeProjectOut, MINE, lambda: service.write_mine(gate, said))
