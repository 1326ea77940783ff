"""What a running server holds of the installed packages: asked of the base by its stamp, read again when it changes.

A package installed by the command line is thus in use from the next request, whatever the number of processes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.access.reading import Reading
from app.fhir.packages.models import FhirDefinition, FhirPackage

Json = dict[str, Any]
Ask = Callable[[Any], Awaitable[Sequence[Any]]]
FORMS = ("CodeSystem", "Questionnaire", "ValueSet")
STAMPS_KEPT = 4
DEEP = 8  # value sets that draw on others
_P, _D = FhirPackage, FhirDefinition


def _text(words: str) -> ColumnElement[str]:
    return literal_column(f"'{words}'", Text())


@dataclass(frozen=True, eq=False)
class Held:
    """`bodies`: by type, the newest package first. `codes` of value sets are found once."""

    stamp: str = ""
    bodies: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    _codes: dict[str, Collection[tuple[str, str]] | None] = field(default_factory=dict)

    @cached_property
    def _by_url(self) -> Mapping[tuple[str, str], Sequence[Json]]:
        found = dict[tuple[str, str], list[Json]]()
        for type_name, bodies in self.bodies.items():
            for each in bodies:
                found.setdefault((type_name, each["url"]), []).append(each)
        return found

    def named(self, type_name: str, canonical: str) -> Json | None:
        """By `url` or `url|version`; the newest when no version is said."""
        url, _, version = canonical.partition("|")
        found = self._by_url.get((type_name, url), ())
        return next((one for one in found if version in ("", one.get("version"))), None)

    def versions(self, type_name: str, url: str) -> tuple[str, ...]:
        return tuple(str(one.get("version", "")) for one in self._by_url.get((type_name, url), ()))

    def codes(self, canonical: str) -> Collection[tuple[str, str]] | None:
        """All the codes of a value set; None when we do not hold them all: then none is wrong."""
        if canonical not in self._codes:
            self._codes[canonical] = self._drawn(canonical, 0)
        return self._codes[canonical]

    def _drawn(self, canonical: str, depth: int) -> Collection[tuple[str, str]] | None:
        whole = self.named("ValueSet", canonical)
        if whole is None or depth > DEEP:
            return None
        composed = whole.get("compose", {})
        found: set[tuple[str, str]] = set()
        for part in composed.get("include", ()):
            codes = self._part(part, depth)
            if codes is None:
                return None
            found |= set(codes)
        for part in composed.get("exclude", ()):
            found -= set(self._part(part, depth) or ())
        return frozenset(found) if composed else None

    def _part(self, part: Json, depth: int) -> Collection[tuple[str, str]] | None:
        lots: list[Collection[tuple[str, str]] | None] = [
            self._drawn(each, depth + 1) for each in part.get("valueSet", ())
        ]
        if "system" in part:
            lots.append(self._of_system(part))
        if not lots or any(lot is None for lot in lots):
            return None
        return frozenset.intersection(*(frozenset(lot or ()) for lot in lots))

    def _of_system(self, part: Json) -> Collection[tuple[str, str]] | None:
        system = part["system"]
        if "filter" in part:
            return None
        if "concept" in part:
            return [(system, each["code"]) for each in part["concept"]]
        whole = self.named("CodeSystem", system)
        if whole is None or whole.get("content") != "complete":
            return None
        return [(system, code) for code in _concepts(whole.get("concept", ()))]


NOTHING = Held()
_BETWEEN = aggregate_order_by(_text(" "), _P.installed_at.desc(), _P.name)
_STAMP: Any = select(func.coalesce(func.string_agg(_P.sha256, _BETWEEN), _text("")).label("stamp"))
# The same, for a statement that asks it along with other things.
STAMP = "(SELECT coalesce(string_agg(p.sha256, ' ' ORDER BY p.installed_at DESC, p.name), '') FROM fhir_package p)"
_ALL: Any = (
    select(_D.type_name, _D.body)
    .join(_P, (_P.name == _D.package_name) & (_P.version == _D.package_version))
    .order_by(_P.installed_at.desc(), _P.name, _D.id)
)
_BODIES: Any = _ALL.where(_D.type_name.in_([_text(name) for name in FORMS]))
_KEPT: dict[str, Held] = {}
_OF_PROFILE = ("resourceType", "id", "url", "version", "type", "baseDefinition", "derivation")
_OF_ELEMENT = frozenset({"id", "path", "sliceName", "slicing", "min", "max", "type", "binding", "constraint"})


def _concepts(concepts: Sequence[Json]) -> list[str]:
    return [code for each in concepts for code in (each["code"], *_concepts(each.get("concept", ())))]


async def held(reading: Reading, *, profiles: bool = False) -> Held:
    """As installed now: one statement, two after a change; with the profiles, which are many, when asked."""
    [(stamp,)] = await reading.public(_STAMP)
    return await held_at(stamp, reading.public, profiles=profiles)


async def held_at(stamp: str, ask: Ask, *, profiles: bool = True) -> Held:
    """The same, by the stamp that another statement told: none, one after a change. Read beside the event loop."""
    if not stamp:
        return NOTHING
    kept = f"{stamp} {profiles}"
    if kept not in _KEPT:
        rows = await ask(_ALL if profiles else _BODIES)
        read = await asyncio.to_thread(_read, stamp, rows)
        while len(_KEPT) >= STAMPS_KEPT:
            del _KEPT[next(iter(_KEPT))]
        _KEPT[kept] = read
    return _KEPT[kept]


def _read(stamp: str, rows: Sequence[Any]) -> Held:
    bodies: dict[str, list[Json]] = {}
    for type_name, body in rows:
        read = orjson.loads(body)
        bodies.setdefault(type_name, []).append(_lean(read) if type_name == "StructureDefinition" else read)
    return Held(stamp, bodies)


def _lean(definition: Json) -> Json:
    """A profile without its prose, which is most of it."""
    lean = {name: definition[name] for name in _OF_PROFILE if name in definition}
    for part in ("differential", "snapshot"):
        if part in definition:
            lean[part] = {"element": [_said(each) for each in definition[part].get("element", ())]}
    return lean


def _said(element: Json) -> Json:
    return {
        name: said for name, said in element.items() if name in _OF_ELEMENT or name.startswith(("fixed", "pattern"))
    }
