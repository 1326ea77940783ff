"""Typed structures to JSON bytes, written once for REST and FHIR."""

import msgspec
from starlette.responses import Response

JSON = "application/json"
FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
PROBLEM = "application/problem+json"
HTML = "text/html; charset=utf-8"
NOTHING_ELSE = {  # of a document that stands alone: it fetches nothing, runs nothing, and is not kept on a shared computer
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_encode = msgspec.json.Encoder().encode


def told(thing: object, media_type: str = JSON, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(_encode(thing), status, media_type=media_type, headers=headers)


def document(content: bytes, media_type: str, name: str) -> Response:
    """A whole document, shown where it is asked; `name` is the one it is saved under."""
    headers = {**NOTHING_ELSE, "Content-Disposition": f'inline; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def etag(version: int) -> str:
    return f'W/"{version}"'
