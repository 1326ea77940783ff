"""A search parameter: what it reads of a value, and the condition it becomes.

The condition holds no value, only named binds: the comparators make the *shape* of a search, whose text is kept; the
values come with each request. Alternatives are one array (`= ANY`), so that their number does not change the text.

Source: https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    func,
    literal_column,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from app.fhir.search.values import BadValue, alternatives, id_in, moment_of, uuid_of
from app.kernel.crypto import Keyring

LASTING = frozenset({"id", "usager_id"})  # what no version of a row changes
DATES_MOST = 8  # alternatives of one date: each makes the shape longer
INSTANT = DateTime(timezone=True)
Bind = Callable[[int, Any], ColumnElement[Any]]  # the n-th value of this criterion, of that type
Column = InstrumentedAttribute[Any] | ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One parameter of a query, read: `shape` is what changes the text, `values` what the binds receive, in order."""

    shape: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What a value is read with: our own address, in references; the keys, for values kept as fingerprints."""

    origin: str
    keyring: Keyring


class Criterion(Protocol):
    @property
    def type(self) -> str:
        """As the CapabilityStatement says it."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the condition looks at."""

    def read(self, text: str, around: Around) -> Asked:
        """Raises BadValue."""

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]: ...

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        """The same, asked of a former version: `at` holds its columns; None when it can't tell."""


@dataclass(frozen=True, eq=False)
class Reference:
    """`patient=Patient/…`: a row of another type."""

    column: Column
    target: str
    type: str = "reference"

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.column,)

    def read(self, text: str, around: Around) -> Asked:
        found = [id_in(piece, self.target, around.origin) for piece in alternatives(text)]
        ids = [id for id in found if id is not None]
        return Asked("one", (ids[0],)) if len(ids) == 1 == len(found) else Asked("any", (ids,))

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        if shape == "one":
            return self.column == bind(0, Uuid())
        return self.column == any_(bind(0, ARRAY(Uuid())))

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        return self if getattr(self.column, "key", None) in LASTING else None


@dataclass(frozen=True, eq=False)
class Ids:
    """`_id`: this very row, or one of these."""

    column: Column
    type: str = "token"

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.column,)

    def read(self, text: str, around: Around) -> Asked:
        found: list[UUID | None] = [uuid_of(piece) for piece in alternatives(text)]
        return Asked("any", ([id for id in found if id is not None],))

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return self.column == any_(bind(0, ARRAY(Uuid())))

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        return self if getattr(self.column, "key", None) in LASTING else None


@dataclass(frozen=True, eq=False)
class Token:
    """A code of a closed list: `codes` says which words of ours each FHIR code stands for."""

    column: Column
    codes: Mapping[str, tuple[str, ...]]
    system: str | None = None
    type: str = "token"

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.column,)

    def read(self, text: str, around: Around) -> Asked:
        words: list[str] = []
        for piece in alternatives(text):
            system, bar, code = piece.rpartition("|")
            if not bar or system in ("", self.system):
                words.extend(self.codes.get(code, ()))
        return Asked("any", (words,))

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return self.column == any_(bind(0, ARRAY(Text())))

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        return None


@dataclass(frozen=True, eq=False)
class Coded:
    """A code kept as `system|code`, or as a code alone."""

    column: Column
    type: str = "token"

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.column,)

    def read(self, text: str, around: Around) -> Asked:
        whole = [piece for piece in alternatives(text)]
        return Asked("any", (whole, [piece for piece in whole if "|" not in piece]))

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        code = func.reverse(func.split_part(func.reverse(self.column), literal_column("'|'"), literal_column("1")))
        return or_(self.column == any_(bind(0, ARRAY(Text()))), code == any_(bind(1, ARRAY(Text()))))

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        return None


@dataclass(frozen=True, eq=False)
class Identifier:
    """`system|value`, `|value`, `system|`, `value` over columns of the row that hold the value of one system."""

    by_system: Mapping[str, Column]
    type: str = "token"

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(self.by_system.values())

    def read(self, text: str, around: Around) -> Asked:
        pairs: list[tuple[str | None, str]] = []
        for piece in alternatives(text):
            system, bar, value = piece.rpartition("|")
            pairs.append((system if bar else None, value))
        per_system: list[object] = []
        for known in self.by_system:
            per_system.append([value for system, value in pairs if system in (None, known) and value])
            per_system.append(any(system == known and not value for system, value in pairs))
        return Asked("any", tuple(per_system))

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        ways: list[ColumnElement[bool]] = []
        for n, column in enumerate(self.by_system.values()):
            ways.append(column == any_(bind(2 * n, ARRAY(Text()))))
            ways.append(and_(bind(2 * n + 1, Boolean()), column.is_not(None)))
        return or_(*ways)

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        return None


@dataclass(frozen=True, eq=False)
class When:
    """A moment, a day in Paris, or a period `[start, end)` of the row, whose empty end is open.

    Source: https://hl7.org/fhir/R4/search.html#prefix
    """

    start: Column
    end: Column | None = None
    type: str = "date"

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.start,) if self.end is None else (self.start, self.end)

    def read(self, text: str, around: Around) -> Asked:
        moments = [moment_of(piece) for piece in alternatives(text)]
        if len(moments) > DATES_MOST:
            raise BadValue(f"{DATES_MOST} dates au plus")
        return Asked(",".join(m.prefix for m in moments), tuple(edge for m in moments for edge in (m.low, m.high)))

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        compare = self._moment if self.end is None and not isinstance(self.start.type, Date) else self._span
        return or_(
            *(
                compare(prefix, bind(2 * n, INSTANT), bind(2 * n + 1, INSTANT))
                for n, prefix in enumerate(shape.split(","))
            )
        )

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        name = str(getattr(self.start, "key", ""))
        return When(at[name]) if self.end is None and name in at else None

    def _moment(self, prefix: str, low: ColumnElement[Any], high: ColumnElement[Any]) -> ColumnElement[bool]:
        match prefix:
            case "eq":
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
        if self.end is None:
            return _instant(self.start), _instant(self.start, days=1)
        begins = func.coalesce(_instant(self.start), literal_column("timestamptz '-infinity'", INSTANT))
        return begins, func.coalesce(_instant(self.end), literal_column("timestamptz 'infinity'", INSTANT))


def _instant(column: Column, days: int = 0) -> ColumnElement[Any]:
    """A day begins at midnight in Paris."""
    if not isinstance(column.type, Date):
        return column  # type: ignore[return-value]
    day = column + literal_column(str(days)) if days else column
    return func.timezone(literal_column("'Europe/Paris'"), cast(day, DateTime()))
