"""By what a row leads to, or by what it is. Source: https://hl7.org/fhir/R4/search.html#reference"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.search.criteria.base import LASTING, Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.values import alternatives, id_in, uuid_of


@dataclass(frozen=True, eq=False)
class Reference(Criterion):
    """`patient=Patient/…`: a row of another type."""

    type: ClassVar = "reference"
    column: Column
    target: str

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        found = [id_in(piece, self.target, around.origin) for piece in alternatives(text)]
        ids = [id for id in found if id is not None]
        return Asked("one", (ids[0],)) if len(ids) == 1 == len(found) else Asked("any", (ids,))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        if shape == "one":
            return self.column == bind(0, Uuid())
        return self.column == any_(bind(0, ARRAY(Uuid())))

    def told(self) -> ColumnElement[bool]:
        return has(self.column)

    def then(self, at: Mapping[str, Column]) -> Criterion | None:
        return self if getattr(self.column, "key", None) in LASTING else None


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
