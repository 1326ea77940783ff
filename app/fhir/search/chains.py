"""A criterion asked of another row: one that this row leads to (`patient.birthdate`, `part-of:Task.status`), or one that
leads to it (`_has:Task:patient:status`).

Where several maps make a type, or a reference leads to several types, all of them are looked in. Source: https://hl7.org/fhir/R4/search.html#chaining, https://hl7.org/fhir/R4/search.html#has
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_

from app.access.entry import View
from app.fhir.known_types import R4_TYPES
from app.fhir.search.beyond import LACKING, Beyond, End
from app.fhir.search.criteria import MISSING, NOT, Criterion, Either, Reference, Someone
from app.fhir.search.names import instead
from app.fhir.search.values import BadValue

HOPS_MOST = 3
HAS = "_has"


class Opaque(dict[str, Criterion]):
    """The criteria of rows kept whole: of an element that these do not name, nothing can be told."""


def is_opaque(criteria: Mapping[str, Criterion]) -> bool:
    return isinstance(getattr(criteria, "own", criteria), Opaque)


class Map(Protocol):
    """What is asked of a map here: `mine` are the rows of its table that are its own."""

    @property
    def type_name(self) -> str: ...
    @property
    def view(self) -> type[View]: ...
    @property
    def criteria(self) -> Mapping[str, Criterion]: ...
    @property
    def mine(self) -> ColumnElement[bool]: ...
    def __hash__(self) -> int: ...


class Maps(Protocol):
    def __hash__(self) -> int: ...
    @property
    def types(self) -> tuple[str, ...]: ...
    def own(self, type_name: str) -> Iterable[Any]: ...


class Unknown(BadValue):
    """Says what may be said instead; of several reasons, the one found furthest along the chain is told.

    `where`: the parameter at fault, when it is another than the chain itself.
    """

    def __init__(self, sentence: str, hops: int = 0, likely: float = 1.0, where: str = "") -> None:
        super().__init__(sentence)
        self.where, self.rank = where, (-hops, likely)


class Searched(Mapping[str, Criterion]):
    """What a map is searched by: its own criteria and, by their whole name, those beyond. Known by identity."""

    def __init__(self, maps: Maps, of: Map) -> None:
        self.maps, self.of, self.own = maps, of, of.criteria

    def __getitem__(self, name: str) -> Criterion:
        return self.own[name] if name in self.own else resolved(self.maps, self.of, name)

    def get(self, name: str, default: Any = None) -> Any:
        """None too for a chain that no row of this map can answer."""
        try:
            return self[name]
        except (KeyError, Unknown):
            return default

    def __contains__(self, name: object) -> bool:
        return name in self.own or (isinstance(name, str) and self.get(name) is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.own)

    def __len__(self) -> int:
        return len(self.own)

    __hash__ = object.__hash__
    __eq__ = object.__eq__


def parted(name: str) -> tuple[str, str]:
    """A parameter and its modifier; a chain is one name, whose last criterion is modified."""
    base, _, modifier = (name, "", "") if is_beyond(name) else name.partition(":")
    return base, modifier


def types_of(criteria: Mapping[str, Criterion], name: str) -> frozenset[str]:
    """The types that a chain asks; none for a criterion of the row itself."""
    found = criteria.get(name)
    return found.types if isinstance(found, Beyond) else frozenset()


def is_beyond(name: str) -> bool:
    return "." in name or name.partition(":")[0] == HAS


@lru_cache(maxsize=1_000)
def resolved(maps: Maps, of: Map, name: str) -> Criterion:
    """Raises Unknown; KeyError for what is no chain."""
    if not is_beyond(name):
        raise KeyError(name)
    return _resolved(maps, of, name, HOPS_MOST)[0]


def _resolved(maps: Maps, of: Map, name: str, hops: int) -> tuple[Criterion, str]:
    """The criterion, and what modifies it."""
    if is_beyond(name) and not hops:
        raise Unknown(f"une chaîne tient en {HOPS_MOST} sauts", hops=-1)
    if name.partition(":")[0] == HAS:
        return _leading_here(maps, of, name, hops - 1), ""
    if "." in name:
        return _led_to(maps, of, name, hops - 1), ""
    base, _, modifier = name.partition(":")
    if base not in of.criteria:
        raise _unknown(of.criteria, base, hops)
    served = of.criteria[base].modifiers
    if modifier and modifier not in served:
        raise Unknown(f"ce modificateur n'est pas servi ici ; {base} prend {', '.join(sorted(served))}", hops, 2)
    return of.criteria[base], modifier


def _led_to(maps: Maps, of: Map, name: str, hops: int) -> Beyond:
    head, _, rest = name.partition(".")
    base, _, kind = head.partition(":")
    led = references(of.criteria)
    if base not in led:
        raise _unknown(led, base, hops)
    ways = [by for by in led[base] if kind in ("", by.target)]
    if not ways:
        told = " ou ".join(f"{base}:{by.target}" for by in led[base])
        raise Unknown(f"{base} mène ailleurs : écrivez {told}", hops, 2)
    row: Any
    ends, noes = list[End](), list[Unknown]()
    for by in ways:
        try:
            answering = _answering(maps, maps.own(by.target), rest, hops)
        except Unknown as no:
            noes.append(no)
            continue
        for each, criterion, modifier in answering:
            row = each.view.TABLE
            ends.append(End(each.type_name, row, by, row.id, each.mine, criterion, modifier))
    if not ends:
        raise likeliest(noes)
    return Beyond(tuple(ends), mask=ways[0].mask, knows=ways[0].knows)


def _leading_here(maps: Maps, of: Map, name: str, hops: int) -> Beyond:
    _, kind, base, rest = (*name.split(":", 3), "", "", "")[:4]
    own = tuple(maps.own(kind))
    leading = {
        id(each): by for each in own for by in references(each.criteria).get(base, ()) if by.target == of.type_name
    }
    if not leading or not rest:
        likely = 1.0 if of.type_name else 0.0  # of rows kept whole, of no one type
        raise Unknown(_no_has(maps, of, kind, base, rest), hops + 1, likely)
    ends = []
    row: Any = of.view.TABLE
    here = Reference(row.id, of.type_name)
    for each, criterion, modifier in _answering(maps, [each for each in own if id(each) in leading], rest, hops):
        by = leading[id(each)]
        mine = each.mine if by.knows is None else and_(each.mine, by.knows)
        ends.append(End(each.type_name, each.view.TABLE, here, by.as_told, mine, criterion, modifier, by.mask))
    return Beyond(tuple(ends))


def _no_has(maps: Maps, of: Map, kind: str, base: str, rest: str) -> str:
    """Which of its three parts is at fault, and what may be said there."""
    leading = {each: _ways(maps, each, of) for each in maps.types}
    if not (kind and base and rest):
        return f"{HAS} s'écrit {HAS}:Type:référence:paramètre, d'un type qui mène à {of.type_name}"
    if ways := leading.get(kind):
        return f"{HAS}:{kind} : la référence est à corriger ; mènent de {kind} à {of.type_name} : {', '.join(ways)}"
    named = f"{kind} ne mène" if kind in R4_TYPES else "le type dit ne mène"
    told = ", ".join(each for each, ways in leading.items() if ways) or "aucun"
    return f"{HAS} : {named} pas d'ici à {of.type_name} ; les types qui y mènent : {told}"


def _ways(maps: Maps, kind: str, to: Map) -> list[str]:
    led = [references(each.criteria) for each in maps.own(kind)]
    return sorted({name for one in led for name, ways in one.items() if any(by.target == to.type_name for by in ways)})


def _answering(maps: Maps, among: Iterable[Map], rest: str, hops: int) -> list[tuple[Map, Criterion, str]]:
    """The maps that can tell what is asked. Raises the last reason why none does."""
    told, lacking, noes = list[tuple[Map, Criterion, str]](), list[Map](), list[Unknown]()
    for each in among:
        try:
            told.append((each, *_resolved(maps, each, rest, hops)))
        except Unknown as no:
            noes.append(no)
            lacking += [] if is_beyond(rest) or isinstance(each.criteria, Opaque) else [each]
    if not told:
        raise likeliest(noes)
    modifier = parted(rest)[1]
    return told + [(each, LACKING, modifier) for each in lacking if modifier in (MISSING, NOT)]


def references(criteria: Mapping[str, Criterion]) -> dict[str, tuple[Reference, ...]]:
    """Those that lead to rows of another type, and how, type by type."""
    return {name: each.ways for name, each in criteria.items() if isinstance(each, Reference | Someone | Either)}


def likeliest(noes: Iterable[Unknown]) -> Unknown:
    return max(noes, key=lambda no: no.rank, default=Unknown("aucune chaîne n'est servie ici"))


def _unknown(known: Iterable[str], name: str, hops: int) -> Unknown:
    names = sorted(known)
    likely = max((SequenceMatcher(None, name[:64], each).ratio() for each in names), default=0.0)
    said = instead(name, names) if names else "rien n'y mène ailleurs"
    return Unknown(f"ce maillon n'existe pas dans cette chaîne ; {said}", hops, likely)
