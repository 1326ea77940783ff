"""By a date. Source: https://hl7.org/fhir/R4/search.html#date"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Date, DateTime, and_, cast, func, literal_column, not_, or_

from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.values import BadValue, alternatives, moment_of

DATES_MOST = 8  # alternatives of one date: each makes the shape longer
INSTANT = DateTime(timezone=True)


@dataclass(frozen=True, eq=False)
class When(Criterion):
    """A moment, a day in Paris, or a period `[start, end)` of the row, whose empty end is open.

    `at`: where its edges stand in the resource; `parts`, what is covered by those that were told in part, by that name.

    Source: https://hl7.org/fhir/R4/search.html#prefix
    """

    type: ClassVar = "date"
    start: Column
    end: Column | None = None
    at: tuple[str, ...] = ()
    parts: Column | None = None

    @property
    def sorts(self) -> Column:
        """Of a period, its beginning."""
        return self.start if self.parts is None else func.coalesce(self.start, self._part(0, 0), type_=self.start.type)

    def _part(self, edge: int, side: int) -> ColumnElement[Any]:
        """A day of what an edge told in part covers; none when it was told whole, or not at all."""
        path: ColumnElement[Any] = literal_column(f"'{{{self.at[edge]},{side}}}'")
        return cast(self.parts.op("#>>")(path), Date())  # type: ignore[union-attr]

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        moments = [moment_of(piece) for piece in alternatives(text)]
        if len(moments) > DATES_MOST:
            raise BadValue(f"{DATES_MOST} dates au plus")
        return Asked(",".join(m.prefix for m in moments), tuple(edge for m in moments for edge in (m.low, m.high)))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        compare = self._moment if self.end is None and not isinstance(self.start.type, Date) else self._span
        edges = ((prefix, bind(2 * n, INSTANT), bind(2 * n + 1, INSTANT)) for n, prefix in enumerate(shape.split(",")))
        return and_(self.told(), or_(*(compare(*edge) for edge in edges)))

    def told(self) -> ColumnElement[bool]:
        edges = [self.start] if self.end is None else [self.start, self.end]
        parts = [] if self.parts is None else [has(self._part(edge, 0)) for edge in range(len(edges))]
        return or_(*map(has, edges), *parts)

    def then(self, at: Mapping[str, Column]) -> Criterion | None:
        name = str(getattr(self.start, "key", ""))
        return When(at[name]) if self.end is None and name in at else None

    def _moment(self, prefix: str, low: ColumnElement[Any], high: ColumnElement[Any]) -> ColumnElement[bool]:
        match prefix:
            case "eq" | "ap":
                return and_(self.start >= low, self.start < high)
            case "ne":
                return or_(self.start < low, self.start >= high)
            case "gt" | "sa":
                return self.start >= high
            case "lt" | "eb":
                return self.start < low
            case "ge":
                return self.start >= low
            case _:
                return self.start < high

    def _span(self, prefix: str, low: ColumnElement[Any], high: ColumnElement[Any]) -> ColumnElement[bool]:
        begins, ends = self._edges()
        inside = and_(begins >= low, ends <= high)
        match prefix:
            case "eq":
                return inside
            case "ap":
                return and_(begins < high, ends > low)
            case "ne":
                return not_(inside)
            case "gt":
                return ends > high
            case "lt":
                return begins < low
            case "ge":
                return or_(ends > high, inside)
            case "le":
                return or_(begins < low, inside)
            case "sa":
                return begins >= high
            case _:
                return ends <= low

    def _edges(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        low = [] if self.parts is None else [midnight(self._part(0, 0))]
        high = [] if self.parts is None else [midnight(self._part(len(self.at) - 1, 1))]
        if self.end is None:
            begins, ends = midnight(self.start), midnight(self.start, days=1)
            return (func.coalesce(begins, *low), func.coalesce(ends, *high)) if low else (begins, ends)
        begins = func.coalesce(midnight(self.start), *low, literal_column("timestamptz '-infinity'", INSTANT))
        return begins, func.coalesce(midnight(self.end), *high, literal_column("timestamptz 'infinity'", INSTANT))


def midnight(column: Column, days: int = 0) -> ColumnElement[Any]:
    """A day begins at midnight in Paris."""
    if not isinstance(column.type, Date):
        return column  # type: ignore[return-value]
    day = column + literal_column(str(days)) if days else column
    return func.timezone(literal_column("'Europe/Paris'"), cast(day, DateTime()), type_=INSTANT)
