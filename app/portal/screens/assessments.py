"""« Mes évaluations »: which, by whom, when, and the answers as they are read."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from app.access.entry import DossierView
from app.access.gate import Reading
from app.access.together import Asked
from app.features.assessments import answers, grids, service
from app.features.assessments.models import Assessment, AssessmentStatus
from app.features.assessments.schemas import WORDLESS
from app.features.professionals import shown
from app.fhir.questionnaires import Question, canonical
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


Labels = Mapping[tuple[str, str], str]  # system and code: how the grid reads them
NUMBERS = ("integer", "decimal")
MADE = Asked(AssessmentRow, service.OF_USAGER, MANY)


async def assessments(reading: Reading) -> Assessments:
    page = await opened(reading, MADE)
    rows: list[AssessmentRow] = [row for row in page.lists[0] if row.status != AssessmentStatus.CANCELLED]
    return Assessments(frame=page.frame, made=tuple([await _told(reading, row) for row in rows]))


async def _told(reading: Reading, row: AssessmentRow) -> Assessed:
    items = answers.read(row.items)
    given = answers.without_words(items) if row.wordless else items
    labels: Labels = {}
    if any(_unread(answer) for answer in _given(given)):
        grid = await grids.find(reading, row.questionnaire)
        labels = dict(_labels(grid.questions.values())) if grid else {}
    kind = Caller.USAGER if row.assessor_kind == Caller.USAGER else Caller.PROFESSIONAL
    return Assessed(
        on=row.occurred_at.astimezone(PARIS).date(),
        by=author(kind, role=row.assessor_role, first_name=row.assessor_first_name),
        status=AssessmentStatus(row.status),
        of_needs=canonical(row.questionnaire)[0] in grids.OF_SUPPORT,
        comment=None if row.wordless else row.comment,
        answers=tuple(_answered(given, labels)),
        numbers=any(answer.get("type") in NUMBERS for answer in _given(given)),
    )


def _given(items: Iterable[answers.Item]) -> Iterator[dict[str, Any]]:
    """Each answer, wherever it stands."""
    for item in items:
        yield from item.get("answers", ())
        inside = [*item.get("items", ()), *(inner for one in item.get("answers", ()) for inner in one.get("items", ()))]
        yield from _given(inside)


def _unread(answer: dict[str, Any]) -> bool:
    """A code whose words did not come with it."""
    value = answer.get("value")
    return answer.get("type") == "choice" and isinstance(value, dict) and not value.get("display")


def _labels(questions: Iterable[Question]) -> Iterator[tuple[tuple[str, str], str]]:
    for question in questions:
        for option in question.item.get("answerOption", ()):
            coding = option.get("valueCoding", {})
            if "display" in coding:
                yield (str(coding.get("system", "")), str(coding.get("code", ""))), str(coding["display"])
        yield from _labels(question.inside.values())


def _answered(items: list[answers.Item], labels: Labels) -> Iterator[tuple[str, str]]:
    """Each question that has an answer, in the order of the grid, those inside after the one they stand in."""
    for item in items:
        given = item.get("answers", ())
        words = ", ".join(filter(None, (_word(answer, labels) for answer in given)))
        if words:
            yield item.get("text") or "Une question", words
        inside = [*item.get("items", ()), *(inner for answer in given for inner in answer.get("items", ()))]
        yield from _answered(inside, labels)


def _word(answer: dict[str, Any], labels: Labels) -> str:
    """An answer as it is read; a file or an address is not."""
    value = answer.get("value")
    match answer.get("type"):
        case "boolean":
            return YES_NO[bool(value)]
        case "date" if isinstance(value, str) and len(value) == len("2026-01-01"):
            day = datetime.fromisoformat(value)
            return f"{day_month(day)} {day.year}"
        case "choice" | "reference" if isinstance(value, dict):
            coded = str(value.get("system") or ""), str(value.get("code") or "")
            return str(value.get("display") or labels.get(coded) or coded[1])
        case "quantity" if isinstance(value, dict):
            return f"{value.get('value', '')} {value.get('unit') or ''}".strip()
        case "attachment" | "url":
            return ""
    return "" if value is None else str(value)
