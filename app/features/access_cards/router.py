"""REST: the cards that open a person's page."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.access import cards
from app.access.http import StaffGate, StaffReading, removed
from app.features.access_cards import service
from app.features.access_cards.schemas import CardIn, CardOut
from app.kernel.answers import told
from app.kernel.clock import now
from app.security.dependencies import origin

router = APIRouter(prefix="/access/cards", tags=["access"])
PATH = "/api/v1/access/cards"


@router.post("", status_code=201, operation_id="giveCard")
async def give(said: CardIn, request: Request, gate: StaffGate) -> Response:
    """The link and the code are told this once: an answer lost is a card to take back, and another to give."""
    if gate.replay:
        id = str(gate.replay.location).rpartition("/")[2]
        headers = {"Location": f"{PATH}/{id}", "Idempotency-Replayed": "true"}
        return told(service.told(UUID(id), said), status=201, headers=headers)
    card = await service.give(gate, said, origin(request))
    gate.location = f"{PATH}/{card.id}"
    await gate.settle()
    return told(card, status=201, headers={"Location": gate.location})


@router.get("", operation_id="listCards")
async def of_person(usager: UUID, gate: StaffReading) -> Response:
    """The cards given for this person, the latest first; never their links nor codes."""
    at = now()
    return told({"items": [CardOut.of(card, at) for card in await cards.of_person(gate, usager)]})


@router.delete("/{card_id}", status_code=204, operation_id="takeBackCard")
async def take_back(card_id: UUID, gate: StaffGate) -> Response:
    """The link opens nothing more; what it had opened ends at the next request."""
    await service.take_back(gate, card_id)
    return await removed(gate)
