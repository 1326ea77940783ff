"""The lists of the agenda: by person, by professional, by unit, between two days; in order of time."""

from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import DateTime, Text, Uuid, and_, bindparam, or_, select

from app.access.gate import Listing
from app.access.models import STAY
from app.access.standing import TODAY
from app.features.calendar.models import EventAttendee, EventParticipant
from app.kernel.clock import PARIS

IN_ORDER = ("occurred_at", "id")
LONG_AGO, FAR_AHEAD = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_P, _A = EventParticipant, EventAttendee
_instant = DateTime(timezone=True)
_state = bindparam("state", type_=Text())
_then = and_(
    _P.occurred_at < bindparam("until", type_=_instant),
    _P.ends_at >= bindparam("since", type_=_instant),
    or_(_state.is_(None), _P.answer == _state),
)
_with = select(_A.event_id).where(
    _A.organisation_id == _P.organisation_id,
    _A.professional_id == bindparam("professional", type_=Uuid()),
    _A.removed.is_(False),
)
_living = select(STAY.c.usager_id).where(
    STAY.c.organisation_id == _P.organisation_id,
    STAY.c.unit_id == bindparam("unit", type_=Uuid()),
    STAY.c.starts <= TODAY,
    or_(STAY.c.ends.is_(None), STAY.c.ends > TODAY),
    STAY.c.deleted_at.is_(None),
)


def _asked(*also: Any) -> Listing:
    return Listing(and_(_then, *also), IN_ORDER, newest_first=False)


ALL = _asked()
OF_USAGER = Listing(
    and_(_then, _P.usager_id == bindparam("usager", type_=Uuid())), IN_ORDER, newest_first=False, usager="usager"
)
OF_PROFESSIONAL = _asked(_P.event_id.in_(_with.correlate(_P)))
OF_UNIT = _asked(_P.usager_id.in_(_living.correlate(_P)))
OF_EVENT = _asked(_P.event_id == bindparam("event", type_=Uuid()))
OF_SERIES = _asked(_P.series_id == bindparam("series", type_=Uuid()))


def between(since: date | None, until: date | None) -> dict[str, datetime]:
    """From the first day on, up to but without the last; days of Paris."""
    return {
        "since": _midnight(since) if since else LONG_AGO,
        "until": _midnight(until) if until else FAR_AHEAD,
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, PARIS).astimezone(UTC)
