"""REST for staff applications: the sheet under its usager, the accesses under `/access`."""

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
    created,
    one,
    page,
    seen,
)
from app.features.emergency import access
from app.features.emergency import sheet as sheets
from app.features.emergency.schemas import (
    DigestOut,
    EmergencyIn,
    EmergencyOut,
    ReviewIn,
    SheetIn,
    SheetPatch,
    SheetView,
    sheet,
)
from app.kernel.answers import etag, told
from app.kernel.clock import today

router = APIRouter(tags=["emergency"])
SHEET = "/usagers/{usager_id}/emergency-sheet"
ACCESS, PATH = "/access/emergency", "/api/v1/access/emergency"


@router.get(SHEET, operation_id="readEmergencySheet")
async def read_sheet(usager_id: UUID, gate: StaffReading) -> Response:
    return one(sheet(await sheets.of(gate, usager_id)))


@router.post(SHEET, status_code=201, operation_id="openEmergencySheet")
async def open_sheet(usager_id: UUID, said: SheetIn, gate: StaffGate) -> Response:
    place = f"/api/v1/usagers/{usager_id}/emergency-sheet"
    headers = {"Location": place}
    if gate.replay:
        view: Any = await sheets.of(gate, usager_id)
        return told(sheet(view), status=201, headers={**headers, "Idempotency-Replayed": "true"})
    row = sheets.open(gate, usager_id, said)
    gate.location = place
    await gate.settle()
    return told(sheet(seen(SheetView, row)), status=201, headers={**headers, "ETag": etag(row.version)})


@router.patch(SHEET, operation_id="writeEmergencySheet")
async def write_sheet(usager_id: UUID, said: SheetPatch, version: Version, gate: StaffGate) -> Response:
    row = await sheets.write(gate, usager_id, version, said)
    await gate.settle()
    return told(sheet(seen(SheetView, row)), headers={"ETag": etag(row.version)})


@router.post(ACCESS, status_code=201, operation_id="openEmergencyAccess")
async def open_access(said: EmergencyIn, gate: StaffGate) -> Response:
    """For a dossier that nothing else opens: your role's own reading, for some hours. The chief and the person are told."""
    return await created(gate, EmergencyOut, PATH, lambda: access.open(gate, said))


@router.get(ACCESS, operation_id="listEmergencyAccesses")
async def list_accesses(
    gate: StaffReading,
    usager: UUID | None = None,
    running: bool = False,
    to_review: bool = False,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """The latest first; `running`: those that open something now; else `to_review`: those that are over, not reviewed."""
    which = "running" if running else "to_review" if to_review else "all"
    of_all, of_one = access.LISTINGS[which]
    if usager:
        return await page(gate, EmergencyOut, of_one, limit, after, f"of_usager:{which}", usager=usager)
    return await page(gate, EmergencyOut, of_all, limit, after, which)


@router.get(ACCESS + "/digest", operation_id="readEmergencyDigest")
async def digest(gate: StaffReading, day: date | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """Of one day (today, if not said): who opened what and why, and how much was read; for the chief and the DPO."""
    when = access.of_day(day or today())
    return await page(gate, DigestOut, access.OF_DAY, limit, after, "digest", **when)


@router.get(ACCESS + "/{access_id}", operation_id="readEmergencyAccess")
async def read_access(access_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(EmergencyOut, access_id))


@router.post(ACCESS + "/{access_id}/close", operation_id="closeEmergencyAccess")
async def close_access(access_id: UUID, gate: StaffGate) -> Response:
    return await acted(gate, EmergencyOut, access_id, lambda: access.close(gate, access_id))


@router.post(ACCESS + "/{access_id}/review", operation_id="reviewEmergencyAccess")
async def review_access(access_id: UUID, said: ReviewIn, gate: StaffGate) -> Response:
    return await acted(gate, EmergencyOut, access_id, lambda: access.review(gate, access_id, said))
