"""REST: « Transmettre » to a partner; what would leave is shown first (`dry-run=true`)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.access.acts import Act
from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, acted, created, one, page
from app.exchange import handover
from app.exchange.handover_schemas import HandoverIn, HandoverOut, Plan
from app.kernel.answers import told

router = APIRouter(prefix="/exchanges/handovers", tags=["exchanges"])
PATH = "/api/v1/exchanges/handovers"
DRY = {"description": "Ce qui partirait, quand `dry-run=true`", "content": {"application/json": {}}}


@router.post("", status_code=201, operation_id="handOver", responses={200: DRY})
async def hand_over(
    said: HandoverIn, gate: StaffGate, dry_run: Annotated[bool, Query(alias="dry-run")] = False
) -> Response:
    """With `dry-run=true`: 200, and the rows that would leave; nothing leaves and nothing is kept."""
    if dry_run:
        await gate.require(Act.HAND_OVER, at=said.structure_id)  # the row itself, which is not written, would ask it
        prepared = await handover.prepare(gate, said)
        gate.clear()  # its Idempotency-Key is for the sending
        return told(Plan(prepared.partner, said.ground, prepared.pieces))
    return await created(gate, HandoverOut, PATH, lambda: handover.push(gate, said))


@router.get("", operation_id="listHandovers")
async def listed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """The latest first. `usager` narrows to one dossier."""
    if usager:
        return await page(gate, HandoverOut, handover.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, HandoverOut, handover.ALL, limit, after, "all")


@router.get("/{handover_id}", operation_id="readHandover")
async def read(handover_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(HandoverOut, handover_id))


@router.post("/{handover_id}/stop", operation_id="stopHandover")
async def stop(handover_id: UUID, gate: StaffGate) -> Response:
    """The partner reads nothing more of it here, from its next request; what it kept stays theirs."""
    return await acted(gate, HandoverOut, handover_id, lambda: handover.stop(gate, handover_id))
