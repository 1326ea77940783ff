"""By words. Source: https://hl7.org/fhir/R4/search.html#string"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, Text, and_, any_, literal_column, or_, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion
from app.fhir.search.criteria.folding import folded, spoken
from app.fhir.search.values import BadValue, alternatives

EXACT, CONTAINS = "exact", "contains"
BEGINS = ";begins"  # in a shape


@dataclass(frozen=True, eq=False)
class Words(Criterion):
    """Any of these columns begins so, accents and case apart; with `words`, any word of them does: a column of ours holds
    all given names, or all lines of an address, where FHIR has one element each.

    `keys` begin as one of the columns does, folded in a way of their own: `between` gives the bounds, for their index.
    """

    type: ClassVar = "string"
    columns: tuple[Column, ...]
    words: bool = False
    keys: tuple[Column, ...] = ()
    between: Callable[[str], tuple[str, str]] | None = None

    @property
    def served(self) -> frozenset[str]:
        return frozenset({EXACT, CONTAINS})

    @property
    def sorts(self) -> Column:
        """Of several columns, the first."""
        return type_coerce(folded(self.columns[0]), Text())

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        pieces = alternatives(text)
        shape, bounds = "", tuple[str, ...]()
        if self.between and len(pieces) == 1 and modifier != CONTAINS:
            shape, bounds = BEGINS, self.between(pieces[0])
        if modifier == EXACT:
            return Asked(EXACT + shape, (pieces, *bounds))
        told = [spoken(piece) for piece in pieces]
        if not all(told):
            raise BadValue("une lettre ou un chiffre au moins est attendu")
        before = "%" if modifier == CONTAINS else "% " if self.words else " "
        return Asked("like" + shape, ([f"{before}{one}%" for one in told], *bounds))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        wanted = any_(bind(0, ARRAY(Text())))
        how = shape.removesuffix(BEGINS)
        found = or_(*(own == wanted if how == EXACT else folded(own).like(wanted) for own in self.columns))
        if how == shape:
            return found
        first, last = bind(1, Text()), bind(2, Text())
        return and_(or_(*(and_(key >= first, key < last) for key in self.keys)), found)

    def told(self) -> ColumnElement[bool]:
        return or_(*(own != literal_column("''") for own in self.columns))
