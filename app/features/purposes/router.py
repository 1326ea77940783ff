"""REST for staff applications: beside emergency access, the other way to a dossier that one's role does not open by itself."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, acted, created, one, page
from app.features.purposes import service
from app.features.purposes.schemas import PurposeIn, PurposeOut

router = APIRouter(prefix="/access/purposes", tags=["access"])
PATH = "/api/v1/access/purposes"


@router.post("", status_code=201, operation_id="statePurpose")
async def state(said: PurposeIn, gate: StaffGate) -> Response:
    """« Pourquoi ? » : réclamation, événement grave, validation, contrôle, dossier à communiquer. The log shows it."""
    return await created(gate, PurposeOut, PATH, lambda: service.state(gate, said))


@router.get("", operation_id="listPurposes")
async def listed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """The latest first. `usager` narrows to one dossier."""
    if usager:
        return await page(gate, PurposeOut, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, PurposeOut, service.ALL, limit, after, "all")


@router.get("/{purpose_id}", operation_id="readPurpose", responses={410: {}})
async def read(purpose_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(PurposeOut, purpose_id))


@router.post("/{purpose_id}/close", operation_id="closePurpose")
async def close(purpose_id: UUID, gate: StaffGate) -> Response:
    return await acted(gate, PurposeOut, purpose_id, lambda: service.close(gate, purpose_id))
