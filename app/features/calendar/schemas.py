"""What the REST API hears and says about events and the things they book."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from pydantic import Field, NaiveDatetime, StringConstraints
from sqlalchemy import ColumnElement, Text, and_, case, cast, literal_column, null, or_

from app.access import standing
from app.access.entry import ME, DossierView, View
from app.access.protection import TOLD, not_me
from app.features.calendar.models import EventParticipant, Resource
from app.kernel.fields import Body, Code, Line, Note, Prose

Rule = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, to_upper=True)]
Zone = Annotated[str, StringConstraints(max_length=60)]
EventCategory = Literal["support", "care", "administrative"]
Shown = Literal["not_shared", "shared"]
Status = Literal["planned", "confirmed", "done", "cancelled"]
Answer = Literal["yes", "no", "talk"]
UNSAID = datetime(1900, 1, 1)  # noqa: DTZ001  an hour on the wall
Told = msgspec.Raw | msgspec.UnsetType  # JSON as the base says it; left out of the answer to a write


class Attendee(Body):
    """Who else: one of these. With `usager_id`, told to the readers of that person's row only; a contact always is."""

    professional_id: UUID | None = None
    contact_id: UUID | None = None
    partner_id: UUID | None = None
    name: Line | None = None
    usager_id: UUID | None = None
    companion: bool = False


class _What(Body):
    place: Line | None = None
    place_protected: bool = False
    reason: Note | None = None
    comment: Note | None = None
    types: Annotated[list[Code], Field(max_length=10)] = Field(default_factory=list)
    attendees: Annotated[list[Attendee], Field(max_length=40)] = Field(default_factory=list)
    resource_ids: Annotated[list[UUID], Field(max_length=10)] = Field(default_factory=list)


class EventIn(_What):
    """An event for one or several usagers. `starts` and `ends` are hours on the wall of `zone`; of an event of whole
    days, the first day and the day after the last, at 00:00. `rule` repeats it (RFC 5545), `exceptions` are days left out.

    Without `visibility`: shared, but for care.
    """

    usager_ids: Annotated[list[UUID], Field(min_length=1, max_length=60)]
    structure_id: UUID
    title: Line
    starts: NaiveDatetime
    ends: NaiveDatetime
    zone: Zone = "Europe/Paris"
    all_day: bool = False
    category: EventCategory = "support"
    visibility: Shown | None = None
    consigne: bool = False
    status: Literal["planned", "confirmed"] = "planned"
    rule: Rule | None = None
    exceptions: Annotated[list[date], Field(max_length=200)] = Field(default_factory=list)


class EventPatch(_What):
    """What is left out stays. `report`, `present`, `answer`, `visibility` are of this person; the rest is of the event,
    for all who take part. `answer` is what the person said, noted for them.
    """

    title: Line = ""
    starts: NaiveDatetime = UNSAID
    ends: NaiveDatetime = UNSAID
    zone: Zone = ""
    all_day: bool = False
    status: Status = "planned"
    cancel_reason: Note | None = None
    report: Prose | None = None
    present: bool | None = None
    answer: Answer = "talk"
    visibility: Shown = "not_shared"
    consigne: bool = False


class ComingIn(Body):
    """Je viens · Je ne viens pas · Je veux en parler. No reason is asked."""

    answer: Answer


class JoinIn(Body):
    usager_id: UUID


class StopIn(Body):
    cancel_reason: Note | None = None


def _attendees(told: str = "", only: str = "true") -> ColumnElement[Any]:
    """Told as JSON by the base: one look for all who take part. Of another person's relatives, nothing."""
    return literal_column(
        f"""(SELECT coalesce(json_agg(row_to_json(who) ORDER BY who.companion DESC, who.name), '[]'::json)::text FROM (
        SELECT a.professional_id, a.contact_id, a.partner_id, a.companion, {told}
               coalesce(a.name, p.given_name || ' ' || p.family_name, o.name,
                        nullif(concat_ws(' ', c.given_name, c.family_name), '')) AS name
        FROM event_attendee a
        LEFT JOIN professional p ON p.organisation_id = a.organisation_id AND p.id = a.professional_id
        LEFT JOIN partner o ON o.organisation_id = a.organisation_id AND o.id = a.partner_id
        LEFT JOIN contact c ON c.organisation_id = a.organisation_id AND c.id = a.contact_id
            AND c.usager_id = event_participant.usager_id
        WHERE a.organisation_id = event_participant.organisation_id AND a.event_id = event_participant.event_id
          AND NOT a.removed AND (a.usager_id IS NULL OR a.usager_id = event_participant.usager_id) AND {only}) who)""",  # noqa: S608
        Text(),
    )


_SECRET = "coalesce(c.minor_secret, false)"  # noqa: S105  a contact that a child keeps from their parents
ATTENDEES = _attendees()
WITH_SECRETS = _attendees(f"{_SECRET} AS secret,")
_WITHOUT_SECRETS = _attendees(only=f"NOT {_SECRET}")
_RESOURCES = literal_column(
    """(SELECT coalesce(json_agg(json_build_object('id', r.id, 'name', r.name, 'kind', r.kind) ORDER BY r.name),
                        '[]'::json)::text
        FROM resource_booking b JOIN resource r ON r.organisation_id = b.organisation_id AND r.id = b.resource_id
        WHERE b.organisation_id = event_participant.organisation_id AND b.event_id = event_participant.event_id
          AND NOT b.cancelled)""",
    Text(),
)
_RULE = literal_column(
    """(SELECT s.rule FROM event_series s
        WHERE s.organisation_id = event_participant.organisation_id AND s.id = event_participant.series_id)""",
    Text(),
)
_OTHERS: ColumnElement[Any] = literal_column(
    """(SELECT count(*) - 1 FROM event_participant others
        WHERE others.organisation_id = event_participant.organisation_id
          AND others.event_id = event_participant.event_id AND others.deleted_at IS NULL)"""
)
_P = EventParticipant
# Told to the team and to the person; to every other, « lieu protégé », and nothing written that may name it (field.md §5).
_HIDDEN = and_(_P.place_protected, not_me(_P))
_PLACE = case((and_(_HIDDEN, _P.place.is_not(None)), TOLD), else_=_P.place)
_NOBODY: ColumnElement[Any] = literal_column("'[]'", Text())
_MAY_ANSWER = and_(
    _P.status.in_([literal_column("'planned'"), literal_column("'confirmed'")]),
    _P.ends_at > literal_column("now()"),
    or_(_P.usager_id == ME, and_(standing.minor(_P), cast(ME, Text).in_(standing.parents(_P)))),
)


class EventOut(DossierView, frozen=True):
    """For staff: an event in one person's dossier; the others who take part are counted, never told."""

    TABLE: ClassVar = EventParticipant
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "attendees": ATTENDEES,
        "resources": _RESOURCES,
        "rule": _RULE,
        "others": _OTHERS,
    }

    event_id: str
    series_id: str | None
    structure_id: str
    title: str | None
    starts: datetime
    ends: datetime
    zone: str
    all_day: bool
    occurred_at: datetime
    ends_at: datetime
    place: str | None
    place_protected: bool
    category: str
    visibility: str
    consigne: bool
    status: str
    cancel_reason: str | None
    reason: str | None
    comment: str | None
    types: list[str]
    report: str | None
    present: bool | None
    answer: str
    answered_at: datetime | None
    answered_by_kind: str | None
    author_id: str | None
    author_kind: str
    recorded_at: datetime
    updated_at: datetime
    version: int
    attendees: Told = msgspec.UNSET
    resources: Told = msgspec.UNSET
    rule: str | msgspec.UnsetType | None = msgspec.UNSET
    others: int | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        for name in ("attendees", "resources"):
            if isinstance(told := getattr(self, name), str):
                msgspec.structs.force_setattr(self, name, msgspec.Raw(told))


class MyEventOut(DossierView, frozen=True):
    """For the person, and who represents them."""

    TABLE: ClassVar = EventParticipant
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "attendees": case((_HIDDEN, _NOBODY), (not_me(_P), _WITHOUT_SECRETS), else_=ATTENDEES),
        "place": _PLACE,
        "title": case((_HIDDEN, null()), else_=_P.title),
        "report": case((_HIDDEN, null()), else_=_P.report),
        "may_answer": _MAY_ANSWER,
    }

    event_id: str
    title: str | None
    starts: datetime
    ends: datetime
    zone: str
    all_day: bool
    occurred_at: datetime
    ends_at: datetime
    place: str | None
    status: str
    report: str | None
    answer: str
    answered_at: datetime | None
    answered_by_kind: str | None
    attendees: msgspec.Raw
    may_answer: bool

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "attendees", msgspec.Raw(self.attendees))  # the base says it as text


class ResourceIn(Body):
    structure_id: UUID
    name: Line
    kind: Literal["room", "vehicle", "device"]


class ResourcePatch(Body):
    name: Line = ""
    kind: Literal["room", "vehicle", "device"] = "room"


class ResourceOut(View, frozen=True):
    TABLE: ClassVar = Resource

    structure_id: str
    name: str
    kind: str
    recorded_at: datetime
    updated_at: datetime
    version: int
