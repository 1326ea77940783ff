"""How fast one caller may ask, once known: kept in this process only, so that a refusal asks nothing of the base.

For each caller, the moment when all it asked for is paid: a bucket that refills evenly, in one number (GCRA). Who guesses
is counted elsewhere, in rows (`throttle`); who has no token yet is for the relay in front (SECURITY.md).
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from app.kernel.errors import TooFast

AHEAD = 10.0  # seconds of its pace that a caller may ask for at once
KEPT = 10_000  # callers; who leaves the memory starts afresh
SLOWER = "Trop de demandes à la fois. Réessayez dans une seconde."


class Rates:
    def __init__(self, per_second: int, size: int = KEPT, clock: Callable[[], float] = time.monotonic) -> None:
        self._each, self._size, self._clock = 1 / per_second, size, clock
        self._paid: OrderedDict[Hashable, float] = OrderedDict()

    def check(self, who: Hashable, cost: int = 1) -> float:
        """When this too would be paid. Raises TooFast when that is too far ahead; nothing is spent."""
        moment = self._clock()
        paid = max(self._paid.get(who, moment), moment) + cost * self._each
        if paid - moment > AHEAD:
            raise TooFast(SLOWER)
        return paid

    def spend(self, who: Hashable, cost: int = 1) -> None:
        """Raises TooFast; what is refused is not spent."""
        try:
            self._paid[who] = self.check(who, cost)
        finally:
            self._paid.move_to_end(who)  # refused, it is remembered all the longer
        if len(self._paid) > self._size:
            self._paid.popitem(last=False)
