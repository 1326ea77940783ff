"""A tree written: elements in the order of R4, each list as so many elements."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.parsers import expat

import msgspec

from app.fhir.reading import Json
from app.fhir.shapes import ANY_RESOURCE, Part, Shape, shape
from app.fhir.types import Element
from app.fhir.xml.common import FHIR, XHTML, attributes_of, escaped, opened
from app.kernel.depth import MAX_DEPTH
from app.kernel.errors import Unreadable

ABOVE = 12  # levels of a bundle above a narrative, at most: an entry, its resource, what that contains, its text
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'

_plain = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def write(resource: Element | Mapping[str, Any]) -> bytes:
    """One resource of ours, or one that was checked, with its XML declaration."""
    return (HEAD + "".join(_resource(_plain(_encode(resource)), f' xmlns="{FHIR}"'))).encode()


def _resource(resource: Json, space: str = "") -> Iterator[str]:
    kind = resource["resourceType"]
    yield f"<{kind}{space}>"
    yield from _inside(resource, shape(kind))
    yield f"</{kind}>"


def _inside(value: Json, of: Shape) -> Iterator[str]:
    said = attributes_of(of)
    for name, part in of.parts.items():
        if name in said or (name not in value and f"_{name}" not in value):
            continue
        if part.kind == "xhtml":
            yield _narrative(value[name])
        elif part.kind:
            for plain, beside in _pairs(value.get(name), value.get(f"_{name}"), part):
                yield from _primitive(name, plain, beside or {})
        else:
            for item in value[name] if part.many else [value[name]]:
                if part.inner == ANY_RESOURCE:
                    yield f"<{name}>"
                    yield from _resource(item)
                    yield f"</{name}>"
                else:
                    inner = shape(part.inner)
                    yield f"<{name}{_attributes(item, inner)}>"
                    yield from _inside(item, inner)
                    yield f"</{name}>"


def _pairs(plain: Any, beside: Any, part: Part) -> list[tuple[Any, Any]]:
    if not part.many:
        return [(plain, beside)]
    long = max(len(plain or ()), len(beside or ()))
    return list(zip(plain or [None] * long, beside or [None] * long, strict=False))


def _primitive(name: str, value: Any, beside: Json) -> Iterator[str]:
    element = shape("Element")
    told = "" if value is None else f' value="{escaped(_said(value))}"'
    inside = "".join(_inside(beside, element))
    yield f"<{name}{_attributes(beside, element)}{told}" + (f">{inside}</{name}>" if inside else "/>")


def _attributes(value: Json, of: Shape) -> str:
    return "".join(f' {name}="{escaped(value[name])}"' for name in attributes_of(of) if name in value)


def _said(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _narrative(div: str) -> str:
    """As it stands when it is XHTML by itself; else its source as words, so that nothing of it is lost nor acts."""
    return div.strip() if _stands_alone(div.strip()) else f'<div xmlns="{XHTML}">{escaped(div)}</div>'


def _stands_alone(div: str) -> bool:
    """And no deeper than what is read again, wherever it stands."""
    roots, depths = list[str](), [0]

    def start(name: str, _: object) -> None:
        roots.append(name)
        depths.append(depths[-1] + 1)

    def end(_: str) -> None:
        depths.append(depths[-1] - 1)

    parser = opened()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(div.encode(), True)
    except (expat.ExpatError, Unreadable):
        return False
    alone = roots[0] == f"{XHTML} div" and div.startswith("<div") and div.endswith(">")
    return alone and max(depths) <= MAX_DEPTH - ABOVE
