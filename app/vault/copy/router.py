"""REST: the direction makes the copy that was asked for."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.access.http import acted, open_as
from app.audit.vocabulary import Door
from app.features.copies.schemas import CopyOut
from app.vault.copy.making import Making

router = APIRouter(prefix="/access/copies", tags=["access"])


async def _makes(request: Request) -> AsyncIterator[Making]:
    async with open_as(Making, request, Door.API) as gate:
        yield gate


@router.post("/{copy_id}/prepare", operation_id="prepareCopy")
async def prepare(copy_id: UUID, gate: Annotated[Making, Depends(_makes, scope="function")]) -> Response:
    """« Dossier à communiquer »: from now on who asked reads it on their page; staff may print it."""
    return await acted(gate, CopyOut, copy_id, lambda: gate.make(copy_id))
