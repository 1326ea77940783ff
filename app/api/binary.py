"""`GET /fhir/Binary/{id}`: the bytes of a document, as themselves or as a Binary resource; judged as its DocumentReference.

Source: https://hl7.org/fhir/R4/binary.html#rest
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.access import contents
from app.access.several import glance
from app.features.documents.fhir import BINARY, DOCUMENT, TYPE
from app.features.documents.service import headers
from app.fhir.questions import by_id
from app.fhir.verbs.asking import Asking
from app.kernel.answers import FHIR_JSON, told
from app.kernel.errors import NotAcceptable
from app.security import scopes
from app.security.principal import Partner

FHIR_ASKED = ("application/fhir+json", "application/json", "json")


async def read(request: Request, asking: Asking, id: UUID) -> Response | None:
    """None when no document within reach has this id: another map may hold a Binary as its sender gave it."""
    who = asking.reading.principal
    if isinstance(who, Partner) and not scopes.cover(who.scopes, TYPE, "r"):
        return None
    found = await glance(asking.reading, by_id(DOCUMENT), id, fhir_type=TYPE)
    view: Any = found.view if found else None
    if view is None or view.content_id is None:
        return None
    as_fhir = _as_fhir(request, view.content_type)
    clear = (await contents.opened(asking.reading, [view], request.app.state.objects))[view.content_id]
    if as_fhir:
        about = {"resourceType": BINARY, "id": view.id, "contentType": view.content_type}
        context = {"securityContext": {"reference": f"{TYPE}/{view.id}"}}
        return told({**about, **context, "data": b64encode(clear).decode()}, FHIR_JSON)
    said: Mapping[str, str] = headers(view)
    if said["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=dict(said))
    return Response(clear, headers=dict(said), media_type=view.content_type)


def _as_fhir(request: Request, kind: str) -> bool:
    """What the caller asks for: the resource when they name FHIR, else the bytes. Raises NotAcceptable."""
    asked = request.query_params.get("_format") or request.headers.get("accept", "") or "*/*"
    named = [part.partition(";")[0].strip().lower().replace(" ", "+") for part in asked.split(",")]
    if any(each in FHIR_ASKED for each in named):
        return True
    if not {"*/*", kind, f"{kind.partition('/')[0]}/*"} & set(named):
        raise NotAcceptable(f"Ce fichier se lit par Accept: {kind}, ou application/fhir+json.", where="Accept")
    return False
