"""REST: for staff under `/events/transports`, for the person and who represents them under `/me/events/transports`."""

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
from app.features.transports import service
from app.features.transports.schemas import MyTransportOut, TransportIn, TransportOut, TransportPatch

router = APIRouter(prefix="/events/transports", tags=["events"])
me = APIRouter(prefix="/me/events/transports", tags=["me"])
PATH = "/api/v1/events/transports"


@router.post("", status_code=201, operation_id="planTransport")
async def plan(said: TransportIn, gate: StaffGate) -> Response:
    return await created(gate, TransportOut, PATH, lambda: service.plan(gate, said))


@router.get("", operation_id="listTransports")
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
    return await page(gate, TransportOut, service.LISTS[name], limit, after, name, **whose, **between(since, until))


@router.get("/{transport_id}", operation_id="readTransport")
async def read(transport_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(TransportOut, transport_id))


@router.patch("/{transport_id}", operation_id="changeTransport")
async def change(transport_id: UUID, said: TransportPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, TransportOut, await service.change(gate, transport_id, version, said))


@router.delete("/{transport_id}", status_code=204, operation_id="removeTransport")
async def remove(transport_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, transport_id, version)
    return await removed(gate)


@me.get("", operation_id="listMyTransports")
async def mine(
    gate: PersonReading, since: Since = None, until: Until = None, after: After = None, limit: Limit = PAGE
) -> Response:
    """Who comes to fetch me, and when; in order of time."""
    asked = {"usager": whom(gate), **between(since, until)}
    return await page(gate, MyTransportOut, service.LISTS["of_usager"], limit, after, "mine", **asked)


@me.get("/{transport_id}", operation_id="readMyTransport")
async def read_mine(transport_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(MyTransportOut, transport_id))
