"""By a code. Source: https://hl7.org/fhir/R4/search.html#token"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, Text, any_, case, func, literal_column, null, or_
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.values import alternatives

_CODE = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, eq=False)
class Token(Criterion):
    """A code of a closed list: `codes` says which words of ours each FHIR code stands for."""

    type: ClassVar = "token"
    column: Column
    codes: Mapping[str, tuple[str, ...]]
    system: str | None = None

    @property
    def sorts(self) -> Column:
        """The order is that of the codes told, not of our words for them."""
        if all(words == (code,) for code, words in self.codes.items()):
            return self.column
        pairs = [(self.column == _word(word), _word(code)) for code, words in self.codes.items() for word in words]
        return case(*pairs, else_=null())

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

    @property
    def sorts(self) -> Column:
        """The code, without its system."""
        last = func.split_part(func.reverse(self.column), literal_column("'|'"), literal_column("1"))
        return func.reverse(last, type_=Text())

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        whole = [piece for piece in alternatives(text)]
        return Asked("any", (whole, [piece for piece in whole if "|" not in piece]))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return or_(self.column == any_(bind(0, ARRAY(Text()))), self.sorts == any_(bind(1, ARRAY(Text()))))

    def told(self) -> ColumnElement[bool]:
        return has(self.column)


def _word(text: str) -> ColumnElement[str]:
    """A code of a closed list, written in the text of the statement."""
    if not _CODE.fullmatch(text):
        raise ValueError("Only a code of ours is written in the text of a statement.")
    return literal_column(f"'{text}'", Text())
