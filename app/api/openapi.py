"""The OpenAPI document: what FastAPI knows of our routes, and the refusals that every route of a door may answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

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
WRITES, MENDS = (*READS, "403", "404", "409", "422"), ("412", "428", "410")
PREFIX = "/api/v1"


def document(api: FastAPI) -> dict[str, Any]:
    """The document, computed once; `openapi/openapi.json` is the same, and a test keeps it so."""
    if api.openapi_schema is None:
        told = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
        told.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
        for path, verbs in told["paths"].items():
            if path.startswith(PREFIX):
                for verb, route in verbs.items():
                    _refusals(path, verb, route)
        told["paths"] |= PATHS
        told["components"]["schemas"] = dict(sorted(told["components"]["schemas"].items()))
        api.openapi_schema = told
    return api.openapi_schema


def _refusals(path: str, verb: str, route: dict[str, Any]) -> None:
    route["responses"].pop("422", None)  # the framework's own shape: ours is a problem
    statuses = [*READS] if verb == "get" else [*WRITES]
    if verb == "get" and "{" in path:
        statuses += ["404", "410"]
    if verb in ("patch", "put", "delete"):
        statuses += MENDS
    for status in statuses:
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        route["responses"].setdefault(status, {"description": WORDS[status], "content": content})
    route["responses"] = dict(sorted(route["responses"].items()))
