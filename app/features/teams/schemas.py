"""What the REST API hears and says about teams: by name, by rule (a unit), on duty for a few hours."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from app.access.entry import DossierView, View
from app.access.models import TeamMember, UnitTeam
from app.kernel.fields import Strict


class MemberIn(Strict):
    usager_id: UUID
    structure_id: UUID
    professional_id: UUID
    referent: bool = False
    starts: date | None = None
    ends: date | None = None


class MemberPatch(Strict):
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


class RuleIn(Strict):
    """Who works in this unit accompanies its open stays, from now on or from `starts_at`."""

    professional_id: UUID
    unit_id: UUID
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class OnDutyIn(Strict):
    """« Je remplace jusqu'à … » : twenty-four hours at most."""

    unit_id: UUID
    until: AwareDatetime


class RulePatch(Strict):
    ends_at: AwareDatetime | None


class RuleOut(View, frozen=True):
    TABLE: ClassVar = UnitTeam

    professional_id: str
    unit_id: str
    kind: str
    starts_at: datetime
    ends_at: datetime | None
    version: int
