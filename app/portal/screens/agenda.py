"""« Mon agenda »: the days to come, and the last seven."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson

from app.access.gate import Reading
from app.access.together import Asked
from app.features.calendar import questions
from app.features.calendar.models import Coming, EventStatus
from app.features.calendar.schemas import MyEventOut
from app.features.transports.models import TransportStatus
from app.features.transports.schemas import MyTransportOut
from app.features.transports.service import LISTS
from app.kernel.clock import today
from app.portal.frame import Answer
from app.portal.parts import Event, Ride
from app.portal.screens.opening import opened
from app.portal.views import MyAgenda

AHEAD, BEHIND = timedelta(days=60), timedelta(days=7)
MANY = 60  # of a page that stays light
UNTITLED = "Rendez-vous"
EVENTS = Asked(MyEventOut, questions.OF_USAGER, MANY)
RIDES = Asked(MyTransportOut, LISTS["of_usager"], MANY)


async def agenda(reading: Reading) -> MyAgenda:
    day = today()
    page = await opened(reading, EVENTS, RIDES, state=None, **questions.between(day - BEHIND, day + AHEAD))
    rows, rides = page.lists
    events = [
        replace(told(row, day), rides=tuple(_ride(one) for one in rides if one.event_id == row.id)) for row in rows
    ]
    return MyAgenda(
        frame=page.frame,
        upcoming=tuple(event for event in events if event.day >= day),
        past=tuple(event for event in events if event.day < day),
    )


def _ride(row: MyTransportOut) -> Ride:
    return Ride(
        starts=row.starts_at,
        carrier=row.carrier_name,
        visitor=row.professional_name,
        cancelled=row.status == TransportStatus.CANCELLED,
    )


def told(row: MyEventOut, day: date) -> Event:
    """One that began before today and still runs is told today."""
    first, last = row.starts.date(), row.ends.date()
    runs = first < day and (last > day or (last == day and not row.all_day))
    who: list[dict[str, Any]] = [one for one in orjson.loads(bytes(row.attendees)) if one["name"]]
    companion = next((one["name"] for one in who if one["companion"]), None)
    return Event(
        id=row.id,
        day=day if runs else first,
        title=row.title or UNTITLED,
        starts=None if row.all_day or runs else row.starts.time(),
        ends=row.ends.time() if last == first and row.ends > row.starts and not row.all_day else None,
        place=row.place,
        with_whom=tuple(one["name"] for one in who if not one["companion"]),
        companion=companion,
        answer=None if row.answer == Coming.ASKED else Answer(row.answer),
        may_answer=row.may_answer,
        cancelled=row.status == EventStatus.CANCELLED,
    )
