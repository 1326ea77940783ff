"""A bucket a caller: what is refused is not spent, one caller's haste is no one else's, the memory is bounded."""

import pytest

from app.config import Settings
from app.kernel.errors import TooFast
from app.security.rates import AHEAD, Rates

PACE = 16  # its parts are exact


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def asked(rates: Rates, who: str, times: int, cost: int = 1) -> int:
    """How many of them were let through."""
    through = 0
    for _ in range(times):
        try:
            rates.spend(who, cost)
        except TooFast:
            continue
        through += 1
    return through


def test_a_caller_asks_ten_seconds_ahead_at_once_then_at_its_pace(clock: Clock) -> None:
    rates = Rates(PACE, clock=clock)
    assert asked(rates, "chu", 1000) == PACE * AHEAD
    clock.at += 1
    assert asked(rates, "chu", 1000) == PACE


def test_rest_gives_no_more_than_a_full_bucket(clock: Clock) -> None:
    rates = Rates(PACE, clock=clock)
    asked(rates, "chu", 1000)
    clock.at += 3600
    assert asked(rates, "chu", 1000) == PACE * AHEAD


@pytest.mark.threat("rate-weapon")
def test_what_one_asks_is_not_counted_as_another_s(clock: Clock) -> None:
    rates = Rates(PACE, clock=clock)
    asked(rates, "chu", 1000)
    assert asked(rates, "mdph", 1) == 1


def test_what_costs_more_is_paid_more(clock: Clock) -> None:
    assert asked(Rates(PACE, clock=clock), "chu", 1000, cost=10) == PACE * AHEAD / 10


@pytest.mark.threat("rate-weapon")
def test_to_look_whether_there_is_room_spends_nothing(clock: Clock) -> None:
    rates = Rates(PACE, clock=clock)
    for _ in range(1000):
        rates.check("chu", 10)
    assert asked(rates, "chu", 1000) == PACE * AHEAD


@pytest.mark.threat("rate-memory")
def test_the_memory_is_bounded_and_keeps_who_asks_most_lately(clock: Clock) -> None:
    rates = Rates(PACE, size=3, clock=clock)
    asked(rates, "chu", 1000)
    for n in range(10):
        rates.spend(f"once-{n}")
        clock.at += 1 / 1024
        asked(rates, "chu", 1)
    clock.at += 1 / PACE
    assert (len(vars(rates)["_paid"]), asked(rates, "chu", 1000)) == (3, 1)


def test_as_shipped_a_hurried_application_meets_nothing(clock: Clock) -> None:
    """Two thousand at once, then two hundred a second, by one and the same caller of one process."""
    rates = Rates(Settings().requests_per_second, clock=clock)
    assert asked(rates, "chu", 1990) == 1990
    for _ in range(600):
        clock.at += 0.1
        assert asked(rates, "chu", 20) == 20


def test_a_pace_too_slow_for_what_we_answer_is_refused() -> None:
    """`Retry-After: 1` would lie."""
    with pytest.raises(ValueError, match="greater than or equal to 10"):
        Settings(requests_per_second=9)
