"""The rules of the emergency sheet: one a person; each field written stamps its day and its author."""

from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam

from app.access.gate import Gate, Listing, Reading
from app.access.permissions import Action, Visibility
from app.access.refusal import NOT_FOUND
from app.features.emergency.models import EmergencySheet
from app.features.emergency.schemas import SheetView
from app.kernel.clock import today
from app.kernel.errors import NotFound
from app.kernel.fields import Body

OF_USAGER = Listing(EmergencySheet.usager_id == bindparam("usager", type_=Uuid()), usager="usager")


async def of(gate: Reading, usager_id: UUID) -> Any:
    """The sheet of a person, as its view. Raises NotFound: no sheet yet, or out of reach, told alike."""
    found = await gate.list(SheetView, OF_USAGER, 1, usager=usager_id)
    if not found:
        raise NotFound(NOT_FOUND)
    return found[0]


def open(gate: Gate, usager_id: UUID, said: Body) -> EmergencySheet:
    """The first sheet of a person. The caller settles: a second one is a Conflict."""
    values = said.model_dump(exclude_none=True)
    row = EmergencySheet(
        usager_id=usager_id, structure_id=values.pop("structure_id"), visibility=Visibility.SHARED.value
    )
    for name, value in _stamped(gate, values).items():
        setattr(row, name, value)
    return gate.add(row)


async def write(gate: Gate, usager_id: UUID, version: int, said: Body) -> EmergencySheet:
    """What is left out stays; null empties a field, and says so with its day and its author."""
    seen = await of(gate, usager_id)
    row = await gate.entry(EmergencySheet, UUID(seen.id), Action.UPDATE, version)
    return await gate.change(row, **_stamped(gate, said.model_dump(exclude_unset=True)))


def _stamped(gate: Gate, values: dict[str, Any]) -> dict[str, Any]:
    by = gate.principal.id
    return {
        k: v for name, value in values.items() for k, v in ((name, value), (f"{name}_on", today()), (f"{name}_by", by))
    }
