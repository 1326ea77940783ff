"""`$validate` at the root, at a type, at a resource: what is wrong with what is sent, or with what stands there.

The resource alone, or a Parameters holding it (`resource`, `profile`, `mode`); JSON or XML, as at the door of bundles.
What stands is read as a read is: same reach, same trace. Source: https://hl7.org/fhir/R4/resource-operation-validate.html
"""

import asyncio
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access.http import read_at
from app.access.reading import Reading
from app.api import formats
from app.api.errors import in_its_format
from app.api.fhir import FhirRoute, nothing_more, origin_of
from app.api.fhir_sent import body_of, read_aside
from app.api.resources import REGISTRY
from app.audit.vocabulary import Door
from app.fhir import xml
from app.fhir.mapping import Json
from app.fhir.outcomes import Issue, outcome
from app.fhir.packages.held import held
from app.fhir.reading import read_json
from app.fhir.verbs import validate
from app.fhir.verbs.asking import STATE, as_asked, asking, out_of_scope
from app.fhir.verbs.conditions import Conditions
from app.fhir.verbs.read import read
from app.kernel.errors import DuiError, Unreadable
from app.security import scopes
from app.security.principal import Partner

PERSON = "Patient"
NOT_PARTNER = "Seul un partenaire supprime ici, et ce qu'il a envoyé."
NOT_SENT = "Vous n'avez pas envoyé cette ressource : vous ne pouvez pas la supprimer."
NO_DOSSIER = "Un dossier ne se supprime pas par ici."


def routes() -> list[BaseRoute]:
    places = {
        "/fhir/$validate": ["POST"],
        "/fhir/{type_name}/$validate": ["POST"],
        "/fhir/{type_name}/{id}/$validate": ["GET", "POST"],
    }
    return [FhirRoute(f"{place}{end}", _validate, methods=m) for place, m in places.items() for end in ("", "/")]


async def _validate(request: Request) -> Response:
    formats.negotiate(request)
    reading = await read_at(request, Door.FHIR)
    await reading.signed_in()
    body = await _sent(request)
    resource, beside = validate.asked(body)
    type_name, id = request.path_params.get("type_name", ""), request.path_params.get("id", "")
    how = validate.wanted(type_name, id, [*nothing_more(request, "profile", "mode"), *beside])
    stands = await _standing(request, reading, how) if id else None
    if how.mode == validate.DELETE:
        return in_its_format(request, outcome(_deleted(reading, how, stands or {}) or [validate.NO_FAULT]))
    if resource is None and stands is None:
        raise Unreadable(validate.NOTHING_SENT, where="resource", code="required")
    judged = as_asked(stands, type_name) if stands is not None and resource is None else resource
    known = await held(reading, profiles=True)
    work = partial(validate.verdict, judged, how, REGISTRY, known)
    return in_its_format(request, await asyncio.to_thread(work))


async def _sent(request: Request) -> Any:
    """What the body says, None when there is none. Raises what it can't be read for."""
    body = b"" if request.method == "GET" else await body_of(request)
    if body == b"" and "id" in request.path_params:
        return None
    parse = xml.read if formats.sent_xml(request) else read_json
    told = await read_aside(parse, body, "resource")
    if isinstance(told, DuiError):
        raise told
    return told


async def _standing(request: Request, reading: Reading, how: validate.Wanted) -> Json:
    """Raises as a read does, alike for an id that never was."""
    asked = await asking(reading, REGISTRY, origin_of(request), how.type_name, "r")
    answer = await read(asked, how.id, Conditions())
    told: Json = orjson.loads(bytes(answer.body))
    return told


def _deleted(reading: Reading, how: validate.Wanted, stands: Json) -> list[Issue]:
    """Why its deletion would be refused."""
    who = reading.principal
    if not isinstance(who, Partner):
        return [Issue("error", "forbidden", how.type_name, NOT_PARTNER)]
    found = []
    if how.type_name == PERSON:
        found.append(Issue("error", "forbidden", PERSON, NO_DOSSIER))
    if not any(tag.get("system") == STATE for tag in stands.get("meta", {}).get("tag", ())):
        found.append(Issue("error", "forbidden", how.type_name, NOT_SENT))
    if not scopes.cover(who.scopes, how.type_name, "d"):
        found.append(Issue("error", "scope", how.type_name, out_of_scope(how.type_name, "d").message))
    return found
