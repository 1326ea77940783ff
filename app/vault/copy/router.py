"""REST: the direction makes the copy that was asked for."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import acted, gate_at
from app.audit.vocabulary import Door
from app.features.copies.schemas import CopyOut
from app.features.documents.sending import Kept
from app.vault.copy.making import Making

router = APIRouter(prefix="/access/copies", tags=["access"])


@router.post("/{copy_id}/prepare", operation_id="prepareCopy")
async def prepare(copy_id: UUID, gate: Annotated[Making, gate_at(Making, Door.API)], objects: Kept) -> Response:
    """« Dossier à communiquer »: from now on who asked reads it on their page; staff may print it."""
    return await acted(gate, CopyOut, copy_id, lambda: gate.make(copy_id, objects))
