"""In what order rows are told, and what follows the last one given: a keyset, never an offset.

What a row lacks comes last, whichever way the key turns. The id settles ties, and turns as the last key does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, asc, bindparam, desc, or_, tuple_


@dataclass(frozen=True, slots=True)
class Order:
    """Of each place in the order: its name, the id last, and whether it rises (nothing said: the latest first).

    `after`: beyond the last row given; of each place, whether that row had it.
    """

    names: tuple[str, ...]
    rising: tuple[bool, ...] = ()
    after: tuple[bool, ...] = ()

    def within(self, told: Select[Any], places: Sequence[Any]) -> Select[Any]:
        """The rows of one branch in order, with their places."""
        told = told.add_columns(*(place.label(f"o_{name}") for name, place in zip(self.names, places, strict=True)))
        if self.after:
            told = told.where(self._further(places))
        return told.order_by(*(_turn(p, up, _may_miss(p)) for p, up in zip(places, self._rising, strict=True)))

    def of(self, found: Any) -> list[ColumnElement[Any]]:
        return [found.c[f"o_{name}"] for name in self.names]

    def turned(self, found: Any) -> list[ColumnElement[Any]]:
        return [_turn(p, up, bool(self.rising)) for p, up in zip(self.of(found), self._rising, strict=True)]

    @property
    def _rising(self) -> tuple[bool, ...]:
        return self.rising or (False,) * len(self.names)

    def _further(self, places: Sequence[Any]) -> ColumnElement[bool]:
        last = [bindparam(f"after_{name}", type_=p.type) for name, p in zip(self.names, places, strict=True)]
        if len({*self._rising}) == 1 and not any(map(_may_miss, places)) and all(self.after):
            here, there = tuple_(*places), tuple_(*last)
            return here > there if self._rising[0] else here < there
        return _beyond(list(zip(places, last, self._rising, self.after, strict=True)))


def _beyond(keys: Sequence[tuple[Any, Any, bool, bool]]) -> ColumnElement[bool]:
    """The first condition of each key bounds an index range."""
    (place, last, rising, had), *rest = keys
    if not had:
        return and_(place.is_(None), _beyond(rest))
    past = place > last if rising else place < last
    if rest:
        past = and_(place >= last if rising else place <= last, or_(past, _beyond(rest)))
    return or_(past, place.is_(None)) if _may_miss(place) else past


def _may_miss(place: Any) -> bool:
    return bool(getattr(place, "nullable", True))


def _turn(place: Any, rising: bool, may_miss: bool) -> ColumnElement[Any]:
    turned: ColumnElement[Any] = asc(place) if rising else desc(place)  # Postgres puts what is missing last, then first
    return turned.nulls_last() if may_miss and not rising else turned
