"""The addresses that search several types, or one person's: `/fhir?_type=…`, `/fhir/Patient/x/Task`, `/fhir/Patient/x/*`.

Source: https://hl7.org/fhir/R4/http.html#search
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access.reading import Reading
from app.api.fhir import FhirRoute, form_of, options, origin_of, pairs_of, prefers, reading_of
from app.api.resources import REGISTRY
from app.fhir.verbs.search_several import of_person, of_system
from app.fhir.verbs.search_type import Pairs


def routes() -> list[BaseRoute]:
    found: list[BaseRoute] = []
    for path, answer, method in (
        ("/fhir", _system, "GET"),
        ("/fhir/_search", _system, "POST"),
        ("/fhir/Patient/{id}/*", _person, "GET"),
        ("/fhir/Patient/{id}/_search", _person, "POST"),
        ("/fhir/Patient/{id}/{type_name}", _person, "GET"),
        ("/fhir/Patient/{id}/{type_name}/_search", _person, "POST"),
    ):
        told = options("GET, POST" if path == "/fhir" else method)
        for each in (path, f"{path}/"):
            found += [FhirRoute(each, answer, methods=[method]), FhirRoute(each, told, methods=["OPTIONS"])]
    return found


async def _system(request: Request) -> Response:
    reading, said = await _asked(request)
    lenient = prefers(request, "handling", "lenient")
    return await of_system(reading, REGISTRY, origin_of(request), said, lenient=lenient)


async def _person(request: Request) -> Response:
    reading, said = await _asked(request)
    id, type_name = request.path_params["id"], request.path_params.get("type_name", "")
    lenient = prefers(request, "handling", "lenient")
    return await of_person(reading, REGISTRY, origin_of(request), id, type_name, said, lenient=lenient)


async def _asked(request: Request) -> tuple[Reading, Pairs]:
    reading = await reading_of(request)
    return reading, await form_of(request) if request.method == "POST" else pairs_of(request)
