"""What every FHIR structure of ours shares: frozen, absent elements left out, FHIR's own names on the wire.

`birthDate_ext` is written `_birthDate` (the extensions of a primitive); `class_` and `for_` lose what Python asks for.
Elements are optional here even where FHIR requires them: what comes in was checked at the door, and FHIR lets an
extension stand for a required value. Instants and dates are text, since FHIR allows `2024`, `2024-05` and `2024-05-03`
where a moment is meant; `moment()` writes ours. Source: https://hl7.org/fhir/R4/json.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def wire(name: str) -> str:
    """The name of a Python field in JSON."""
    return f"_{name[:-4]}" if name.endswith("_ext") else name.removesuffix("_")


class Element(msgspec.Struct, frozen=True, omit_defaults=True, rename=wire):
    pass


E = TypeVar("E", bound=Element)


def heard(kind: type[E], thing: Mapping[str, Any]) -> E:
    """What `kind` models of a resource that the door has checked; the rest is for `keeping.leftover`."""
    return msgspec.convert(thing, kind)


def said(thing: Element) -> dict[str, Any]:
    """The structure as plain JSON, ready to be merged with what was kept."""
    return _decode(_encode(thing))


def moment(value: datetime) -> str:
    """An aware datetime as a FHIR instant, to the microsecond. By msgspec: `isoformat` takes six times as long."""
    told = _encode(value)[1:-1].decode()
    return f"{told[:-1]}+00:00" if told[-1] == "Z" else told
