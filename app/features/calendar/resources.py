"""Rooms, vehicles, devices: what events book."""

from uuid import UUID

from sqlalchemy import true

from app.access.gate import Gate, Listing
from app.access.permissions import Action
from app.features.calendar.models import Resource
from app.features.calendar.schemas import ResourceIn, ResourcePatch

BY_NAME = Listing(true(), ("name", "id"), newest_first=False)


def add(gate: Gate, said: ResourceIn) -> Resource:
    return gate.add(Resource(**said.model_dump()))


async def change(gate: Gate, id: UUID, version: int, said: ResourcePatch) -> Resource:
    row = await gate.entry(Resource, id, Action.UPDATE, version)
    return await gate.change(row, **said.model_dump(exclude_unset=True))


async def remove(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Resource, id, Action.DELETE, version))
