"""What the REST API hears and says about teams: by name, by rule (a unit), on duty for a few hours."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from app.access.entry import DossierView, View
from app.access.models import TeamMember, UnitTeam
from app.access.openings import OnCall, SharedTeam
from app.kernel.fields import Body, Line


class MemberIn(Body):
    usager_id: UUID
    structure_id: UUID
    professional_id: UUID
    referent: bool = False
    starts: date | None = None
    ends: date | None = None


class MemberPatch(Body):
    referent: bool | None = None
    ends: date | None = None


class MemberOut(DossierView, frozen=True):
    TABLE: ClassVar = TeamMember

    structure_id: str
    professional_id: str
    referent: bool
    starts: date
    ends: date | None
    version: int


class RuleIn(Body):
    """Who works in this unit accompanies its open stays, from now on or from `starts_at`."""

    professional_id: UUID
    unit_id: UUID
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class OnDutyIn(Body):
    """« Je remplace jusqu'à … » : twenty-four hours at most."""

    unit_id: UUID
    until: AwareDatetime


class RulePatch(Body):
    ends_at: AwareDatetime | None


class RuleOut(View, frozen=True):
    TABLE: ClassVar = UnitTeam

    professional_id: str
    unit_id: str
    kind: str
    starts_at: datetime
    ends_at: datetime | None
    version: int


Structures = Annotated[list[UUID], Field(min_length=1, max_length=50)]


class SharedTeamIn(Body):
    """Équipe commune: `structure_id` is yours, and one of those that follow the person together."""

    usager_id: UUID
    structure_id: UUID
    name: Line
    structure_ids: Structures
    person_told_on: date
    starts: date | None = None
    ends: date | None = None


class SharedTeamPatch(Body):
    """`opposed`: the person says no; it joins nothing more."""

    ends: date | None = None
    opposed: bool = False


class SharedTeamOut(DossierView, frozen=True):
    TABLE: ClassVar = SharedTeam

    structure_id: str
    name: str
    structure_ids: list[str]
    person_told_on: date
    opposed_at: datetime | None
    starts: date
    ends: date | None
    version: int


class OnCallIn(Body):
    """Astreinte: who, of which structures, from when to when."""

    professional_id: UUID
    structure_ids: Structures
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class OnCallPatch(Body):
    ends_at: AwareDatetime


class OnCallOut(View, frozen=True):
    TABLE: ClassVar = OnCall

    professional_id: str
    structure_ids: list[str]
    starts_at: datetime
    ends_at: datetime
    version: int
