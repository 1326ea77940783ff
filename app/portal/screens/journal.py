"""« Ce qui s'est passé »: what the team shares, thread by thread, the latest first."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from app.access.gate import Reading
from app.access.together import Asked
from app.features.transmissions import service
from app.features.transmissions.models import Transmission
from app.features.transmissions.schemas import MyTransmissionOut
from app.portal.frame import Screen
from app.portal.parts import Note, NotePart
from app.portal.screens import earlier
from app.portal.screens.opening import opened
from app.portal.screens.people import author
from app.portal.views import Journal

PARTS = 30  # of a page
LETTERS = 20_000  # a page stays light on a thin line; one note alone may be longer
NOTES = Asked(MyTransmissionOut, service.OF_USAGER, PARTS + 1)
EARLIER = Asked(MyTransmissionOut, earlier.earlier(service.OF_USAGER, Transmission), PARTS + 1)


async def journal(reading: Reading, before: str | None) -> Journal:
    """`before` is the sealed place that `older` gave. Raises Unreadable."""
    page = await opened(reading, EARLIER if before else NOTES, **earlier.place(reading, Screen.JOURNAL, before))
    rows: list[MyTransmissionOut] = page.lists[0]
    shown = light(rows)
    return Journal(frame=page.frame, notes=notes(shown), older=earlier.older(reading, Screen.JOURNAL, shown, rows))


def light(rows: Sequence[MyTransmissionOut]) -> Sequence[MyTransmissionOut]:
    """The first rows that make a page light enough."""
    letters = 0
    for n, row in enumerate(rows):
        letters += len(row.text)
        if n == PARTS or (n and letters > LETTERS):
            return rows[:n]
    return rows


def notes(rows: Sequence[MyTransmissionOut]) -> tuple[Note, ...]:
    """Threads by the day they began, the latest first; the parts of each in the order they were written."""
    threads = [list(parts) for _, parts in groupby(sorted(rows, key=_in_thread), key=lambda row: row.thread_id)]
    threads.sort(key=lambda parts: (parts[0].occurred_at, parts[0].id), reverse=True)
    return tuple(Note(parts=tuple(_part(row) for row in parts), target=parts[0].target) for parts in threads)


def _in_thread(row: MyTransmissionOut) -> tuple[str, datetime, str]:
    return row.thread_id, row.occurred_at, row.id


def _part(row: MyTransmissionOut) -> NotePart:
    by = author(row.author_kind, mine=row.mine, role=row.author_role, first_name=row.author_first_name)
    return NotePart(kind=row.kind, text=row.text, by=by, at=row.occurred_at)
