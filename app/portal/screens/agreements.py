"""« Mes accords »: each question with its consequences, the answer that stands, and three answers to give."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Boolean, ColumnElement, literal_column

from app.access.gate import Reading
from app.access.mandates import majority
from app.access.models import SharingConsent
from app.access.together import Asked
from app.features.consents import service
from app.features.consents.models import Answer as Stands
from app.features.consents.models import MinorAct
from app.features.consents.schemas import MyConsentOut
from app.features.contacts.record import RecordRow
from app.features.professionals import shown
from app.kernel.clock import PARIS, today
from app.portal.frame import THE_PERSON, Answer, Relative, Who
from app.portal.french import with_article
from app.portal.parts import Answered, Question, QuestionKind
from app.portal.screens.opening import Opened, opened
from app.portal.screens.people import staff
from app.portal.views import Agreements
from app.security.principal import Caller

MANY = 50
SAID = (Stands.YES, Stands.NO, Stands.TALK)
# A consent taken back: whether the partner had read under one, as the ground of its readings says in the trail.
_RECEIVED = literal_column(
    """sharing_consent.withdrawn_at IS NOT NULL AND EXISTS (SELECT FROM audit_entry a WHERE a.organisation_id = sharing_consent.organisation_id
        AND a.usager_id = sharing_consent.usager_id AND a.principal_id = sharing_consent.partner_id
        AND a.action = 'read' AND a.outcome = 'success' AND a.ground = 'accord')""",
    Boolean(),
)


class QuestionRow(MyConsentOut, frozen=True):
    TABLE: ClassVar = SharingConsent
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        **MyConsentOut.COMPUTED,
        "asker_role": shown.role("sharing_consent"),
        "asker_first_name": shown.first_name("sharing_consent"),
        "noter_role": shown.role("sharing_consent", "noted_by", "answered_at"),
        "noter_first_name": shown.first_name("sharing_consent", "noted_by"),
        "received": _RECEIVED,
    }

    asker_role: str | None
    asker_first_name: str | None
    noter_role: str | None
    noter_first_name: str | None
    received: bool


QUESTIONS = Asked(QuestionRow, service.OF_PERSON, MANY)


async def agreements(reading: Reading) -> Agreements:
    page = await opened(reading, QUESTIONS)
    return Agreements(frame=page.frame, questions=tuple(told(row, page) for row in page.lists[0]))


def told(row: QuestionRow, page: Opened) -> Question:
    minor, for_another = is_minor(page.record), page.frame.behalf is not None
    return Question(
        id=row.id,
        kind=QuestionKind(row.kind),
        text=row.question,
        if_yes=row.if_yes,
        if_no=row.if_no,
        wording=row.wording_sha256,
        given=_given(row, minor=minor, for_another=for_another),
        asked_by=staff(row.asker_role, row.asker_first_name),
        asked_on=_day(row.occurred_at),
        ends_on=row.ends,
        partner=with_article(row.partner_name) if row.partner_name else None,
        already_received=row.received,
        may_answer=row.may_answer,
        person_says=_own(row) if for_another else None,
        both_parents=row.act == MinorAct.NON_USUEL and minor,
        kept_by_others=row.act == MinorAct.GARDIEN and minor,
    )


def waits(row: MyConsentOut) -> bool:
    """Something is asked of who looks: an answer, or whether what was noted is right."""
    return row.may_answer and (row.answer == Stands.ASKED or row.to_confirm)


def is_minor(record: RecordRow) -> bool:
    return record.birth_date is not None and majority(record.birth_date) > today()


def _given(row: QuestionRow, *, minor: bool, for_another: bool) -> Answered | None:
    """The answer that stands. That parents do not say the same is told to neither, nor to the child."""
    if row.answer not in SAID or row.answered_at is None:
        return None if for_another else _own(row)
    by: Who = THE_PERSON
    if for_another or row.answered_by_kind == Caller.REPRESENTATIVE:
        by = Relative(relation="parent" if minor else "representative", reading_now=for_another)
    noted = staff(row.noter_role, row.noter_first_name) if row.noted_by else None
    return Answered(
        answer=Answer(row.answer),
        on=_day(row.answered_at),
        by=by,
        noted_by=noted,
        confirmed=not row.to_confirm,
        assisted_by=row.assisted_by,
    )


def _own(row: QuestionRow) -> Answered | None:
    if row.person_answer not in SAID or row.person_answered_at is None:
        return None
    return Answered(answer=Answer(row.person_answer), on=_day(row.person_answered_at))


def _day(at: datetime) -> date:
    return at.astimezone(PARIS).date()
