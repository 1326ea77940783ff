"""REST: a copy asked for, by the person under `/me/copies`; entered for them, and answered, by staff under `/access/copies`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    PersonGate,
    PersonReading,
    StaffGate,
    StaffReading,
    acted,
    created,
    one,
    page,
    whom,
)
from app.features.copies import service
from app.features.copies.models import CopyRequest
from app.features.copies.schemas import CopyAnswerIn, CopyAskedIn, CopyIn, CopyOut, MyCopyOut
from app.kernel.answers import HTML, JSON, document

router = APIRouter(prefix="/access/copies", tags=["access"])
me = APIRouter(prefix="/me/copies", tags=["me"])
MINE, STAFF = "/api/v1/me/copies", "/api/v1/access/copies"
State = Annotated[Literal["waiting"] | None, Query(alias="state", description="waiting : sans réponse encore.")]


@router.get("", operation_id="listCopies")
async def listed(
    gate: StaffReading, usager: UUID | None = None, state: State = None, after: After = None, limit: Limit = PAGE
) -> Response:
    """What waits comes by its day, the soonest first (`state=waiting`); all of them, or of one person, the latest first."""
    if usager:
        return await page(gate, CopyOut, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    listing = service.WAITING if state else service.ALL
    return await page(gate, CopyOut, listing, limit, after, state or "all")


@router.post("", status_code=201, operation_id="enterCopyRequest")
async def enter(said: CopyAskedIn, gate: StaffGate) -> Response:
    """What the person, or who represents them by right, asked aloud, by telephone or by letter; the clocks start then."""
    return await created(gate, CopyOut, STAFF, lambda: service.enter(gate, said))


@router.get("/{copy_id}", operation_id="readCopy")
async def read(copy_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(CopyOut, copy_id))


@router.post("/{copy_id}/sign-care", operation_id="signCareOfCopy")
async def sign_care(copy_id: UUID, gate: StaffGate) -> Response:
    """The health professional signs the care part; the direction, another person, prepares the copy."""
    return await acted(gate, CopyOut, copy_id, lambda: service.sign_care(gate, copy_id))


@router.post("/{copy_id}/answer", operation_id="answerCopy")
async def answer(copy_id: UUID, said: CopyAnswerIn, gate: StaffGate) -> Response:
    return await acted(gate, CopyOut, copy_id, lambda: service.answer(gate, copy_id, said))


@router.get("/{copy_id}/page", operation_id="readCopyPage", response_class=HTMLResponse, responses={403: {}})
async def page_of(copy_id: UUID, gate: StaffReading) -> Response:
    """To print and hand over: by the direction; what holds care, by the health professional who signed it."""
    return document(await service.for_staff(gate, copy_id, "page"), HTML, "dossier.html")


@router.get("/{copy_id}/data", operation_id="readCopyData", responses={403: {}})
async def data_of(copy_id: UUID, gate: StaffReading) -> Response:
    return document(await service.for_staff(gate, copy_id, "data"), JSON, "dossier.json")


@me.post("", status_code=201, operation_id="askMyCopy")
async def ask(said: CopyIn, gate: PersonGate) -> Response:
    """« Demander à lire mon dossier »: `due_on` is the day by which there is an answer."""

    async def asked() -> CopyRequest:
        [row] = await service.ask(gate, said.part)
        return row

    return await created(gate, MyCopyOut, MINE, asked)


@me.get("", operation_id="listMyCopies")
async def mine(gate: PersonReading, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, MyCopyOut, service.OF_USAGER, limit, after, "mine", usager=whom(gate))


@me.get("/{copy_id}", operation_id="readMyCopy")
async def read_mine(copy_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(MyCopyOut, copy_id))


@me.get("/{copy_id}/page", operation_id="readMyCopyPage", response_class=HTMLResponse)
async def page_of_mine(copy_id: UUID, gate: PersonReading) -> Response:
    """The copy, as a page that any computer opens and prints."""
    return document(await service.mine(gate, copy_id, "page"), HTML, "dossier.html")


@me.get("/{copy_id}/data", operation_id="readMyCopyData")
async def data_of_mine(copy_id: UUID, gate: PersonReading) -> Response:
    """The same, for another program (RGPD art. 20)."""
    return document(await service.mine(gate, copy_id, "data"), JSON, "dossier.json")
