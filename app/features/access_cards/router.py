"""REST: the cards that open a person's page."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.access import cards
from app.access.gate import Gate
from app.access.http import StaffGate, StaffReading, removed
from app.features.access_cards import service
from app.features.access_cards.printed import Slip, printed
from app.features.access_cards.schemas import CardGiven, CardIn, CardOut
from app.kernel.answers import HTML, document, told
from app.kernel.clock import now
from app.security.dependencies import origin

router = APIRouter(prefix="/access/cards", tags=["access"])
PATH = "/api/v1/access/cards"


@router.post("", status_code=201, operation_id="giveCard")
async def give(said: CardIn, request: Request, gate: StaffGate) -> Response:
    """The link and the code are told this once: an answer lost is a card to take back, and another to give.

    Asked as `text/html`, the two slips to print, and the notice d'information.
    """
    if gate.replay:
        id = str(gate.replay.location).rpartition("/")[2]
        headers = {"Location": f"{PATH}/{id}", "Idempotency-Replayed": "true"}
        return await _answered(request, gate, service.told(UUID(id), said), headers)
    card = await service.give(gate, said, origin(request))
    gate.location = f"{PATH}/{card.id}"
    await gate.settle()
    return await _answered(request, gate, card, {"Location": gate.location})


async def _answered(request: Request, gate: Gate, card: CardGiven, headers: dict[str, str]) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return told(card, status=201, headers=headers)
    slip = await gate.get(Slip, UUID(card.usager_id))
    answer = document(printed(card, slip.phone), HTML, "carte.html")
    answer.status_code = 201
    answer.headers.update(headers)
    return answer


@router.get("", operation_id="listCards", responses={403: {}})
async def of_person(usager: UUID, gate: StaffReading) -> Response:
    """The cards given for this person, the latest first; never their links nor codes."""
    at = now()
    return told({"items": [CardOut.of(card, at) for card in await cards.of_person(gate, usager)]})


@router.delete("/{card_id}", status_code=204, operation_id="takeBackCard")
async def take_back(card_id: UUID, gate: StaffGate) -> Response:
    """The link opens nothing more; what it had opened ends at the next request."""
    await service.take_back(gate, card_id)
    return await removed(gate)
