"""How much work something is, counted: the same on every machine, as no time is."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

APP = str(Path(__file__).parents[1] / "app")


def calls(act: Callable[[], object]) -> int:
    """How many times a function of ours is entered, or a generator of ours gone on with, while `act` runs."""
    count, before = 0, sys.getprofile()

    def see(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(APP)

    sys.setprofile(see)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def is_linear(act: Callable[[int], Callable[[], object]], n: int) -> bool:
    """Whether `act` does about twice as much for twice as much. `act(n)` makes ready, what it gives is counted."""
    act(n)()  # what is done once and kept is not counted
    once, twice = calls(act(n)), calls(act(2 * n))
    assert once > n, "nothing was counted"
    return twice < 2.5 * once
