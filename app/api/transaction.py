"""`POST /fhir`: a partner's bundle (TDDUI's one interaction). JSON here; XML comes with the exchange of files.

Source: https://hl7.org/fhir/R4/http.html#transaction
"""

import asyncio
import hashlib
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access.http import KEY_LONGEST, call_of, principal_at
from app.access.opening import opened, opened_as
from app.access.refusal import MayNot, refused
from app.api.fhir import FhirRoute, negotiate, prefers
from app.api.middleware import BodyTooLarge
from app.api.resources import REGISTRY
from app.audit.vocabulary import Door
from app.exchange import inbound
from app.exchange.journal import RECEIVE, Receiving
from app.exchange.models import Exchange
from app.fhir import reading
from app.fhir.reading import Bundle
from app.kernel.answers import FHIR_JSON, told
from app.kernel.errors import DuiError, TooLarge, Unreadable, UnsupportedMedia
from app.kernel.idempotency import Claim
from app.security.principal import Partner

READ = frozenset({"application/fhir+json", "application/json"})
ASIDE = 64 * 1024  # bytes beyond which a body is read beside the event loop
TRIAL = "dry-run"
SAID = {"true": True, "false": False}


def routes() -> list[BaseRoute]:
    return [FhirRoute(path, _receive, methods=["POST"]) for path in ("/fhir", "/fhir/")]


async def _receive(request: Request) -> Response:
    negotiate(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in READ:
        raise UnsupportedMedia("Envoyez du JSON : Content-Type: application/fhir+json.")
    state, call = request.app.state, call_of(request, Door.FHIR)
    who = await principal_at(request, Door.FHIR)
    if not isinstance(who, Partner):
        async with opened(who, call, state.keyring, state.lane, state.database):
            raise refused(MayNot, RECEIVE, Exchange.KIND)
    dry = _trial(request)
    body = await _body(request)
    read = await _read(body)
    claim = None if dry or body is None else _claim(request, who, body)
    async with opened_as(Receiving, who, call, state.keyring, state.lane, state.database, claim) as gate:
        strict = prefers(request, "handling", "strict")
        answer = await inbound.receive(gate, who, body, read, REGISTRY, strict=strict, dry=dry)
        again = gate.replay is not None
    return told(answer, FHIR_JSON, headers={"Idempotency-Replayed": "true"} if again else None)


def _trial(request: Request) -> bool:
    """Raises Unreadable on a parameter other than `dry-run=true|false`."""
    said = parse_qsl(request.url.query, keep_blank_values=True)
    if any(name not in (TRIAL, "_format") for name, _ in said):
        raise Unreadable("Le seul paramètre d'un envoi est dry-run.", where=TRIAL, code="unknown_parameter")
    told = [text for name, text in said if name == TRIAL]
    if len(told) > 1 or any(text not in SAID for text in told):
        raise Unreadable("dry-run attend true ou false.", where=TRIAL, code="bad_parameter")
    return bool(told) and SAID[told[0]]


async def _body(request: Request) -> bytes | None:
    """None when it is over the cap, known while reading."""
    try:
        return await request.body()
    except BodyTooLarge:
        return None


async def _read(body: bytes | None) -> Bundle | DuiError:
    if body is None:
        return TooLarge("Un envoi compte 32 Mio au plus.", where="Bundle")
    try:
        return await asyncio.to_thread(reading.read_bundle, body) if len(body) > ASIDE else reading.read_bundle(body)
    except DuiError as no:
        return no


def _claim(request: Request, who: Partner, body: bytes) -> Claim:
    """The sender's `Idempotency-Key`; else the bytes themselves, for the structure that receives them."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= KEY_LONGEST:
        raise Unreadable("La clé d'idempotence doit avoir de 1 à 200 caractères.", where="Idempotency-Key")
    key = key or f"{who.structure_id} {hashlib.sha256(body).hexdigest()}"
    return Claim.of(who.organisation_id, who.id, key, f"POST /fhir {who.structure_id}", body)
