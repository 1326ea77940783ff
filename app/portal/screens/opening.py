"""Whose record is open and for whom: the first list every screen asks for, from which its frame is made."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Text, Uuid, bindparam, literal_column, select
from sqlalchemy.orm import aliased

from app.access.entry import ME, DossierView
from app.access.gate import Listing, Reading
from app.access.mandates import Effect
from app.access.models import Mandate
from app.access.reading import NOT_FOUND
from app.access.together import Asked, together
from app.features.contacts.models import Contact
from app.features.usagers.models import IdentityStatus, Usager
from app.kernel.clock import today
from app.kernel.errors import NotFound
from app.portal.frame import Behalf, Frame, Human, Person
from app.portal.parts import Identity
from app.portal.screens.people import relation
from app.security.principal import Representative, UsagerSelf

CHECKED = (IdentityStatus.VALIDEE, IdentityStatus.QUALIFIEE)
TEAM = "l'équipe"

_mine = aliased(Mandate, name="my_mandate")


def _house(column: str) -> ColumnElement[Any]:
    return literal_column(
        f"(SELECT s.{column} FROM structure s"  # noqa: S608  a column of ours
        " WHERE s.organisation_id = usager.organisation_id AND s.id = usager.structure_id)",
        Text(),
    )


def _mandate(column: str) -> ColumnElement[Any]:
    """Of the mandate by which the caller reads this record; nothing for the person."""
    m = _mine
    mine = select(getattr(m, column)).where(m.organisation_id == Usager.organisation_id, m.usager_id == Usager.id)
    mine = mine.where(m.contact_id == ME, m.deleted_at.is_(None), m.confirmed_at.is_not(None))
    return mine.order_by(m.starts.desc()).limit(literal_column("1")).correlate(Usager).scalar_subquery()


_relation = (
    select(Contact.relation)
    .where(Contact.organisation_id == Usager.organisation_id, Contact.id == ME)
    .correlate(Usager)
    .scalar_subquery()
)


class RecordRow(DossierView, frozen=True):
    TABLE: ClassVar = Usager
    COMPUTED: ClassVar = {
        "house": _house("name"),
        "phone": _house("phone"),
        "human": _house("human"),
        "relation": _relation,
        "mandate": _mandate("kind"),
        "effect": _mandate("effect"),
        "told": _mandate("person_told"),
    }

    birth_family_name: str
    birth_given_names: str
    used_family_name: str | None
    used_given_name: str | None
    birth_date: date | None
    identity_status: str
    says_tu: bool
    house: str
    phone: str | None
    human: str | None
    relation: str | None
    mandate: str | None
    effect: str | None
    told: bool | None

    @property
    def first_name(self) -> str:
        return told(self.used_given_name or self.birth_given_names.split()[0])


RECORD = Asked(RecordRow, Listing(Usager.id == bindparam("usager", type_=Uuid()), usager="usager"), 1)


@dataclass(frozen=True, slots=True)
class Opened:
    """The frame of the page, the row it comes from, and the rows of the lists asked for with it."""

    frame: Frame
    record: RecordRow
    lists: list[list[Any]]

    @property
    def may_answer(self) -> bool:
        """The person, and who decides with or for them; who only assists answers nothing (field.md §5)."""
        return self.frame.behalf is None or self.record.effect == Effect.REPRESENTATION


async def opened(reading: Reading, *asked: Asked, **values: object) -> Opened:
    """Everything a screen shows, in one statement. Raises NotFound when the record is out of this reader's reach."""
    who = reading.principal
    if not isinstance(who, UsagerSelf | Representative):
        raise TypeError("Only the person, or who represents them, has a page.")
    records, *lists = await together(reading, (RECORD, *asked), usager=who.usager_id, **values)
    if not records:
        raise NotFound(NOT_FOUND)
    record: RecordRow = records[0]
    behalf = None
    if isinstance(who, Representative):
        behalf = Behalf(relation=relation(record.relation, record.mandate), told=bool(record.told))
    frame = Frame(
        person=Person(first_name=record.first_name, full_name=f"{record.first_name} {_family_name(record)}"),
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


def _family_name(record: RecordRow) -> str:
    return told(record.used_family_name or record.birth_family_name)
