"""« Lire mon dossier »: what was asked for, the day of its answer, the copy once it is ready; and asking."""

from collections.abc import Iterable

from app.access.gate import Reading
from app.access.together import Asked
from app.features.copies import service
from app.features.copies.models import CopyAnswer, Part
from app.features.copies.schemas import MyCopyOut
from app.kernel.clock import PARIS
from app.portal.frame import Screen
from app.portal.parts import CopyAsked, Wanted
from app.portal.screens.opening import opened
from app.portal.views import Copies

MANY = 30  # requests, the latest
ASKED = Asked(MyCopyOut, service.OF_USAGER, MANY)


OF = {
    Wanted.ALL: (Part.REST, Part.CARE, Part.OLD_CARE),
    Wanted.CARE: (Part.CARE, Part.OLD_CARE),
    Wanted.REST: (Part.REST,),
}


async def copies(reading: Reading) -> Copies:
    page = await opened(reading, ASKED)
    rows: list[MyCopyOut] = page.lists[0]
    left = missing(rows, Wanted.ALL)
    offered = tuple(wanted for wanted, parts in OF.items() if set(parts) <= set(left))
    return Copies(frame=page.frame, asked=tuple(_told(row) for row in rows), offered=offered if page.may_answer else ())


def missing(rows: Iterable[MyCopyOut], wanted: Wanted) -> list[Part]:
    """Of what is wanted, what does not wait for its answer already."""
    waits = {row.part for row in rows if row.answer is None}
    return [part for part in OF[wanted] if part.value not in waits]


def _told(row: MyCopyOut) -> CopyAsked:
    ready = row.answer == CopyAnswer.READY
    return CopyAsked(
        part=Part(row.part),
        on=row.recorded_at.astimezone(PARIS).date(),
        due_on=row.due_on,
        answer=CopyAnswer(row.answer) if row.answer else None,
        answered_on=row.answered_at.astimezone(PARIS).date() if row.answered_at else None,
        words=row.words,
        path=f"{Screen.COPIES.path}/{row.id}" if ready else None,
    )
