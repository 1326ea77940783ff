"""REST for who directs or administers a house: how far roles go there."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, Version, changed, created, one, page, removed
from app.features.narrowing import service
from app.features.narrowing.schemas import NarrowingIn, NarrowingOut, NarrowingPatch

router = APIRouter(prefix="/access/narrowings", tags=["access"])
PATH = "/api/v1/access/narrowings"


@router.post("", status_code=201, operation_id="narrowRole")
async def narrow(said: NarrowingIn, gate: StaffGate) -> Response:
    return await created(gate, NarrowingOut, PATH, lambda: service.narrow(gate, said))


@router.get("", operation_id="listNarrowings")
async def listed(gate: StaffReading, structure: UUID, after: After = None, limit: Limit = PAGE) -> Response:
    """What this house narrows, beside what the law allows at most."""
    return await page(gate, NarrowingOut, service.OF_STRUCTURE, limit, after, "narrowings", structure=structure)


@router.get("/{narrowing_id}", operation_id="readNarrowing")
async def read(narrowing_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(NarrowingOut, narrowing_id))


@router.patch("/{narrowing_id}", operation_id="changeNarrowing")
async def change(narrowing_id: UUID, said: NarrowingPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, NarrowingOut, await service.change(gate, narrowing_id, version, said))


@router.delete("/{narrowing_id}", status_code=204, operation_id="widenRole")
async def widen(narrowing_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.widen(gate, narrowing_id, version)
    return await removed(gate)
