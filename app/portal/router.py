"""The person's page: `/p/{link}` opens it, `/mon-dossier` is inside. HTML by cookie, no script, nothing kept."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.access.gate import Reading
from app.access.http import read_at
from app.audit.vocabulary import Door
from app.portal import answers, csrf, door, views
from app.portal.screens.access import access
from app.portal.screens.home import home
from app.portal.screens.journal import journal

router = APIRouter(include_in_schema=False)
LOOK = ["GET", "HEAD"]
AtHome = Annotated[str, Depends(door.cookie_of)]
Earlier = Annotated[str | None, Query(alias="avant", max_length=600)]


async def _reads(request: Request, cookie: AtHome) -> Reading:
    return await read_at(request, Door.PAGE)


PageReading = Annotated[Reading, Depends(_reads)]


def shown(reading: Reading, view: views.Inside) -> Response:
    secret = csrf.token(reading.keyring, reading.principal.session_id, view.screen) if view.screen else ""
    return answers.page(view, csrf=secret)


@router.api_route("/p/{link}", methods=LOOK)
async def look_at_door(link: str, cookie: AtHome) -> Response:
    """Before anyone is known: no name, no data, whatever the link."""
    return answers.page(views.Door())


@router.post("/p/{link}")
async def enter(link: str, request: Request) -> Response:
    return await door.enter(request, link)


@router.api_route("/mon-dossier", methods=LOOK)
async def see_home(reading: PageReading) -> Response:
    return shown(reading, await home(reading))


@router.api_route("/mon-dossier/journal", methods=LOOK)
async def see_journal(reading: PageReading, before: Earlier = None) -> Response:
    return shown(reading, await journal(reading, before))


@router.api_route("/mon-dossier/acces", methods=LOOK)
async def see_access(reading: PageReading, before: Earlier = None) -> Response:
    return shown(reading, await access(reading, before))


@router.post("/mon-dossier/quitter")
async def leave(request: Request) -> Response:
    return await door.leave(request)
