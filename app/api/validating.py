"""`POST /fhir/{type}/$validate`, `POST /fhir/$validate`: what is wrong with a resource, told all at once; nothing is written.

The resource alone, or a Parameters holding it (`resource`, `profile`). It is held against R4, then against the profile
asked for (`?profile=`), else against those it claims. Source: https://hl7.org/fhir/R4/resource-operation-validate.html
"""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.api import formats
from app.api.fhir import FhirRoute, nothing_more, reading_of
from app.api.resources import REGISTRY
from app.fhir.checking import faults_of
from app.fhir.outcomes import Issue, outcome
from app.fhir.packages.held import Held, held
from app.fhir.profiles.judging import claimed, judge
from app.fhir.profiles.values import Leads, nowhere
from app.fhir.reading import Entry, entries_of, read_json
from app.fhir.references import Links
from app.fhir.tolerance import doubts_of, warning
from app.kernel.answers import FHIR_JSON, told
from app.kernel.errors import Fault, UnsupportedMedia

Json = dict[str, Any]
NO_FAULT = Issue("information", "informational", "", "Aucune faute n'a été trouvée.")
NOT_HELD = "Ce profil n'est pas installé sur ce serveur (dui fhir install) : il n'a pas été vérifié."
OTHER_TYPE = "Cette ressource n'est pas du type de l'adresse."


def routes() -> list[BaseRoute]:
    places = ("/fhir/$validate", "/fhir/{type_name}/$validate")
    return [FhirRoute(each, _validate, methods=["POST"]) for place in places for each in (place, f"{place}/")]


async def _validate(request: Request) -> Response:
    reading = await reading_of(request)
    await reading.signed_in()
    if formats.sent_xml(request):
        raise UnsupportedMedia("La vérification se demande en JSON (Content-Type: application/fhir+json).")
    asked = [text for name, text in nothing_more(request, "profile") if name == "profile"]
    known = await held(reading, profiles=True)
    body = await request.body()
    work = partial(_judged, body, request.path_params.get("type_name", ""), asked, known)
    return told(await asyncio.to_thread(work), FHIR_JSON)


def _judged(body: bytes, type_name: str, asked: list[str], known: Held) -> Json:
    resource, more = _told(read_json(body))
    where = str(resource.get("resourceType", "Resource")) if isinstance(resource, dict) else "Resource"
    found: list[Fault | Issue] = list(faults_of(resource))
    if not found and type_name and type_name != where:
        found = [Issue("error", "profile.type", where, OTHER_TYPE)]
    if not found:
        found = list(_beyond(resource, where, [*asked, *more], known))
    return outcome(found or [NO_FAULT])


def _told(read: Any) -> tuple[Any, list[str]]:
    """The resource to judge, and the profiles named beside it."""
    if not isinstance(read, dict) or read.get("resourceType") != "Parameters":
        return read, []
    parts = [part for part in read.get("parameter", ()) if isinstance(part, dict)]
    resources = [part.get("resource") for part in parts if part.get("name") == "resource"]
    named = [
        part.get(name) for part in parts if part.get("name") == "profile" for name in part if name.startswith("value")
    ]
    return (resources[0] if resources else read), [str(each) for each in named if each]


def _beyond(resource: Json, where: str, asked: list[str], known: Held) -> Iterator[Issue]:
    """A bundle is told of with each of its entries, whose references lead to one another."""
    judged = judge(REGISTRY, known)
    for each, place, leads in _resources(resource, where):
        profiles = asked if each is resource and asked else claimed(each)
        for profile in profiles:
            if profile.partition("|")[0] not in judged.known or (asked and judged.definition(profile) is None):
                yield Issue("error" if asked else "warning", "unknown_profile", f"{place}.meta.profile", NOT_HELD)
        for doubt in judged.asks(each, place, profiles, leads):
            yield doubt if isinstance(doubt, Issue) else warning(doubt)
        yield from map(warning, doubts_of(each, place, judged=judged.installed))


def _resources(resource: Json, where: str) -> Iterator[tuple[Json, str, Leads]]:
    if resource["resourceType"] != "Bundle":
        yield resource, where, nowhere
        return
    entries = entries_of(resource)
    links = Links(entries)
    yield resource, where, partial(_led, links, entries, -1)
    for entry in entries:
        if entry.resource:
            yield entry.resource, f"{entry.where}.resource", partial(_led, links, entries, entry.at)


def _led(links: Links, entries: Sequence[Entry], at: int, target: str) -> Json | None:
    place = links.lead(target, at)
    return None if place is None else entries[place].resource or None
