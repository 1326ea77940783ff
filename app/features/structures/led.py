"""Whoever leads does so where they work: a function, a rule or an astreinte that they gave elsewhere would open what is not
theirs to open. Direction and administrator act for the whole organisation. Source: field.md §1, acts.
"""

from collections.abc import Collection
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, any_, bindparam, exists

from app.access.entry import View
from app.access.gate import Gate, Listing, MayNot
from app.access.models import MembershipStructure
from app.access.permissions import LEAD, Action, Kind
from app.access.refusal import refused
from app.features.structures.models import Structure
from app.security.principal import Professional

_M = MembershipStructure
_OF_IT = (_M.organisation_id == Structure.organisation_id, _M.structure_id == Structure.id)


class Place(View, frozen=True):
    TABLE: ClassVar = Structure


MINE = Listing(
    and_(
        Structure.id == any_(bindparam("these", type_=ARRAY(Uuid()))),
        exists().where(*_OF_IT, _M.membership_id == bindparam("membership", type_=Uuid())),
    )
)
OF_MEMBERSHIP = Listing(exists().where(*_OF_IT, _M.membership_id == bindparam("of", type_=Uuid())))
MANY = 1_000


def leads(gate: Gate) -> bool:
    return isinstance(gate.principal, Professional) and gate.principal.role in LEAD


async def check_led(gate: Gate, places: Collection[UUID], action: Action, kind: Kind, where: str | None = None) -> None:
    """Raises MayNot when who leads does not work in each of these structures."""
    asked = list(dict.fromkeys(places))
    if leads(gate) and asked and len(await gate.list(Place, MINE, len(asked), these=asked)) != len(asked):
        raise refused(MayNot, action, kind, where=where)


async def places_of(gate: Gate, membership: UUID) -> list[UUID]:
    return [UUID(place.id) for place in await gate.list(Place, OF_MEMBERSHIP, MANY, of=membership)]
