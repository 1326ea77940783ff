"""Who may give a function, or a later end to one: to others, and, when one leads, below one's own and where one leads.

Direction and administrator act for the whole organisation. Source: field.md §1, acts.
"""

from collections.abc import Collection
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, any_, bindparam, exists

from app.access.entry import View
from app.access.gate import Gate, Listing, MayNot
from app.access.models import Membership, MembershipStructure
from app.access.permissions import LEAD, Action, Kind
from app.access.refusal import refused
from app.features.structures.models import Structure
from app.security.principal import Professional, Role

ABOVE_WHO_LEADS = frozenset({Role.DIRECTION, Role.ADMIN, Role.DPO, Role.CHEF_DE_SERVICE})
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
OF_MEMBERSHIP = Listing(exists().where(*_OF_IT, _M.membership_id == bindparam("given", type_=Uuid())))
MANY = 1_000


async def check_given(gate: Gate, whose: UUID, role: str, places: Collection[UUID]) -> None:
    """Raises MayNot."""
    await _check(gate, Action.CREATE, whose, role, places)


async def check_changed(gate: Gate, row: Membership) -> None:
    """Raises MayNot."""
    places = await gate.list(Place, OF_MEMBERSHIP, MANY, given=row.id) if _leads(gate) else ()
    await _check(gate, Action.UPDATE, row.professional_id, row.role, [UUID(place.id) for place in places])


async def _check(gate: Gate, action: Action, whose: UUID, role: str, places: Collection[UUID]) -> None:
    where = None
    if whose == gate.principal.id:
        where = "/professional_id"
    elif _leads(gate) and role in ABOVE_WHO_LEADS:
        where = "/role"
    elif _leads(gate) and not await _mine(gate, places):
        where = "/structure_ids"
    if where:
        raise refused(MayNot, action, Kind.MEMBERSHIP, where=where)


async def _mine(gate: Gate, places: Collection[UUID]) -> bool:
    asked = list(dict.fromkeys(places))
    return len(await gate.list(Place, MINE, len(asked), these=asked)) == len(asked)


def _leads(gate: Gate) -> bool:
    return isinstance(gate.principal, Professional) and gate.principal.role in LEAD
