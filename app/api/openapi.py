"""The OpenAPI document: what FastAPI knows of our routes, and the refusals that every route of a door may answer."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.access.http import KEY_LONGEST
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
WORDS = {
    "400": "Illisible, ou un paramètre est à corriger",
    "401": "Jeton absent, terminé, ou d'une autre porte",
    "403": "À votre portée, mais pas ce geste",
    "404": "N'existe pas, ou pas à votre portée",
    "409": "L'état du dossier ne le permet pas",
    "410": "Supprimé",
    "412": "Quelqu'un a écrit entre-temps",
    "422": "Lisible, mais à corriger",
    "428": "If-Match attendu",
    "429": "Trop de demandes à la fois : voyez Retry-After",
}
READS = ("400", "401", "429")
WRITES, OF_A_VERSION = (*READS, "403", "404", "409", "422"), ("412", "428")
PREFIX = "/api/v1"
MATCH, KEY = "If-Match", "Idempotency-Key"
IDEMPOTENCY = {
    "name": KEY,
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
        for path, verbs in told["paths"].items():
            if path.startswith(PREFIX):
                for verb, route in verbs.items():
                    _headers(verb, route)
                    _refusals(path, verb, route)
        told["paths"] |= PATHS
        told["security"] = [{"bearer": []}]
        for path, verbs in told["paths"].items():
            for verb, route in verbs.items():
                if not path.startswith((PREFIX, "/fhir")) or (verb, path) in OPEN:
                    route["security"] = []
        parts["schemas"] = dict(sorted(parts["schemas"].items()))
        api.openapi_schema = told
    return api.openapi_schema


def _headers(verb: str, route: dict[str, Any]) -> None:
    for said in route.get("parameters", ()):
        if said["name"] == MATCH:
            said |= {"required": True, "description": 'La version lue : W/"3".', "schema": {"type": "string"}}
    if verb == "post":
        route.setdefault("parameters", []).append(IDEMPOTENCY)


def _refusals(path: str, verb: str, route: dict[str, Any]) -> None:
    """What any route of its kind may answer, and what this one says it may (`responses={403: {}}`)."""
    route["responses"].pop("422", None)  # the framework's own shape: ours is a problem
    statuses = [*READS] if verb == "get" else [*WRITES]
    if "{" in path and verb != "post":
        statuses += ["404", "410"]
    if any(said["name"] == MATCH for said in route.get("parameters", ())):
        statuses += OF_A_VERSION
    for status in {*statuses, *(s for s in route["responses"] if s >= "400")}:
        own = route["responses"].get(status, {}).get("description")
        words = WORDS[status] if own in (None, HTTPStatus(int(status)).phrase) else own
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        route["responses"][status] = {"description": words, "content": content}
    route["responses"] = dict(sorted(route["responses"].items()))
