"""The questions asked of projects: declared once, their values named, so that their text is kept."""

from typing import Any

from sqlalchemy import ARRAY, Date, Select, Uuid, bindparam, func, literal_column, not_, or_, select, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from app.access.entry import Readable
from app.access.gate import Listing
from app.access.permissions import Visibility
from app.features.projects.models import Agreement, Project
from app.features.projects.vocabulary import Answer, Party, ProjectStatus
from app.features.usagers.models import Usager
from app.kernel.hot import word

NEWEST_FIRST = ("occurred_at", "id")
USAGER = Project.usager_id == bindparam("usager", type_=Uuid())
RUNNING = or_(Project.status == word(ProjectStatus.ACTIVE), Project.status == word(ProjectStatus.ON_HOLD))
ALL = Listing(true(), NEWEST_FIRST)
OF_USAGER = Listing(USAGER, NEWEST_FIRST, usager="usager")

NUMBERED = Listing(
    USAGER & (Project.structure_id == bindparam("structure", type_=Uuid())), ("number", "id"), usager="usager"
)
DUE = Listing(
    RUNNING & (Project.next_review_on < bindparam("due_before", type_=Date())),
    ("next_review_on", "id"),
    newest_first=False,
)
SIGNED_BY_STRUCTURE = Listing(
    (Agreement.project_id == bindparam("project", type_=Uuid()))
    & (Agreement.party == word(Party.STRUCTURE))
    & (Agreement.answer == word(Answer.YES))
)
MINE_RUNNING = Listing(USAGER & RUNNING, NEWEST_FIRST, usager="usager")
MINE_IN_PREPARATION = Listing(USAGER & (Project.status == word(ProjectStatus.DRAFT)), NEWEST_FIRST, usager="usager")

_later: Any = aliased(Agreement, name="later_answer")


def _unless_changed() -> Select[Any]:
    """The same signer has answered again since."""
    same = (
        _later.organisation_id == Agreement.organisation_id,
        _later.project_id == Agreement.project_id,
        _later.party == Agreement.party,
        _later.signer_id.is_not_distinct_from(Agreement.signer_id),
        _later.signed_at > Agreement.signed_at,
        _later.deleted_at.is_(None),
        not_(_later.held),
    )
    return select(_later.id).where(*same)


# The person, or who represents them, last said no: shown in red to the team, wherever the project is listed.
DISAGREEMENT: ColumnElement[Any] = (
    select(func.count() > literal_column("0"))
    .select_from(Agreement)
    .where(Readable(Agreement))
    .where(
        Agreement.organisation_id == Project.organisation_id,
        Agreement.project_id == Project.id,
        Agreement.answer == word(Answer.NO),
        or_(Agreement.party == word(Party.USAGER), Agreement.party == word(Party.REPRESENTATIVE)),
        Agreement.deleted_at.is_(None),
        Agreement.reserved_to.is_(None),
        not_(Agreement.held),
        not_(_unless_changed().exists()),
    )
    .scalar_subquery()
)
# Two parents may answer apart: of a minor, each sees only their own answer (design: field.md §5).
MINOR: ColumnElement[Any] = (
    select(func.count() > literal_column("0"))
    .select_from(Usager)
    .where(
        Usager.organisation_id == Project.organisation_id,
        Usager.id == Project.usager_id,
        Usager.birth_date > func.timezone(word("Europe/Paris"), func.now()) - literal_column("interval '18 years'"),
    )
    .scalar_subquery()
)


def _signed(*party: ColumnElement[bool]) -> ColumnElement[Any]:
    """The answers given on a project, as far as they are shown: a parent's to a child's project is not the other's."""
    a = Agreement
    shown = or_(a.visibility == word(Visibility.SHARED), a.origin_partner_id == Project.origin_partner_id)
    rows = select(a.id).where(
        a.organisation_id == Project.organisation_id,
        a.project_id == Project.id,
        a.held == Project.held,
        a.deleted_at.is_(None),
        a.reserved_to.is_(None),
        Readable(Agreement),
        shown,
        *party,
    )
    return func.array(rows.order_by(a.id).scalar_subquery(), type_=ARRAY(Uuid()))


SIGNED_HERE = _signed(Agreement.party == word(Party.STRUCTURE))
SIGNED_BY_OTHERS = _signed(Agreement.party != word(Party.STRUCTURE))
