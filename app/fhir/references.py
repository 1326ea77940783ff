"""References inside a resource and between the entries of a bundle, found and rewritten; the order does not matter.

An entry answers to its fullUrl, to `Type/id` by the id of its resource, and to the `Type/id` its fullUrl ends with. A
relative reference is first completed with the base of the entry that holds it.
Source: https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.fhir.known_types import R4_TYPES
from app.fhir.shapes import spoken

Json = dict[str, Any]
Rename = Callable[[str], str | None]  # what is pointed to, as received → what to write; None leaves it as it is

_OF_REFERENCE = {"id", "extension", "reference", "_reference", "type", "_type", "identifier", "display", "_display"}
NODES = (dict, list)
_LINKS = {"url", "valueUri", "valueUrl", "valueUuid", "valueOid"}  # a URI that may be a fullUrl of the bundle
_IN_NARRATIVE = re.compile(r"""\b((?:href|src)=["'])([^"']*)""")
_TYPES = "|".join(sorted(R4_TYPES))
_LITERAL = re.compile(
    rf"(?P<base>.*/)?(?P<kind>{_TYPES})/(?P<id>[A-Za-z0-9\-.]{{1,64}})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?(?P<fragment>#.*)?",
    re.ASCII | re.DOTALL,
).fullmatch
_AMBIGUOUS = -1


class Named(Protocol):
    """What an entry of a bundle says of itself."""

    @property
    def at(self) -> int: ...
    @property
    def full_url(self) -> str: ...
    @property
    def resource(self) -> Json: ...


@dataclass(frozen=True, slots=True)
class Literal:
    """`https://other.example/fhir/Patient/1/_history/2#p1` taken apart; what is absent is empty."""

    base: str
    kind: str
    id: str
    version: str
    fragment: str


@dataclass(frozen=True, slots=True)
class Found:
    """One literal reference: `path` of JSON names inside its resource, `target` as it was written."""

    path: tuple[str | int, ...]
    target: str


def literal(target: str) -> Literal | None:
    """A RESTful reference taken apart; None when it is a URN, a search, a local one or something else."""
    if not (read := _LITERAL(target)):
        return None
    return Literal(*(read[name] or "" for name in ("base", "kind", "id", "version", "fragment")))


def of_version(told: Literal | None, base: str, new: str) -> str:
    """How what `told` says in a resource of the server at `base` is written, when it leads to `new` here: to a version, by
    its address there. Where that is not known, the version is not either.
    """
    if told and told.version and (told.base or base or new == f"{told.kind}/{told.id}"):
        return f"{told.base or base}{told.kind}/{told.id}/_history/{told.version}"
    return new


def found(resource: Json) -> list[Found]:
    """Every literal reference, in extensions and contained resources too, in the order they are written.

    A bundle inside a resource is a world of its own: not entered.
    """
    told: list[Found] = []
    _gather(resource, (), told)
    return told


def where(resource: Json, reference: Found) -> str:
    """Its FHIRPath, in a resource that was checked."""
    return spoken(resource, reference.path)


def rewritten(resource: Json, rename: Rename) -> Json:
    """A copy in which what each reference points to is renamed, as are links by URI and in the narrative (R4 asks it)."""
    copy: Json = _rewritten(resource, rename)
    return copy


def named(resource: Json, was: str, now: str) -> Json:
    """A copy in which what led to `was`, or inside it (`#…`), leads to `now`."""

    def rename(target: str) -> str | None:
        whole, mark, part = target.partition("#")
        return now + mark + part if whole == was else None

    return rewritten(resource, rename)


def cut(resource: Json, lost: Callable[[str], bool], instead: str) -> Json:
    """A copy in which each reference that leads to something lost is told by its display, or by `instead`."""
    copy: Json = _cut(resource, lost, instead)
    return copy


def doubles(entries: Iterable[Named]) -> list[int]:
    """The places of the entries whose fullUrl an earlier one carries already."""
    seen: set[str] = set()
    again = []
    for entry in entries:
        url = _same_urn(entry.full_url)
        if url and url in seen:
            again.append(entry.at)
        seen.add(url)
    return again


class Links:
    """Which entry of a bundle each reference leads to."""

    def __init__(self, entries: Iterable[Named]) -> None:
        self._urls: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._bases: dict[int, str] = {}
        self._led: dict[tuple[str, str], int | None] = {}
        for entry in entries:
            if entry.full_url:
                self._urls.setdefault(_same_urn(entry.full_url), entry.at)
            named = literal(entry.full_url)
            self._bases[entry.at] = named.base if named else ""
            names = {f"{entry.resource['resourceType']}/{entry.resource['id']}"} if "id" in entry.resource else set()
            for name in names | ({f"{named.kind}/{named.id}"} if named else set()):
                self._names[name] = entry.at if self._names.get(name, entry.at) == entry.at else _AMBIGUOUS

    def lead(self, target: str, at: int) -> int | None:
        """The place of the entry that `target`, written in the entry at `at`, leads to; None when none does, or two."""
        asked = target, self._bases.get(at, "")
        if asked not in self._led:
            self._led[asked] = self._lead(*asked)
        return self._led[asked]

    def _lead(self, target: str, base: str) -> int | None:
        if (place := self._urls.get(_same_urn(target))) is not None:
            return place
        if not (named := literal(target)):
            return self._urls.get(_same_urn(target.partition("#")[0]))
        name = f"{named.kind}/{named.id}"
        if (place := self._urls.get((named.base or base) + name)) is not None:
            return place
        place = None if named.base else self._names.get(name)
        return None if place == _AMBIGUOUS else place

    def rewritten(self, entry: Named, names: Mapping[int, str]) -> Json:
        """The resource of `entry` with each reference to an entry of `names` said by its new name, fragment kept."""

        def rename(target: str) -> str | None:
            place = self.lead(target, entry.at)
            if place is None or place not in names:
                return None
            return names[place] + "".join(target.partition("#")[1:])

        return rewritten(entry.resource, rename)

    def unresolved(self, entry: Named) -> list[Found]:
        """The references of `entry` that lead nowhere in the bundle, nor inside the resource for a local one (`#p1`)."""
        inside = {f"#{item.get('id', '')}" for item in entry.resource.get("contained", ())} | {"#"}
        return [
            reference
            for reference in found(entry.resource)
            if (
                reference.target not in inside
                if reference.target.startswith("#")
                else self.lead(reference.target, entry.at) is None
            )
        ]


def _same_urn(url: str) -> str:
    """UUIDs are the same in either case. https://www.rfc-editor.org/rfc/rfc9562"""
    return url.lower() if url[:9].lower() == "urn:uuid:" else url


def _is_reference(value: Json) -> bool:
    return isinstance(value.get("reference"), str) and value.keys() <= _OF_REFERENCE


def _gather(value: Any, path: tuple[str | int, ...], told: list[Found]) -> None:
    if type(value) is list:
        for at, item in enumerate(value):
            if type(item) in NODES:
                _gather(item, (*path, at), told)
        return
    if path and value.get("resourceType") == "Bundle":
        return
    if "reference" in value and _is_reference(value):
        told.append(Found(path, value["reference"]))
    for name, inner in value.items():
        if type(inner) in NODES:
            _gather(inner, (*path, name), told)


def _rewritten(value: Any, rename: Rename) -> Any:
    if type(value) is list:
        return [_rewritten(item, rename) if type(item) in NODES else item for item in value]
    if value.get("resourceType") == "Bundle":
        return value
    is_reference = "reference" in value and _is_reference(value)
    copy: Json = {}
    for name, inner in value.items():
        if type(inner) in NODES:
            copy[name] = _rewritten(inner, rename)
        elif type(inner) is str and (name in _LINKS or (is_reference and name == "reference")):
            copy[name] = _renamed(inner, rename)
        elif name == "div" and type(inner) is str:
            copy[name] = _IN_NARRATIVE.sub(lambda link: link[1] + _renamed(link[2], rename), inner)
        else:
            copy[name] = inner
    return copy


def _cut(value: Any, lost: Callable[[str], bool], instead: str) -> Any:
    if isinstance(value, list):
        return [_cut(item, lost, instead) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {name: _cut(inner, lost, instead) for name, inner in value.items()}
    if not (_is_reference(value) and lost(value["reference"])):
        return copy
    told = {name: inner for name, inner in copy.items() if name not in ("reference", "_reference")}
    return told if "display" in told else {**told, "display": instead}


def _renamed(target: str, rename: Rename) -> str:
    if target.startswith("#"):
        return target
    new = rename(target)
    return target if new is None else new
