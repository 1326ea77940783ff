"""« Mon projet »: what the person wants, the goals with both views side by side, and each party's answer."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Uuid, bindparam

from app.access.entry import DossierView, Who
from app.access.gate import Listing, Reading
from app.access.together import Asked
from app.features.contacts import shown as contacts
from app.features.professionals import shown
from app.features.projects import agreeing, models
from app.features.projects.parts import ActionOut, AgreementOut, ExpectationOut, GoalOut, NeedOut
from app.features.projects.questions import MINE_IN_PREPARATION, MINE_RUNNING
from app.features.projects.seen import Seen
from app.features.projects.vocabulary import (
    Feeling,
    GoalKind,
    GoalStatus,
    Origin,
    Party,
    ProjectStatus,
    Step,
    TaskStatus,
)
from app.kernel.clock import PARIS
from app.kernel.errors import NotFound
from app.portal import frame
from app.portal.frame import THE_PERSON, Answer, Partner, Relative, Screen
from app.portal.parts import Goal, MyView, Position, StaffView, Words
from app.portal.screens.opening import Opened, opened
from app.portal.screens.people import CLOSE, THE_TEAM, relation, staff
from app.portal.views import MyProject
from app.security.principal import Caller

PREPARED = "preparation"
MANY = 200
OVER = (GoalStatus.COMPLETED, GoalStatus.CANCELLED)


class ProjectLine(DossierView, frozen=True):
    TABLE: ClassVar = models.Project


class SaidBy(DossierView, frozen=True):
    """Under whose pen someone's words were written down."""

    TABLE: ClassVar = models.Expectation
    COMPUTED: ClassVar = {"role": shown.role("expectation"), "first_name": shown.first_name("expectation")}

    author_kind: str
    role: str | None
    first_name: str | None


class SeenBy(DossierView, frozen=True):
    """Who wrote the team's view of a goal; with whom it is worked on."""

    TABLE: ClassVar = models.Goal
    COMPUTED: ClassVar = {
        "role": shown.role("goal", "team_view_by", "team_view_at"),
        "first_name": shown.first_name("goal", "team_view_by"),
        "referent": shown.given_name("goal", "referent_id"),
    }

    role: str | None
    first_name: str | None
    referent: str | None


class SignedBy(DossierView, frozen=True):
    TABLE: ClassVar = models.Agreement
    COMPUTED: ClassVar = {
        "relation": contacts.relation("agreement", "signer_id"),
        "name": contacts.name("agreement", "signer_id"),
    }

    relation: str | None
    name: str | None


def _of_project(view: type[DossierView]) -> Asked:
    row: Any = view.TABLE
    return Asked(view, Listing(row.project_id == bindparam("project", type_=Uuid())), MANY)


PEOPLE = tuple(_of_project(view) for view in (SaidBy, SeenBy, SignedBy))
RUNNING, PREPARING = Asked(ProjectLine, MINE_RUNNING, 1), Asked(ProjectLine, MINE_IN_PREPARATION, 1)


async def project(reading: Reading, state: str | None) -> MyProject:
    """The project under way, else the one in preparation; `state`: the one in preparation."""
    try:
        seen = await agreeing.my_project(reading, in_preparation=state == PREPARED)
    except NotFound:
        return MyProject(frame=(await opened(reading)).frame)
    page = await opened(reading, *PEOPLE, RUNNING, PREPARING, project=UUID(seen.project.id))
    *_, running, preparing = page.lists
    draft = seen.project.status == ProjectStatus.DRAFT
    other = Screen.PROJECT.path if running else None
    if not draft:
        other = f"{Screen.PROJECT.path}?etat={PREPARED}" if preparing else None
    own, others = _positions(seen, page, str(reading.principal.id))
    return MyProject(
        frame=page.frame,
        number=seen.project.number,
        id=seen.project.id,
        seen=seen.sha256,
        draft=draft,
        other=other,
        since=seen.project.starts,
        review_on=seen.project.next_review_on,
        words=_words(seen, page),
        goals=_goals(seen, page),
        position=own,
        others=others,
        may_answer=page.may_answer,
    )


def _words(seen: Seen, page: Opened) -> tuple[Words, ...]:
    people: dict[str, SaidBy] = {row.id: row for row in page.lists[0]}
    said = [row for row in seen.parts["expectations"] if isinstance(row, ExpectationOut)]
    return tuple(_word(row, people.get(row.id)) for row in said)


def _word(row: ExpectationOut, by: SaidBy | None) -> Words:
    writer = staff(by.role, by.first_name) if by and by.author_kind == Caller.PROFESSIONAL else None
    mine = row.origin == Origin.USAGER
    return Words(
        text=row.words,
        said_by=THE_PERSON if mine else _someone(row),
        on=row.said_on or _day(row.recorded_at),
        written_by=writer if mine else None,
    )


def _someone(row: ExpectationOut) -> frame.Who:
    if row.said_by:
        return Partner(name=row.said_by)
    return THE_TEAM if row.origin == Origin.PROFESSIONNEL else Relative(relation=CLOSE)


def _goals(seen: Seen, page: Opened) -> tuple[Goal, ...]:
    people: dict[str, SeenBy] = {row.id: row for row in page.lists[1]}
    goals = [row for row in seen.parts["goals"] if isinstance(row, GoalOut) and row.status != GoalStatus.CANCELLED]
    alone = page.frame.behalf is None and seen.project.status != ProjectStatus.COMPLETED
    return tuple(_goal(row, seen, people.get(row.id), alone=alone) for row in goals)


def _goal(row: GoalOut, seen: Seen, people: SeenBy | None, *, alone: bool) -> Goal:
    actions = [a for a in seen.parts["actions"] if isinstance(a, ActionOut) and row.id in (a.goal_ids or ())]
    needs = [n.text for n in seen.parts["needs"] if isinstance(n, NeedOut) and n.id in (row.need_ids or ())]
    by = (staff(people.role, people.first_name) if people else None) or THE_TEAM
    referent = row.referent_name or (people.referent if people else None)
    return Goal(
        id=row.id,
        title=row.title,
        kind=GoalKind(row.kind),
        step=Step(row.step) if row.step else None,
        why=row.description,
        actions=tuple(action.title for action in actions if action.status != TaskStatus.CANCELLED),
        with_whom=(referent,) if referent else (),
        hard="\n".join(needs) or None,
        talk_again=row.review_on,
        staff_view=StaffView(text=row.team_view, by=by, on=_day(row.team_view_at or row.updated_at))
        if row.team_view
        else None,
        my_view=MyView(feeling=Feeling(row.opinion_feeling), on=_day(row.opinion_at), words=row.opinion_words)
        if row.opinion_feeling and row.opinion_at
        else None,
        may_say=alone and row.status not in OVER,
    )


def _positions(seen: Seen, page: Opened, me: str) -> tuple[Position | None, tuple[Position, ...]]:
    """The person's own, and the others'."""
    people: dict[str, SignedBy] = {row.id: row for row in page.lists[2]}
    own, others = None, []
    for said in seen.positions:
        by = _signer(said, people.get(said.id), me)
        position = Position(answer=Answer(said.answer), on=_day(said.signed_at), by=by, words=said.comment)
        if said.party == Party.USAGER:
            own = position
        else:
            others.append(position)
    return own, tuple(others)


def _signer(said: AgreementOut, by: SignedBy | None, me: str) -> frame.Who:
    if said.party == Party.USAGER:
        return THE_PERSON
    if said.party == Party.STRUCTURE:
        return THE_TEAM
    known = by if by and said.signer_kind == Who.CONTACT else None
    name = (known.name if known else None) or said.signer_name
    return Relative(relation=relation(known.relation if known else None), name=name, reading_now=said.signer_id == me)


def _day(at: datetime) -> date:
    return at.astimezone(PARIS).date()
