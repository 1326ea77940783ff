"""`POST /fhir`: a partner's bundle, in JSON or in XML: a transaction, all or nothing, or a batch, each by itself.

Source: https://hl7.org/fhir/R4/http.html#transaction
"""

import logging
from dataclasses import replace
from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access.http import call_of, principal_at
from app.access.reading import Reading
from app.api import formats
from app.api.errors import at_fhir, in_its_format, refusal_of
from app.api.fhir import FhirRoute, prefers, said_by
from app.api.fhir_entries import look, refusal
from app.api.fhir_sent import body_of, claim_of, no_writing, read_aside, written
from app.audit.vocabulary import Door
from app.exchange.journal import RECEIVE
from app.exchange.models import Exchange
from app.fhir import reading, xml
from app.fhir.mapping import Json
from app.fhir.reading import Bundle, Entry
from app.fhir.search.names import not_taken
from app.fhir.verbs import acts, transaction
from app.fhir.verbs.transaction import Done
from app.kernel.clock import now
from app.kernel.errors import Bug, DuiError, Unreadable
from app.security.principal import Partner, Principal

log = logging.getLogger("dui")
TRIAL = "dry-run"
SAID = {"true": True, "false": False}


def routes() -> list[BaseRoute]:
    return [FhirRoute(path, _receive, methods=["POST"]) for path in ("/fhir", "/fhir/")]


async def _receive(request: Request) -> Response:
    formats.negotiate(request)
    in_xml = formats.sent_xml(request)
    who = await principal_at(request, Door.FHIR)
    dry = _trial(request)
    body = await body_of(request)
    parse = xml.read if in_xml else reading.read_json
    read = await read_aside(partial(reading.read_bundle, parse=parse, taken=reading.TAKEN), body, "Bundle")
    if isinstance(read, Bundle) and read.kind == reading.BATCH:
        if dry:
            raise Unreadable("Seul un Bundle transaction s'essaie (dry-run).", where=TRIAL, code="not_supported")
        return in_its_format(request, await _each(request, who, read))
    if not isinstance(who, Partner):
        raise await no_writing(request, who, RECEIVE, Exchange.KIND)
    claim = None if dry or body is None else claim_of(request, who, body, "POST /fhir", by_bytes=_only_creates(read))
    strict, whole = prefers(request, "handling", "strict"), prefers(request, "return", "representation")
    done, again = await written(request, who, body, read, claim, dry=dry, strict=strict, whole=whole)
    answer = transaction.answer(done, now(), dry=dry)
    return in_its_format(request, answer, headers={"Idempotency-Replayed": "true"} if again else None)


async def _each(request: Request, who: Principal, batch: Bundle) -> Json:
    """Each entry by itself: what is refused of one is told in its place, and undoes nothing of the others."""
    told = []
    for place, entry in enumerate(batch.entries):
        try:
            told.append(await _alone(request, who, replace(entry, at=0), place, batch))
        except Exception as error:
            no = at_fhir(refusal_of(error))
            if isinstance(no, Bug):
                log.error("entry of a batch failed", exc_info=error)
            told.append(refusal(no))
    return {"resourceType": "Bundle", "type": "batch-response", "entry": told}


async def _alone(request: Request, who: Principal, entry: Entry, place: int, batch: Bundle) -> Json:
    bad = batch.bad.get(place)
    if bad is None and entry.method in acts.READS:
        reading_ = Reading(who, call_of(request, Door.FHIR), request.app.state.keyring, request.app.state.lane)
        told = await look(request, reading_, entry)
        status, head = 304 if told is None else 200, entry.method == acts.HEAD
        [answer] = transaction.answer([Done("", None, 0, status=status, told=told, head=head)], now())["entry"]
        return dict(answer)
    if not isinstance(who, Partner):
        raise bad or await no_writing(request, who, RECEIVE, Exchange.KIND)
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": [batch.whole["entry"][place]]}
    strict, shown = prefers(request, "handling", "strict"), prefers(request, "return", "representation")
    one, body = bad or Bundle("transaction", (entry,), whole), orjson.dumps(whole)
    claim = None if bad else claim_of(request, who, body, "POST /fhir", by_bytes=False, part=place)
    done, _ = await written(request, who, body, one, claim, strict=strict, whole=shown)
    [answer] = transaction.answer(done, now())["entry"]
    return dict(answer)


def _only_creates(read: Bundle | DuiError) -> bool:
    """The same bytes again are the same request, as long as none of it changes what stands."""
    if isinstance(read, DuiError):
        return True
    return all(entry.method == acts.CREATE and "ifNoneExist" not in entry.request for entry in read.entries)


def _trial(request: Request) -> bool:
    """Raises Unreadable naming each parameter other than `dry-run=true|false`."""
    said = said_by(request)
    strange = [(rank, name) for rank, (name, _) in enumerate(said) if name not in (TRIAL, "_format")]
    if strange:
        faults = [not_taken(name, rank, f"un envoi ne prend que {TRIAL} et _format") for rank, name in strange]
        raise Unreadable("Cette demande est à corriger.", code="unknown_parameter", faults=faults)
    told = [text for name, text in said if name == TRIAL]
    if len(told) > 1 or any(text not in SAID for text in told):
        raise Unreadable("dry-run attend true ou false.", where=TRIAL, code="bad_parameter")
    return bool(told) and SAID[told[0]]
