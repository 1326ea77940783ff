"""By a code. Source: https://hl7.org/fhir/R4/search.html#token"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, Text, any_, func, literal_column, or_
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.values import alternatives


@dataclass(frozen=True, eq=False)
class Token(Criterion):
    """A code of a closed list: `codes` says which words of ours each FHIR code stands for."""

    type: ClassVar = "token"
    column: Column
    codes: Mapping[str, tuple[str, ...]]
    system: str | None = None

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        words: list[str] = []
        for piece in alternatives(text):
            system, bar, code = piece.rpartition("|")
            if not bar or system in ("", self.system):
                words.extend(self.codes.get(code, ()))
        return Asked("any", (words,))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return self.column == any_(bind(0, ARRAY(Text())))

    def told(self) -> ColumnElement[bool]:
        return has(self.column)


@dataclass(frozen=True, eq=False)
class Coded(Criterion):
    """A code kept as `system|code`, or as a code alone."""

    type: ClassVar = "token"
    column: Column

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        whole = [piece for piece in alternatives(text)]
        return Asked("any", (whole, [piece for piece in whole if "|" not in piece]))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        code = func.reverse(func.split_part(func.reverse(self.column), literal_column("'|'"), literal_column("1")))
        return or_(self.column == any_(bind(0, ARRAY(Text()))), code == any_(bind(1, ARRAY(Text()))))

    def told(self) -> ColumnElement[bool]:
        return has(self.column)
