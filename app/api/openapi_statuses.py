"""What a REST route may answer beside what it is asked for, in the OpenAPI document: by its kind, by what it says itself
(`responses={409: {}}`), less what it never does. `tests/api/test_statuses.py` asks them all; `tests/statuses.py` holds the
whole suite against it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

Place = tuple[str, str]  # verb, path
Json = dict[str, Any]

WORDS = {
    "400": "Illisible, ou un paramètre est à corriger",
    "401": "Jeton absent, terminé, ou d'une autre porte",
    "403": "À votre portée, mais pas ce geste",
    "404": "N'existe pas, ou pas à votre portée",
    "409": "L'état du dossier ne le permet pas",
    "410": "Supprimé",
    "412": "Quelqu'un a écrit entre-temps",
    "413": "Trop grand",
    "415": "Ce format n'est pas lu ici",
    "422": "Lisible, mais à corriger",
    "428": "If-Match attendu",
    "429": "Trop de demandes à la fois : voyez Retry-After",
    "503": "Le service est très demandé : voyez Retry-After",
}
MATCH, KEY = "If-Match", "Idempotency-Key"
ANY, SENT, ONCE, OF_A_VERSION = ("400", "401", "429", "503"), ("413", "415", "422"), ("409", "422"), ("412", "428")
HOUSE = {"structure", "unit", "professional", "partner", "membership", "resource"}  # whose ids are no one's dossier
ALSO: dict[Place, set[str]] = {  # beside what a route says itself: of rooms made alike, one that differs
    ("patch", "/api/v1/events/presences/{presence_id}"): {"409"},
    ("delete", "/api/v1/events/presences/{presence_id}"): {"409"},
}
NEVER: dict[Place, set[str]] = {
    ("post", "/api/v1/me/notice"): {"403"},  # whoever is at a door of their own does these
    ("post", "/api/v1/me/session"): {"403"},
    ("delete", "/api/v1/me/session"): {"403"},
    ("delete", "/api/v1/me/sessions"): {"403"},
    ("delete", "/api/v1/me/sessions/{session_id}"): {"403"},
    ("delete", "/api/v1/access/sessions"): {"403"},
    ("delete", "/api/v1/access/sessions/{session_id}"): {"403"},
    ("post", "/api/v1/me/project/words"): {"403"},  # who does not read the project may say nothing there: 404
    ("post", "/api/v1/me/consents/oppositions"): {"403"},
    ("get", "/api/v1/consents/{consent_id}/answers"): {"410"},  # what is not deleted with what it is about
    ("get", "/api/v1/consents/{consent_id}/answers/{answer_id}"): {"410"},
    ("get", "/api/v1/me/consents/{consent_id}/answers/{answer_id}"): {"410"},
    ("get", "/api/v1/contacts/{contact_id}/mandates"): {"410"},
    ("get", "/api/v1/contacts/{contact_id}/mandates/{mandate_id}"): {"410"},
    ("get", "/api/v1/projects/{project_id}/agreements/{part_id}"): {"410"},
}


def tell(place: Place, route: Json, routes: Mapping[Place, Json], schemas: Json) -> None:
    """`routes`: all of REST, headers told."""
    verb, path = place
    route["responses"].pop("422", None)  # the framework's own shape: ours is a problem
    statuses = {*ANY, *ALSO.get(place, ()), *(s for s in route["responses"] if s >= "400")}
    statuses |= {"403"} if verb != "get" else set()
    statuses |= {"404"} if "{" in path or _about_someone(route, schemas) else set()
    statuses |= {"410"} if _may_be_gone(path, routes) else set()
    statuses |= {*SENT} if "requestBody" in route else set()
    statuses |= {*ONCE} if takes(route, KEY) else set()
    statuses |= {*OF_A_VERSION} if takes(route, MATCH) else set()
    for status in statuses - NEVER.get(place, set()):
        own = route["responses"].get(status, {}).get("description")
        words = WORDS[status] if own in (None, HTTPStatus(int(status)).phrase) else own
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        route["responses"][status] = {"description": words, "content": content}
    route["responses"] = dict(sorted(route["responses"].items()))


def takes(route: Json, header: str) -> bool:
    return any(said["name"] == header for said in route.get("parameters", ()))


def _about_someone(route: Json, schemas: Json) -> bool:
    """Does its body name something of a dossier?"""
    content: Json = route.get("requestBody", {}).get("content", {})
    schema: Json = next((media.get("schema", {}) for media in content.values()), {})
    schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    named = (name.removesuffix("s").removesuffix("_id") for name in schema.get("properties", {}) if "_id" in name)
    return any(name not in HOUSE for name in named)


def _may_be_gone(path: str, routes: Mapping[Place, Json]) -> bool:
    """Is it about something that is deleted as one version of it?"""
    told = path.replace("/me/", "/")
    kept = (of for (verb, of), route in routes.items() if verb == "delete" and takes(route, MATCH))
    return any(told == of or told.startswith(f"{of}/") or path == of for of in kept)
