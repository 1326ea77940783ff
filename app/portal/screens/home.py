"""The home: who I am, what comes next, what waits for me. One statement, whatever it shows."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import DateTime, Uuid, bindparam, exists

from app.access.entry import ME, DossierView
from app.access.gate import Listing, Reading
from app.access.log import KIND as THE_LOG
from app.access.models import EmergencyAccess
from app.access.together import Asked
from app.audit.models import AuditEntry
from app.audit.vocabulary import Deed
from app.features.access_cards.notice import NOTICE
from app.features.calendar import questions
from app.features.calendar.models import EventStatus
from app.features.calendar.schemas import MyEventOut
from app.features.professionals import shown
from app.features.projects.models import Agreement, Project
from app.features.projects.vocabulary import ProjectStatus
from app.features.transmissions.models import Transmission
from app.kernel.clock import now, today
from app.kernel.hot import word
from app.portal.parts import Visit
from app.portal.screens.agenda import told
from app.portal.screens.agreements import QUESTIONS, waits
from app.portal.screens.agreements import told as question
from app.portal.screens.opening import identity, opened
from app.portal.screens.people import author
from app.portal.views import Home
from app.security.principal import Caller, UsagerSelf

NEWS = WEEK = timedelta(days=7)
CANCELLED = EventStatus.CANCELLED.value
TOLD = timedelta(days=30)  # an emergency access stays on the home until the person opens the list of visits, or so long
MANY = 100
USAGER = bindparam("usager", type_=Uuid())


class NoteLine(DossierView, frozen=True):
    TABLE: ClassVar = Transmission

    thread_id: str


class EmergencyRow(DossierView, frozen=True):
    TABLE: ClassVar = EmergencyAccess
    COMPUTED: ClassVar = {
        "role": shown.role("emergency_access", "professional_id"),
        "first_name": shown.first_name("emergency_access", "professional_id"),
    }

    reason: str
    starts_at: datetime
    role: str | None
    first_name: str | None


_answered = exists().where(
    Agreement.organisation_id == Project.organisation_id,
    Agreement.project_id == Project.id,
    Agreement.signer_id == ME,
    Agreement.deleted_at.is_(None),
)


def _moment(name: str) -> Any:
    return bindparam(name, type_=DateTime(timezone=True))


_seen_since = exists().where(
    AuditEntry.organisation_id == EmergencyAccess.organisation_id,
    AuditEntry.usager_id == EmergencyAccess.usager_id,
    AuditEntry.principal_id == ME,
    AuditEntry.kind == word(THE_LOG),
    AuditEntry.at > EmergencyAccess.starts_at,
)


class ProjectLine(DossierView, frozen=True):
    """`answered`: who looks has said whether it suits them."""

    TABLE: ClassVar = Project
    COMPUTED: ClassVar = {"answered": _answered}

    answered: bool


EVENTS = Asked(MyEventOut, questions.OF_USAGER, MANY)
PROJECTS = Asked(
    ProjectLine,
    Listing((Project.usager_id == USAGER) & (Project.status != word(ProjectStatus.COMPLETED)), ("occurred_at",)),
    2,
)
NOTES = Asked(
    NoteLine,
    Listing((Transmission.usager_id == USAGER) & (Transmission.occurred_at >= _moment("news_since")), ("occurred_at",)),
    MANY,
)
EMERGENCIES = Asked(
    EmergencyRow,
    Listing(
        (EmergencyAccess.usager_id == USAGER) & (EmergencyAccess.starts_at >= _moment("told_since")) & ~_seen_since,
        ("starts_at",),
    ),
    5,
)


async def home(reading: Reading) -> Home:
    asked = [EVENTS, PROJECTS, QUESTIONS, NOTES]
    if isinstance(reading.principal, UsagerSelf):  # who represents them sees their own visits only
        asked.append(EMERGENCIES)
    day = today()
    values = {"state": None, **questions.between(day, day + WEEK)}
    page = await opened(reading, *asked, news_since=now() - NEWS, told_since=now() - TOLD, **values)
    rows, projects, asked_of_me, notes, *emergencies = page.lists
    coming = [event for event in (told(row, day) for row in rows) if not event.cancelled]
    still = now()
    return Home(
        frame=page.frame,
        identity=identity(page.record),
        next_event=next((told(row, day) for row in rows if row.ends_at > still and row.status != CANCELLED), None),
        week_events=len(coming),
        questions=sum(waits(row) for row in asked_of_me),
        project_questions=sum(not row.answered for row in projects) if page.may_answer else 0,
        new_notes=len({note.thread_id for note in notes}),
        notice=NOTICE if page.record.notice_due else (),
        of_age=tuple(question(row, page) for row in asked_of_me if row.lapsed),
        emergencies=tuple(_visit(row) for rows in emergencies for row in rows),
    )


def _visit(row: EmergencyRow) -> Visit:
    who = author(Caller.PROFESSIONAL, mine=False, role=row.role, first_name=row.first_name)
    return Visit(at=row.starts_at, who=who, deed=Deed.READ, emergency=row.reason)
