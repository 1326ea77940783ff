"""What the screens of documents, of the life project, of the MDPH and of assessments are made of. Frozen, already decided."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.features.assessments.models import AssessmentStatus
from app.features.orientation.models import RequestStatus
from app.kernel.clock import PARIS
from app.portal.frame import Staff, Who


class PaperKind(StrEnum):
    PDF = "pdf"
    IMAGE = "image"
    SOUND = "sound"
    TEXT = "text"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    id: str
    title: str
    on: date
    by: Who
    kind: PaperKind
    size: int | None = None  # bytes; None: its file is not here
    about: str | None = None
    replaced: bool = False
    mine: bool = False  # the person added it, and looks at it
    only_team: bool = False
    may_take_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeWords:
    """Verbatim. `aim`: what it would change."""

    text: str
    said_by: Who
    on: date
    aim: str | None = None
    aim_on: date | None = None
    written_by: Staff | None = None  # under dictation
    over: bool = False
    only_team: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked of the MDPH."""

    what: str | None
    status: RequestStatus
    on: date | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    what: str | None
    opens_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    what: str | None
    on: date | None = None
    rights: tuple[Right, ...] = ()
    why: str | None = None
    closes_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One grid answered. `answers`: what was asked, what was answered."""

    on: date
    by: Who
    status: AssessmentStatus
    of_needs: bool = False  # SERAFIN-PH; another grid is told as an assessment
    comment: str | None = None
    answers: tuple[tuple[str, str], ...] = ()
    numbers: bool = False  # some are numbers: no grid here says what one means


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """There, or away."""

    starts: datetime
    ends: datetime
    absent: bool
    planned: bool = False  # an absence told before

    @property
    def days(self) -> tuple[date, date]:
        return self.starts.astimezone(PARIS).date(), self.ends.astimezone(PARIS).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meal:
    at: datetime
    present: bool

    @property
    def day(self) -> date:
        return self.at.astimezone(PARIS).date()
