"""What each type of R4 is made of, as tables read once from the R4B models; each type is imported when first met.

The models leave some doors open that JSON must not pass (`true` in quotes, empty lists, a Python name for an element):
`checking` walks these tables instead. A test compares them with R4's own definitions.
Source: https://hl7.org/fhir/R4/resourcelist.html
"""

import typing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.fhir.bindings import codes_of
from app.fhir.primitives import CHECKS, Check

ANY_RESOURCE = "Resource"
# R4B added these to R4. https://hl7.org/fhir/R4B/diff.html
NOT_R4 = {"subjectCanonical", "CodeableReference", "RatioRange"}


@dataclass(frozen=True, slots=True)
class Part:
    """One element of a type. `spoken` is its name in FHIRPath: `value.ofType(string)` for `valueString`."""

    spoken: str
    kind: str  # the primitive type; empty when it is made of parts itself
    inner: str  # the model of those parts
    many: bool
    choice: str  # the `value` of value[x]; empty otherwise
    check: Check | None
    codes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A type: its elements by JSON name, in R4's order, and those of which one must be there (by the name FHIRPath gives
    the lot).
    """

    name: str
    parts: dict[str, Part]
    required: tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=1024)  # R4 has about 700 types, inner ones included
def shape(name: str) -> Shape:
    """The shape of a type by its model's name: `Patient`, `PatientContact`, `HumanName`."""
    from fhir.resources.R4B import get_fhir_model_class

    parts: dict[str, Part] = {}
    required: dict[str, list[str]] = {}
    model = get_fhir_model_class(name)
    for field, info in model.model_fields.items():
        if field == "fhir_comments" or field.endswith("__ext"):
            continue
        said = typing.cast(dict[str, Any], info.json_schema_extra)
        element, choice = info.alias or field, said.get("one_of_many", "")
        kind, inner, many = _kind(info.annotation)
        if element in NOT_R4 or inner in NOT_R4:
            continue
        spoken = f"{choice}.ofType({kind or inner})" if choice else element
        codes = codes_of(f"{name}.{element}", said.get("enum_values"))
        parts[element] = Part(spoken, kind, inner, many, choice, CHECKS.get(kind), codes)
        if info.is_required() or said.get("element_required") or said.get("one_of_many_required"):
            required.setdefault(choice or element, []).append(element)
    ordered = {element: parts[element] for element in model.elements_sequence() if element in parts}
    return Shape(name, ordered, tuple((lot, tuple(names)) for lot, names in required.items()))


def _kind(annotation: Any) -> tuple[str, str, bool]:
    """The primitive type, or the model of what is inside, and whether it is a list."""
    many = False
    while arguments := [a for a in typing.get_args(annotation) if a is not type(None)]:
        if typing.get_origin(annotation) is typing.Annotated:
            return getattr(arguments[-1], "__visit_name__", "uuid"), "", many
        many = many or typing.get_origin(annotation) is list
        annotation = arguments[0]
    if annotation is bool:
        return "boolean", "", many
    return "", annotation.get_model_klass().__name__, many


def spoken(resource: dict[str, Any], path: tuple[str | int, ...]) -> str:
    """A path of JSON names inside a checked resource as FHIRPath: `Task.input[0].value.ofType(Reference)`."""
    kind: str = resource["resourceType"]
    told = kind
    at: Any = resource
    for step in path:
        at = at[step]
        if isinstance(step, int):
            told += f"[{step}]"
            if kind == ANY_RESOURCE:
                kind = at["resourceType"]
            continue
        part = shape(kind).parts[step.removeprefix("_")]
        told += f".{part.spoken}"
        kind = "Element" if part.kind else part.inner
        if kind == ANY_RESOURCE and isinstance(at, dict):
            kind = at["resourceType"]
    return told
