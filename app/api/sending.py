"""REST: « Envoyer le dossier » to a partner; what would leave, and what would stay here, is shown first (`dry-run=true`)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.access.arrivals import Arrivals
from app.access.http import gate_at, one
from app.api.fhir import origin_of
from app.api.resources import REGISTRY
from app.audit.vocabulary import Door
from app.exchange import sending, sent
from app.exchange.sending_schemas import SendingIn
from app.kernel.answers import FHIR_JSON, FHIR_XML, NOTHING_ELSE, told

router = APIRouter(prefix="/exchanges/sent", tags=["exchanges"])
PATH = "/api/v1/exchanges/sent"
DRY = {"description": "Ce qui partirait et ce qui resterait, quand `dry-run=true`", "content": {"application/json": {}}}
SENT = {"description": "Le bundle, tel qu'il est parti", "content": {FHIR_JSON: {}, FHIR_XML: {}}}
Sending = Annotated[Arrivals, gate_at(Arrivals, Door.API)]


@router.post("", status_code=201, operation_id="sendDossier", responses={200: DRY})
async def send(
    said: SendingIn, gate: Sending, request: Request, dry_run: Annotated[bool, Query(alias="dry-run")] = False
) -> Response:
    """The manifest of what left; the bundle itself is at `/bundle`. With `dry-run=true`: 200, what would leave and what
    would stay, and why; nothing leaves and nothing is kept.
    """
    objects = request.app.state.objects
    if dry_run:
        prepared = await sending.prepare(gate, REGISTRY, said, objects)
        gate.clear()  # its Idempotency-Key is for the sending
        return told(sending.plan(said, prepared))
    if gate.replay:
        id = UUID(str(gate.replay.location).rpartition("/")[2])
        return _created(id, await sending.told(gate, id))
    line = await sending.send(gate, REGISTRY, said, origin_of(request), objects)
    gate.location = f"{PATH}/{line.id}"
    await gate.settle()
    return _created(line.id, await sending.told(gate, line.id))


@router.get("/{exchange_id}", operation_id="readSent")
async def read(exchange_id: UUID, gate: Sending) -> Response:
    """The manifest, to who sent it."""
    return one(await sending.told(gate, exchange_id))


@router.get("/{exchange_id}/bundle", operation_id="readSentBundle", response_class=Response, responses={200: SENT})
async def bundle(exchange_id: UUID, gate: Sending) -> Response:
    """The bundle as it left, to who sent it: a file to give to the partner."""
    body = await sending.bundle_of(gate, exchange_id)
    kind, ending = (FHIR_XML, "xml") if sent.is_xml(body) else (FHIR_JSON, "json")
    name = f'attachment; filename="dossier-{exchange_id}.{ending}"'
    return Response(body, media_type=kind, headers={**NOTHING_ELSE, "Content-Disposition": name})


def _created(id: UUID, what: object) -> Response:
    return told(what, status=201, headers={"Location": f"{PATH}/{id}"})
