"""REST: where one is signed in, and signing out from there; for the direction and the administrator, of someone's account."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access import signed_in
from app.access.http import PersonReading, StaffReading, gate_at, removed
from app.access.signed_in import Ending
from app.audit.vocabulary import Door
from app.features.professionals.schemas import ProfessionalOut
from app.kernel.answers import told

router = APIRouter(tags=["access"])
me = APIRouter(prefix="/me/sessions", tags=["me"])


StaffEnding = Annotated[Ending, gate_at(Ending, Door.API)]
PersonEnding = Annotated[Ending, gate_at(Ending, Door.ME)]


@router.get("/access/sessions", operation_id="listSessions")
async def own(gate: StaffReading) -> Response:
    """Where I am signed in, in this organisation; `current` is the session that asks."""
    return told({"items": await signed_in.mine(gate)})


@router.delete("/access/sessions/{session_id}", status_code=204, operation_id="endSession")
async def end(session_id: UUID, gate: StaffEnding) -> Response:
    """It gives nothing more, from the next request."""
    await gate.end_mine(session_id)
    return await removed(gate)


@router.delete("/access/sessions", status_code=204, operation_id="endOtherSessions")
async def end_others(gate: StaffEnding) -> Response:
    """Everywhere but here."""
    await gate.end_others()
    return await removed(gate)


@router.get("/professionals/{professional_id}/sessions", operation_id="listSessionsOfProfessional", responses={403: {}})
async def of_professional(professional_id: UUID, gate: StaffReading) -> Response:
    """Where someone of the house is signed in: direction and administrator; never what they read."""
    items = await signed_in.of_professional(gate, professional_id)
    await gate.get(ProfessionalOut, professional_id)
    return told({"items": items})


@router.delete("/professionals/{professional_id}/sessions", status_code=204, operation_id="endSessionsOfProfessional")
async def end_of(professional_id: UUID, gate: StaffEnding) -> Response:
    """All of theirs here end: a phone lost, a departure. Their account stays open."""
    await gate.end_of(professional_id)
    await gate.get(ProfessionalOut, professional_id)
    return await removed(gate)


@me.get("", operation_id="listMySessions")
async def mine(gate: PersonReading) -> Response:
    """Where my page is open."""
    return told({"items": await signed_in.mine(gate)})


@me.delete("", status_code=204, operation_id="endMyOtherSessions")
async def end_my_others(gate: PersonEnding) -> Response:
    """Everywhere but here."""
    await gate.end_others()
    return await removed(gate)


@me.delete("/{session_id}", status_code=204, operation_id="endMySession")
async def end_mine(session_id: UUID, gate: PersonEnding) -> Response:
    """It gives nothing more, from the next request."""
    await gate.end_mine(session_id)
    return await removed(gate)
