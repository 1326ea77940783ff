"""Adding a paper to one's dossier, opening one, taking back one's own: the forms and the files of « Mes documents »."""

from uuid import UUID

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from app.access.gate import Reading
from app.features.documents import service
from app.features.documents.router import bytes_of
from app.features.documents.schemas import MyDocumentForm
from app.kernel.errors import Invalid, Unreadable
from app.kernel.objects import Objects
from app.portal.acts import Acting, gone_back
from app.portal.frame import Screen


async def add(acting: Acting, objects: Objects | None) -> Response:
    """Twice is once. Raises Invalid, TooLarge, MayNot for who represents them."""
    gate = acting.checked(Screen.DOCUMENTS)
    if acting.file is None:
        raise Invalid("Il manque le fichier.", code="document.empty")
    said = {"title": acting.form.get("title") or None, **{name: acting.ticked(name) for name in ("care", "only_team")}}
    try:
        form = MyDocumentForm.model_validate(said)
    except ValidationError:
        raise Unreadable("Ce nom n'est pas lisible.", where="title") from None
    if not await service.added_already(gate, acting.file.clear):
        # What a telephone says of its photos is often vague: their bytes say it.
        await service.add_mine(gate, form, None, acting.file.clear, objects)
    return gone_back(Screen.DOCUMENTS)


async def take_back(acting: Acting, document_id: UUID) -> Response:
    gate = acting.checked(Screen.DOCUMENTS)
    await service.take_back(gate, document_id)
    return gone_back(Screen.DOCUMENTS)


async def handed(request: Request, reading: Reading, document_id: UUID, objects: Objects | None) -> Response:
    return await bytes_of(request, reading, document_id, objects)
