"""A tree read by expat. What XML says that R4 does not know gets a name that no JSON element has, so that `checking` finds it
in its place.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from app.fhir.checking import TEXT, Twice
from app.fhir.known_types import CARRIED
from app.fhir.primitives import fits
from app.fhir.reading import MAX_VALUES, Json
from app.fhir.shapes import ANY_RESOURCE, Part, Shape, shape
from app.fhir.xml.common import FHIR, XHTML, attributes_of, escaped, opened
from app.kernel.depth import MAX_DEPTH
from app.kernel.errors import TooLarge, Unreadable

SCHEMAS = "http://www.w3.org/2001/XMLSchema-instance "  # where a schema may be found: nobody looks
STRANGE = " "  # the name of what R4 has no name for
INTEGERS = frozenset({"integer", "unsignedInt", "positiveInt"})
DIGITS_MOST = 40  # of a number; more is no measure of anything
UNREADABLE = "Le corps n'est pas du XML lisible, en UTF-8."
NOT_FHIR = f'La racine est une ressource de l\'espace de noms FHIR : xmlns="{FHIR}".'

_integer = re.compile(r"-?\d+", re.ASCII).fullmatch
_decimal = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII).fullmatch


def read(body: bytes, max_depth: int = MAX_DEPTH) -> Json:
    """A resource, yet to be checked. `max_depth` counts as JSON would.

    Raises Unreadable (no XML, not UTF-8, a forbidden declaration, too deep) or TooLarge (too many values).
    """
    reader = _Reader(body, max_depth)
    parser = opened()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.StartNamespaceDeclHandler = reader.text, reader.declared
    reader.position = lambda: parser.CurrentByteIndex
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        raise Unreadable(UNREADABLE) from None
    return reader.found


@dataclass(slots=True)
class _Open:
    """An element being read. `shape`: None when nothing is known of what is inside; `holds`: a whole resource."""

    name: str
    part: Part | None
    shape: Shape | None
    depth: int
    holds: bool = False
    value: str | None = None  # of a primitive
    node: Json = field(default_factory=dict)
    beside: dict[str, list[Json | None]] = field(default_factory=dict)  # of lists of primitives, place by place
    twice: bool = False
    doubled: set[str] = field(default_factory=set)  # the elements that came twice, when they have a name

    @property
    def is_primitive(self) -> bool:
        return self.part is not None and bool(self.part.kind)

    def put(self, name: str, part: Part | None, value: Any, beside: Json | None = None) -> None:
        if part is not None and part.many:
            self.node.setdefault(name, []).append(value)
            if part.kind:
                self.beside.setdefault(name, []).append(beside)
            return
        if name in self.node or f"_{name}" in self.node:
            self.twice = True
            self.doubled.add(name)
        if value is not None:
            self.node[name] = value
        if beside is not None:
            self.node[f"_{name}"] = beside

    def whole(self) -> Json:
        for name, beside in self.beside.items():
            if any(beside):
                self.node[f"_{name}"] = beside
            if all(value is None for value in self.node[name]):
                del self.node[name]
        return Twice.of(self.node, self.doubled) if self.twice else self.node


class _Reader:
    """What expat tells, in order; `found` is the resource once all is read."""

    def __init__(self, body: bytes, max_depth: int) -> None:
        self.body, self.max_depth = body, max_depth
        self.position: Callable[[], int] = int
        self.found: Json = {}
        self.open: list[_Open] = []
        self.values = 0
        self.own_namespace = False  # the element about to start says that what is in it is XHTML
        self.narrative: _Narrative | None = None

    def declared(self, prefix: str | None, uri: str | None) -> None:
        self.own_namespace = self.own_namespace or (prefix is None and uri == XHTML)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.values += 1 + len(attributes)
        if self.values > MAX_VALUES:
            raise TooLarge("Ce contenu compte trop d'éléments.")
        own, self.own_namespace = self.own_namespace, False
        space, _, local = name.partition(" ")
        local = local.partition(" ")[0]
        if self.narrative:
            self.narrative.start(space, local, name.count(" ") > 1, attributes)
            self._not_too_deep(self.narrative.depth + self.open[-1].depth)
        elif (name == f"{XHTML} div" or (space, local) == (XHTML, "div")) and self._tells("div"):
            self.narrative = _Narrative(self.position(), own)
            self.narrative.start(space, local, not own, attributes)
        else:
            self._push(local if space == FHIR else STRANGE, attributes)

    def end(self, _name: str) -> None:
        if self.narrative:
            if self.narrative.end():
                self.open[-1].put(
                    "div", shape("Narrative").parts["div"], self.narrative.told(self.body, self.position())
                )
                self.narrative = None
            return
        closed = self.open.pop()
        node = closed.whole()
        if not self.open:
            self.found = node
        elif self.open[-1].shape is None and not self.open[-1].holds:
            pass  # inside something unknown, which is said already
        elif closed.is_primitive and closed.part:
            value = "" if closed.value is None and not node else closed.value
            told = None if value is None else _typed(value, closed.part.kind)
            self.open[-1].put(closed.name, closed.part, told, node or None)
        elif self.open[-1].holds:
            self._hold(self.open[-1], node)
        else:
            self.open[-1].put(closed.name, closed.part, node)

    def text(self, said: str) -> None:
        if self.narrative:
            self.narrative.text(said)
        elif said.strip():
            self.open[-1].node[TEXT] = ""

    def _tells(self, name: str) -> bool:
        inside = self.open[-1].shape if self.open else None
        return inside is not None and name in inside.parts and inside.parts[name].kind == "xhtml"

    def _push(self, local: str, attributes: dict[str, str]) -> None:
        above = self.open[-1] if self.open else None
        if above is None and local == STRANGE:
            raise Unreadable(NOT_FHIR)
        if above is None or above.holds:
            opened = _Open(
                STRANGE, None, shape(local) if local in CARRIED else None, 1 if above is None else above.depth
            )
            opened.node["resourceType"] = local
        else:
            opened = _below(above, local)
        if not opened.is_primitive:
            self._not_too_deep(opened.depth)
        for name, value in attributes.items():
            self._attribute(opened, name, value)
        self.open.append(opened)

    def _attribute(self, of: _Open, name: str, value: str) -> None:
        if name.startswith(SCHEMAS):
            return
        if of.is_primitive and name == "value":
            of.value = value
        elif (name == "id" and of.part is not None) or (
            name == "url" and of.shape is not None and of.shape.name == "Extension"
        ):
            of.node[name] = value
        else:
            of.node[STRANGE] = ""

    def _hold(self, holder: _Open, resource: Json) -> None:
        """One resource in `<contained>` or `<resource>`; a second is as a key that comes twice."""
        holder.twice = bool(holder.node)
        holder.node = holder.node or resource

    def _not_too_deep(self, depth: int) -> None:
        if depth > self.max_depth:
            raise Unreadable(f"Ce contenu a plus de {self.max_depth} niveaux.", code="too_deep")


def _below(above: _Open, local: str) -> _Open:
    inside = above.shape
    is_attribute = inside is not None and local in attributes_of(inside)
    part = None if inside is None or is_attribute else inside.parts.get(local)
    if part is None:
        hidden = local.startswith("_") or local == "resourceType" or is_attribute
        return _Open(STRANGE if hidden else local, None, None, above.depth + 1)
    depth = above.depth + (2 if part.many else 1)
    if part.inner == ANY_RESOURCE:
        return _Open(local, part, None, depth, holds=True)
    return _Open(local, part, shape(part.inner or "Element"), depth)


def _typed(value: str, kind: str) -> Any:
    """As JSON says it; what is no such value stays text, which `checking` refuses."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if kind in INTEGERS or kind == "decimal":
        if len(value) <= DIGITS_MOST and _integer(value):
            whole = int(value)
            return whole if kind != "decimal" or fits(whole) else float(value)
        if kind == "decimal" and len(value) <= DIGITS_MOST and _decimal(value):
            number = float(value)
            return number if abs(number) != float("inf") else value
    return value


class _Narrative:
    """The `<div>` of a text, told back byte for byte when it stands by itself, else written again without prefixes."""

    def __init__(self, begins: int, stands_alone: bool) -> None:
        self.begins, self.stands_alone = begins, stands_alone
        self.depth = 0
        self.pieces: list[str] = []
        self.names: list[str] = []

    def start(self, space: str, local: str, prefixed: bool, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.stands_alone = self.stands_alone and not prefixed
        name = local if space == XHTML else "span"  # another language inside: its words alone
        said = "".join(f' {name}="{escaped(value)}"' for name, value in attributes.items() if " " not in name)
        space_said = f' xmlns="{XHTML}"' if self.depth == 1 else ""
        self.pieces.append(f"<{name}{space_said}{said}>")
        self.names.append(name)

    def text(self, said: str) -> None:
        self.pieces.append(escaped(said))

    def end(self) -> bool:
        """Is it over?"""
        self.depth -= 1
        self.pieces.append(f"</{self.names.pop()}>")
        return self.depth == 0

    def told(self, body: bytes, last: int) -> str:
        """`last` is where its end tag begins; of an empty element (`<div/>`), which has none, where it is over."""
        if self.stands_alone:
            over = len(self.pieces) == 2 and body.endswith(b"/>", self.begins, last)
            return body[self.begins : last if over else body.index(b">", last) + 1].decode()
        return "".join(self.pieces)
