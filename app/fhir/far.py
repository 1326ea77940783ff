"""Days of no life, past or planned: no column holds one, it stays beside the row as it was received, and its sender is told."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from app.kernel.clock import YEARS

TOLD_MOST = 20  # of one resource
SENTENCE = (
    f"Une date entre {YEARS[0]} et {YEARS[-1]} est attendue : celle-ci est gardée comme elle est venue, sans être lue."
)
_DAY = r"(\d{4})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_written = re.compile(rf'"{_DAY}["T]'.encode(), re.ASCII).finditer
_is_day = re.compile(rf"{_DAY}(?:T.*)?", re.ASCII).fullmatch


def days(resource: Any, left: bytes) -> list[str]:
    """Where a resource says one, the first of them. `left`: what its map leaves of it, as JSON."""
    if all(int(told[1]) in YEARS for told in _written(left)):  # nearly all: read through at once
        return []
    return list(islice(_within(resource, ""), TOLD_MOST))


def _within(thing: Any, at: str) -> Iterator[str]:
    if isinstance(thing, dict):
        for name, value in thing.items():
            if name != "value":  # of an identifier, of a phone: no date of R4 is named so
                yield from _within(value, f"{at}.{name}" if at else name)
    elif isinstance(thing, list):
        for place, value in enumerate(thing):
            yield from _within(value, f"{at}[{place}]")
    elif isinstance(thing, str) and (told := _is_day(thing)) and int(told[1]) not in YEARS:
        yield at
