"""By an address. Source: https://hl7.org/fhir/R4/search.html#uri"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, Text, any_, false, func, literal_column, or_, true
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.values import alternatives


@dataclass(frozen=True, eq=False)
class Profile(Criterion):
    """`_profile`: what the map of a row says of it, without its version. `told_when` narrows some of them."""

    type: ClassVar = "uri"
    profiles: Mapping[str, ColumnElement[bool] | None]

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        asked = {piece.partition("|")[0] for piece in alternatives(text)}
        return Asked(",".join(str(n) for n, one in enumerate(self.profiles) if one in asked) or "none", ())

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        if shape == "none":
            return false()
        conditions = tuple(self.profiles.values())
        return or_(*(_always(conditions[int(n)]) for n in shape.split(",")))

    def told(self) -> ColumnElement[bool]:
        return or_(*(_always(one) for one in self.profiles.values()))

    def then(self, at: Mapping[str, Column]) -> Criterion | None:
        return None if any(one is not None for one in self.profiles.values()) else self


def _always(when: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return true() if when is None else when


@dataclass(frozen=True, eq=False)
class Canonical(Criterion):
    """`questionnaire=url` or `url|version`."""

    type: ClassVar = "reference"
    column: Column

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        return Asked("any", (alternatives(text),))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        url = func.split_part(self.column, literal_column("'|'"), literal_column("1"))
        wanted = any_(bind(0, ARRAY(Text())))
        return or_(self.column == wanted, url == wanted)

    def told(self) -> ColumnElement[bool]:
        return has(self.column)
