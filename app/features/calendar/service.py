"""The rules of the agenda. REST, FHIR and the page all come here.

What is of the event (when, where, what, whether it is kept) changes for all who take part at once; what is of a person
(whether they come, came, how it went) stays in their row. Nothing is cancelled by itself.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, not_, select

from app.access.gate import Gate, MayNot
from app.access.permissions import Action, Visibility
from app.access.writing import UNKNOWN
from app.features.calendar.models import (
    Coming,
    EventAttendee,
    EventParticipant,
    EventSeries,
    EventStatus,
    ResourceBooking,
)
from app.features.calendar.recurrence import ZONES, instant, occurrences
from app.features.calendar.schemas import Answer, Attendee, EventIn, EventPatch, MyEventOut
from app.features.settings.tuned import tuned
from app.kernel.clock import now, today
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import uuid7

HORIZON = "calendar.horizon_months"
DAYS_A_MONTH = 3_044  # hundredths
MOST_ROWS = 2_000  # usagers × occurrences, in one gesture
LONGEST = timedelta(days=31)
OF_ONE = frozenset({"report", "present", "answer", "visibility", "consigne"})
WHEN = ("starts", "ends", "zone")
TAKEN = "Une salle, un véhicule ou un appareil demandé est déjà pris à cette heure-là. Choisissez une autre heure, ou autre chose."
BOOKED_ONCE = "ex_resource_booking_span"
_FIELDS = {
    "/resource_id": "/resource_ids",
    **{f"/{name}_id": "/attendees" for name in ("professional", "contact", "partner")},
}
_P = EventParticipant


async def plan(gate: Gate, said: EventIn) -> list[EventParticipant]:
    """The rows of a new event, one for each usager and, with a rule, for each occurrence. The caller settles."""
    when = _when(said.starts, said.ends, said.zone, said.all_day)
    hours = [said.starts]
    series = None
    if said.rule is not None:
        last = today() + timedelta(days=DAYS_A_MONTH * await tuned(gate, said.structure_id, HORIZON) // 100)
        hours = occurrences(said.rule, said.starts, set(said.exceptions), last)
        series = _series(gate, said, last)
    usagers = list(dict.fromkeys(said.usager_ids))
    if not hours:
        raise Invalid("Cette répétition ne tombe aucun jour.", where="/rule", code="event.never")
    if len(hours) * len(usagers) > MOST_ROWS:
        raise Invalid("Cela ferait trop de rendez-vous en une fois.", where="/usager_ids", code="event.too_many")
    _check_attendees(said.attendees, usagers)
    values = said.model_dump(
        exclude={"usager_ids", "attendees", "resource_ids", "rule", "exceptions", "visibility", *WHEN}
    )
    values["visibility"] = (
        said.visibility or (Visibility.NOT_SHARED if said.category == "care" else Visibility.SHARED).value
    )
    rows: list[EventParticipant] = []
    for hour in hours:
        when = _when(hour, hour + (said.ends - said.starts), said.zone, said.all_day)
        event_id = uuid7()
        for usager_id in usagers:
            row = _P(usager_id=usager_id, event_id=event_id, series_id=series, **values, **when)
            rows.append(gate.add(row))
        _with(gate, event_id, said.attendees)
        _book(gate, rows[-1], said.resource_ids)
    return rows


async def change(gate: Gate, id: UUID, version: int, said: EventPatch) -> EventParticipant:
    """A new version of a person's row and, for what is of the event, of everyone's."""
    row = await gate.entry(_P, id, Action.UPDATE, version)
    values = said.model_dump(exclude_unset=True, exclude={"attendees", "resource_ids"})
    if not values.keys().isdisjoint(("starts", "ends", "zone", "all_day")):
        values |= _moved(row, values)
    if "status" in values:
        values |= _status(gate, row, values)
    elif "cancel_reason" in values:
        raise Invalid("Ce motif dit pourquoi on annule.", where="/cancel_reason", code="event.not_cancelled")
    if "answer" in values:
        values |= {"answered_at": now(), "answered_by_kind": "professional"}
    shared = {name: value for name, value in values.items() if name not in OF_ONE and not name.startswith("answer")}
    await gate.change(row, **values)
    this = (_P.event_id == row.event_id, _P.id != row.id)
    if shared:
        await gate.along(row, _P, and_(*this), **shared)
    if "attendees" in said.model_fields_set:
        await _replace_attendees(gate, row, said.attendees)
    if "resource_ids" in said.model_fields_set or values.get("status") == EventStatus.CANCELLED:
        await gate.along(row, ResourceBooking, ResourceBooking.event_id == row.event_id, cancelled=True)
        _book(gate, row, [] if row.status == EventStatus.CANCELLED else said.resource_ids)
    return row


async def join(gate: Gate, id: UUID, usager_id: UUID) -> EventParticipant:
    """One more usager takes part. The caller settles the gate."""
    row = await gate.entry(_P, id, Action.READ)
    shared = {c.key: getattr(row, c.key) for c in _P.__table__.columns if c.key in _OF_EVENT}
    return gate.add(_P(usager_id=usager_id, **shared))


async def leave(gate: Gate, id: UUID, version: int, *, everyone: bool) -> None:
    """This person takes part no more; or, with `everyone`, the event was a mistake and is told to nobody."""
    row = await gate.remove(await gate.entry(_P, id, Action.DELETE, version))
    if everyone:
        await gate.along(row, _P, and_(_P.event_id == row.event_id, _P.id != row.id), deleted_at=row.deleted_at)
    anyone = select(_P.id).where(
        _P.organisation_id == row.organisation_id, _P.event_id == row.event_id, _P.deleted_at.is_(None)
    )
    nobody = and_(ResourceBooking.event_id == row.event_id, not_(anyone.exists()))
    await gate.along(row, ResourceBooking, nobody, cancelled=True)


async def stop(gate: Gate, id: UUID, reason: str | None) -> EventParticipant:
    """This occurrence and those that follow are cancelled; what has been stays."""
    row = await gate.entry(_P, id, Action.UPDATE)
    if row.series_id is None:
        raise Conflict("Ce rendez-vous ne se répète pas.", code="event.no_series")
    values = _status(gate, row, {"status": EventStatus.CANCELLED.value, "cancel_reason": reason})
    later = and_(_P.series_id == row.series_id, _P.occurred_at >= row.occurred_at)
    kept = _P.status.in_([EventStatus.PLANNED.value, EventStatus.CONFIRMED.value])
    await gate.change(row, **values)
    await gate.along(row, _P, and_(later, kept, _P.id != row.id), **values)
    events = select(_P.event_id).where(_P.organisation_id == row.organisation_id, later)
    await gate.along(row, ResourceBooking, ResourceBooking.event_id.in_(events), cancelled=True)
    await gate.along(row, EventSeries, EventSeries.id == row.series_id, until=row.starts.date())
    return row


async def come(gate: Gate, id: UUID, answer: Answer) -> EventParticipant:
    """« Je viens » and its two others, by the person; of a child, by who holds authority (an act of every day)."""
    seen = await gate.get(MyEventOut, id)
    row = await gate.entry(_P, id, Action.UPDATE)
    if not seen.may_answer:
        if row.status in (EventStatus.CANCELLED, EventStatus.DONE) or row.ends_at <= now():
            raise Conflict("Ce rendez-vous est passé ou annulé.", code="event.over")
        raise _refused(row)
    by = "usager" if gate.principal.id == row.usager_id else "representative"
    return await gate.change(row, answer=Coming(answer).value, answered_at=now(), answered_by_kind=by)


_OF_EVENT = frozenset(
    {
        "event_id", "series_id", "structure_id", "category", "visibility", "title", "types", "reason", "comment",
        "place", "place_protected", "all_day", "starts", "ends", "zone", "occurred_at", "ends_at", "status",
        "cancel_reason", "outside_service",
    }
)  # fmt: skip


def _when(starts: datetime, ends: datetime, zone: str, all_day: bool) -> dict[str, Any]:
    if zone not in ZONES:
        raise Invalid(
            "Ce fuseau horaire n'est pas connu. Par exemple : Europe/Paris.", where="/zone", code="event.zone"
        )
    if ends <= starts:
        raise Invalid("Un rendez-vous finit après avoir commencé.", where="/ends", code="event.ends_before")
    if ends - starts > LONGEST:
        raise Invalid("Un rendez-vous dure au plus un mois.", where="/ends", code="event.too_long")
    if all_day and (starts.time(), ends.time()) != (datetime.min.time(), datetime.min.time()):
        raise Invalid("Un rendez-vous de la journée va de 00:00 à 00:00.", where="/all_day", code="event.all_day")
    from_, to = instant(starts, zone), instant(ends, zone)
    if to <= from_:  # the hour that comes twice
        to = from_ + (ends - starts)
    return {"starts": starts, "ends": ends, "zone": zone, "occurred_at": from_, "ends_at": to}


def _moved(row: EventParticipant, values: dict[str, Any]) -> dict[str, Any]:
    """Said only when it starts, it lasts as long as before."""
    starts = values.get("starts", row.starts)
    ends = values.get("ends", starts + (row.ends - row.starts))
    return _when(starts, ends, values.get("zone", row.zone), values.get("all_day", row.all_day))


def _status(gate: Gate, row: EventParticipant, values: dict[str, Any]) -> dict[str, Any]:
    status, reason = values["status"], values.get("cancel_reason")
    cancelled = status == EventStatus.CANCELLED
    if cancelled and not reason:
        raise Invalid("Dites pourquoi ce rendez-vous est annulé.", where="/cancel_reason", code="event.no_reason")
    if not cancelled and reason:
        raise Invalid("Ce motif dit pourquoi on annule.", where="/cancel_reason", code="event.not_cancelled")
    if status == EventStatus.DONE and values.get("occurred_at", row.occurred_at) > now():
        raise Invalid("Ce rendez-vous n'a pas encore eu lieu.", where="/status", code="event.future")
    told = {"status": status, "cancel_reason": reason}
    return {**told, "status_changed_at": now(), "status_author_id": gate.principal.id}


def _series(gate: Gate, said: EventIn, last: date) -> UUID:
    series = EventSeries(
        organisation_id=gate.principal.organisation_id,
        id=uuid7(),
        rule=said.rule,
        starts=said.starts,
        ends=said.ends,
        zone=said.zone,
        exceptions=said.exceptions,
        until=last,
    )
    gate.note(series)
    return series.id


def _check_attendees(attendees: Iterable[Attendee], usagers: list[UUID]) -> None:
    for place, one in enumerate(attendees):
        if sum(x is not None for x in (one.professional_id, one.contact_id, one.partner_id, one.name)) != 1:
            raise Invalid(
                "Dites qui : un professionnel, un proche, un partenaire, ou un nom.",
                where=f"/attendees/{place}",
                code="event.one_attendee",
            )
        if one.contact_id and one.usager_id is None and len(usagers) > 1:
            raise Invalid(
                "Dites de qui c'est le proche.", where=f"/attendees/{place}/usager_id", code="event.whose_contact"
            )
        if one.usager_id and one.usager_id not in usagers:
            raise Invalid(
                "Cette personne n'est pas de ce rendez-vous.",
                where=f"/attendees/{place}/usager_id",
                code="event.not_of",
            )
        if one.contact_id and one.usager_id is None:
            one.usager_id = usagers[0]


def _with(gate: Gate, event_id: UUID, attendees: Iterable[Attendee]) -> None:
    for one in attendees:
        here = {"organisation_id": gate.principal.organisation_id, "id": uuid7(), "event_id": event_id}
        gate.note(EventAttendee(**here, removed=False, **one.model_dump()))


async def _replace_attendees(gate: Gate, row: EventParticipant, attendees: list[Attendee]) -> None:
    """Those told to this person's readers; the relatives of the others stay."""
    _check_attendees(attendees, [row.usager_id])
    of_all_or_mine = and_(
        EventAttendee.event_id == row.event_id,
        EventAttendee.usager_id.is_(None) | (EventAttendee.usager_id == row.usager_id),
    )
    await gate.along(row, EventAttendee, of_all_or_mine, removed=True)
    _with(gate, row.event_id, attendees)


def _book(gate: Gate, row: EventParticipant, resource_ids: Iterable[UUID]) -> None:
    for resource_id in dict.fromkeys(resource_ids):
        gate.note(
            ResourceBooking(
                organisation_id=gate.principal.organisation_id,
                id=uuid7(),
                resource_id=resource_id,
                event_id=row.event_id,
                starts_at=row.occurred_at,
                ends_at=row.ends_at,
                cancelled=False,
            )
        )


@contextmanager
def told_in_words() -> Iterator[None]:
    """What the base refuses while an event is settled, naming the field that asked for it."""
    try:
        yield
    except Conflict as no:
        if no.told != f"conflict.{BOOKED_ONCE}":
            raise
        raise Conflict(TAKEN, where="/resource_ids", code="event.taken") from None
    except Invalid as no:
        if no.told != UNKNOWN or no.where not in _FIELDS:
            raise
        raise Invalid(no.message, where=_FIELDS[no.where], code=UNKNOWN) from None


def _refused(row: EventParticipant) -> MayNot:
    no = MayNot("C'est à la personne de dire si elle vient.", where="/answer", code="event.not_theirs")
    no.action, no.kind, no.ids, no.usager_id = Action.UPDATE, row.KIND, (row.id,), row.usager_id
    return no
