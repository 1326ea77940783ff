"""« Mon agenda »: the days to come, and the last seven."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson

from app.access.gate import Reading
from app.access.together import Asked
from app.features.calendar import questions
from app.features.calendar.models import Coming, EventStatus
from app.features.calendar.schemas import MyEventOut
from app.features.meals import service as meals
from app.features.meals.models import MealStatus
from app.features.meals.schemas import MyMealOut
from app.features.presences import service as presences
from app.features.presences.models import PresenceStatus
from app.features.presences.schemas import MyPresenceOut
from app.features.transports.models import TransportStatus
from app.features.transports.schemas import MyTransportOut
from app.features.transports.service import LISTS
from app.kernel.clock import PARIS, today
from app.portal.frame import Answer
from app.portal.parts import Event, Ride
from app.portal.pieces import Attendance, Meal
from app.portal.screens.opening import opened
from app.portal.views import MyAgenda

AHEAD, BEHIND = timedelta(days=60), timedelta(days=7)
MANY = 60  # of a page that stays light
UNTITLED = "Rendez-vous"
EVENTS = Asked(MyEventOut, questions.OF_USAGER, MANY)
RIDES = Asked(MyTransportOut, LISTS["of_usager"], MANY)
PRESENCES = Asked(MyPresenceOut, presences.LISTS["of_usager"], MANY)
MEALS = Asked(MyMealOut, meals.LISTS["of_usager"], MANY)


async def agenda(reading: Reading) -> MyAgenda:
    day = today()
    days = questions.between(day - BEHIND, day + AHEAD)
    page = await opened(reading, EVENTS, RIDES, PRESENCES, MEALS, state=None, **days)
    rows, rides, here, eaten = page.lists
    events = [
        replace(told(row, day), rides=tuple(_ride(one) for one in rides if one.event_id == row.id)) for row in rows
    ]
    return MyAgenda(
        frame=page.frame,
        upcoming=tuple(event for event in events if event.day >= day),
        past=tuple(event for event in events if event.day < day),
        attendance=tuple(told for told in _attendance(here) if told.days[1] >= day),
        meals=tuple(Meal(at=row.occurred_at, present=bool(row.present)) for row in eaten if _to_come(row, day)),
    )


def _attendance(rows: list[MyPresenceOut]) -> Iterator[Attendance]:
    for row in rows:
        if row.status != PresenceStatus.CANCELLED:
            yield Attendance(starts=row.occurred_at, ends=row.ends_at, absent=row.absent, planned=bool(row.planned))


def _to_come(row: MyMealOut, day: date) -> bool:
    """Today and after: whether one eats there is for those who cook."""
    return row.status != MealStatus.CANCELLED and row.occurred_at.astimezone(PARIS).date() >= day


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
