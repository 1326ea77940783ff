"""« Mon projet de vie »: the person's words, those of before, and what others say; and writing."""

from typing import ClassVar

from app.access.entry import Who
from app.access.gate import Reading
from app.access.permissions import Visibility
from app.access.together import Asked
from app.features.life_projects import service
from app.features.life_projects.models import LifeProject, LifeStatus
from app.features.life_projects.schemas import MyLifeProjectOut
from app.features.professionals import shown
from app.kernel.clock import PARIS
from app.portal import frame
from app.portal.frame import THE_PERSON, Partner, Relative
from app.portal.pieces import LifeWords
from app.portal.screens.opening import opened
from app.portal.screens.people import relation, staff
from app.portal.views import MyLife
from app.security.principal import Caller

MANY = 30


class LifeRow(MyLifeProjectOut, frozen=True):
    TABLE: ClassVar = LifeProject
    COMPUTED: ClassVar = {
        **MyLifeProjectOut.COMPUTED,
        "role": shown.role("life_project"),
        "first_name": shown.first_name("life_project"),
    }

    author_kind: str = ""
    role: str | None = None
    first_name: str | None = None


WORDS = Asked(LifeRow, service.OF_USAGER, MANY)


async def life(reading: Reading) -> MyLife:
    page = await opened(reading, WORDS)
    said = [_told(row) for row in page.lists[0]]
    own = [words for words in said if words.said_by == THE_PERSON]
    now = next((words for words in own if not words.over), None)
    return MyLife(
        frame=page.frame,
        now=now,
        before=tuple(words for words in own if words is not now),
        others=tuple(words for words in said if words.said_by != THE_PERSON and not words.over),
        may_write=page.frame.behalf is None,
    )


def _told(row: LifeRow) -> LifeWords:
    by_staff = row.author_kind == Caller.PROFESSIONAL
    return LifeWords(
        text=row.words,
        said_by=_who(row),
        on=row.occurred_at.astimezone(PARIS).date(),
        aim=row.aim,
        aim_on=row.aim_on,
        written_by=staff(row.role, row.first_name) if by_staff and row.said_by_kind == Who.USAGER else None,
        over=row.status == LifeStatus.COMPLETED,
        only_team=row.mine and row.visibility == Visibility.NOT_SHARED,
    )


def _who(row: LifeRow) -> frame.Who:
    """Words that nobody is said to have said are the person's: it is their life."""
    if row.said_by_kind in (None, Who.USAGER):
        return THE_PERSON
    if row.said_by_relation:
        return Relative(relation=relation(row.said_by_relation), name=row.said_by_name)
    return Partner(name=row.said_by_name) if row.said_by_name else Relative(relation=relation(None))
