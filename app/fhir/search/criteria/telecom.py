"""By a phone or an address of e-mail. Source: https://hl7.org/fhir/R4/search.html#token"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Text, any_, false, func, literal_column, or_
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.values import tokens

PHONE, EMAIL = "phone", "email"  # https://hl7.org/fhir/R4/valueset-contact-point-system.html
NOT_A_NUMBER = "[^0-9+]+"
_NOT_A_NUMBER = re.compile(NOT_A_NUMBER)


@dataclass(frozen=True, eq=False)
class Telecom(Criterion):
    """A number whatever the spaces and dots in it; an address of e-mail whatever its case; `phone|…`, `email|…`, or any of
    one system, `email|`.
    """

    type: ClassVar = "token"
    phone: Column | None = None
    email: Column | None = None

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        asked = tokens(text)
        told = [value for system, value in asked if system in (None, PHONE) and "@" not in value]
        numbers = [number for value in told if (number := _NOT_A_NUMBER.sub("", value))]
        emails = [value.lower() for system, value in asked if system in (None, EMAIL) and value]
        whole = sorted({str(system) for system, value in asked if not value})
        return Asked("|".join(["any", *(one for one in whole if one in (PHONE, EMAIL))]), (numbers, emails))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        ways: list[ColumnElement[bool]] = [false()]
        if self.phone is not None:
            said: tuple[Any, ...] = (literal_column(f"'{NOT_A_NUMBER}'"), literal_column("''"), literal_column("'g'"))
            ways.append(func.regexp_replace(self.phone, *said) == any_(bind(0, ARRAY(Text()))))
        if self.email is not None:
            ways.append(func.lower(self.email) == any_(bind(1, ARRAY(Text()))))
        every = {PHONE: self.phone, EMAIL: self.email}
        return or_(*ways, *(has(own) for one in shape.split("|")[1:] if (own := every[one]) is not None))

    def told(self) -> ColumnElement[bool]:
        return or_(false(), *(has(own) for own in (self.phone, self.email) if own is not None))
