"""REST for staff applications; and for the person's own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
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
    seen,
)
from app.features.transmissions import service
from app.features.transmissions.schemas import (
    LineIn,
    MyTransmissionOut,
    TransmissionIn,
    TransmissionOut,
    TransmissionPatch,
)
from app.kernel.answers import told

router = APIRouter(prefix="/transmissions", tags=["transmissions"])
me = APIRouter(prefix="/me/transmissions", tags=["me"])
PATH = "/api/v1/transmissions"


@router.post("", status_code=201, operation_id="writeTransmission")
async def write(said: TransmissionIn, gate: StaffGate) -> Response:
    return await created(gate, TransmissionOut, PATH, lambda: service.write(gate, said))


@router.post("/line", status_code=201, operation_id="writeTransmissionLine")
async def write_line(said: LineIn, gate: StaffGate) -> Response:
    if gate.replay:
        thread = UUID(str(gate.replay.location).rpartition("/")[2])
        return told({"items": list(await gate.list(TransmissionOut, service.OF_THREAD, 3, thread=thread))}, status=201)
    rows = await service.write_line(gate, said)
    gate.location = f"{PATH}/{rows[0].id}"
    await gate.settle()
    return told(
        {"items": [seen(TransmissionOut, row) for row in rows]}, status=201, headers={"Location": gate.location}
    )


@router.get("", operation_id="listTransmissions")
async def listed(
    gate: StaffReading,
    usager: UUID | None = None,
    target: Annotated[str | None, Query(max_length=120)] = None,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """The latest first. `usager` narrows to one dossier, `target` to one target of it."""
    if usager and target:
        return await page(
            gate, TransmissionOut, service.OF_TARGET, limit, after, "of_target", usager=usager, target=target
        )
    if usager:
        return await page(gate, TransmissionOut, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, TransmissionOut, service.ALL, limit, after, "all")


@router.get("/{transmission_id}", operation_id="readTransmission")
async def read(transmission_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(TransmissionOut, transmission_id))


@router.patch("/{transmission_id}", operation_id="correctTransmission", responses={409: {}})
async def correct(transmission_id: UUID, said: TransmissionPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, TransmissionOut, await service.correct(gate, transmission_id, version, said))


@router.delete("/{transmission_id}", status_code=204, operation_id="removeTransmission")
async def remove(transmission_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, transmission_id, version)
    return await removed(gate)


@me.get("", operation_id="listMyTransmissions")
async def mine(gate: PersonReading, after: After = None, limit: Limit = PAGE) -> Response:
    """« Ce qui s'est passé », the latest first: what the team shares with the person."""
    return await page(gate, MyTransmissionOut, service.ALL, limit, after, "mine")
