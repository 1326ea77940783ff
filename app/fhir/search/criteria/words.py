"""By words. Source: https://hl7.org/fhir/R4/search.html#string"""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, Text, any_, literal_column, or_, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion
from app.fhir.search.criteria.folding import folded, spoken
from app.fhir.search.values import BadValue, alternatives

EXACT, CONTAINS = "exact", "contains"


@dataclass(frozen=True, eq=False)
class Words(Criterion):
    """Any of these columns begins so, accents and case apart; with `words`, any word of them does: a column of ours holds
    all given names, or all lines of an address, where FHIR has one element each.
    """

    type: ClassVar = "string"
    columns: tuple[Column, ...]
    words: bool = False

    @property
    def served(self) -> frozenset[str]:
        return frozenset({EXACT, CONTAINS})

    @property
    def sorts(self) -> Column:
        """Of several columns, the first."""
        return type_coerce(folded(self.columns[0]), Text())

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        pieces = alternatives(text)
        if modifier == EXACT:
            return Asked(EXACT, (pieces,))
        told = [spoken(piece) for piece in pieces]
        if not all(told):
            raise BadValue("une lettre ou un chiffre au moins est attendu")
        before = "%" if modifier == CONTAINS else "% " if self.words else " "
        return Asked("like", ([f"{before}{one}%" for one in told],))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        wanted = any_(bind(0, ARRAY(Text())))
        if shape == EXACT:
            return or_(*(own == wanted for own in self.columns))
        return or_(*(folded(own).like(wanted) for own in self.columns))

    def told(self) -> ColumnElement[bool]:
        return or_(*(own != literal_column("''") for own in self.columns))
