"""« Mes évaluations »: which, by whom, when, and the answers as they are read."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from app.access.entry import DossierView
from app.access.gate import Reading
from app.access.together import Asked
from app.features.assessments import answers, grids, service
from app.features.assessments.models import Assessment, AssessmentStatus
from app.features.assessments.schemas import WORDLESS
from app.features.professionals import shown
from app.fhir.questionnaires import canonical
from app.kernel.clock import PARIS
from app.portal.french import day_month
from app.portal.pieces import Assessed
from app.portal.screens.opening import opened
from app.portal.screens.people import author
from app.portal.views import Assessments
from app.security.principal import Caller

MANY = 20
YES_NO = {True: "Oui", False: "Non"}


class AssessmentRow(DossierView, frozen=True):
    TABLE: ClassVar = Assessment
    COMPUTED: ClassVar = {
        "assessor_role": shown.role("assessment", "assessor_id"),
        "assessor_first_name": shown.first_name("assessment", "assessor_id"),
        "wordless": WORDLESS,
    }

    questionnaire: str
    status: str
    occurred_at: datetime
    assessor_kind: str | None
    comment: str | None
    items: str
    assessor_role: str | None
    assessor_first_name: str | None
    wordless: bool


MADE = Asked(AssessmentRow, service.OF_USAGER, MANY)


async def assessments(reading: Reading) -> Assessments:
    page = await opened(reading, MADE)
    rows: list[AssessmentRow] = page.lists[0]
    return Assessments(
        frame=page.frame, made=tuple(_told(row) for row in rows if row.status != AssessmentStatus.CANCELLED)
    )


def _told(row: AssessmentRow) -> Assessed:
    items = answers.read(row.items)
    kind = Caller.USAGER if row.assessor_kind == Caller.USAGER else Caller.PROFESSIONAL
    return Assessed(
        on=row.occurred_at.astimezone(PARIS).date(),
        by=author(kind, role=row.assessor_role, first_name=row.assessor_first_name),
        status=AssessmentStatus(row.status),
        of_needs=canonical(row.questionnaire)[0] in grids.OF_SUPPORT,
        comment=None if row.wordless else row.comment,
        answers=tuple(_answered(answers.without_words(items) if row.wordless else items)),
    )


def _answered(items: list[answers.Item]) -> Iterator[tuple[str, str]]:
    """Each question that has an answer, in the order of the grid, those inside after the one they stand in."""
    for item in items:
        given = item.get("answers", ())
        words = ", ".join(filter(None, (_word(answer) for answer in given)))
        if words:
            yield item.get("text") or "Une question", words
        inside = [*item.get("items", ()), *(inner for answer in given for inner in answer.get("items", ()))]
        yield from _answered(inside)


def _word(answer: dict[str, Any]) -> str:
    """An answer as it is read; a file or an address is not."""
    value = answer.get("value")
    match answer.get("type"):
        case "boolean":
            return YES_NO[bool(value)]
        case "date" if isinstance(value, str) and len(value) == len("2026-01-01"):
            day = datetime.fromisoformat(value)
            return f"{day_month(day)} {day.year}"
        case "choice" | "reference" if isinstance(value, dict):
            return str(value.get("display") or value.get("code") or "")
        case "quantity" if isinstance(value, dict):
            return f"{value.get('value', '')} {value.get('unit') or ''}".strip()
        case "attachment" | "url":
            return ""
    return "" if value is None else str(value)
