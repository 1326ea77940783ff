"""What the screens are made of: goals, events, notes, questions, visits. Frozen, already decided by the gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from itertools import groupby

from app.audit.vocabulary import Deed
from app.features.copies.models import CopyAnswer, Part
from app.features.projects.vocabulary import Feeling, GoalKind, Step
from app.kernel.clock import PARIS
from app.portal.frame import THE_PERSON, Answer, Staff, Who


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One line of the trail that may be shown to this reader."""

    at: datetime
    who: Who
    deed: Deed
    what: tuple[str, ...] = ()  # keys of labels.WHAT: the kinds of rows
    emergency: str | None = None  # the reason given for an emergency access
    why: str | None = None  # key of labels.WHY
    to: str | None = None  # the partner to whom it was sent
    ground: str | None = None  # a key of labels.GROUNDS: why that was allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """The same visitor, the same deed, the same day: told once."""

    who: Who
    deed: Deed
    what: tuple[str, ...]
    emergency: str | None
    why: str | None
    to: str | None
    ground: str | None
    at: tuple[datetime, ...]  # newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDay:
    day: date
    visits: tuple[Visits, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Verbatim, never edited."""

    text: str
    said_by: Who
    on: date
    written_by: Staff | None = None  # under dictation


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffView:
    text: str
    by: Who
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class MyView:
    """The person's own view, whoever is looking."""

    feeling: Feeling
    on: date
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    id: str
    title: str
    kind: GoalKind
    step: Step | None = None
    why: str | None = None
    actions: tuple[str, ...] = ()
    with_whom: tuple[str, ...] = ()
    hard: str | None = None  # « Ce qui est difficile pour moi »
    talk_again: date | None = None
    staff_view: StaffView | None = None
    my_view: MyView | None = None
    may_say: bool = False  # offers the buttons


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One party's answer on the whole project."""

    answer: Answer
    on: date
    by: Who = THE_PERSON
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    id: str
    day: date
    title: str
    starts: time | None = None  # None: all day
    ends: time | None = None
    place: str | None = None
    with_whom: tuple[str, ...] = ()
    companion: str | None = None  # who goes there with the person
    rides: tuple["Ride", ...] = ()
    answer: Answer | None = None
    may_answer: bool = False
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """How the person goes there, or who comes to them (`visitor`)."""

    starts: datetime | None = None
    carrier: str | None = None
    visitor: str | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDay:
    day: date
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotePart:
    kind: str  # data · action · result · narrative · reply
    text: str
    by: Who
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thread of transmissions, its shared parts only, oldest part first."""

    parts: tuple[NotePart, ...]
    target: str | None = None
    goal: str | None = None

    @property
    def day(self) -> date:
        return self.parts[0].at.astimezone(PARIS).date()


class Wanted(StrEnum):
    """What one button asks for, of the dossier; also the posted value of the field `wanted`."""

    ALL = "all"
    CARE = "care"
    REST = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyAsked:
    """A part of the dossier that was asked for."""

    part: Part
    on: date
    due_on: date
    answer: CopyAnswer | None = None
    answered_on: date | None = None
    words: str | None = None
    path: str | None = None  # where it is read, once ready


class QuestionKind(StrEnum):
    """Never mixed in one list (field.md §4)."""

    SHARING = "partage"
    IMAGE = "image"
    OTHER = "autre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    answer: Answer
    on: date
    by: Who = THE_PERSON
    noted_by: Staff | None = None  # staff recorded it
    confirmed: bool = False  # the person said « c'est bien ça »
    assisted_by: str | None = None  # « avec l'assistance de … »


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    id: str
    kind: QuestionKind
    text: str
    if_yes: str
    if_no: str
    given: Answered | None = None
    asked_by: Who | None = None
    asked_on: date | None = None
    ends_on: date | None = None
    partner: str | None = None  # who receives, with its article: « le CHU »
    already_received: bool = False
    may_answer: bool = True
    wording: str | None = None  # the fingerprint of the three sentences: a yes says on which words
    person_says: Answered | None = None  # the person's own view, shown to who answers for them
    both_parents: bool = False  # a « non usuel » act
    kept_by_others: bool = False  # an act of who has the keeping of a minor: the ASE, or the house
    parents_disagree: bool = False

    @property
    def to_confirm(self) -> bool:
        return self.may_answer and bool(self.given and self.given.noted_by and not self.given.confirmed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    birth_name: str
    first_names: str
    birth_date: date | None = None
    used_name: str | None = None
    house: str | None = None
    verified: bool = False  # « à vérifier » until our own qualification


Alike = tuple[Who, Deed, str | None, str | None, str | None, str | None]  # told once: see `Visits`


def by_day(events: Sequence[Event]) -> tuple[EventDay, ...]:
    return tuple(EventDay(day=day, events=tuple(told)) for day, told in groupby(events, key=lambda event: event.day))


def grouped(visits: Sequence[Visit]) -> tuple[LogDay, ...]:
    """Newest day first; within a day, visitors in the order of their last visit."""
    days: dict[date, dict[Alike, list[Visit]]] = {}
    for visit in sorted(visits, key=lambda visit: visit.at, reverse=True):
        day = days.setdefault(visit.at.astimezone(PARIS).date(), {})
        alike = (visit.who, visit.deed, visit.emergency, visit.why, visit.to, visit.ground)
        day.setdefault(alike, []).append(visit)
    return tuple(
        LogDay(
            day=day,
            visits=tuple(
                Visits(
                    who=who,
                    deed=deed,
                    what=tuple(dict.fromkeys(what for visit in told for what in visit.what)),
                    emergency=emergency,
                    why=why,
                    to=to,
                    ground=ground,
                    at=tuple(visit.at for visit in told),
                )
                for (who, deed, emergency, why, to, ground), told in lines.items()
            ),
        )
        for day, lines in days.items()
    )
