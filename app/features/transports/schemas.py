"""What the REST API hears and says about a transport."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement, and_, case, exists, func, null, or_

from app.access.entry import DossierView
from app.access.protection import house_hidden, not_me
from app.features.calendar.models import EventParticipant
from app.features.professionals import shown
from app.features.transports.models import Transport
from app.kernel.fields import Body, Code, Line, Note

Shown = Literal["not_shared", "shared"]
UNSAID = datetime.fromisoformat("1900-01-01T00:00:00+00:00")
Amount = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
_T, _E = Transport, EventParticipant
_of_event = and_(_E.organisation_id == _T.organisation_id, _E.id == _T.event_id, _E.place_protected)
PROTECTED = or_(_T.place_protected, house_hidden(_T), exists().where(_of_event).correlate(_T))
_HIDDEN = and_(PROTECTED, not_me(_T))


class _How(Body):
    event_id: UUID | None = None
    ends_at: AwareDatetime | None = None
    mode_code: Code | None = None
    engine_code: Code | None = None
    nature_code: Code | None = None
    accompanied: bool | None = None
    asepsis: bool | None = None
    carrier_name: Line | None = None
    distance: Amount | None = None
    duration: Amount | None = None
    budget_planned: Amount | None = None
    budget_actual: Amount | None = None
    description: Note | None = None
    place_protected: bool = False


class TransportIn(_How):
    """Of the person, or of a professional (`professional_id`) who comes to them. `event_id`: the person's row of the event
    it is for, whose protected place is one for it too. Kilometres, minutes, euros.

    `nature_code`, `accompanied` and `asepsis` are said of the person's own.
    """

    usager_id: UUID
    structure_id: UUID
    professional_id: UUID | None = None
    starts_at: AwareDatetime
    status: Literal["planned", "confirmed"] = "planned"
    visibility: Shown = "shared"


class TransportPatch(_How):
    """What is left out stays. Who travels does not change: it would be another transport."""

    starts_at: AwareDatetime = UNSAID
    status: Literal["planned", "confirmed", "done", "cancelled"] = "planned"
    visibility: Shown = "shared"


class TransportOut(DossierView, frozen=True):
    TABLE: ClassVar = Transport

    structure_id: str
    traveller: str
    professional_id: str | None
    professional_kind: str | None
    professional_name: str | None
    event_id: str | None
    occurred_at: datetime
    starts_at: datetime | None
    ends_at: datetime | None
    mode_code: str | None
    engine_code: str | None
    nature_code: str | None
    accompanied: bool | None
    asepsis: bool | None
    carrier_id: str | None
    carrier_name: str | None
    distance: float | None
    distance_unit: str | None
    duration: float | None
    duration_unit: str | None
    budget_planned: float | None
    budget_planned_currency: str | None
    budget_actual: float | None
    budget_actual_currency: str | None
    description: str | None
    place_protected: bool
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    status_author_kind: str | None
    visibility: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int


class MyTransportOut(DossierView, frozen=True):
    """For the person, and who represents them: who comes, when. A professional by their first name."""

    TABLE: ClassVar = Transport
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "carrier_name": case((_HIDDEN, null()), else_=_T.carrier_name),
        "professional_name": func.coalesce(shown.given_name("transport", "professional_id"), _T.professional_name),
    }

    event_id: str | None
    traveller: str
    professional_name: str | None
    carrier_name: str | None
    occurred_at: datetime
    starts_at: datetime | None
    ends_at: datetime | None
    mode_code: str | None
    accompanied: bool | None
    status: str
