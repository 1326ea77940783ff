"""The notice d'information of the page: what it says, and noting that it was read, from the home."""

from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from app.access.notice import Noting
from app.features.access_cards.notice import NOTICE
from app.portal.acts import gone_back, posted
from app.portal.frame import Screen
from app.portal.views import Notice

VIEW = Notice(parts=NOTICE)


PageNoting = Annotated[Noting, Depends(posted(Noting, Screen.HOME), scope="function")]


async def read(gate: Noting) -> Response:
    await gate.notice_read()
    return gone_back(Screen.HOME)
