"""« Mes demandes à la MDPH »: what was asked, what was decided, and until when."""

from datetime import date, datetime
from typing import Any, ClassVar

import orjson

from app.access.entry import DossierView
from app.access.gate import Reading
from app.access.together import Asked
from app.features.orientation.models import OrientationDecision, OrientationRequest, RequestStatus
from app.features.orientation.service import DECISIONS, REQUESTS
from app.portal.pieces import Decision, Request, Right
from app.portal.screens.opening import opened
from app.portal.views import Orientation

MANY = 30


class RequestRow(DossierView, frozen=True):
    TABLE: ClassVar = OrientationRequest

    subject_label: str | None
    status: str
    asked_on: date | None
    mdph_name: str | None
    occurred_at: datetime


class DecisionRow(DossierView, frozen=True):
    """Of its rights, what they are and until when: never where they are lived (field.md §5)."""

    TABLE: ClassVar = OrientationDecision

    type_label: str | None
    decided_on: date | None
    motivation_label: str | None
    closes_on: date | None
    rights: str | None
    occurred_at: datetime


ASKED, DECIDED = Asked(RequestRow, REQUESTS.listing, MANY), Asked(DecisionRow, DECISIONS.listing, MANY)


async def orientation(reading: Reading) -> Orientation:
    page = await opened(reading, ASKED, DECIDED)
    requests, decisions = page.lists
    return Orientation(
        frame=page.frame,
        requests=tuple(_request(row) for row in requests),
        decisions=tuple(_decision(row) for row in decisions),
    )


def _request(row: RequestRow) -> Request:
    return Request(what=row.subject_label, status=RequestStatus(row.status), on=row.asked_on, to=row.mdph_name)


def _decision(row: DecisionRow) -> Decision:
    return Decision(
        what=row.type_label,
        on=row.decided_on,
        rights=tuple(_right(right) for right in orjson.loads(row.rights or "[]")),
        why=row.motivation_label,
        closes_on=row.closes_on,
    )


def _right(told: dict[str, Any]) -> Right:
    """The finest word there is."""
    labels = [(told.get(name) or {}).get("label") for name in ("nature", "type", "category")]
    return Right(
        what=next(filter(None, labels), None), opens_on=_day(told.get("opens_on")), ends_on=_day(told.get("ends_on"))
    )


def _day(told: str | None) -> date | None:
    return date.fromisoformat(told) if told else None
