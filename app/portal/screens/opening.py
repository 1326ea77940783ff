"""Whose record is open and for whom: the first list every screen asks for, from which its frame is made."""

from dataclasses import dataclass
from typing import Any

from app.access.gate import Reading
from app.access.http import whom
from app.access.refusal import NOT_FOUND
from app.access.together import Asked, together
from app.features.contacts.record import THEIRS, RecordRow
from app.features.usagers.models import IdentityStatus
from app.kernel.clock import today
from app.kernel.errors import NotFound
from app.portal.frame import Behalf, Frame, Human, Person
from app.portal.parts import Identity
from app.portal.screens.people import relation
from app.security.principal import Representative

CHECKED = (IdentityStatus.VALIDEE, IdentityStatus.QUALIFIEE)
TEAM = "l'équipe"

RECORD = Asked(RecordRow, THEIRS, 1)


@dataclass(frozen=True, slots=True)
class Opened:
    """The frame of the page, the row it comes from, and the rows of the lists asked for with it."""

    frame: Frame
    record: RecordRow
    lists: list[list[Any]]

    @property
    def may_answer(self) -> bool:
        """The person, and who decides for them; who only assists answers nothing (field.md §5)."""
        return self.record.may_answer


async def opened(reading: Reading, *asked: Asked, **values: object) -> Opened:
    """Everything a screen shows, in one statement. Raises NotFound when the record is out of this reader's reach."""
    records, *lists = await together(reading, (RECORD, *asked), usager=whom(reading), **values)
    if not records:
        raise NotFound(NOT_FOUND)
    record: RecordRow = records[0]
    behalf = None
    if isinstance(reading.principal, Representative):
        behalf = Behalf(relation=relation(record.relation, record.mandate), told=bool(record.told))
    frame = Frame(
        person=_person(record),
        human=Human(name=record.human or TEAM, phone=record.phone, house=record.house),
        today=today(),
        tu=record.says_tu,
        behalf=behalf,
    )
    return Opened(frame, record, lists)


def identity(record: RecordRow) -> Identity:
    return Identity(
        birth_name=told(record.birth_family_name),
        first_names=told(record.birth_given_names),
        birth_date=record.birth_date,
        used_name=told(record.used_family_name) if record.used_family_name else None,
        house=record.house,
        verified=record.identity_status in CHECKED,
    )


def told(name: str) -> str:
    """As it is said: « LE GOFF » is Le Goff; a name with small letters is left as it was written."""
    return name.title() if name.isupper() else name


def _person(record: RecordRow) -> Person:
    first = told(record.used_given_name or record.birth_given_names.split()[0])
    return Person(first_name=first, full_name=f"{first} {told(record.used_family_name or record.birth_family_name)}")
