"""What an entry of a bundle asks to read, answered by the route that its address names, for the caller of the bundle.

Source: https://hl7.org/fhir/R4/http.html#transaction
"""

from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote, unquote

import orjson
from starlette.requests import Request
from starlette.routing import Match

from app.access.gate import Gate, Reading
from app.access.http import READING
from app.api.fhir import SHOWN, FhirRoute, origin_of
from app.fhir.mapping import Json
from app.fhir.outcomes import outcome
from app.fhir.reading import Entry
from app.fhir.search.values import BadValue, moment_of
from app.fhir.verbs.conditions import http_date
from app.kernel.answers import FHIR_JSON
from app.kernel.errors import DuiError, MethodNotAllowed, NotAcceptable, NotFound

ASIS = (
    "%!$&'()*+,-./:;=?@[]_|~"  # of a query that is said as in an address: the rest (é) is written as an address has it
)
OF_THE_BUNDLE = frozenset(
    {b"accept", b"content-type", b"content-length", b"idempotency-key", b"if-match", b"if-none-exist",
     b"if-none-match", b"if-modified-since"}
)  # fmt: skip


async def look(request: Request, reading: Reading, entry: Entry) -> Json | None:
    """The resource that a GET or a HEAD of a bundle tells; None when the caller has it already. Raises what refuses it."""
    asked, route = _routed(request, reading, entry)
    if route.alone and isinstance(reading, Gate):
        raise MethodNotAllowed("Cette opération se demande à son adresse, ou dans un batch.")
    answer = await route.endpoint(asked)
    if answer.status_code == HTTPStatus.NOT_MODIFIED:
        return None
    if answer.headers.get("content-type") != FHIR_JSON:
        raise NotAcceptable("Un élément d'un envoi se lit en JSON.", where="_format")
    told: Json = orjson.loads(bytes(answer.body))
    return told


def refusal(no: DuiError) -> Json:
    """What an entry of a batch is refused for."""
    return {"response": {"status": f"{no.status} {HTTPStatus(no.status).phrase}", "outcome": outcome(no)}}


def _routed(request: Request, reading: Reading, entry: Entry) -> tuple[Request, FhirRoute]:
    """The entry as a request of its own, and who answers it. Raises NotFound."""
    path, _, query = entry.url.removeprefix(f"{origin_of(request)}/fhir").lstrip("/").partition("?")
    said = {
        **request.scope,
        "method": entry.method,
        "path": f"/fhir/{unquote(path)}" if path else "/fhir",
        "query_string": quote(query, safe=ASIS).encode(),
        "headers": [*_headers(request, entry)],
        "state": dict(request.scope["state"]),
        READING: reading,
    }
    said.pop(SHOWN, None)
    for route in request.app.router.routes:
        if isinstance(route, FhirRoute):
            match, inner = route.matches(said)
            if match is Match.FULL:
                return Request({**said, **inner}), route
    raise NotFound("Cette adresse n'existe pas.")


def _headers(request: Request, entry: Entry) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in request.scope["headers"] if name not in OF_THE_BUNDLE]
    under = {b"if-none-match": entry.request.get("ifNoneMatch")}
    under[b"if-modified-since"] = _http(entry.request.get("ifModifiedSince"))
    conditions = [(name, str(value).encode("latin-1", "replace")) for name, value in under.items() if value]
    return [*kept, (b"accept", FHIR_JSON.encode()), *conditions]


def _http(instant: object) -> str:
    """An instant of FHIR as HTTP says it; no condition when it is none."""
    try:
        moment: datetime = moment_of(str(instant or "")).low
    except BadValue:
        return str(instant or "")
    return http_date(moment)
