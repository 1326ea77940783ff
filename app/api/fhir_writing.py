"""One resource written by a partner: the same road as a bundle of one, answered as its own verb.

Sources: https://hl7.org/fhir/R4/http.html#create, #update, #patch, #delete
"""

from base64 import b64encode
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access.http import principal_at
from app.api.fhir import FhirRoute, negotiate, no_such_parameter, origin_of, pairs_of, prefers
from app.api.fhir_entries import look
from app.api.fhir_sent import body_of, claim_of, no_writing, read_aside, written
from app.api.formats import JSON_SENT
from app.api.resources import REGISTRY
from app.audit.vocabulary import Door
from app.exchange.journal import Receiving
from app.fhir import reading
from app.fhir.checking import faults_of, remains, root_of
from app.fhir.known_types import R4_TYPES
from app.fhir.mapping import Json
from app.fhir.outcomes import Issue, outcome
from app.fhir.reading import Bundle, Entry
from app.fhir.remains import Aside
from app.fhir.search.names import ranked
from app.fhir.verbs import acts
from app.fhir.verbs.conditions import http_date
from app.fhir.verbs.patch import JSON_PATCH
from app.fhir.verbs.transaction import Done
from app.kernel.answers import FHIR_JSON, etag, told
from app.kernel.clock import now
from app.kernel.errors import DuiError, Fault, MethodNotAllowed, Unreadable, UnsupportedMedia
from app.security import scopes
from app.security.principal import Partner

HEADERS = {"If-Match": "ifMatch", "If-None-Exist": "ifNoneExist", "If-None-Match": "ifNoneMatch"}
SAID = {f"Bundle.entry[0].request.{name}": header for header, name in HEADERS.items()}
ENTRY = "Bundle.entry[0]"
ACTIONS = {acts.CREATE: "create", acts.UPDATE: "update", acts.PATCH: "update", acts.DELETE: "delete"}
OF_A_DOSSIER = ("GET", "HEAD", "PUT", "PATCH", "OPTIONS")
DONE = Issue("information", "done", "", "C'est fait.")


def routes() -> list[BaseRoute]:
    found: list[BaseRoute] = []
    for path, methods in (
        ("/fhir/{type_name}/{id}", ("PUT", "PATCH", "DELETE")),
        ("/fhir/{type_name}", tuple(ACTIONS)),
    ):
        for each in (path, f"{path}/"):
            found.append(FhirRoute(each, _write, methods=[*methods]))
    return found


async def _write(request: Request) -> Response:
    negotiate(request)
    who = await principal_at(request, Door.FHIR)
    type_name, method = request.path_params["type_name"], request.method
    kind = REGISTRY.of_type(type_name)[0].view.TABLE.KIND
    if any(type_name == each.type_name for each in REGISTRY.beside):
        no = MethodNotAllowed("Ce type ne s'écrit pas : il se lit.", where=type_name)
        no.allow = ("GET", "HEAD", "OPTIONS")
        raise no
    if not isinstance(who, Partner):
        raise await no_writing(request, who, ACTIONS[method], kind)
    _check_type(request, method)
    asked = _asked(request)
    body = b"" if method == acts.DELETE else await body_of(request)
    read = await read_aside(partial(_bundle, method=method, type_name=type_name, asked=asked), body, type_name)
    raw = orjson.dumps(read.whole) if isinstance(read, Bundle) else body
    claim = None
    if method == acts.CREATE and raw is not None:
        route, by_bytes = f"POST /fhir/{type_name}", "ifNoneExist" not in asked
        claim = claim_of(request, who, raw, route, by_bytes=by_bytes)
    answer: list[Response] = []

    async def then(gate: Receiving, done: list[Done]) -> None:
        answer.append(await _answer(request, gate, done[0]))

    try:
        await written(request, who, raw, read, claim, strict=prefers(request, "handling", "strict"), then=then)
    except DuiError as no:
        no.faults = tuple(replace(fault, where=_where(fault.where, type_name)) for fault in no.faults)
        if isinstance(no, MethodNotAllowed):
            no.allow = OF_A_DOSSIER
        raise
    return answer[0]


def _check_type(request: Request, method: str) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if method == acts.PATCH and kind != JSON_PATCH:
        raise UnsupportedMedia(f"Un PATCH s'envoie en {JSON_PATCH}.", where="Content-Type")
    if method in (acts.CREATE, acts.UPDATE) and kind not in JSON_SENT:
        raise UnsupportedMedia(
            "Une ressource seule s'envoie en JSON : Content-Type: application/fhir+json.", where="Content-Type"
        )


def _asked(request: Request) -> Json:
    """The request as an entry of a bundle says it."""
    type_name, id = request.path_params["type_name"], request.path_params.get("id")
    ranks = ranked(pairs_of(request), "_format")
    if ranks and (id or request.method == acts.CREATE):
        raise no_such_parameter((rank, name) for rank, name, _ in ranks)
    said = [(name, text) for _, name, text in ranks]
    url = (
        f"{type_name}/{id}" if id else type_name if request.method == acts.CREATE else f"{type_name}?{urlencode(said)}"
    )
    headers = {HEADERS[name]: request.headers[name] for name in HEADERS if name in request.headers}
    return {"method": request.method, "url": url, **headers}


def _bundle(body: bytes, *, method: str, type_name: str, asked: Json) -> Bundle:
    """Raises Unreadable with all the faults of the body."""
    resource: Json = {}
    if method == acts.PATCH:
        reading.read_json(body)
        data = b64encode(body).decode()
        resource = {"resourceType": "Binary", "contentType": JSON_PATCH, "data": data}
    elif method != acts.DELETE:
        resource = reading.read_json(body)
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if isinstance(kind, str) and kind in R4_TYPES and kind != type_name:
            raise Unreadable("Le type de la ressource est celui de l'adresse.", where="resourceType", code="wrong_url")
        if faults := faults_of(resource, f"{ENTRY}.resource" if root_of(resource) == type_name else ""):
            raise reading.not_r4(faults, partial(_left, resource, faults, asked))
        if method == acts.UPDATE and "?" not in asked["url"] and asked["url"] != f"{type_name}/{resource.get('id')}":
            fault = Fault(f"{ENTRY}.resource.id", "wrong_url", acts.OTHER_ID)
            raise reading.not_r4([fault], partial(_left, resource, [fault], asked))
    return _of_one(resource, asked)


def _of_one(resource: Json, asked: Json) -> Bundle:
    whole: dict[str, Any] = {"request": asked, **({"resource": resource} if resource else {})}
    entry = Entry(0, ENTRY, "", asked["method"], str(asked["url"]), asked, resource)
    return Bundle("transaction", (entry,), {"resourceType": "Bundle", "type": "transaction", "entry": [whole]})


def _left(resource: Any, faults: list[Fault], asked: Json) -> tuple[Bundle | None, Aside]:
    """What stays of the bundle once what is not R4 is set aside."""
    left, beside = remains(resource, faults, f"{ENTRY}.resource")
    return (_of_one(left, asked) if left else None), beside


def _where(where: str, type_name: str) -> str:
    return SAID.get(where, where.replace(f"{ENTRY}.resource", type_name).replace(f"{ENTRY}.request.url", type_name))


async def _answer(request: Request, gate: Receiving, done: Done) -> Response:
    """As `Prefer: return=` says; the resource, unless it says otherwise."""
    headers = {"Idempotency-Replayed": "true"} if gate.replayed else {}
    if done.id:
        headers["ETag"] = etag(done.version)
    if done.status == 204:
        if prefers(request, "return", "OperationOutcome"):
            return told(outcome([DONE]), FHIR_JSON, 200, headers)
        return Response(status_code=204, headers=headers)
    type_name, origin = request.path_params["type_name"], origin_of(request)
    headers["Last-Modified"] = http_date(done.at or now())
    if done.status == 201:
        headers["Location"] = f"{origin}/fhir/{type_name}/{done.id}/_history/{done.version}"
    reads = isinstance(gate.principal, Partner) and scopes.cover(gate.principal.scopes, type_name, "r")
    if prefers(request, "return", "minimal") or not (reads or prefers(request, "return", "OperationOutcome")):
        return Response(status_code=done.status, headers=headers)
    if prefers(request, "return", "OperationOutcome"):
        warned = [replace(each, expression=_where(each.expression, type_name)) for each in done.warnings]
        return told(outcome(warned or [DONE]), FHIR_JSON, done.status, headers)
    entry = Entry(0, ENTRY, "", acts.READ, f"{type_name}/{done.id}/_history/{done.version}", {}, {})
    return told(await look(request, gate, entry) or {}, FHIR_JSON, done.status, headers)
