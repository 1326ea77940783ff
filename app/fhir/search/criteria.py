"""A search parameter: what it reads of a value, and the condition it becomes.

The condition holds no value, only named binds: the comparators make the *shape* of a search, whose text is kept; the
values come with each request. Alternatives are one array (`= ANY`), so that their number does not change the text.

Source: https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    column,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from app.fhir.identifiers import SYSTEMS, fingerprint, normal
from app.fhir.search.values import BadValue, alternatives, id_in, moment_of, uuid_of
from app.kernel.crypto import Keyring

ANY_SENDER = "any_sender"  # 1 for the team, who may search by the names that any partner gave
EXTERNAL_ID = table(
    "external_id",
    column("organisation_id", Uuid()),
    column("partner_id", Uuid()),
    column("fingerprint", LargeBinary()),
    column("row_id", Uuid()),
)
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
    type_name: str = ""


class Criterion(Protocol):
    @property
    def type(self) -> str:
        """As the CapabilityStatement says it."""

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
    """`system|value`, `|value`, `system|`, `value`: over columns of the row, each holding the value of one system; and
    over the names that partners gave to the row `named`, kept as fingerprints. A partner knows its own names only.
    """

    by_system: Mapping[str, Column] = field(default_factory=dict)
    named: Column | None = None
    type: str = "token"

    def read(self, text: str, around: Around) -> Asked:
        pairs = [_pair(piece) for piece in alternatives(text)]
        if any(system not in self.by_system for system, value in pairs if not value):
            raise BadValue("dites le système et la valeur, comme urn:oid:1.2.250.1.71.4.2.2|1750000001")
        values: list[object] = []
        for known in self.by_system:
            values.append([value for system, value in pairs if system in (None, known) and value])
            values.append(int(any(system == known and not value for system, value in pairs)))
        if self.named is not None:
            values.append([name for pair in pairs for name in _names(around, *pair)])
        return Asked("any", tuple(values))

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        ways: list[ColumnElement[bool]] = []
        for n, own in enumerate(self.by_system.values()):
            ways.append(own == any_(bind(2 * n, ARRAY(Text()))))
            ways.append(and_(bind(2 * n + 1, Integer()) == literal_column("1"), own.is_not(None)))
        if self.named is not None:
            x = EXTERNAL_ID
            mine = or_(
                bindparam(ANY_SENDER, type_=Integer()) == literal_column("1"),
                x.c.partner_id == bindparam("me", type_=Uuid()),
            )
            names = select(x.c.row_id).where(x.c.organisation_id == bindparam("organisation", type_=Uuid()), mine)
            names = names.where(x.c.fingerprint == any_(bind(2 * len(self.by_system), ARRAY(LargeBinary()))))
            ways.append(self.named.in_(names))
        return or_(false(), *ways)

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        """The name that its sender gave to a row is that of all its versions."""
        return None if self.named is None else Identifier(named=self.named)


def _pair(piece: str) -> tuple[str | None, str]:
    """The system asked for (None: any; empty: none), and the value."""
    system, bar, value = piece.rpartition("|")
    return (normal(system) if bar else None, value.strip())


def _names(around: Around, system: str | None, value: str) -> list[bytes]:
    systems = SYSTEMS if system is None else (system,)
    return [fingerprint(around.keyring, around.type_name, one, value) for one in systems if one and value]


@dataclass(frozen=True, eq=False)
class When:
    """A moment, a day in Paris, or a period `[start, end)` of the row, whose empty end is open.

    Source: https://hl7.org/fhir/R4/search.html#prefix
    """

    start: Column
    end: Column | None = None
    type: str = "date"

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
