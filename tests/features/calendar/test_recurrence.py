"""Hours on the wall stay where they are when the clocks change."""

from datetime import UTC, date, datetime

import pytest

from app.features.calendar.recurrence import MOST, instant, occurrences
from app.kernel.errors import Invalid

FIRST = datetime(2026, 10, 20, 10, 0)  # a Tuesday  # noqa: DTZ001
LAST = date(2028, 4, 2)


def days(rule: str, without: tuple[date, ...] = ()) -> list[str]:
    return [f"{hour:%m-%d}" for hour in occurrences(rule, FIRST, without, LAST)]


def test_ten_o_clock_stays_ten_o_clock_after_the_october_change():
    hours = occurrences("FREQ=WEEKLY;COUNT=2", FIRST, (), LAST)
    assert [hour.hour for hour in hours] == [10, 10]
    assert [instant(hour, "Europe/Paris").hour for hour in hours] == [8, 9]


@pytest.mark.threat("fault-clock-change")
def test_an_hour_that_comes_twice_is_the_first():
    assert instant(datetime(2026, 10, 25, 2, 30), "Europe/Paris") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # noqa: DTZ001


@pytest.mark.threat("fault-clock-change")
def test_an_hour_that_is_skipped_is_an_hour_later():
    assert instant(datetime(2026, 3, 29, 2, 30), "Europe/Paris") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("FREQ=DAILY;COUNT=3", ["10-20", "10-21", "10-22"]),
        ("FREQ=DAILY;INTERVAL=7;COUNT=2", ["10-20", "10-27"]),
        ("FREQ=DAILY;BYDAY=MO,TU;COUNT=3", ["10-20", "10-26", "10-27"]),
        ("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", ["10-20", "10-22", "10-27"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=2", ["10-20", "11-03"]),
        ("FREQ=MONTHLY;COUNT=2", ["10-20", "11-20"]),
        ("FREQ=MONTHLY;BYDAY=2TU;COUNT=2", ["11-10", "12-08"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=1", ["10-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", ["10-31", "11-30"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=1", ["10-30"]),
        ("FREQ=YEARLY;COUNT=2", ["10-20", "10-20"]),
        ("FREQ=DAILY;UNTIL=20261022", ["10-20", "10-21", "10-22"]),
        ("FREQ=DAILY;UNTIL=20261021T220000Z", ["10-20", "10-21"]),
    ],
)
def test_the_forms_that_are_understood(rule: str, found: list[str]):
    assert days(rule) == found


def test_days_left_out_are_left_out():
    assert days("FREQ=DAILY;COUNT=3", without=(date(2026, 10, 21),)) == ["10-20", "10-22"]


def test_goes_no_further_than_the_last_day():
    assert max(occurrences("FREQ=MONTHLY", FIRST, (), LAST)).date() == date(2028, 3, 20)


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",  # never comes: the search would not end
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=5",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;UNTIL=20269999",
        "FREQ=DAILY;COUNT=3;UNTIL=20261022",
        "DTSTART:20260101T000000\nRRULE:FREQ=DAILY",
    ],
)
def test_other_rules_are_refused(rule: str):
    with pytest.raises(Invalid) as no:
        occurrences(rule, FIRST, (), LAST)
    assert (no.value.where, no.value.told) == ("/rule", "event.bad_rule")


def test_too_many_are_refused():
    with pytest.raises(Invalid) as no:
        occurrences("FREQ=DAILY", FIRST, (), LAST)
    assert no.value.told == "event.too_many"
    assert str(MOST) in no.value.message
