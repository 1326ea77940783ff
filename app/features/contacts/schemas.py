"""What the REST API hears and says about contacts and their mandates."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, select

from app.access.entry import DossierView
from app.access.mandates import Effect, MandateKind, Scope
from app.access.models import Mandate
from app.features.contacts.models import LAST, Contact
from app.features.usagers.models import Usager
from app.kernel.fields import Body, Code, Email, Line, Note, Phone

Order = Annotated[int, Field(ge=1, le=LAST)]
Shown = Literal["shared", "not_shared"]


class ContactIn(Body):
    """`role`, `relation`: `system|code`. `call_order`: 1 is called first. `trusted_person` `designated`: signed by the
    person and by who accepts, the paper kept in `trusted_document`; it opens nothing by itself.
    """

    usager_id: UUID
    structure_id: UUID
    family_name: Line
    given_name: Line | None = None
    role: Code | None = None
    relation: Code | None = None
    phone: Phone | None = None
    email: Email | None = None
    address: Note | None = None
    postal_code: Line | None = None
    city: Line | None = None
    country: Line | None = None
    address_protected: bool = False
    call_order: Order = LAST
    trusted_person: Literal["proposed", "designated"] | None = None
    trusted_on: date | None = None
    trusted_signed_on: date | None = None
    trusted_accepted_on: date | None = None
    trusted_document: Line | None = None
    notes: Note | None = None
    visibility: Shown = "shared"


class ContactPatch(Body):
    """What is left out stays."""

    family_name: Line = ""
    given_name: Line | None = None
    role: Code | None = None
    relation: Code | None = None
    phone: Phone | None = None
    email: Email | None = None
    address: Note | None = None
    postal_code: Line | None = None
    city: Line | None = None
    country: Line | None = None
    address_protected: bool = False
    call_order: Order = LAST
    trusted_person: Literal["proposed", "designated", "revoked"] | None = None
    trusted_on: date | None = None
    trusted_signed_on: date | None = None
    trusted_accepted_on: date | None = None
    trusted_document: Line | None = None
    notes: Note | None = None
    visibility: Shown = "shared"


class ContactOut(DossierView, frozen=True):
    TABLE: ClassVar = Contact

    structure_id: str
    family_name: str
    given_name: str | None
    role: str | None
    relation: str | None
    phone: str | None
    email: str | None
    address: str | None
    postal_code: str | None
    city: str | None
    country: str | None
    address_protected: bool
    call_order: int
    trusted_person: str | None
    trusted_on: date | None
    trusted_signed_on: date | None
    trusted_accepted_on: date | None
    trusted_document: str | None
    notes: str | None
    visibility: str
    origin_partner_id: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int


_theirs = (Usager.organisation_id == Contact.organisation_id, Usager.id == Contact.usager_id)
_born = select(Usager.birth_date).where(*_theirs)
_died_on = select(Usager.died_on).where(*_theirs)


class Holder(DossierView, frozen=True):
    """Who would hold a mandate, and when the person they stand for was born, and died."""

    TABLE: ClassVar = Contact
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "born": _born.scalar_subquery(),
        "died_on": _died_on.scalar_subquery(),
    }

    structure_id: str
    born: date | None
    died_on: date | None


class ContactLine(DossierView, frozen=True):
    TABLE: ClassVar = Contact


class ChildLine(DossierView, frozen=True):
    TABLE: ClassVar = Usager


class MandateIn(Body):
    """`effect` follows from the kind, but for a subrogé. What it opens is computed, never said."""

    kind: MandateKind
    scope: Scope
    effect: Effect | None = None
    acts: Note | None = None
    starts: date
    ends: date | None = None
    copy_seen_on: date | None = None
    person_agreed: bool = False
    person_told: bool = False


class MandatePatch(Body):
    """What is left out stays. What opens more asks for a new confirmation; what closes acts at once."""

    kind: MandateKind = MandateKind.SUBROGE
    scope: Scope = Scope.PERSONNE
    effect: Effect = Effect.ASSISTANCE
    acts: Note | None = None
    starts: date = date.min
    ends: date | None = None
    copy_seen_on: date | None = None
    person_agreed: bool = False
    person_told: bool = False


class MandateConfirmed(Body):
    """The decision in hand: the day its copy was seen."""

    copy_seen_on: date


class MandateOut(DossierView, frozen=True):
    TABLE: ClassVar = Mandate

    structure_id: str
    contact_id: str
    kind: str
    scope: str
    effect: str
    acts: str | None
    opens: list[str]
    starts: date
    ends: date | None
    copy_seen_on: date | None
    person_agreed: bool
    person_told: bool
    entered_by: str | None
    confirmed_at: datetime | None
    confirmed_by: str | None
    updated_at: datetime
    version: int
