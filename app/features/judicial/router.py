"""REST for staff applications: papers are filed by who does not read them back; consignes are read by all who meet the person."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, Version, acted, changed, one, page
from app.features.judicial import service
from app.features.judicial.schemas import (
    ConsigneOut,
    ConsignePatch,
    DecisionIn,
    DecisionPatch,
    DecisionView,
    Filed,
    Seen,
)
from app.kernel.answers import told
from app.kernel.clock import today

router = APIRouter(tags=["judicial"])
DECISIONS, CONSIGNES = "/judicial", "/consignes"
PATH = "/api/v1/judicial"


@router.post(DECISIONS, status_code=201, operation_id="fileDecision")
async def file(said: DecisionIn, gate: StaffGate) -> Response:
    """Told what was filed and where, never its content."""
    if gate.replay:
        id = str(gate.replay.location).rpartition("/")[2]
        consignes = await gate.list(ConsigneOut, service.OF_DECISION, 1, decision=UUID(id))
        filed, replayed = Filed(id, consignes[0].id if consignes else None), {"Idempotency-Replayed": "true"}
        return told(filed, status=201, headers={"Location": f"{PATH}/{id}", **replayed})
    decision, consigne = await service.file(gate, said)
    gate.location = f"{PATH}/{decision.id}"
    await gate.settle()
    filed = Filed(str(decision.id), str(consigne.id) if consigne else None)
    return told(filed, status=201, headers={"Location": gate.location})


@router.get(DECISIONS, operation_id="listDecisions")
async def listed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """The latest filed first. `usager` narrows to one dossier."""
    if usager:
        return await page(gate, DecisionView, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, DecisionView, service.ALL, limit, after, "all")


@router.get(DECISIONS + "/{decision_id}", operation_id="readDecision")
async def read(decision_id: UUID, gate: StaffReading) -> Response:
    return one((await gate.get(DecisionView, decision_id)).told_by(gate))


@router.patch(DECISIONS + "/{decision_id}", operation_id="correctDecision", responses={409: {}})
async def correct(decision_id: UUID, said: DecisionPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, DecisionView, await service.correct(gate, decision_id, version, said))


@router.post(DECISIONS + "/{decision_id}/confirm", operation_id="confirmDecision")
async def confirm(decision_id: UUID, said: Seen, version: Version, gate: StaffGate) -> Response:
    return await acted(gate, DecisionView, decision_id, lambda: service.confirm(gate, decision_id, version, said))


@router.get(CONSIGNES, operation_id="listConsignes")
async def consignes(
    gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE
) -> Response:
    """What runs today: who may fetch, call, visit, sign; until when; whom to call in doubt."""
    if usager:
        listing = service.CONSIGNES_OF_USAGER
        return await page(gate, ConsigneOut, listing, limit, after, "of_usager", usager=usager, day=today())
    return await page(gate, ConsigneOut, service.CONSIGNES, limit, after, "all", day=today())


@router.get(CONSIGNES + "/{consigne_id}", operation_id="readConsigne")
async def read_consigne(consigne_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(ConsigneOut, consigne_id))


@router.patch(CONSIGNES + "/{consigne_id}", operation_id="amendConsigne")
async def amend(consigne_id: UUID, said: ConsignePatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, ConsigneOut, await service.amend(gate, consigne_id, version, said))


@router.post(CONSIGNES + "/{consigne_id}/lift", operation_id="liftConsigne")
async def lift(consigne_id: UUID, gate: StaffGate) -> Response:
    return await acted(gate, ConsigneOut, consigne_id, lambda: service.lift(gate, consigne_id))
