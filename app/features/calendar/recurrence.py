"""From a rule to hours on the wall, then to instants: 10 h stays 10 h when the clocks change.

Source: RFC 5545, section 3.3.10. Only forms that always yield an occurrence soon are taken, so that no rule can keep a
worker searching the years for a day that never comes.
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrulestr

from app.kernel.errors import Invalid

MOST = 400  # occurrences of one series
ZONES = frozenset(available_timezones())

_DAYS = r"(?:MO|TU|WE|TH|FR|SA|SU)"
_LIST = rf"{_DAYS}(?:,{_DAYS}){{0,6}}"
_FORMS = (
    r"FREQ=DAILY(?:;INTERVAL=[1-9]\d?)?",
    rf"FREQ=DAILY;BYDAY={_LIST}",
    rf"FREQ=WEEKLY(?:;INTERVAL=[1-9]\d?)?(?:;BYDAY={_LIST})?",
    rf"FREQ=MONTHLY(?:;INTERVAL=[1-9]\d?)?(?:;BYDAY=(?:-1|[1-4]){_DAYS})?",
    r"FREQ=MONTHLY(?:;INTERVAL=[1-9]\d?)?;BYMONTHDAY=(?:-1|1\d|2[0-8]|[1-9])",
    rf"FREQ=MONTHLY;BYDAY={_LIST};BYSETPOS=(?:-1|[1-4])",
    r"FREQ=YEARLY",
)
RULE = re.compile(rf"(?:{'|'.join(_FORMS)})(?:;COUNT=[1-9]\d{{0,2}}|;UNTIL=\d{{8}}(?:T\d{{6}}Z?)?)?")


def occurrences(rule: str, first: datetime, exceptions: Collection[date], last: date) -> list[datetime]:
    """The hours on the wall at which `rule` falls from `first` to the day `last`, the days of `exceptions` left out.

    `UNTIL` is read as a last day. Raises Invalid for a rule that is not one of our forms, or that yields too many.
    """
    if RULE.fullmatch(rule) is None:
        raise Invalid(
            "Cette répétition n'est pas comprise. Par exemple : FREQ=WEEKLY;BYDAY=TU,TH.",
            where="/rule",
            code="event.bad_rule",
        )
    rule, _, until = rule.partition(";UNTIL=")
    if until:
        try:
            last = min(last, datetime.strptime(until[:8], "%Y%m%d").date())  # noqa: DTZ007  a day on the wall
        except ValueError:
            raise Invalid("Cette fin n'est pas un jour.", where="/rule", code="event.bad_rule") from None
    found: list[datetime] = []
    for hour in rrulestr(rule, dtstart=first):
        if hour.date() > last:
            break
        if hour.date() not in exceptions:
            found.append(hour)
        if len(found) > MOST:
            raise Invalid(f"Cette répétition fait plus de {MOST} fois.", where="/rule", code="event.too_many")
    return found


def instant(hour: datetime, zone: str) -> datetime:
    """The instant of an hour on the wall. Of an hour that comes twice, the first; of one skipped, an hour later."""
    return hour.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
