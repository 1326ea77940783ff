"""What the R4B models refuse of a resource in which the walk of our tables (`checking`) found nothing.

Whether they take an object follows from its type and the names of its elements, once each value is well said: so they are
asked of a resource that holds an object not met before, and of no other.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from app.fhir.known_types import type_of
from app.fhir.shapes import ANY_RESOURCE, shape

Found = tuple[str, str, str]  # the FHIRPath below the element at hand, our code, the sentence
Met = tuple[str, ...]  # what an object is made of: its type, then the names in it
HELD_MOST = 20_000  # of a few hundred bytes; beyond, the models are asked again

_taken: set[Met] = set()


def joined(start: str, path: str) -> str:
    return f"{start}{'.' if start and path and not path.startswith('[') else ''}{path}"


def below(step: str, found: Sequence[Found]) -> Sequence[Found]:
    return [(joined(step, path), code, sentence) for path, code, sentence in found]


def opinion(resource: dict[str, Any], met: set[Met]) -> Sequence[Found]:
    """`met` holds what each object in it is made of."""
    if met <= _taken:
        return ()
    found = asked(resource)
    if not found and len(_taken) < HELD_MOST:
        _taken.update(met)
    return found


def asked(resource: dict[str, Any]) -> list[Found]:
    """What they refuse."""
    from fhir.resources.R4B import get_fhir_model_class

    found: list[Found] = []
    if resource["resourceType"] == "Bundle" and "entry" in resource:
        for at, entry in enumerate(resource["entry"]):  # each by its own model: the Bundle's looks it up anew
            if "resource" in entry:
                found.extend(below(f"entry[{at}].resource", asked(entry["resource"])))
        resource = {**resource, "entry": [_without_resource(entry) for entry in resource["entry"]]}
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValidationError as refused:
        lines = refused.errors(include_url=False, include_context=False, include_input=False)
        found += [_told(resource, line["loc"], line["type"]) for line in lines if line["type"] not in NOT_R4]
    return found


def _without_resource(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "resource"}


# The models want a UUID to be of version 4 and know no `_valueString`; R4 takes both. The walk knows all names.
NOT_R4 = {"uuid_version", "extra_forbidden"}


def _told(resource: dict[str, Any], place: tuple[int | str, ...], why: str) -> Found:
    """A refusal of the models, at the nearest element that R4 names; `why` is pydantic's word for it."""
    path = ""
    at: Any = resource
    kind = resource["resourceType"]
    for step in place:
        if isinstance(step, int):
            path += f"[{step}]"
            at = at[step] if isinstance(at, list) else at
        elif part := shape(kind).parts.get(step.removeprefix("_")):
            path = joined(path, part.spoken)
            at = at[step] if isinstance(at, dict) and step in at else at
            kind = part.inner or "Element"
        else:
            break
        if kind == ANY_RESOURCE and isinstance(at, dict):
            kind = type_of(at)
    if why.endswith("missing"):
        return path, "required", "Cet élément est obligatoire."
    return path, "invalid", "Cet élément n'est pas conforme à FHIR R4."
