"""Names, phones and addresses of persons, both ways. A row holds one of each; the others received stay beside it.

Source: https://hl7.org/fhir/R4/datatypes.html#HumanName, #ContactPoint, #Address
"""

from collections.abc import Iterable
from typing import Protocol, TypedDict

from app.access.protection import PROTECTED
from app.fhir.types import Address, ContactPoint

LINES = "\n"


class Coordinates(TypedDict):
    phone: str | None
    email: str | None
    address: str | None
    postal_code: str | None
    city: str | None
    country: str | None


HIDDEN = Coordinates(phone=None, email=None, address=PROTECTED, postal_code=None, city=None, country=None)


class Reached(Protocol):
    """A row that says where someone is reached."""

    @property
    def phone(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def address(self) -> str | None: ...
    @property
    def postal_code(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...


def telecoms(phone: str | None, email: str | None) -> tuple[ContactPoint, ...]:
    said = (("phone", phone), ("email", email))
    return tuple(ContactPoint(system=system, value=value) for system, value in said if value)


def addresses(at: Reached) -> tuple[Address, ...]:
    if at.address == PROTECTED:
        return (Address(text=PROTECTED),)
    lines = tuple(at.address.split(LINES)) if at.address else ()
    if not (lines or at.postal_code or at.city or at.country):
        return ()
    return (Address(line=lines, postalCode=at.postal_code, city=at.city, country=at.country),)


def heard(telecom: Iterable[ContactPoint], address: Iterable[Address]) -> Coordinates:
    """The first phone, the first e-mail, the first address that is not an old one."""
    points, places = tuple(telecom), [a for a in address if a.use != "old"]
    place = places[0] if places else Address()
    return Coordinates(
        phone=_first(points, "phone"),
        email=_first(points, "email"),
        address=LINES.join(line for line in place.line if line) or place.text,
        postal_code=place.postalCode,
        city=place.city,
        country=place.country,
    )


def _first(points: Iterable[ContactPoint], system: str) -> str | None:
    return next((p.value for p in points if p.system == system and p.value and p.use != "old"), None)
