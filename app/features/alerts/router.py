"""REST for staff applications. No FHIR, no page, no export: who is not named by an alert never learns that it is there."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, Version, changed, created, one, page
from app.features.alerts import service
from app.features.alerts.schemas import AlertIn, AlertPatch, AlertView

router = APIRouter(prefix="/alerts", tags=["alerts"])
PATH = "/api/v1/alerts"


@router.post("", status_code=201, operation_id="giveAlert")
async def give(said: AlertIn, gate: StaffGate) -> Response:
    return await created(gate, AlertView, PATH, lambda: service.give(gate, said))


@router.get("", operation_id="listAlerts")
async def listed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """Those you gave and those that name you, the latest first; all those of the house for its direction."""
    if usager:
        return await page(gate, AlertView, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, AlertView, service.ALL, limit, after, "all")


@router.get("/{alert_id}", operation_id="readAlert")
async def read(alert_id: UUID, gate: StaffReading) -> Response:
    return one((await gate.get(AlertView, alert_id)).told_by(gate))


@router.patch("/{alert_id}", operation_id="completeAlert")
async def complete(alert_id: UUID, said: AlertPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, AlertView, await service.complete(gate, alert_id, version, said))
