"""Typed structures to JSON bytes, written once for REST and FHIR."""

import msgspec
from starlette.responses import Response

JSON = "application/json"
FHIR_JSON = "application/fhir+json"
PROBLEM = "application/problem+json"
_encode = msgspec.json.Encoder().encode


def told(thing: object, media_type: str = JSON, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(_encode(thing), status, media_type=media_type, headers=headers)


def etag(version: int) -> str:
    return f'W/"{version}"'
