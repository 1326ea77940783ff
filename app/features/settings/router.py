"""REST for staff applications: what a house tunes, and where each value comes from."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, Version, changed, created, one, page, removed
from app.features.settings import service
from app.features.settings.schemas import SettingIn, SettingOut, SettingPatch
from app.kernel.answers import told

router = APIRouter(prefix="/settings", tags=["settings"])
PATH = "/api/v1/settings"


@router.post("", status_code=201, operation_id="putSetting")
async def put(said: SettingIn, gate: StaffGate) -> Response:
    return await created(gate, SettingOut, PATH, lambda: service.put(gate, said))


@router.get("", operation_id="listSettings")
async def listed(gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, SettingOut, service.ALL, limit, after, "settings")


@router.get("/structures/{structure_id}", operation_id="readSettingsOfStructure")
async def of_structure(structure_id: UUID, gate: StaffReading) -> Response:
    """Every key, merged for this structure, with the layer its value comes from."""
    return told(await service.merged(gate, structure_id))


@router.get("/{setting_id}", operation_id="readSetting")
async def read(setting_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(SettingOut, setting_id))


@router.patch("/{setting_id}", operation_id="changeSetting")
async def change(setting_id: UUID, said: SettingPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, SettingOut, await service.change(gate, setting_id, version, said))


@router.delete("/{setting_id}", status_code=204, operation_id="removeSetting")
async def remove(setting_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, setting_id, version)
    return await removed(gate)
