"""A code of a list we do not hold, with the label it came with: kept as it was told, never checked against a list.

Several of them, or what holds some, are one JSON text of a column named in its table's `NESTED`.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from app.fhir.tddui import code_of
from app.fhir.types import CodeableConcept, Coding

T = TypeVar("T")


class Concept(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` is `system|code`; a label alone is a concept too."""

    code: str | None = None
    label: str | None = None


def concept_of(told: CodeableConcept | None) -> Concept | None:
    """Its first code, or its text; None when it says neither."""
    if told is None:
        return None
    if code := code_of(told):
        return Concept(code, next((c.display for c in told.coding if c.code), None))
    return Concept(None, told.text) if told.text else None


def concept(one: Concept | None) -> CodeableConcept | None:
    if one is None:
        return None
    if one.code is None:
        return CodeableConcept(text=one.label)
    system, _, code = one.code.rpartition("|")
    return CodeableConcept((Coding(system or None, code, one.label),))


def nested(things: Any) -> str | None:
    """As a column keeps it; None for nothing, which is not an empty list."""
    return msgspec.json.encode(_told(things)).decode() if things else None


def _told(thing: Any) -> Any:
    """What a body left out is not said."""
    match thing:
        case dict():
            return {name: _told(value) for name, value in thing.items() if value is not None}
        case list() | tuple():
            return [_told(each) for each in thing]
        case _:
            return thing


def unnested(text: str | None, kind: type[T]) -> tuple[T, ...]:
    """What a list in such a column holds."""
    return tuple(msgspec.json.decode(text, type=list[kind])) if text else ()  # type: ignore[valid-type]


def concepts_of(told: Sequence[CodeableConcept | None]) -> list[Concept]:
    return [one for one in map(concept_of, told) if one]
