"""FHIR search of several types at once: of the whole system (`_type`), or of one person (their compartment).

A person out of reach answers as an absent one: nothing is found. Only the parameters that all the types have are served.
Sources: https://hl7.org/fhir/R4/search.html#type, https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from dataclasses import replace
from uuid import UUID

from starlette.responses import Response

from app.access.entry import DossierEntry
from app.access.reading import Reading
from app.fhir import paging
from app.fhir.registry import Registry
from app.fhir.search.control import TYPE
from app.fhir.search.values import uuid_of
from app.fhir.verbs.asking import Asking, asking, asking_everywhere, asking_types
from app.fhir.verbs.search_type import OF_ALL, Pairs, search
from app.kernel.errors import Fault, NotFound, Unreadable

TYPES_MOST = 8
NOBODY = UUID(int=0)
PATIENT = "Patient"


async def of_system(reading: Reading, registry: Registry, origin: str, said: Pairs, *, lenient: bool) -> Response:
    """Raises Unreadable without `_type`: all tables in one statement is what history and export are for."""
    types = _types(reading, registry, "", said)
    if not types:
        raise _bad(f"Dites quels types chercher, {TYPES_MOST} au plus : _type=Task,Goal.", "required")
    return await search(await asking_types(reading, registry, origin, types, "s"), said, lenient=lenient)


async def of_person(
    reading: Reading, registry: Registry, origin: str, id: str, type_name: str, said: Pairs, *, lenient: bool
) -> Response:
    """`Patient/x/Task`, or of all types (`type_name` empty): those a partner's scopes cover, or those of `_type`."""
    path = f"{PATIENT}/{uuid_of(id) or NOBODY}/{type_name or '*'}"
    if type_name:
        found = await asking(reading, registry, origin, type_name, "s")
        _check_about_someone(registry, type_name)
    else:
        found = await _of_all(reading, registry, origin, _types(reading, registry, path, said))
    return await search(replace(found, path=path, person=uuid_of(id) or NOBODY), said, lenient=lenient)


async def _of_all(reading: Reading, registry: Registry, origin: str, types: tuple[str, ...]) -> Asking:
    if types:
        return await asking_types(reading, registry, origin, types, "s")
    found = await asking_everywhere(reading, registry, origin, "s", about=DossierEntry)
    return replace(found, common=OF_ALL)


def _check_about_someone(registry: Registry, type_name: str) -> None:
    """Raises NotFound for a type of the directory."""
    if not any(issubclass(each.view.TABLE, DossierEntry) for each in registry.own(type_name)):
        raise NotFound("Ce type ne se range pas par personne.", code="unknown_type")


def _types(reading: Reading, registry: Registry, path: str, said: Pairs) -> tuple[str, ...]:
    """What `_type` says, in the order of names, here or in the link followed. Raises Unreadable."""
    link = paging.link_of(said)
    if link is not None:
        said = paging.opened(reading.keyring, reading.principal, path, link).said
    told = [text for name, text in said if name == TYPE]
    if len(told) > 1:
        raise _bad("_type ne se dit qu'une fois : séparez les types par une virgule.")
    types = {*told[0].split(",")} if told else set()
    if not types <= {*registry.types}:
        raise _bad(f"_type attend des types que l'on cherche ici : {', '.join(registry.types)}.")
    if len(types) > TYPES_MOST:
        raise _bad(f"_type prend {TYPES_MOST} types au plus.")
    return tuple(sorted(types))


def _bad(sentence: str, code: str = "bad_parameter") -> Unreadable:
    return Unreadable(sentence, faults=[Fault(TYPE, code, sentence)])
