"""REST for staff applications; and for the person's own, under `/me/documents`."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    PersonGate,
    PersonReading,
    StaffGate,
    StaffReading,
    Version,
    changed,
    created,
    one,
    page,
    removed,
    whom,
)
from app.access.reading import Reading
from app.features.documents import service
from app.features.documents.schemas import DocumentOut, DocumentPatch, MyDocumentOut
from app.features.documents.sending import DESCRIBED, MINE_DESCRIBED, Kept, SentDocument, SentMyDocument
from app.kernel.objects import Objects

router = APIRouter(prefix="/documents", tags=["documents"])
me = APIRouter(prefix="/me/documents", tags=["me"])
PATH, MINE = "/api/v1/documents", "/api/v1/me/documents"
BYTES: dict[int | str, dict[str, Any]] = {
    304: {"description": "Le fichier que vous avez déjà"},
    200: {"description": "Le fichier", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
}


@router.post("", status_code=201, operation_id="fileDocument", openapi_extra=DESCRIBED)
async def file(sent: SentDocument, gate: StaffGate, objects: Kept) -> Response:
    """The bytes and what is said of them. Their type is checked; HTML, SVG and programs are refused."""
    return await created(
        gate, DocumentOut, PATH, lambda: service.file(gate, sent.said, sent.declared, sent.clear, objects)
    )


@router.get("", operation_id="listDocuments")
async def listed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """The latest first. `usager` narrows to one dossier."""
    if usager:
        return await page(gate, DocumentOut, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, DocumentOut, service.ALL, limit, after, "all")


@router.get("/{document_id}", operation_id="readDocument")
async def read(document_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(DocumentOut, document_id))


@router.get("/{document_id}/content", operation_id="readDocumentContent", responses=BYTES)
async def content(document_id: UUID, request: Request, gate: StaffReading, objects: Kept) -> Response:
    """The bytes, as an attachment. The ETag is their SHA-256."""
    return await bytes_of(request, gate, document_id, objects)


@router.patch("/{document_id}", operation_id="changeDocument", responses={409: {}})
async def change(document_id: UUID, said: DocumentPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, DocumentOut, await service.change(gate, document_id, version, said))


@router.delete("/{document_id}", status_code=204, operation_id="removeDocument")
async def remove(document_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, document_id, version)
    return await removed(gate)


@me.get("", operation_id="listMyDocuments")
async def mine(gate: PersonReading, after: After = None, limit: Limit = PAGE) -> Response:
    """What is shown to the person, the latest first."""
    return await page(gate, MyDocumentOut, service.OF_USAGER, limit, after, "mine", usager=whom(gate))


@me.post("", status_code=201, operation_id="addMyDocument", openapi_extra=MINE_DESCRIBED)
async def add_mine(sent: SentMyDocument, gate: PersonGate, objects: Kept) -> Response:
    """A photo or a PDF, by the person themselves: their team reads it."""
    return await created(
        gate, MyDocumentOut, MINE, lambda: service.add_mine(gate, sent.said, sent.declared, sent.clear, objects)
    )


@me.delete("/{document_id}", status_code=204, operation_id="takeBackMyDocument", responses={409: {}})
async def take_back(document_id: UUID, version: Version, gate: PersonGate) -> Response:
    """What they added, as long as the team does not use it."""
    await service.take_back(gate, document_id, version)
    return await removed(gate)


@me.get("/{document_id}", operation_id="readMyDocument")
async def read_mine(document_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(MyDocumentOut, document_id))


@me.get("/{document_id}/content", operation_id="readMyDocumentContent", responses=BYTES)
async def my_content(document_id: UUID, request: Request, gate: PersonReading, objects: Kept) -> Response:
    return await bytes_of(request, gate, document_id, objects)


async def bytes_of(request: Request, gate: Reading, id: UUID, objects: Objects | None) -> Response:
    view, clear = await service.handed(gate, id, objects)
    headers = service.headers(view)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=dict(headers))
    return Response(clear, headers=dict(headers), media_type=view.content_type)
