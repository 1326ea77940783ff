"""What the REST API hears and says about professionals and their memberships."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy import ARRAY, Text, cast, func, select
from sqlalchemy.orm import aliased
from stdnum import luhn

from app.access.entry import View
from app.access.models import Membership, MembershipStructure, Professional
from app.kernel.fields import Body, Line
from app.security.principal import Role

RPPS_DIGITS = 11


def _rpps(said: str) -> str:
    if len(said) != RPPS_DIGITS or not said.isdigit() or not luhn.is_valid(said):
        raise ValueError("rpps")
    return said


Rpps = Annotated[str, AfterValidator(_rpps)]
_link = aliased(MembershipStructure, name="membership_link")
STRUCTURE_IDS = (
    select(func.array_agg(cast(_link.structure_id, Text), type_=ARRAY(Text())))
    .where(_link.organisation_id == Membership.organisation_id, _link.membership_id == Membership.id)
    .scalar_subquery()
)


class ProfessionalIn(Body):
    family_name: Line
    given_name: Line
    rpps: Rpps | None = None
    profession: Line | None = None


class ProfessionalPatch(Body):
    family_name: Line | None = None
    given_name: Line | None = None
    rpps: Rpps | None = None
    profession: Line | None = None


class ProfessionalOut(View, frozen=True):
    TABLE: ClassVar = Professional

    family_name: str
    given_name: str
    rpps: str | None
    profession: str | None
    version: int


class MembershipIn(Body):
    """One role over one or several structures, from `starts` to the day before `ends`."""

    professional_id: UUID
    role: Role
    structure_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]
    starts: date
    ends: date | None = None


class MembershipPatch(Body):
    ends: date | None


class MembershipOut(View, frozen=True):
    TABLE: ClassVar = Membership
    COMPUTED: ClassVar = {"structure_ids": STRUCTURE_IDS}

    professional_id: str
    role: str
    starts: date
    ends: date | None
    version: int
    structure_ids: list[str] = []  # noqa: RUF012  a struct's default is copied
