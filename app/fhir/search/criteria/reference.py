"""By what a row leads to, or by what it is. Source: https://hl7.org/fhir/R4/search.html#reference"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Text,
    Uuid,
    and_,
    any_,
    case,
    column,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import coercions, roles, visitors

from app.access.beside import named_to_me
from app.access.entry import Who, word
from app.fhir.search.criteria.base import LASTING, Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.criteria.identifier import leads_to_named, names_in
from app.fhir.search.values import alternatives, id_in, uuid_of

IDENTIFIER = "identifier"
NAMED = "named"
AS_TOLD = ";as_told"  # in a shape: of rows about someone, those told so to this partner
KINDS: dict[str, Any] = {"one": Uuid(), "any": ARRAY(Uuid()), NAMED: ARRAY(LargeBinary())}
TYPES: dict[str, str] = {
    "Practitioner": Who.PROFESSIONAL,
    "PractitionerRole": Who.ROLE,
    "RelatedPerson": Who.CONTACT,
    "Patient": Who.USAGER,
}


@dataclass(frozen=True, eq=False)
class Reference(Criterion):
    """`patient=Patient/…`: a row of another type; `:Patient` says of which one, `:identifier` how a partner names it.

    `told_by`: what it leads to by a view of its row, an id or several; else the view's field of the column's name.
    """

    type: ClassVar = "reference"
    column: Column
    target: str
    shown: Column | None = None  # a name alone is told too
    told_by: Callable[[Any], Any] | None = field(default=None, kw_only=True)

    @property
    def ways(self) -> "tuple[Reference, ...]":
        """What it leads to, type by type: chained, and followed."""
        return (self,)

    @property
    def each(self) -> ColumnElement[Any]:
        """The rows it leads to, one a line."""
        return self.column  # type: ignore[return-value]

    def among(self, rows: ColumnElement[Any]) -> ColumnElement[bool]:
        """It leads to one of an array of rows."""
        return self.column == any_(rows)

    @property
    def row(self) -> Any:
        """The table of the row."""
        return self.column.class_

    @property
    def whose(self) -> bool:
        """It leads to whom the row is about, whose id here may be another than the one its sender knows."""
        return getattr(self.column, "key", None) == "usager_id"

    @property
    def as_told(self) -> ColumnElement[Any]:
        """The rows it leads to, each by the id that this caller is told."""
        return named_to_me(self.row) if self.whose else self.each

    def held(self, view: Any) -> frozenset[Any]:
        told = self.told_by(view) if self.told_by else getattr(view, str(self.column.key), None)
        return frozenset(told) if isinstance(told, list) else frozenset({told})

    @property
    def served(self) -> frozenset[str]:
        return frozenset({IDENTIFIER, self.target})

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        asked = self._asked(text, around, modifier)
        if not (around.partner and self.whose):
            return asked
        return Asked(asked.shape + AS_TOLD, asked.values * 2)

    def _asked(self, text: str, around: Around, modifier: str) -> Asked:
        if modifier == IDENTIFIER:
            return Asked(NAMED, (names_in(text, around, self.target),))
        found = [id_in(piece, self.target, around.origin) for piece in alternatives(text)]
        ids = [id for id in found if id is not None]
        return Asked("one", (ids[0],)) if len(ids) == 1 == len(found) else Asked("any", (ids,))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        how = shape.removesuffix(AS_TOLD)
        found = self._leads(self.column, how, bind(0, KINDS[how]), person=self.target == "Patient")
        if how == shape:
            return found
        told = named_to_me(self.row)
        return and_(found, self._leads(told, how, bind(1, KINDS[how]), person=False))

    @staticmethod
    def _leads(to: Column, how: str, asked: ColumnElement[Any], *, person: bool) -> ColumnElement[bool]:
        if how == NAMED:
            return leads_to_named(to, asked, person=person)
        return to == (asked if how == "one" else any_(asked))

    def told(self) -> ColumnElement[bool]:
        return has(self.column) if self.shown is None else or_(has(self.column), has(self.shown))

    def persons(self, shape: str) -> Collection[int]:
        return (0,) if self.whose and shape.removesuffix(AS_TOLD) in ("one", "any") else ()

    def then(self, at: Mapping[str, Column]) -> Criterion | None:
        return self if getattr(self.column, "key", None) in LASTING else None


@dataclass(frozen=True, eq=False)
class OneOf(Reference):
    """Where a column leads to rows of several types: those of one."""

    when: ColumnElement[bool] = field(kw_only=True)
    table: Any = field(kw_only=True)

    @property
    def row(self) -> Any:
        return self.table

    @property
    def whose(self) -> bool:
        """A Patient that a row of a dossier leads to is whom it is about."""
        return self.target == "Patient" and hasattr(self.table, "usager_id")

    @property
    def as_told(self) -> ColumnElement[Any]:
        return case((self.when, super().as_told))

    @property
    def each(self) -> ColumnElement[Any]:
        return case((self.when, self.column))

    def among(self, rows: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(self.when, super().among(rows))

    def told(self) -> ColumnElement[bool]:
        return and_(self.when, has(self.column))


@dataclass(frozen=True, eq=False)
class Someone(Criterion):
    """`author=Practitioner/…`, `RelatedPerson/…`: an id, and beside it whose; `types` says the word of each type."""

    type: ClassVar = "reference"
    id: Column
    kind: Column
    types: Mapping[str, str]
    shown: Column | None = None
    told_by: Callable[[Any], Any] | None = field(default=None, kw_only=True)

    @property
    def served(self) -> frozenset[str]:
        return frozenset({IDENTIFIER, *self.types})

    @cached_property
    def ways(self) -> tuple[Reference, ...]:
        return tuple(
            OneOf(
                self.id,
                one,
                when=self.kind == word(kind),
                table=self._row,
                told_by=self.told_by,
                mask=self.mask,
                knows=self.knows,
            )
            for one, kind in self.types.items()
        )

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        if modifier == IDENTIFIER:
            return Asked(NAMED, (names_in(text, around, *self.types),))
        types = (modifier,) if modifier else tuple(self.types)
        told = [(self.types[one], id_in(piece, one, around.origin)) for piece in alternatives(text) for one in types]
        found = [(kind, id) for kind, id in told if id]
        as_told = around.partner and any(kind == Who.USAGER for kind, _ in found)
        return Asked("any" + AS_TOLD * as_told, ([str(kind) for kind, _ in found], [id for _, id in found]))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        if shape == NAMED:
            return leads_to_named(self.id, bind(0, ARRAY(LargeBinary())), person=False)
        pairs = func.unnest(bind(0, ARRAY(Text())), bind(1, ARRAY(Uuid())))
        those = pairs.table_valued(column("kind", Text()), column("id", Uuid())).render_derived(name="those")
        asked = select(those.c.kind, those.c.id)
        found = tuple_(self.kind, self.id).in_(asked)
        if not shape.endswith(AS_TOLD):
            return found
        row = self._row
        themselves = and_(self.kind == word(Who.USAGER), self.id == row.usager_id)
        as_told = tuple_(self.kind, named_to_me(row)).in_(asked)
        return or_(and_(found, not_(themselves)), and_(themselves, as_told))

    @cached_property
    def _row(self) -> Any:
        """The table of the row."""
        said = visitors.iterate(coercions.expect(roles.ExpressionElementRole, self.id))
        parts = (part._annotations.get("parententity") for part in said)  # noqa: SLF001  as SQLAlchemy says whose it is
        return next(entity.class_ for entity in parts if entity is not None)

    def told(self) -> ColumnElement[bool]:
        return has(self.id) if self.shown is None else or_(has(self.id), has(self.shown))


def someone(id: Column, kind: Column, shown: Column | None, *types: str) -> Someone:
    """As `tddui.someone` tells it: a professional, when nothing says otherwise."""
    word_of = func.coalesce(kind, word(Who.PROFESSIONAL))
    return Someone(id, word_of, {one: TYPES[one] for one in types or TYPES}, shown)


@dataclass(frozen=True, eq=False)
class References(Reference):
    """The same, where an array leads to several rows."""

    @property
    def each(self) -> ColumnElement[Any]:
        return func.unnest(self.column, type_=Uuid())

    def among(self, rows: ColumnElement[Any]) -> ColumnElement[bool]:
        return self.column.op("&&")(rows)

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        if shape == NAMED:
            each = func.unnest(self.column).table_valued(column("id", Uuid())).render_derived(name="each")
            named = leads_to_named(each.c.id, bind(0, ARRAY(LargeBinary())), person=False)
            return select(literal_column("1")).select_from(each).where(named).exists()
        return self.column.op("&&")(bind(0, ARRAY(Uuid())))

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        asked = super().value(text, around, modifier)
        return Asked("any", ([*asked.values],)) if asked.shape == "one" else asked

    def told(self) -> ColumnElement[bool]:
        return func.cardinality(self.column) > literal_column("0")


@dataclass(frozen=True, eq=False)
class Ids(Criterion):
    """`_id`: this very row, or one of these."""

    type: ClassVar = "token"
    column: Column

    @property
    def sorts(self) -> Column:
        return self.column

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        found: list[UUID | None] = [uuid_of(piece) for piece in alternatives(text)]
        return Asked("any", ([id for id in found if id is not None],))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return self.column == any_(bind(0, ARRAY(Uuid())))

    def told(self) -> ColumnElement[bool]:
        return has(self.column)

    def then(self, at: Mapping[str, Column]) -> Criterion | None:
        return self if getattr(self.column, "key", None) in LASTING else None
