"""The operations, at the root, at a type, at a resource; of another one, which there are here.

Source: https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Mapping
from typing import NoReturn

from starlette.requests import Request
from starlette.routing import BaseRoute

from app.api import exporting, validating
from app.api.fhir import PATIENT, FhirRoute, reading_of
from app.kernel.errors import MethodNotAllowed, NotFound

VALIDATE = "$validate"
AT_THE_ROOT = AT_A_TYPE = {VALIDATE: ("POST",)}
AT_ONE = {VALIDATE: ("GET", "POST")}
AT_A_PERSON = {"$everything": ("GET",), "$tddui-export": ("GET",), **AT_ONE}
Served = Mapping[str, tuple[str, ...]]


def routes() -> list[BaseRoute]:
    """After `$everything`, which has its own room."""
    found = [*validating.routes(), *exporting.routes()]
    for place in ("/fhir", "/fhir/{type_name}", "/fhir/{type_name}/{id}"):
        path = f"{place}/${{operation}}"
        found += [FhirRoute(each, _unknown, methods=["GET", "POST"]) for each in (path, f"{path}/")]
    return found


async def _unknown(request: Request) -> NoReturn:
    """Of no row: nothing is asked of the base. Raises NotFound, or MethodNotAllowed for one that is asked otherwise."""
    await reading_of(request)
    type_name, one = request.path_params.get("type_name", ""), "id" in request.path_params
    here = AT_THE_ROOT if not type_name else AT_A_TYPE if not one else AT_A_PERSON if type_name == PATIENT else AT_ONE
    asked = f"${request.path_params['operation']}"
    if methods := here.get(asked):
        told = _told({asked: methods})
        no = MethodNotAllowed(f"Cette opération se demande autrement : {told}.", where=type_name)
        no.allow = methods
        raise no
    whatever, below = ", quel que soit l'élément" if one else "", ""
    if type_name == PATIENT and not one:
        below = f" ; de {PATIENT}/id : {_told(AT_A_PERSON)}"
    raise NotFound(f"Opération inconnue à cette adresse{whatever} ; ici : {_told(here)}{below}.", where=type_name)


def _told(served: Served) -> str:
    return ", ".join(f"{name} (par {' ou '.join(methods)})" for name, methods in served.items())
