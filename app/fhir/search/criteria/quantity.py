"""By a number with its unit. Source: https://hl7.org/fhir/R4/search.html#quantity"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Double, Text, and_, func, literal_column, not_, or_

from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.values import PREFIXES, BadValue, plain, several, split

NUMBER = re.compile(r"(?P<prefix>[a-z]{2})?(?P<number>[+-]?\d{1,18}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?)", re.ASCII)
NUMBERS_MOST = 8  # alternatives: each makes the shape longer
_AFTER_BAR: ColumnElement[int] = literal_column("3")  # of `%|mg`
ABOUT = Decimal("0.1")  # https://hl7.org/fhir/R4/search.html#prefix: 10 %


@dataclass(frozen=True, slots=True)
class Number:
    """`value` as it was said, and `[low, high)`: what it stands for at that precision."""

    prefix: str
    value: float
    low: float
    high: float


def number_of(text: str) -> Number:
    """`ge5.4` → from 5.35 to 5.45. Raises BadValue."""
    told = NUMBER.fullmatch(text)
    prefix = (told["prefix"] if told else None) or "eq"
    if told is None or prefix not in PREFIXES:
        raise BadValue("un nombre est attendu, comme 5.4 ou ge5.4")
    value = Decimal(told["number"])
    exponent = value.as_tuple().exponent
    half = Decimal(1).scaleb(int(exponent)) / 2
    margin = max(half, abs(value) * ABOUT) if prefix == "ap" else half
    return Number(prefix, float(value), float(value - margin), float(value + margin))


@dataclass(frozen=True, eq=False)
class Quantity(Criterion):
    """`5.4`, `ge5.4|system|code`, `5.4||mg` by the code or by the unit as it is read: `unit` is kept as `system|code`,
    `stated` in words."""

    type: ClassVar = "quantity"
    number: Column
    unit: Column
    stated: Column

    @property
    def sorts(self) -> Column:
        return self.number

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        shapes, values = list[str](), list[object]()
        for piece in several(text):
            said, *unit = [plain(part) for part in split(piece, "|")]
            if len(unit) not in (0, 2):
                raise BadValue("un nombre est attendu, seul ou comme 5.4|système|code")
            found = number_of(said)
            bare = not unit or not any(unit)
            shapes.append(found.prefix + ("" if bare else "=" if unit[0] else "~"))
            values += (found.value, found.low, found.high)
            values.append("" if bare else "|".join(unit) if unit[0] else f"%|{_escaped(unit[1])}")
        if len(shapes) > NUMBERS_MOST:
            raise BadValue(f"{NUMBERS_MOST} nombres au plus")
        return Asked(",".join(shapes), tuple(values))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return or_(*(self._one(one, n * 4, bind) for n, one in enumerate(shape.split(","))))

    def _one(self, shape: str, at: int, bind: Bind) -> ColumnElement[bool]:
        value, low, high = (bind(at + n, Double()) for n in range(3))
        met = _compared(shape[:2], self.number, value, low, high)
        match shape[2:]:
            case "=":
                return and_(met, self.unit == bind(at + 3, Text()))
            case "~":
                code = bind(at + 3, Text())
                return and_(met, or_(self.unit.like(code), self.stated.like(func.substr(code, _AFTER_BAR))))
            case _:
                return met

    def told(self) -> ColumnElement[bool]:
        return has(self.number)


def _compared(prefix: str, own: Any, value: Any, low: Any, high: Any) -> ColumnElement[bool]:
    within: ColumnElement[bool] = and_(own >= low, own < high)
    match prefix:
        case "eq" | "ap":
            return within
        case "ne":
            return not_(within)
        case "gt" | "sa":
            return own > value  # type: ignore[no-any-return]
        case "lt" | "eb":
            return own < value  # type: ignore[no-any-return]
        case "ge":
            return own >= value  # type: ignore[no-any-return]
        case _:
            return own <= value  # type: ignore[no-any-return]


def _escaped(code: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", code)
