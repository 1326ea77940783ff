"""What each screen shows, and nothing more: frozen, already decided by the gate, free of any row or session.

A view holds facts; `labels` and the templates hold the words. What a view does not hold cannot be shown.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from app.features.access_cards.notice import Told
from app.portal.frame import THE_PERSON, Answer, Frame, Relative, Screen
from app.portal.parts import (
    CopyAsked,
    Event,
    EventDay,
    Goal,
    Identity,
    LogDay,
    Note,
    Position,
    Question,
    QuestionKind,
    Visit,
    Wanted,
    Words,
    by_day,
    grouped,
)
from app.portal.pieces import Assessed, Attendance, Decision, LifeWords, Meal, Paper, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    template: ClassVar[str]
    screen: ClassVar[Screen | None] = None
    frame: Frame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door(View):
    """Before anyone is known: no name, no data."""

    template: ClassVar = "door.html"
    wrong: bool = False
    phone: str | None = None  # a setting: a number with no name of house


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside(View):
    frame: Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Home(Inside):
    template: ClassVar = "home.html"
    screen: ClassVar = Screen.HOME
    identity: Identity
    next_event: Event | None = None
    week_events: int = 0
    questions: int = 0  # agreements this reader may answer and has not, or has to confirm
    project_questions: int = 0
    new_notes: int = 0
    emergencies: tuple[Visit, ...] = ()  # emergency accesses not told yet
    notice: tuple[Told, ...] = ()  # at the first opening with a card
    of_age: tuple[Question, ...] = ()  # what their parents had allowed, to be said again by who is 18


@dataclass(frozen=True, slots=True, kw_only=True)
class MyProject(Inside):
    template: ClassVar = "project.html"
    screen: ClassVar = Screen.PROJECT
    number: int | None = None  # None: no project yet
    id: str | None = None
    seen: str | None = None  # the fingerprint of what is shown: an answer says on which words
    draft: bool = False  # in preparation
    other: str | None = None  # the address of the one in preparation, or of the one under way
    since: date | None = None
    review_on: date | None = None
    words: tuple[Words, ...] = ()
    goals: tuple[Goal, ...] = ()
    position: Position | None = None  # the person's own
    others: tuple[Position, ...] = ()  # house, representatives: this reader may see them
    may_answer: bool = False

    @property
    def reader_answer(self) -> Answer | None:
        """What the one who looks has answered: the person, or the representative."""
        if self.frame.behalf is None:
            return self.position.answer if self.position else None
        mine = (said.answer for said in self.others if isinstance(said.by, Relative) and said.by.reading_now)
        return next(mine, None)

    @property
    def own_words(self) -> tuple[Words, ...]:
        return tuple(words for words in self.words if words.said_by == THE_PERSON)

    @property
    def others_words(self) -> tuple[Words, ...]:
        return tuple(words for words in self.words if words.said_by != THE_PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class MyAgenda(Inside):
    template: ClassVar = "agenda.html"
    screen: ClassVar = Screen.AGENDA
    upcoming: tuple[Event, ...] = ()  # in order of time
    past: tuple[Event, ...] = ()  # the last seven days
    attendance: tuple[Attendance, ...] = ()
    meals: tuple[Meal, ...] = ()

    @property
    def days(self) -> tuple[EventDay, ...]:
        return by_day(self.upcoming)

    @property
    def past_days(self) -> tuple[EventDay, ...]:
        return by_day(self.past)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal(Inside):
    template: ClassVar = "journal.html"
    screen: ClassVar = Screen.JOURNAL
    notes: tuple[Note, ...] = ()  # newest first
    older: str | None = None  # address of the page before


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreements(Inside):
    template: ClassVar = "agreements.html"
    screen: ClassVar = Screen.AGREEMENTS
    questions: tuple[Question, ...] = ()

    @property
    def groups(self) -> tuple[tuple[QuestionKind, tuple[Question, ...]], ...]:
        told = ((kind, tuple(q for q in self.questions if q.kind is kind)) for kind in QuestionKind)
        return tuple((kind, questions) for kind, questions in told if questions)

    @property
    def alone(self) -> bool:
        """Nobody else has to answer: neither both parents, nor who has the keeping of a minor."""
        return not any(question.both_parents or question.kept_by_others for question in self.questions)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLog(Inside):
    template: ClassVar = "access.html"
    screen: ClassVar = Screen.ACCESS
    visits: tuple[Visit, ...] = ()
    before: date | None = None  # visits of days before this one; None: up to now
    older: str | None = None

    @property
    def days(self) -> tuple[LogDay, ...]:
        return grouped(self.visits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies(Inside):
    template: ClassVar = "copies.html"
    screen: ClassVar = Screen.COPIES
    asked: tuple[CopyAsked, ...] = ()
    offered: tuple[Wanted, ...] = ()  # none for who may not ask, or when all of it waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye(View):
    template: ClassVar = "bye.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(View):
    """What is kept, why, for how long, and one's rights (RGPD art. 13): before anyone is known, the same for all."""

    template: ClassVar = "notice.html"
    parts: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents(Inside):
    template: ClassVar = "documents.html"
    screen: ClassVar = Screen.DOCUMENTS
    papers: tuple[Paper, ...] = ()  # newest first
    older: str | None = None
    may_add: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MyLife(Inside):
    template: ClassVar = "life.html"
    screen: ClassVar = Screen.LIFE
    now: LifeWords | None = None  # the person's own, the latest
    before: tuple[LifeWords, ...] = ()
    others: tuple[LifeWords, ...] = ()
    may_write: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation(Inside):
    template: ClassVar = "orientation.html"
    screen: ClassVar = Screen.ORIENTATION
    requests: tuple[Request, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessments(Inside):
    template: ClassVar = "assessments.html"
    screen: ClassVar = Screen.ASSESSMENTS
    made: tuple[Assessed, ...] = ()


class StopKind(StrEnum):
    LINK_ENDED = "link_ended"
    TOO_MANY = "too_many"
    SESSION_ENDED = "session_ended"
    WRONG_ADDRESS = "wrong_address"  # the page asked under another name than ours
    STALE_FORM = "stale_form"  # the CSRF field is missing or old
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    FILE_TOO_LARGE = "file_too_large"
    FILE_KIND = "file_kind"
    FILE_MISSING = "file_missing"
    PAPER_USED = "paper_used"
    BUSY = "busy"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(View):
    template: ClassVar = "stop.html"
    kind: StopKind
    back: Screen | None = None  # the record may still be open: offers its home, or where they were
