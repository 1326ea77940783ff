"""A criterion asked of another row: one that this row leads to (`patient.birthdate`, `part-of:Task.status`), or one that
leads to it (`_has:Task:patient:status`).

That row is one the caller may read as it stands: out of reach, deleted or absent are one and the same. Where several maps
make a type, all of them are looked in. Source: https://hl7.org/fhir/R4/search.html#chaining, https://hl7.org/fhir/R4/search.html#has
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    false,
    func,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import array

from app.access.entry import ME, Readable, Row, View, word
from app.fhir.search.criteria import MISSING, NOT, Around, Asked, Bind, Column, Criterion, Mask, Reference, has
from app.fhir.search.values import BadValue

HOPS_MOST = 3
HAS = "_has"
NAMED = table(
    "external_id",
    column("organisation_id", Uuid()),
    column("partner_id", Uuid()),
    column("kind", Text()),
    column("row_id", Uuid()),
    column("usager_id", Uuid()),
)


class Opaque(dict[str, Criterion]):
    """The criteria of rows kept whole: of an element that these do not name, nothing can be told."""


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
    def own(self, type_name: str) -> Iterable[Any]: ...


class Unknown(BadValue):
    """Says what is nearest, of our own names; of several reasons, the one found furthest along the chain is told."""

    def __init__(self, sentence: str, near: str = "", hops: int = 0, likely: float = 1.0) -> None:
        super().__init__(sentence)
        self.near, self.rank = near, (-hops, likely)


@dataclass(frozen=True, eq=False)
class End:
    """Rows of one table at the other end: `there` is what the row searched is known by in them; `mask`, whom that is
    masked for."""

    type_name: str
    row: type[Row]
    there: Column
    mine: ColumnElement[bool]
    criterion: Criterion
    modifier: str
    mask: Mask | None = None


@dataclass(frozen=True, eq=False)
class Beyond(Criterion):
    """`here`, a column of the row searched, is told by a row of one of the ends. What a former version led to is not
    known beside it."""

    type: ClassVar = "special"
    here: Column
    ends: tuple[End, ...]

    @property
    def modifiers(self) -> frozenset[str]:
        """Its name holds those of its ends."""
        return frozenset()

    @property
    def types(self) -> frozenset[str]:
        """Every type that answers it."""
        beyond = (end.criterion.types for end in self.ends if isinstance(end.criterion, Beyond))
        return frozenset(end.type_name for end in self.ends).union(*beyond)

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        """The shape says which ends can answer: whether masked, where the values of each begin, its own shape."""
        told, values, no = [], list[object](), BadValue("")
        for n, end in enumerate(self.ends):
            try:
                asked = end.criterion.read(text, replace(around, type_name=end.type_name), end.modifier)
            except BadValue as bad:
                no = bad
                continue
            told.append((n, bool(end.mask and around.outside), len(values), asked.shape))
            values += asked.values
        if not told:
            raise no
        return Asked(json.dumps(told), tuple(values))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return or_(false(), *(self._led(self.ends[n], bind, *told) for n, *told in json.loads(shape)))

    def _led(self, end: End, bind: Bind, masked: bool, first: int, shape: str) -> ColumnElement[bool]:
        row: Any = end.row
        met = end.criterion.where(shape, lambda at, kind: bind(first + at, kind))
        seen = end.mask.seen() if end.mask and masked else true()
        found = select(end.there).where(end.mine, seen, met, row.deleted_at.is_(None), Readable(row))
        if end.type_name == "Patient" and end.there is row.id:
            found = _attached_since(found)
        # found once, and by their index then: a plan kept for all values can't tell how few they are
        return self.here == any_(func.array(found.distinct().correlate(None).scalar_subquery(), type_=ARRAY(Uuid())))

    def told(self) -> ColumnElement[bool]:
        return has(self.here)


def _attached_since(found: Select[Any]) -> Select[Any]:
    """With whom this partner's persons were attached to here: their rows are about these since."""
    those, x = found.correlate(None).subquery("those"), NAMED.alias("named_person")
    mine = and_(x.c.organisation_id == bindparam("organisation", type_=Uuid()), x.c.partner_id == ME)
    mine = and_(mine, x.c.kind == word("usager"), x.c.row_id == those.c.id)
    both = func.unnest(array([those.c.id, x.c.usager_id]), type_=Uuid())
    return select(both).select_from(those.outerjoin(x, mine))


class _Lacking(Criterion):
    """Of rows that have no such element: they are found by what says so, and by nothing else."""

    type: ClassVar = "special"

    def read(self, text: str, around: Around, modifier: str = "") -> Asked:
        if modifier == NOT or (modifier == MISSING and text == "true"):
            return Asked("", ())
        raise BadValue("rien n'y répond ici")

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        return self.read(text, around, modifier)

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return true()

    def told(self) -> ColumnElement[bool]:
        return false()


LACKING = _Lacking()


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
        return isinstance(name, str) and self.get(name) is not None

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
        raise Unknown(f"ce modificateur n'est pas servi ici ; {base} prend {', '.join(sorted(served))}", base, hops, 2)
    return of.criteria[base], modifier


def _led_to(maps: Maps, of: Map, name: str, hops: int) -> Beyond:
    head, _, rest = name.partition(".")
    base, _, kind = head.partition(":")
    led = references(of.criteria)
    if base not in led:
        raise _unknown(led, base, hops)
    by = led[base]
    if kind not in ("", by.target):
        raise Unknown(f"{base} mène à {by.target} : écrivez {base}:{by.target}", base, hops, 2)
    row: Any
    ends = []
    for each, criterion, modifier in _answering(maps, maps.own(by.target), rest, hops):
        row = each.view.TABLE
        ends.append(End(each.type_name, row, row.id, each.mine, criterion, modifier))
    return Beyond(by.column, tuple(ends), mask=by.mask, knows=by.knows)


def _leading_here(maps: Maps, of: Map, name: str, hops: int) -> Beyond:
    _, kind, base, rest = (*name.split(":", 3), "", "", "")[:4]
    own = tuple(maps.own(kind))
    leading = {n: c for each in own for n, c in references(each.criteria).items() if c.target == of.type_name}
    if base not in leading or not rest:
        raise Unknown(f"{HAS} s'écrit {HAS}:Type:référence:paramètre, d'un type qui mène à {of.type_name}", HAS, hops)
    found = [each for each in own if getattr(each.criteria.get(base), "target", None) == of.type_name]
    ends = []
    for each, criterion, modifier in _answering(maps, found, rest, hops):
        by = references(each.criteria)[base]
        mine = each.mine if by.knows is None else and_(each.mine, by.knows)
        ends.append(End(each.type_name, each.view.TABLE, by.column, mine, criterion, modifier, by.mask))
    here: Any = of.view.TABLE
    return Beyond(here.id, tuple(ends))


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


def references(criteria: Mapping[str, Criterion]) -> dict[str, Reference]:
    """Those that lead to rows of another type."""
    return {name: criterion for name, criterion in criteria.items() if isinstance(criterion, Reference)}


def likeliest(noes: Iterable[Unknown]) -> Unknown:
    return max(noes, key=lambda no: no.rank, default=Unknown("aucune chaîne n'est servie ici"))


def _unknown(known: Mapping[str, Criterion], name: str, hops: int) -> Unknown:
    near = next(iter(get_close_matches(name[:64], sorted(known), 1, 0.0)), "")
    said = f"le plus proche : {near}" if near else "rien n'y mène ailleurs"
    likely = SequenceMatcher(None, name[:64], near).ratio()
    return Unknown(f"ce paramètre n'existe pas dans cette chaîne ; {said}", near, hops, likely)
