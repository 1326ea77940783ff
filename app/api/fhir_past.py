"""The FHIR addresses below a resource, and beside all of them: its versions, their history, a person's everything.

Source: https://hl7.org/fhir/R4/http.html
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.access.entry import DossierEntry
from app.api.fhir import FhirRoute, conditions, nothing_more, origin_of, pairs_of, reading_of
from app.api.fhir import options as said_options
from app.api.resources import REGISTRY
from app.fhir.verbs import history
from app.fhir.verbs.asking import Asking, asking, asking_everywhere
from app.fhir.verbs.everything import everything
from app.fhir.verbs.vread import vread
from app.kernel.errors import MethodNotAllowed

PATIENT = "Patient"


def routes() -> list[BaseRoute]:
    found: list[BaseRoute] = []
    for path, answer in (
        ("/fhir/_history", _system_history),
        ("/fhir/Patient/{id}/$everything", _everything),
        ("/fhir/{type_name}/_history", _type_history),
        ("/fhir/{type_name}/{id}/_history", _history),
        ("/fhir/{type_name}/{id}/_history/{version}", _vread),
    ):
        for each in (path, f"{path}/"):
            found += [
                FhirRoute(each, answer, methods=["GET"]),
                FhirRoute(each, said_options("GET"), methods=["OPTIONS"]),
            ]
    return found


async def _vread(request: Request) -> Response:
    asked = await _asking(request, "r")
    nothing_more(request)
    return await vread(asked, request.path_params["id"], request.path_params["version"], conditions(request))


async def _history(request: Request) -> Response:
    return await history.of_instance(await _asking(request, "r"), request.path_params["id"], pairs_of(request))


async def _type_history(request: Request) -> Response:
    return await history.of_type(await _asking(request, "s"), pairs_of(request))


async def _system_history(request: Request) -> Response:
    asked = await asking_everywhere(await reading_of(request), REGISTRY, origin_of(request), "s")
    return await history.of_system(asked, pairs_of(request))


async def _everything(request: Request) -> Response:
    reading = await reading_of(request)
    asked = await asking_everywhere(reading, REGISTRY, origin_of(request), "r", about=DossierEntry, type_name=PATIENT)
    return await everything(asked, request.path_params["id"], pairs_of(request))


async def _asking(request: Request, letter: str) -> Asking:
    reading, type_name = await reading_of(request), request.path_params["type_name"]
    if any(type_name == each.type_name for each in REGISTRY.beside):
        raise MethodNotAllowed("Ce type n'a pas de versions : il se lit par son identifiant.")
    return await asking(reading, REGISTRY, origin_of(request), type_name, letter)
