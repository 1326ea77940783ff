"""Asking for a copy of one's dossier, and reading it: the form and the document of the screen « Lire mon dossier »."""

from uuid import UUID

from starlette.responses import Response

from app.access.gate import Reading
from app.access.http import whom
from app.features.copies import service
from app.features.copies.schemas import MyCopyOut
from app.kernel.answers import HTML, document
from app.portal.acts import Acting, gone_back
from app.portal.frame import Screen
from app.portal.parts import Wanted
from app.portal.screens.copies import MANY, missing


async def ask(acting: Acting) -> Response:
    """Twice is once: what waits already is not asked again. Raises MayNot for who does not represent by right."""
    gate = acting.checked(Screen.COPIES)
    rows = await gate.list(MyCopyOut, service.OF_USAGER, MANY, usager=whom(gate))
    await service.ask(gate, *missing(rows, acting.word("wanted", Wanted)))
    return gone_back(Screen.COPIES)


async def read(reading: Reading, copy_id: UUID) -> Response:
    return document(await service.mine(reading, copy_id, "page"), HTML, "dossier.html")
