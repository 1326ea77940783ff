"""REST of the journal, for the staff who receive."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.acts import Act
from app.access.arrivals import Arrivals
from app.access.http import PAGE, After, Limit, PersonReading, StaffReading, gate_at, one, page
from app.audit.vocabulary import Door
from app.exchange import reading, sas
from app.exchange.models import State
from app.exchange.schemas import AttachIn, ExchangeOut, MyExchange
from app.features.documents.sending import Kept
from app.kernel.answers import etag, told

router = APIRouter(prefix="/exchanges", tags=["exchanges"])


me = APIRouter(prefix="/me/exchanges", tags=["me"])


@me.get("", operation_id="listMyExchanges")
async def mine(gate: PersonReading, after: After = None, limit: Limit = PAGE) -> Response:
    """What partners sent about the person, and what was sent to them: when, to whom, under which ground."""
    return await page(gate, MyExchange, sas.ALL, limit, after, "mine")


Deciding = Annotated[Arrivals, gate_at(Arrivals, Door.API)]


@router.get("", operation_id="listExchanges", responses={403: {}})
async def listed(gate: StaffReading, state: State | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """The latest first; `state=to_attach` is what waits for a decision."""
    await gate.require(Act.READ_JOURNAL)
    if state:
        return await page(gate, ExchangeOut, sas.IN_STATE, limit, after, "in_state", state=state.value)
    return await page(gate, ExchangeOut, sas.ALL, limit, after, "all")


@router.get("/{exchange_id}", operation_id="readExchange", responses={403: {}})
async def read(exchange_id: UUID, gate: Deciding) -> Response:
    """With its rows and their warnings, and whom it tells of."""
    await gate.require(Act.READ_JOURNAL)
    return one(await reading.whole(gate, exchange_id))


@router.post("/{exchange_id}/accept", operation_id="acceptExchange")
async def accept(exchange_id: UUID, gate: Deciding) -> Response:
    return await _decided(gate, exchange_id, lambda: sas.accept(gate, exchange_id))


@router.post("/{exchange_id}/refuse", operation_id="refuseExchange")
async def refuse(exchange_id: UUID, gate: Deciding) -> Response:
    return await _decided(gate, exchange_id, lambda: sas.refuse(gate, exchange_id))


@router.post("/{exchange_id}/attach", operation_id="attachExchange")
async def attach(exchange_id: UUID, said: AttachIn, gate: Deciding, objects: Kept) -> Response:
    return await _decided(
        gate, exchange_id, lambda: sas.attach(gate, exchange_id, said.usager_id, said.person_id, objects)
    )


async def _decided(gate: Arrivals, id: UUID, act: Callable[[], Awaitable[sas.Decided]]) -> Response:
    """The line as it stands now, and which rows it left out; of a request made again, the line: its rows say `overtaken`."""
    if gate.replay:
        return one(await gate.get(ExchangeOut, id))
    line, left_out = await act()
    gate.location = f"/api/v1/exchanges/{id}"
    await gate.settle()
    said = {"id": str(line.id), "state": line.state, "version": line.version, "left_out": [*map(str, left_out)]}
    return told(said, headers={"ETag": etag(line.version)})
