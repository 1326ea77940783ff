"""What the REST API hears and says about a project, apart from its parts (`parts`)."""

from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from app.access import standing
from app.access.entry import DossierView
from app.features.projects.models import Project
from app.features.projects.questions import DISAGREEMENT, MINOR
from app.features.projects.vocabulary import Answer, Feeling, Party
from app.features.settings.chosen import chosen
from app.kernel.fields import CONTROLS, Body, Prose, of_our_time, written

T = TypeVar("T")
Line = Annotated[str, written(250)]
Code = Annotated[
    str, StringConstraints(max_length=250, pattern=rf"^[^\s|{CONTROLS}]+\|[^\s|{CONTROLS}]+$")
]  # `system|code`
Moment = Annotated[AwareDatetime, AfterValidator(lambda at: of_our_time(at).astimezone(UTC))]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Shown = Literal["not_shared", "shared"]
Ids = Annotated[list[UUID], Field(max_length=100)]


def _told(value: T | None) -> T:
    if value is None:
        raise ValueError  # said as null: this field may be left out, not emptied
    return value


Never = AfterValidator(_told)  # of a patch: absent is "unchanged", null is refused


class ProjectIn(Body):
    usager_id: UUID
    structure_id: UUID
    title: Line
    description: Prose | None = None
    starts: date | None = None
    ends: date | None = None
    type_code: Code | None = None
    communication: Prose | None = None
    next_review_on: date | None = None
    attachment_ids: Ids | None = None
    visibility: Shown = "shared"


class ProjectPatch(Body):
    """A correction: what it leaves out stays. The status changes by its own acts."""

    title: Annotated[Line | None, Never] = None
    description: Prose | None = None
    starts: date | None = None
    ends: date | None = None
    type_code: Code | None = None
    communication: Prose | None = None
    next_review_on: date | None = None
    attachment_ids: Ids | None = None
    visibility: Annotated[Shown | None, Never] = None


class Amendment(Body):
    title: Line | None = None


class OpinionIn(Body):
    """« Pour moi, comment ça va ? »"""

    goal_id: UUID
    feeling: Feeling
    words: Prose | None = None


class PositionIn(Body):
    """« Est-ce que mon projet me convient ? » `seen` is what the reading gave: the answer is on that, not on another."""

    project_id: UUID
    answer: Answer
    seen: Fingerprint
    words: Prose | None = None


class WordsIn(Body):
    """More words of the person; `only_team` closes them to those who represent them."""

    project_id: UUID
    words: Prose
    adds_to_id: UUID | None = None
    only_team: bool = False


class AgreementIn(Body):
    """An answer given on paper or aloud, recorded by the team."""

    party: Party
    answer: Answer
    signed_at: Moment | None = None
    signer_id: UUID | None = None
    signer_name: Line | None = None
    comment: Prose | None = None
    starts: date | None = None
    ends: date | None = None
    seen: Fingerprint | None = None


class Pace(DossierView, frozen=True):
    """How many months may pass before a project is reviewed, as its structure chose."""

    TABLE: ClassVar = Project
    COMPUTED: ClassVar = {"review_months": chosen("project.review_months", "project")}

    review_months: str = ""


class _Project(DossierView, frozen=True):
    structure_id: str
    number: int
    title: str
    description: str | None
    status: str
    status_changed_at: datetime | None
    starts: date | None
    ends: date | None
    type_code: str | None
    communication: str | None
    replaces_id: str | None
    next_review_on: date | None
    occurred_at: datetime
    updated_at: datetime
    version: int


class ProjectOut(_Project, frozen=True):
    """As the team reads it. `disagreement` is computed at a read: null in the answer to a write."""

    TABLE: ClassVar = Project
    COMPUTED: ClassVar = {"disagreement": DISAGREEMENT}

    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    status_author_id: str | None
    attachment_ids: list[str] | None
    category: str
    visibility: str
    recorded_at: datetime
    disagreement: bool | None = None


class ProjectWhole(ProjectOut, frozen=True):
    """Read with its parts; `minor` is for the rules, not for the reader."""

    COMPUTED: ClassVar = {"disagreement": DISAGREEMENT, "minor": MINOR}

    minor: bool = False


class MyProjectWhole(_Project, frozen=True):
    """The same, as the person, or who represents them, reads it."""

    TABLE: ClassVar = Project
    COMPUTED: ClassVar = {"minor": MINOR, "may_answer": standing.may_answer(Project)}

    may_answer: bool = False
    minor: bool = False
