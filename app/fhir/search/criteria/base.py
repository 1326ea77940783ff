"""What every search parameter is: how a value is read, the condition it becomes, and the two modifiers all of them serve.

The condition holds no value, only named binds: modifiers and comparators make the *shape* of a search, whose text is
kept; the values come with each request. Source: https://hl7.org/fhir/R4/search.html#modifiers
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, and_, true
from sqlalchemy.orm import InstrumentedAttribute

from app.access.entry import ME, DossierEntry
from app.fhir.search.values import BadValue
from app.kernel.crypto import Keyring

LASTING = frozenset({"id", "usager_id"})  # asked of the row as it stands, whatever the version
MISSING, NOT = "missing", "not"
HIDDEN, MISSES, HAS, OTHERS = "hidden;", "missing", "told", "not;"  # in a shape
Bind = Callable[[int, Any], ColumnElement[Any]]  # the n-th value of this criterion, of that type
Column = InstrumentedAttribute[Any] | ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One parameter of a query, read: `shape` is what changes the text, `values` what the binds receive, in order."""

    shape: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What a value is read with: our own address, in references; the keys, for values kept as fingerprints; whether who
    asks is of outside (a partner, a representative), to whom a map masks something; whether a partner, who knows some
    persons by ids of its own.
    """

    origin: str
    keyring: Keyring
    type_name: str = ""
    outside: bool = True
    lenient: bool = False
    partner: bool = False


@dataclass(frozen=True, eq=False)
class Mask:
    """`when` a value is told to nobody of outside, but for who sent it and finds it as it stood."""

    row: type[DossierEntry]
    when: Column

    def seen(self) -> ColumnElement[bool]:
        as_sent = and_(self.row.origin_partner_id == ME, self.row.version == self.row.origin_version)
        return self.when.is_not(true()) | as_sent


@dataclass(frozen=True, eq=False)
class Criterion(ABC):
    """`mask` is what its map says of the element: for whom it is masked, the row behaves as if it had none.

    `knows`: the rows whose columns tell it. What others received of it stands beside them, sealed: nothing finds them.
    """

    type: ClassVar[str]  # as the CapabilityStatement says it
    mask: Mask | None = field(default=None, kw_only=True)
    knows: ColumnElement[bool] | None = field(default=None, kw_only=True)

    @property
    def served(self) -> frozenset[str]:
        """The modifiers of its own."""
        return frozenset()

    @property
    def sorts(self) -> Column | None:
        """What it puts in order, when that is one value of a row."""
        return None

    @property
    def modifiers(self) -> frozenset[str]:
        return self.served | ({MISSING, NOT} if self.type == "token" else {MISSING})

    def tells(self, *, outside: bool) -> ColumnElement[bool] | None:
        """The rows whose columns tell it to such a caller; None: all of them."""
        seen = self.mask.seen() if self.mask and outside else None
        conditions = [each for each in (self.knows, seen) if each is not None]
        return and_(*conditions) if conditions else None

    def read(self, text: str, around: Around, modifier: str = "") -> Asked:
        """Raises BadValue, also of a modifier that is not served."""
        if modifier and modifier not in self.modifiers:
            raise BadValue("ce modificateur n'est pas servi ici")
        hidden = HIDDEN if self.mask and around.outside else ""
        if modifier == MISSING:
            return Asked(hidden + (MISSES if _truth(text) else HAS), ())
        asked = self.value(text, around, "" if modifier == NOT else modifier)
        return Asked(hidden + (OTHERS if modifier == NOT else "") + asked.shape, asked.values)

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        """Absent, masked and unknown are alike: what they are not is found by `:missing=true` and by `:not`."""
        inner = shape.removeprefix(HIDDEN)
        wanted = inner.removeprefix(OTHERS)
        meant = self.told() if wanted in (MISSES, HAS) else self.found(wanted, bind)
        if self.mask and inner != shape:
            meant = and_(self.mask.seen(), meant)
        asked = meant.is_not(true()) if inner == MISSES or inner != wanted else meant
        return asked if self.knows is None else and_(self.knows, asked)

    def then(self, at: Mapping[str, Column]) -> "Criterion | None":
        """The same, asked of a former version: `at` holds its columns; None when it can't tell."""
        return None

    def persons(self, shape: str) -> Collection[int]:
        """Which of the values of this shape are ids, one or several, of those whom rows are about."""
        return ()

    @abstractmethod
    def value(self, text: str, around: Around, modifier: str) -> Asked:
        """Raises BadValue."""

    @abstractmethod
    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        """The rows that a value of this shape finds."""

    @abstractmethod
    def told(self) -> ColumnElement[bool]:
        """The rows that have such an element."""


def has(column: Column) -> ColumnElement[bool]:
    return column.is_not(None)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadValue("true ou false est attendu")
    return text == "true"
