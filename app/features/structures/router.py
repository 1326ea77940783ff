"""REST for staff applications: structures, and the units inside them."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, Version, changed, created, one, page, removed
from app.features.structures import service
from app.features.structures.schemas import StructureIn, StructureOut, StructurePatch, UnitIn, UnitOut, UnitPatch

router = APIRouter(prefix="/structures", tags=["structures"])
PATH = "/api/v1/structures"
UNITS = f"{PATH}/units"


@router.post("", status_code=201, operation_id="addStructure")
async def add(said: StructureIn, gate: StaffGate) -> Response:
    return await created(gate, StructureOut, PATH, lambda: service.add(gate, said))


@router.get("", operation_id="listStructures")
async def listed(gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, StructureOut, service.STRUCTURES, limit, after, "structures")


@router.post("/units", status_code=201, operation_id="addUnit")
async def add_unit(said: UnitIn, gate: StaffGate) -> Response:
    return await created(gate, UnitOut, UNITS, lambda: service.add_unit(gate, said))


@router.get("/units", operation_id="listUnits")
async def units(
    gate: StaffReading, structure: UUID | None = None, after: After = None, limit: Limit = PAGE
) -> Response:
    if structure:
        return await page(gate, UnitOut, service.UNITS_OF, limit, after, "units_of", structure=structure)
    return await page(gate, UnitOut, service.UNITS, limit, after, "units")


@router.get("/units/{unit_id}", operation_id="readUnit")
async def read_unit(unit_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(UnitOut, unit_id))


@router.patch("/units/{unit_id}", operation_id="changeUnit")
async def change_unit(unit_id: UUID, said: UnitPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, UnitOut, await service.change_unit(gate, unit_id, version, said))


@router.delete("/units/{unit_id}", status_code=204, operation_id="closeUnit")
async def close_unit(unit_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.close_unit(gate, unit_id, version)
    return await removed(gate)


@router.get("/{structure_id}", operation_id="readStructure")
async def read(structure_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(StructureOut, structure_id))


@router.patch("/{structure_id}", operation_id="changeStructure", responses={409: {}})
async def change(structure_id: UUID, said: StructurePatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, StructureOut, await service.change(gate, structure_id, version, said))


@router.delete("/{structure_id}", status_code=204, operation_id="closeStructure")
async def close(structure_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.close(gate, structure_id, version)
    return await removed(gate)
