"""The OpenAPI document: what FastAPI knows of our routes, and the refusals that every route of a door may answer."""

from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.access.http import KEY_LONGEST
from app.api import openapi_shared as shared
from app.api import openapi_statuses as statuses
from app.api.fhir_described import PATHS

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "code", "message"],
                "properties": {n: {"type": "string"} for n in ("where", "code", "message")},
            },
        },
    },
}
PREFIX = "/api/v1"
IDEMPOTENCY = {
    "name": statuses.KEY,
    "in": "header",
    "required": False,
    "description": "Une clé de votre choix : la même demande, sous la même clé, n'est faite qu'une fois.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LONGEST},
}
BEARER = {"type": "http", "scheme": "bearer"}
OPEN = {("get", "/fhir/metadata"), ("post", f"{PREFIX}/me/session")}  # to whoever asks, as all that is at no door


def document(api: FastAPI) -> dict[str, Any]:
    """The document, computed once; `openapi/openapi.json` is the same, and a test keeps it so."""
    if api.openapi_schema is None:
        told = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
        parts = told.setdefault("components", {})
        parts.setdefault("schemas", {})["Problem"] = PROBLEM
        parts["securitySchemes"] = {"bearer": BEARER}
        ours = {(verb, path): route for path, said in told["paths"].items() for verb, route in said.items()}
        ours = {place: route for place, route in ours.items() if place[1].startswith(PREFIX)}
        for place, route in ours.items():
            _headers(place, route)
        for place, route in ours.items():
            statuses.tell(place, route, ours, parts["schemas"])
        told["paths"] |= deepcopy(PATHS)
        told["security"] = [{"bearer": []}]
        for path, verbs in told["paths"].items():
            for verb, route in verbs.items():
                if not path.startswith((PREFIX, "/fhir")) or (verb, path) in OPEN:
                    route["security"] = []
        parts["schemas"] = dict(sorted(parts["schemas"].items()))
        shared.share(told)
        api.openapi_schema = told
    return api.openapi_schema


def _headers(place: tuple[str, str], route: dict[str, Any]) -> None:
    for said in route.get("parameters", ()):
        if said["name"] == statuses.MATCH:
            said |= {"required": True, "description": 'La version lue : W/"3".', "schema": {"type": "string"}}
    if place[0] == "post" and place not in OPEN:
        route.setdefault("parameters", []).append(IDEMPOTENCY)
