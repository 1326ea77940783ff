"""REST for staff applications."""

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
    changed,
    created,
    one,
    page,
    removed,
)
from app.features.stays import service
from app.features.stays.schemas import StayIn, StayOut, StayPatch

router = APIRouter(prefix="/stays", tags=["stays"])
PATH = "/api/v1/stays"


@router.post("", status_code=201, operation_id="planStay")
async def plan(said: StayIn, gate: StaffGate) -> Response:
    return await created(gate, StayOut, PATH, lambda: service.plan(gate, said))


@router.get("", operation_id="listStays")
async def listed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """The latest first. `usager` narrows to one dossier."""
    if usager:
        return await page(gate, StayOut, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, StayOut, service.ALL, limit, after, "all")


@router.get("/{stay_id}", operation_id="readStay")
async def read(stay_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(StayOut, stay_id))


@router.patch("/{stay_id}", operation_id="changeStay", responses={409: {}})
async def change(stay_id: UUID, said: StayPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, StayOut, await service.change(gate, stay_id, version, said))


@router.delete("/{stay_id}", status_code=204, operation_id="removeStay")
async def remove(stay_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, stay_id, version)
    return await removed(gate)
