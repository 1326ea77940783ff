"""« Mes documents »: the papers this reader may see, the latest first."""

from app.access.gate import Reading
from app.access.together import Asked
from app.features.documents import service
from app.features.documents.models import Document, DocumentStatus
from app.features.documents.schemas import MyDocumentOut
from app.kernel.clock import PARIS
from app.portal.frame import Screen
from app.portal.pieces import Paper, PaperKind
from app.portal.screens import earlier
from app.portal.screens.opening import Opened, opened
from app.portal.screens.people import author
from app.portal.views import Documents

PAGE = 20
LATEST = Asked(MyDocumentOut, service.OF_USAGER, PAGE + 1)
EARLIER = Asked(MyDocumentOut, earlier.earlier(service.OF_USAGER, Document), PAGE + 1)
KINDS = {"image": PaperKind.IMAGE, "audio": PaperKind.SOUND, "text": PaperKind.TEXT}


async def documents(reading: Reading, before: str | None) -> Documents:
    """`before` is the sealed place that `older` gave. Raises Unreadable."""
    page = await opened(reading, EARLIER if before else LATEST, **earlier.place(reading, Screen.DOCUMENTS, before))
    rows: list[MyDocumentOut] = page.lists[0]
    shown = rows[:PAGE]
    return Documents(
        frame=page.frame,
        papers=tuple(_told(row, page) for row in shown if row.status != DocumentStatus.ENTERED_IN_ERROR),
        older=earlier.older(reading, Screen.DOCUMENTS, shown, rows),
        may_add=page.frame.behalf is None,
    )


def _told(row: MyDocumentOut, page: Opened) -> Paper:
    return Paper(
        id=row.id,
        title=row.title,
        on=row.occurred_at.astimezone(PARIS).date(),
        by=author(row.author_kind, mine=row.mine, role=row.author_role, first_name=row.author_first_name),
        kind=_kind(row.content_type or ""),
        size=row.size,
        about=row.description,
        replaced=row.status == DocumentStatus.SUPERSEDED,
        mine=row.mine,
        only_team=row.only_team,
        may_take_back=row.mine and row.version == 1 and page.frame.behalf is None,
    )


def _kind(content_type: str) -> PaperKind:
    if content_type == "application/pdf":
        return PaperKind.PDF
    return KINDS.get(content_type.partition("/")[0], PaperKind.OTHER)
