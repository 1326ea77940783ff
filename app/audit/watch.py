"""How far the seal lags behind the trail: a figure for a supervisor, a line in the log, a word in `/readyz`."""

import asyncio
import logging
import time
from dataclasses import dataclass, field

LATE = 60.0  # seconds; `DUI_SEAL_LATE`
LOOK = 1.0  # seconds between two looks
log = logging.getLogger("dui.sealer")


@dataclass(slots=True)
class Watch:
    """What the sealer tells of itself. Silent, it ages: a sealer that hangs is late too."""

    late: float = LATE
    here: bool = True  # false: another process seals, and this one can't tell
    another_cluster: bool = False
    heads_missing: bool = False
    _since: float = field(default_factory=time.monotonic)

    def saw(self, age: float) -> None:
        """A round found the oldest line not sealed yet to be so old; 0: nothing waits."""
        self._since = time.monotonic() - max(age, 0.0)

    def lag(self) -> float:
        return time.monotonic() - self._since

    @property
    def is_late(self) -> bool:
        return self.here and self.lag() > self.late

    def words(self) -> list[str]:
        """What is amiss, in closed words."""
        amiss = {
            "seal_elsewhere": not self.here,
            "seal_late": self.is_late,
            "another_cluster": self.another_cluster,
            "heads_missing": self.heads_missing,
        }
        return [word for word, so in amiss.items() if so]

    async def tell(self, stop: asyncio.Event) -> None:
        """One line of the log when the seal falls behind, one when it has caught up, until told to stop."""
        was_late = False
        while not stop.is_set():
            if self.is_late is not was_late:
                was_late = not was_late
                log.log(logging.ERROR if was_late else logging.WARNING, "seal_late" if was_late else "seal_caught_up")
            await pause(stop, LOOK)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
