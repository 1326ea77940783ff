"""Structures and units: the organisation's own places. Who may change them is the matrix's to say."""

from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, true

from app.access.gate import Gate, Listing
from app.access.permissions import Action
from app.features.narrowing import service as narrowing
from app.features.structures.models import Structure, Unit
from app.features.structures.schemas import StructureIn, StructurePatch, UnitIn, UnitPatch
from app.kernel.errors import Invalid

BY_NAME = ("name", "id")
STRUCTURES = Listing(true(), BY_NAME, newest_first=False)
UNITS = Listing(true(), BY_NAME, newest_first=False)
UNITS_OF = Listing(Unit.structure_id == bindparam("structure", type_=Uuid()), BY_NAME, newest_first=False)
NEEDED = frozenset({"name", "model", "kind"})


def add(gate: Gate, said: StructureIn) -> Structure:
    """A new house, which starts from what its kind narrows."""
    row = gate.add(Structure(**said.model_dump()))
    for one in narrowing.starting(row.id, row.model):
        gate.add(one)
    return row


async def change(gate: Gate, id: UUID, version: int, said: StructurePatch) -> Structure:
    row = await gate.entry(Structure, id, Action.UPDATE, version)
    return await gate.change(row, **given(said.model_dump(exclude_unset=True)))


async def close(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Structure, id, Action.DELETE, version))


def add_unit(gate: Gate, said: UnitIn) -> Unit:
    return gate.add(Unit(**said.model_dump()))


async def change_unit(gate: Gate, id: UUID, version: int, said: UnitPatch) -> Unit:
    row = await gate.entry(Unit, id, Action.UPDATE, version)
    return await gate.change(row, **given(said.model_dump(exclude_unset=True)))


async def close_unit(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Unit, id, Action.DELETE, version))


def given(values: dict[str, Any]) -> dict[str, Any]:
    """What a merge patch says. Raises Invalid when it empties what must be said."""
    for name in NEEDED & values.keys():
        if values[name] is None:
            raise Invalid("Ce champ ne peut pas être vide.", where=f"/{name}", code="required")
    return values
