"""The notice d'information of the page: what it says, and noting that it was read, from the home."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app.access.http import open_as
from app.access.notice import Noting
from app.audit.vocabulary import Door
from app.features.access_cards.notice import NOTICE
from app.kernel import forms
from app.portal import csrf
from app.portal.acts import gone_back
from app.portal.door import cookie_of
from app.portal.frame import Screen
from app.portal.views import Notice

VIEW = Notice(parts=NOTICE)


async def _notes(request: Request, cookie: Annotated[str, Depends(cookie_of)]) -> AsyncIterator[Noting]:
    csrf.check_site(request)
    form = await forms.read(request)
    async with open_as(Noting, request, Door.PAGE) as gate:
        csrf.check(gate.keyring, gate.principal.session_id, form, Screen.HOME)
        yield gate


PageNoting = Annotated[Noting, Depends(_notes, scope="function")]


async def read(gate: Noting) -> Response:
    await gate.notice_read()
    return gone_back(Screen.HOME)
