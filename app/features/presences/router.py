"""REST: for staff under `/events/presences`, for the person and who represents them under `/me/events/presences`."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    PersonReading,
    StaffGate,
    StaffReading,
    Version,
    changed,
    created,
    one,
    page,
    removed,
    whom,
)
from app.features.calendar.questions import between
from app.features.calendar.router import Since, Until
from app.features.presences import service
from app.features.presences.schemas import MyPresenceOut, PresenceIn, PresenceOut, PresencePatch

router = APIRouter(prefix="/events/presences", tags=["events"])
me = APIRouter(prefix="/me/events/presences", tags=["me"])
PATH = "/api/v1/events/presences"


@router.post("", status_code=201, operation_id="notePresence")
async def note(said: PresenceIn, gate: StaffGate) -> Response:
    return await created(gate, PresenceOut, PATH, lambda: service.note(gate, said))


@router.get("", operation_id="listPresences")
async def listed(
    gate: StaffReading,
    usager: UUID | None = None,
    structure: UUID | None = None,
    since: Since = None,
    until: Until = None,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """In order of time, from the day `from` up to, without, the day `until`; of one person, or of one house."""
    asked = {"usager": usager, "structure": structure}
    name = next((f"of_{name}" for name, id in asked.items() if id), "all")
    whose = {name: id for name, id in asked.items() if id}
    return await page(gate, PresenceOut, service.LISTS[name], limit, after, name, **whose, **between(since, until))


@router.get("/{presence_id}", operation_id="readPresence")
async def read(presence_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(PresenceOut, presence_id))


@router.patch("/{presence_id}", operation_id="changePresence")
async def change(presence_id: UUID, said: PresencePatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, PresenceOut, await service.change(gate, presence_id, version, said))


@router.delete("/{presence_id}", status_code=204, operation_id="removePresence")
async def remove(presence_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, presence_id, version)
    return await removed(gate)


@me.get("", operation_id="listMyPresences")
async def mine(
    gate: PersonReading, since: Since = None, until: Until = None, after: After = None, limit: Limit = PAGE
) -> Response:
    """When I am there, when I am not; in order of time."""
    asked = {"usager": whom(gate), **between(since, until)}
    return await page(gate, MyPresenceOut, service.LISTS["of_usager"], limit, after, "mine", **asked)


@me.get("/{presence_id}", operation_id="readMyPresence")
async def read_mine(presence_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(MyPresenceOut, presence_id))
