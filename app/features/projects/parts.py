"""What the REST API hears and says about each part of a project."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from app.access.entry import DossierView
from app.features.projects.models import (
    Agreement,
    Expectation,
    Goal,
    Means,
    Need,
    ProjectAction,
    ProjectService,
    Review,
)
from app.features.projects.schemas import Code, Ids, Line, Moment, Never, Shown
from app.features.projects.vocabulary import GoalKind, GoalStatus, Origin, Step, TaskStatus
from app.kernel.fields import Body, Prose

Codes = Annotated[list[Code], Field(max_length=50)]
Kept = Annotated[Prose | None, Never]
KeptLine = Annotated[Line | None, Never]
KeptShown = Annotated[Shown | None, Never]


class ExpectationIn(Body):
    """`words` as they were said; `adds_to_id` when they come after others."""

    origin: Origin
    words: Prose
    said_by: Line | None = None
    said_on: date | None = None
    adds_to_id: UUID | None = None
    attachment_ids: Ids | None = None
    visibility: Shown = "shared"


class ExpectationPatch(Body):
    """The words stay as they are; a `comment` of the team comes after the others."""

    comment: Kept = None
    visibility: KeptShown = None


class NeedIn(Body):
    text: Prose
    serafin: Code | None = None
    attachment_ids: Ids | None = None
    visibility: Shown = "shared"


class NeedPatch(Body):
    text: Kept = None
    serafin: Code | None = None
    attachment_ids: Ids | None = None
    visibility: KeptShown = None


class _Goal(Body):
    description: Prose | None = None
    step: Step | None = None
    strategy: Prose | None = None
    referent_id: UUID | None = None
    referent_name: Line | None = None
    review_on: date | None = None
    need_ids: Ids | None = None
    team_view: Prose | None = None
    evaluation_ids: Ids | None = None
    attachment_ids: Ids | None = None


class GoalIn(_Goal):
    title: Line
    kind: GoalKind = GoalKind.AVANCER
    status: GoalStatus = GoalStatus.PLANNED
    visibility: Shown = "shared"


class GoalPatch(_Goal):
    """The person's own opinion is not here: nobody writes it for them."""

    title: KeptLine = None
    kind: Annotated[GoalKind | None, Never] = None
    status: Annotated[GoalStatus | None, Never] = None
    visibility: KeptShown = None


class _Action(Body):
    description: Prose | None = None
    expected_result: Prose | None = None
    person_opinion: Prose | None = None
    owner_id: UUID | None = None
    owner_name: Line | None = None
    starts: date | None = None
    ends: date | None = None
    goal_ids: Ids | None = None
    evaluation_ids: Ids | None = None
    attachment_ids: Ids | None = None


class ActionIn(_Action):
    title: Line
    status: TaskStatus = TaskStatus.DRAFT
    visibility: Shown = "shared"


class ActionPatch(_Action):
    title: KeptLine = None
    status: Annotated[TaskStatus | None, Never] = None
    visibility: KeptShown = None


class _Service(Body):
    description: Prose | None = None
    action_id: UUID | None = None
    types: Codes | None = None
    evaluation_id: UUID | None = None
    attachment_ids: Ids | None = None


class ServiceIn(_Service):
    title: Line
    status: TaskStatus = TaskStatus.DRAFT
    visibility: Shown = "shared"


class ServicePatch(_Service):
    title: KeptLine = None
    status: Annotated[TaskStatus | None, Never] = None
    visibility: KeptShown = None


class _Means(Body):
    description: Prose | None = None
    action_id: UUID | None = None
    evaluation_id: UUID | None = None
    attachment_ids: Ids | None = None


class MeansIn(_Means):
    title: Line
    status: TaskStatus = TaskStatus.DRAFT
    visibility: Shown = "shared"


class MeansPatch(_Means):
    title: KeptLine = None
    status: Annotated[TaskStatus | None, Never] = None
    visibility: KeptShown = None


class Preparation(Body):
    """What one of those invited said beforehand."""

    by: Line
    text: Prose


class _Review(Body):
    status_code: Code | None = None
    ends_at: Moment | None = None
    perimeter: Prose | None = None
    question: Prose | None = None
    guests: Prose | None = None
    preparations: Annotated[list[Preparation], Field(max_length=50)] | None = None
    synthesis: Prose | None = None
    next_review_on: date | None = None
    attachment_ids: Ids | None = None


class ReviewIn(_Review):
    starts_at: Moment
    status: TaskStatus = TaskStatus.DRAFT
    visibility: Shown = "shared"


class ReviewPatch(_Review):
    starts_at: Annotated[Moment | None, Never] = None
    status: Annotated[TaskStatus | None, Never] = None
    visibility: KeptShown = None


class PartOut(DossierView, frozen=True):
    project_id: str
    author_id: str | None
    author_kind: str
    visibility: str
    recorded_at: datetime
    updated_at: datetime
    version: int


class ExpectationOut(PartOut, frozen=True):
    TABLE: ClassVar = Expectation

    replaces_id: str | None
    adds_to_id: str | None
    origin: str
    said_by: str | None
    said_on: date | None
    words: str
    comments: list[str] | None
    attachment_ids: list[str] | None


class NeedOut(PartOut, frozen=True):
    TABLE: ClassVar = Need

    replaces_id: str | None
    text: str
    serafin: str | None
    attachment_ids: list[str] | None


class GoalOut(PartOut, frozen=True):
    TABLE: ClassVar = Goal

    replaces_id: str | None
    title: str
    description: str | None
    kind: str
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    status_author_kind: str | None
    step: str | None
    strategy: str | None
    referent_id: str | None
    referent_kind: str | None
    referent_name: str | None
    review_on: date | None
    need_ids: list[str] | None
    team_view: str | None
    team_view_at: datetime | None
    team_view_by: str | None
    opinion_feeling: str | None
    opinion_words: str | None
    opinion_at: datetime | None
    evaluation_ids: list[str] | None
    attachment_ids: list[str] | None


class ActionOut(PartOut, frozen=True):
    TABLE: ClassVar = ProjectAction

    replaces_id: str | None
    title: str
    description: str | None
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    status_author_kind: str | None
    expected_result: str | None
    person_opinion: str | None
    owner_id: str | None
    owner_kind: str | None
    owner_name: str | None
    starts: date | None
    ends: date | None
    goal_ids: list[str] | None
    evaluation_ids: list[str] | None
    attachment_ids: list[str] | None


class ServiceOut(PartOut, frozen=True):
    TABLE: ClassVar = ProjectService

    replaces_id: str | None
    action_id: str | None
    title: str
    description: str | None
    types: list[str] | None
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    status_author_kind: str | None
    evaluation_id: str | None
    attachment_ids: list[str] | None


class MeansOut(PartOut, frozen=True):
    TABLE: ClassVar = Means

    replaces_id: str | None
    action_id: str | None
    title: str
    description: str | None
    status: str
    evaluation_id: str | None
    attachment_ids: list[str] | None


class ReviewOut(PartOut, frozen=True):
    TABLE: ClassVar = Review

    status: str
    status_code: str | None
    starts_at: datetime
    ends_at: datetime | None
    perimeter: str | None
    question: str | None
    guests: str | None
    preparations: list[str] | None
    prepared_by: list[str] | None
    synthesis: str | None
    next_review_on: date | None
    attachment_ids: list[str] | None


class AgreementOut(PartOut, frozen=True):
    TABLE: ClassVar = Agreement

    party: str
    answer: str
    signed_at: datetime
    signer_id: str | None
    signer_kind: str | None
    signer_name: str | None
    comment: str | None
    shown_version: int | None
    shown_sha256: str | None
    starts: date | None
    ends: date | None
