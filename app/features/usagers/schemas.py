"""What the REST API hears and says about a usager."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, Field, StringConstraints
from sqlalchemy import Boolean, ColumnElement, exists, func, literal_column, select

from app.access.entry import DossierView, Opens, Readable, View, word
from app.access.mandates import majority
from app.access.models import Mandate, SharingConsent
from app.features.stays.schemas import StayPlan
from app.features.usagers.models import IdentityDocument, Usager, UsagerIdentifier
from app.kernel.fields import CONTROLS, Body, Code, Email, Line, Note, Phone, written

Gender = Literal["male", "female", "unknown"]
PlaceCode = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9AB][0-9]{3}$")]  # INSEE; 99… when born abroad
BirthOrder = Annotated[int, Field(ge=1, le=9)]
System = Annotated[str, StringConstraints(max_length=200, pattern=rf"^(urn:|https?://)[^\s|{CONTROLS}]+$")]
Number = Annotated[str, written(60)]


class IdentifierIn(Body):
    system: System
    value: Number
    type_code: Code | None = None


class IdentifierAdded(IdentifierIn):
    confirmed_new: bool = False


class IdentifierPatch(Body):
    value: Number


class Asked(Body):
    """By what someone is recognised at the desk."""

    birth_family_name: Line
    birth_given_names: Line
    used_family_name: Line | None = None
    used_given_name: Line | None = None
    birth_date: date | None = None
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=10)


class UsagerIn(Asked):
    """A newcomer, their first stay with them. `confirmed_new`: someone like them is here, and it is someone else."""

    structure_id: UUID
    gender: Gender | None = None
    birth_place_code: PlaceCode | None = None
    birth_place_name: Line | None = None
    birth_order: BirthOrder | None = None
    phone: Phone | None = None
    email: Email | None = None
    address: Note | None = None
    postal_code: Line | None = None
    city: Line | None = None
    country: Line | None = None
    address_protected: bool = False
    says_tu: bool = False
    told_at: AwareDatetime | None = None
    stay: StayPlan | None = None
    confirmed_new: bool = False


class UsagerPatch(Body):
    """What is left out stays. A trait that changes once it was checked puts the identity back to `provisoire`."""

    birth_family_name: Line = ""
    birth_given_names: Line = ""
    used_family_name: Line | None = None
    used_given_name: Line | None = None
    birth_date: date | None = None
    gender: Gender | None = None
    birth_place_code: PlaceCode | None = None
    birth_place_name: Line | None = None
    birth_order: BirthOrder | None = None
    phone: Phone | None = None
    email: Email | None = None
    address: Note | None = None
    postal_code: Line | None = None
    city: Line | None = None
    country: Line | None = None
    address_protected: bool = False
    says_tu: bool = False
    told_at: AwareDatetime | None = None
    died_on: date | None = None


class IdentityChecked(Body):
    """A document was seen. `recuperee` is not here: it comes from INSi, to which this server has no access."""

    status: Literal["validee", "qualifiee"]
    document: IdentityDocument
    checked_on: date


class UsagerLine(View, frozen=True):
    """One line of the list."""

    TABLE: ClassVar = Usager

    structure_id: str
    birth_family_name: str
    birth_given_names: str
    used_family_name: str | None
    used_given_name: str | None
    birth_date: date | None
    gender: str | None
    identity_status: str
    died_on: date | None
    name_key: str
    version: int


_m, _s = Mandate, SharingConsent
_theirs = (_m.organisation_id == Usager.organisation_id, _m.usager_id == Usager.id, _m.deleted_at.is_(None))
_of_age = Usager.birth_date + literal_column("interval '18 years'")
_asked = (_s.organisation_id == Usager.organisation_id, _s.usager_id == Usager.id, _s.deleted_at.is_(None))


class ComingOfAgeRow(View, frozen=True):
    """Of the measures and of what parents allowed, only what this caller may read themselves."""

    TABLE: ClassVar = Usager
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "personal_link": literal_column(
            """EXISTS (SELECT FROM personal_access c WHERE c.organisation_id = usager.organisation_id AND c.usager_id = usager.id
               AND c.contact_id IS NULL AND c.revoked_at IS NULL AND (c.ends IS NULL OR c.ends > now()))""",
            Boolean(),
        ),
        "measure": exists().where(*_theirs, _m.starts >= _of_age, Readable(_m)).correlate(Usager),
        "to_ask_again": select(func.count(_s.id))
        .where(*_asked, _s.answer == word("yes"), _s.lapses_on.is_not(None), Readable(_s))
        .correlate(Usager)
        .scalar_subquery(),
    }

    structure_id: str
    birth_family_name: str
    birth_given_names: str
    used_given_name: str | None
    birth_date: date
    personal_link: bool
    measure: bool
    to_ask_again: int

    def told_by(self, gate: Opens) -> "ComingOfAge":
        return ComingOfAge(
            self.id,
            self.structure_id,
            self.birth_family_name,
            self.used_given_name or self.birth_given_names,
            majority(self.birth_date),
            self.personal_link,
            self.measure,
            self.to_ask_again,
        )


class ComingOfAge(msgspec.Struct, frozen=True):
    """Who is 18 soon. `personal_link`: they have a card of their own; `measure`: a mandate is entered for that day or
    later; `to_ask_again`: how many answers of their parents end that day.
    """

    id: str
    structure_id: str
    family_name: str
    given_name: str
    of_age_on: date
    personal_link: bool
    measure: bool
    to_ask_again: int


class UsagerOut(View, frozen=True):
    TABLE: ClassVar = Usager

    structure_id: str
    birth_family_name: str
    birth_given_names: str
    used_family_name: str | None
    used_given_name: str | None
    birth_date: date | None
    gender: str | None
    birth_place_code: str | None
    birth_place_name: str | None
    birth_order: int | None
    identity_status: str
    identity_document: str | None
    identity_checked_on: date | None
    identity_checked_by: str | None
    phone: str | None
    email: str | None
    address: str | None
    postal_code: str | None
    city: str | None
    country: str | None
    address_protected: bool
    says_tu: bool
    died_on: date | None
    told_at: datetime | None
    merged_into_id: str | None
    origin_partner_id: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int


class Notice(msgspec.Struct, frozen=True):
    """What the gesture did beside what was asked."""

    where: str
    code: str
    message: str


class UsagerChanged(UsagerOut, frozen=True):
    notices: tuple[Notice, ...] = ()


class IdentifierRow(DossierView, frozen=True):
    """As kept: the value is still sealed."""

    TABLE: ClassVar = UsagerIdentifier

    system: str
    type_code: str | None
    sealed: bytes
    origin_partner_id: str | None
    version: int


class IdentifierOut(msgspec.Struct, frozen=True):
    """`declared_by_partner`: the sender's word, to be checked. `key_holds`: the control key of an INS is right."""

    id: str
    usager_id: str
    system: str
    type_code: str | None
    value: str
    key_holds: bool
    declared_by_partner: str | None
    version: int
