"""What the REST API hears and says of a handover: what left, to whom, under which ground."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, Field
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy.orm import aliased

from app.access.agreed import refused_to
from app.access.entry import DossierView, word
from app.access.models import Handover, Opposition, SharingConsent
from app.access.standing import TODAY
from app.features.calendar.models import EventParticipant
from app.features.contacts.models import Contact
from app.features.emergency.models import EmergencySheet
from app.features.settings.chosen import chosen
from app.features.stays.models import Stay
from app.features.transmissions.models import Transmission
from app.features.usagers.models import Usager
from app.kernel.fields import Body, Line, Note

Ground = Literal["accord", "equipe", "echange", "loi", "vital"]
TO: BindParameter[Any] = bindparam("to", type_=Uuid())
FROM: ColumnElement[Any] = bindparam("from_structure", type_=Uuid())
SHOWN = 120  # characters of a note, to know which one it is
PARTNER = table(
    "partner",
    column("organisation_id", Uuid()),
    column("id", Uuid()),
    column("name", Text()),
    column("kind", Text()),
    column("scopes", ARRAY(Text())),
)
ACCEPTED = table(
    "partner_structure", column("organisation_id", Uuid()), column("partner_id", Uuid()), column("structure_id", Uuid())
)
_yes = aliased(SharingConsent, name="said_yes")
_against = aliased(Opposition, name="said_no")


class HandoverIn(Body):
    """`entry_ids`: the rows chosen; without them, what a transfer needs: identity, contacts, emergency sheet, consignes,
    important notes of the last days (seven unless the house says). `article`: of the law, with `loi`. `reason`: with
    `vital`. `until`: when the partner stops reading it here; at most what the house allows, and so by default.
    """

    usager_id: UUID
    structure_id: UUID
    partner_id: UUID
    ground: Ground
    article: Line | None = None
    reason: Note | None = None
    person_informed: bool = False
    until: AwareDatetime | None = None
    entry_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)] | None = None


class Recipient(DossierView, frozen=True):
    """The person, and where they stand with this partner today."""

    TABLE: ClassVar = Usager
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "partner": select(PARTNER.c.name)
        .where(PARTNER.c.organisation_id == Usager.organisation_id, PARTNER.c.id == TO)
        .scalar_subquery(),
        "kind": select(PARTNER.c.kind)
        .where(PARTNER.c.organisation_id == Usager.organisation_id, PARTNER.c.id == TO)
        .scalar_subquery(),
        "scopes": select(PARTNER.c.scopes)
        .where(PARTNER.c.organisation_id == Usager.organisation_id, PARTNER.c.id == TO)
        .scalar_subquery(),
        "days": cast(chosen("handover.days", "usager"), Integer),
        "accepted": exists()
        .where(
            ACCEPTED.c.organisation_id == Usager.organisation_id,
            ACCEPTED.c.partner_id == TO,
            ACCEPTED.c.structure_id == FROM,
        )
        .correlate(Usager),
        "opposed": or_(
            exists()
            .where(
                _against.organisation_id == Usager.organisation_id,
                and_(_against.usager_id == Usager.id, _against.partner_id == TO),
                and_(_against.starts <= TODAY, or_(_against.ends.is_(None), _against.ends > TODAY)),
                and_(_against.deleted_at.is_(None), _against.held.is_(False)),
            )
            .correlate(Usager),
            refused_to(Usager, TO),
        ),
        "agreed": exists()
        .where(
            _yes.organisation_id == Usager.organisation_id,
            and_(_yes.usager_id == Usager.id, _yes.partner_id == TO, _yes.kind == word("partage")),
            and_(_yes.answer == word("yes"), _yes.withdrawn_at.is_(None), _yes.deleted_at.is_(None)),
            and_(_yes.starts <= TODAY, or_(_yes.ends.is_(None), _yes.ends > TODAY), _yes.held.is_(False)),
            or_(_yes.lapses_on.is_(None), _yes.lapses_on > TODAY),
        )
        .correlate(Usager),
    }

    partner: str | None
    kind: str | None
    scopes: list[str] | None
    days: int
    accepted: bool
    opposed: bool
    agreed: bool


class Leaving(DossierView, frozen=True):
    """A row that would leave. `told`: enough to know which one it is."""

    version: int
    occurred_at: datetime
    told: str | None


def _words(said: str) -> ColumnElement[Any]:
    return literal_column(f"'{said}'", Text())


class LeavingPerson(Leaving, frozen=True):
    TABLE: ClassVar = Usager
    COMPUTED: ClassVar = {"told": _words("Identité")}


class LeavingContact(Leaving, frozen=True):
    TABLE: ClassVar = Contact
    COMPUTED: ClassVar = {"told": func.concat_ws(literal_column("' '"), Contact.given_name, Contact.family_name)}


class LeavingSheet(Leaving, frozen=True):
    TABLE: ClassVar = EmergencySheet
    COMPUTED: ClassVar = {"told": _words("Fiche d''urgence")}


class LeavingNote(Leaving, frozen=True):
    TABLE: ClassVar = Transmission
    COMPUTED: ClassVar = {"told": func.left(Transmission.text, literal_column(str(SHOWN)))}


class LeavingEvent(Leaving, frozen=True):
    TABLE: ClassVar = EventParticipant
    COMPUTED: ClassVar[dict[str, Any]] = {"told": EventParticipant.title}


class LeavingStay(Leaving, frozen=True):
    TABLE: ClassVar = Stay
    COMPUTED: ClassVar = {"told": _words("Séjour")}


class Piece(msgspec.Struct, frozen=True):
    kind: str
    id: str
    version: int
    occurred_at: datetime
    told: str | None


class Plan(msgspec.Struct, frozen=True):
    """What would leave: nothing has."""

    partner: str
    ground: str
    rows: list[Piece]


class HandoverOut(DossierView, frozen=True):
    TABLE: ClassVar = Handover
    COMPUTED: ClassVar = {
        "rows": literal_column(
            """(SELECT coalesce(json_agg(json_build_object('kind', r.kind, 'id', r.entry_id, 'version', r.version)
                ORDER BY r.kind, r.entry_id), '[]'::json)::text FROM handover_row r
                WHERE r.organisation_id = handover.organisation_id AND r.handover_id = handover.id)""",
            Text(),
        )
    }

    structure_id: str
    partner_id: str
    ground: str
    article: str | None
    reason: str | None
    person_informed: bool
    ends_at: datetime | None
    stopped_at: datetime | None
    author_id: str | None
    recorded_at: datetime
    version: int
    rows: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if isinstance(told := self.rows, str):
            msgspec.structs.force_setattr(self, "rows", msgspec.Raw(told))
