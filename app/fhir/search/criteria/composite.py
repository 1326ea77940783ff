"""By two elements of one thing at once, or by one that stands in several places. Source: https://hl7.org/fhir/R4/search.html#combining"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from sqlalchemy import ColumnElement, and_, false, or_

from app.fhir.search.criteria.base import Around, Asked, Bind, Criterion
from app.fhir.search.criteria.reference import Reference
from app.fhir.search.values import BadValue, several, split

PAIRS_MOST = 8  # each makes the shape longer


@dataclass(frozen=True, eq=False)
class Composite(Criterion):
    """`first$second`; a comma is "or" between such pairs."""

    type: ClassVar = "composite"
    first: Criterion
    second: Criterion

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        pairs = [split(piece, "$") for piece in several(text)]
        if len(pairs) > PAIRS_MOST or any(len(pair) != len((self.first, self.second)) for pair in pairs):
            raise BadValue(f"deux valeurs jointes par $ sont attendues, {PAIRS_MOST} fois au plus")
        read = [(self.first.read(one, around), self.second.read(other, around)) for one, other in pairs]
        shapes = [f"{len(one.values)}+{len(other.values)}+{one.shape}+{other.shape}" for one, other in read]
        return Asked("/".join(shapes), tuple(v for pair in read for asked in pair for v in asked.values))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        ways, at = [], 0
        for pair in shape.split("/"):
            first, second, *shapes = pair.split("+")
            one = self.first.where(shapes[0], _from(bind, at))
            other = self.second.where(shapes[1], _from(bind, at + int(first)))
            ways.append(and_(one, other))
            at += int(first) + int(second)
        return or_(*ways)

    def told(self) -> ColumnElement[bool]:
        return and_(self.first.told(), self.second.told())


@dataclass(frozen=True, eq=False)
class Either(Criterion):
    """One element of which several columns may hold what it leads to."""

    type: ClassVar = "reference"
    parts: tuple[Reference, ...]

    @property
    def served(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.served for part in self.parts))

    @cached_property
    def ways(self) -> tuple[Reference, ...]:
        return tuple(replace(part, mask=self.mask, knows=self.knows) for part in self.parts)

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        read = [way.value(text, around, modifier) if modifier in ("", *way.served) else None for way in self.parts]
        shapes = [f"{len(one.values)}+{one.shape}" if one else "" for one in read]
        return Asked("/".join(shapes), tuple(v for one in read if one for v in one.values))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        found: list[ColumnElement[bool]] = [false()]
        at = 0
        for way, asked in zip(self.parts, shape.split("/"), strict=True):
            if asked:
                count, _, inner = asked.partition("+")
                found.append(way.found(inner, _from(bind, at)))
                at += int(count)
        return or_(*found)

    def told(self) -> ColumnElement[bool]:
        return or_(*(part.told() for part in self.parts))


def _from(bind: Bind, at: int) -> Bind:
    return lambda n, kind: bind(at + n, kind)
