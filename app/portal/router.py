"""The person's page: `/p/{link}` opens it, `/mon-dossier` is inside. HTML by cookie, no script, nothing kept."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.access.gate import Reading
from app.access.http import read_at
from app.audit.vocabulary import Door
from app.features.documents.sending import Kept
from app.portal import acts, answers, copies, csrf, documents, door, life, notice, views
from app.portal.acts import PageActing, PageEnding, PageSending
from app.portal.notice import PageNoting
from app.portal.screens.access import access
from app.portal.screens.agenda import agenda
from app.portal.screens.agreements import agreements
from app.portal.screens.assessments import assessments
from app.portal.screens.copies import copies as copies_asked
from app.portal.screens.documents import documents as papers
from app.portal.screens.home import home
from app.portal.screens.journal import journal
from app.portal.screens.life import life as life_project
from app.portal.screens.orientation import orientation
from app.portal.screens.project import project

router = APIRouter(include_in_schema=False)
LOOK = ["GET", "HEAD"]
AtHome = Annotated[str, Depends(door.cookie_of)]
Saved = Annotated[str | None, Query(alias=acts.SAVED, max_length=1)]
State = Annotated[str | None, Query(alias="etat", max_length=20)]
Earlier = Annotated[str | None, Query(alias="avant", max_length=600)]


async def _reads(request: Request, cookie: AtHome) -> Reading:
    return await read_at(request, Door.PAGE)


PageReading = Annotated[Reading, Depends(_reads)]


def shown(reading: Reading, view: views.Inside, saved: str | None = None) -> Response:
    if saved:
        view = replace(view, frame=replace(view.frame, saved=True))
    secret = csrf.token(reading.keyring, reading.principal.session_id, view.screen) if view.screen else ""
    return answers.page(view, csrf=secret)


@router.api_route("/p/{link}", methods=LOOK)
async def look_at_door(link: str, cookie: AtHome) -> Response:
    """Before anyone is known: no name, no data, whatever the link."""
    return answers.page(views.Door())


@router.api_route("/vos-donnees", methods=LOOK)
async def see_notice(cookie: AtHome) -> Response:
    """For everyone, without a card."""
    return answers.page(notice.VIEW)


@router.post("/p/{link}")
async def enter(link: str, request: Request) -> Response:
    return await door.enter(request, link)


@router.api_route("/mon-dossier", methods=LOOK)
async def see_home(reading: PageReading) -> Response:
    return shown(reading, await home(reading))


@router.post("/mon-dossier/vos-donnees")
async def note_notice(noting: PageNoting) -> Response:
    """« J'ai lu »"""
    return await notice.read(noting)


@router.api_route("/mon-dossier/projet", methods=LOOK)
async def see_project(reading: PageReading, state: State = None, saved: Saved = None) -> Response:
    return shown(reading, await project(reading, state), saved)


@router.post("/mon-dossier/projet/position")
async def take_position(acting: PageActing) -> Response:
    """« Est-ce que mon projet me convient ? »"""
    return await acts.take_position(acting)


@router.post("/mon-dossier/projet/buts/{goal_id}")
async def give_opinion(goal_id: UUID, acting: PageActing) -> Response:
    """« Pour moi, comment ça va ? »"""
    return await acts.give_opinion(acting, goal_id)


@router.api_route("/mon-dossier/projet-de-vie", methods=LOOK)
async def see_life(reading: PageReading, saved: Saved = None) -> Response:
    return shown(reading, await life_project(reading), saved)


@router.post("/mon-dossier/projet-de-vie")
async def write_life(acting: PageActing) -> Response:
    """« Ce que je veux pour ma vie »"""
    return await life.write(acting)


@router.api_route("/mon-dossier/documents", methods=LOOK)
async def see_documents(reading: PageReading, before: Earlier = None, saved: Saved = None) -> Response:
    return shown(reading, await papers(reading, before), saved)


@router.post("/mon-dossier/documents/ajouter")
async def add_document(sending: PageSending, objects: Kept) -> Response:
    return await documents.add(sending, objects)


@router.post("/mon-dossier/documents/{document_id}/retirer")
async def take_back_document(document_id: UUID, acting: PageActing) -> Response:
    return await documents.take_back(acting, document_id)


@router.api_route("/mon-dossier/documents/{document_id}", methods=LOOK)
async def open_document(document_id: UUID, request: Request, reading: PageReading, objects: Kept) -> Response:
    return await documents.handed(request, reading, document_id, objects)


@router.api_route("/mon-dossier/mdph", methods=LOOK)
async def see_orientation(reading: PageReading) -> Response:
    return shown(reading, await orientation(reading))


@router.api_route("/mon-dossier/evaluations", methods=LOOK)
async def see_assessments(reading: PageReading) -> Response:
    return shown(reading, await assessments(reading))


@router.api_route("/mon-dossier/agenda", methods=LOOK)
async def see_agenda(reading: PageReading, saved: Saved = None) -> Response:
    return shown(reading, await agenda(reading), saved)


@router.post("/mon-dossier/agenda/{event_id}")
async def come(event_id: UUID, acting: PageActing) -> Response:
    return await acts.come(acting, event_id)


@router.api_route("/mon-dossier/accords", methods=LOOK)
async def see_agreements(reading: PageReading, saved: Saved = None) -> Response:
    return shown(reading, await agreements(reading), saved)


@router.post("/mon-dossier/accords/{question_id}")
async def answer(question_id: UUID, acting: PageActing) -> Response:
    return await acts.answer(acting, question_id)


@router.api_route("/mon-dossier/journal", methods=LOOK)
async def see_journal(reading: PageReading, before: Earlier = None) -> Response:
    return shown(reading, await journal(reading, before))


@router.api_route("/mon-dossier/acces", methods=LOOK)
async def see_access(reading: PageReading, before: Earlier = None, saved: Saved = None) -> Response:
    return shown(reading, await access(reading, before), saved)


@router.post("/mon-dossier/acces/fermer")
async def close_elsewhere(ending: PageEnding) -> Response:
    """A telephone lost, a computer left open at the library."""
    return await acts.close_elsewhere(ending)


@router.api_route("/mon-dossier/copie", methods=LOOK)
async def see_copies(reading: PageReading, saved: Saved = None) -> Response:
    return shown(reading, await copies_asked(reading), saved)


@router.post("/mon-dossier/copie")
async def ask_copy(acting: PageActing) -> Response:
    """« Demander à lire mon dossier »"""
    return await copies.ask(acting)


@router.api_route("/mon-dossier/copie/{copy_id}", methods=LOOK)
async def read_copy(copy_id: UUID, reading: PageReading) -> Response:
    return await copies.read(reading, copy_id)


@router.post("/mon-dossier/quitter")
async def leave(request: Request) -> Response:
    return await door.leave(request)
