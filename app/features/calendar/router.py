"""REST: for staff under `/events`, for the person and who represents them under `/me/events`."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator
from starlette.responses import Response

from app.access.http import (
    PAGE,
    PAGE_MOST,
    After,
    Limit,
    PersonGate,
    PersonReading,
    StaffGate,
    StaffReading,
    Version,
    acted,
    changed,
    created,
    one,
    page,
    removed,
    seen,
    whom,
)
from app.features.calendar import questions, resources, service
from app.features.calendar.models import EventParticipant
from app.features.calendar.schemas import (
    ComingIn,
    EventIn,
    EventOut,
    EventPatch,
    JoinIn,
    MyEventOut,
    ResourceIn,
    ResourceOut,
    ResourcePatch,
    StopIn,
)
from app.kernel.answers import told
from app.kernel.fields import of_our_time

router = APIRouter(prefix="/events", tags=["events"])
me = APIRouter(prefix="/me/events", tags=["me"])
PATH, MINE = "/api/v1/events", "/api/v1/me/events"
Since = Annotated[date | None, AfterValidator(of_our_time), Query(alias="from")]
Until = Annotated[date | None, AfterValidator(of_our_time), Query()]
State = Annotated[Literal["asked", "yes", "no", "talk"] | None, Query(alias="answer")]


@router.post("", status_code=201, operation_id="planEvent")
async def plan(said: EventIn, gate: StaffGate) -> Response:
    """One event: a row for each usager. With a rule: for each occurrence too. `Location` is the first row."""
    if gate.replay:
        first = await gate.get(EventOut, UUID(str(gate.replay.location).rpartition("/")[2]))
        asked = {"event": UUID(first.event_id), "state": None, **questions.between(None, None)}
        again = await gate.list(EventOut, questions.OF_EVENT, PAGE_MOST, (), **asked)
        return _rows(list(again), str(gate.replay.location), {"Idempotency-Replayed": "true"})
    rows = await service.plan(gate, said)
    gate.location = f"{PATH}/{rows[0].id}"
    with service.told_in_words():
        await gate.settle()
    return _rows([seen(EventOut, row) for row in rows], gate.location, {})


@router.get("", operation_id="listEvents")
async def listed(
    gate: StaffReading,
    usager: UUID | None = None,
    professional: UUID | None = None,
    unit: UUID | None = None,
    event: UUID | None = None,
    series: UUID | None = None,
    since: Since = None,
    until: Until = None,
    answer: State = None,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """In order of time, from the day `from` up to, without, the day `until`. The first named of usager, professional,
    unit, event, series narrows; `answer` keeps the answers that wait for someone.
    """
    asked = {"state": answer, **questions.between(since, until)}
    narrowings = {
        "usager": (usager, questions.OF_USAGER),
        "professional": (professional, questions.OF_PROFESSIONAL),
        "unit": (unit, questions.OF_UNIT),
        "event": (event, questions.OF_EVENT),
        "series": (series, questions.OF_SERIES),
    }
    for name, (whose, listing) in narrowings.items():
        if whose:
            return await page(gate, EventOut, listing, limit, after, name, **{name: whose}, **asked)
    return await page(gate, EventOut, questions.ALL, limit, after, "all", **asked)


@router.post("/resources", status_code=201, operation_id="addResource")
async def add_resource(said: ResourceIn, gate: StaffGate) -> Response:
    """A room, a vehicle, a device."""
    return await created(gate, ResourceOut, f"{PATH}/resources", lambda: resources.add(gate, said))


@router.get("/resources", operation_id="listResources")
async def list_resources(gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, ResourceOut, resources.BY_NAME, limit, after, "resources")


@router.get("/resources/{resource_id}", operation_id="readResource")
async def read_resource(resource_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(ResourceOut, resource_id))


@router.patch("/resources/{resource_id}", operation_id="changeResource")
async def change_resource(resource_id: UUID, said: ResourcePatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, ResourceOut, await resources.change(gate, resource_id, version, said))


@router.delete("/resources/{resource_id}", status_code=204, operation_id="removeResource")
async def remove_resource(resource_id: UUID, version: Version, gate: StaffGate) -> Response:
    await resources.remove(gate, resource_id, version)
    return await removed(gate)


@router.get("/{event_id}", operation_id="readEvent")
async def read(event_id: UUID, gate: StaffReading) -> Response:
    """`event_id`: the row of one usager, as in the lists. Its field `event_id` gathers those who take part."""
    return one(await gate.get(EventOut, event_id))


@router.patch("/{event_id}", operation_id="changeEvent", responses={409: {}})
async def change(event_id: UUID, said: EventPatch, version: Version, gate: StaffGate) -> Response:
    with service.told_in_words():
        return await changed(gate, EventOut, await service.change(gate, event_id, version, said))


@router.delete("/{event_id}", status_code=204, operation_id="leaveEvent")
async def leave(event_id: UUID, version: Version, gate: StaffGate, everyone: bool = False) -> Response:
    """This usager takes part no more; `everyone`: the event was written by mistake."""
    await service.leave(gate, event_id, version, everyone=everyone)
    return await removed(gate)


@router.post("/{event_id}/usagers", status_code=201, operation_id="joinEvent")
async def join(event_id: UUID, said: JoinIn, gate: StaffGate) -> Response:
    return await created(gate, EventOut, PATH, lambda: service.join(gate, event_id, said.usager_id))


@router.post("/{event_id}/stop", operation_id="stopEventSeries")
async def stop(event_id: UUID, said: StopIn, gate: StaffGate) -> Response:
    """This occurrence and the following ones are cancelled."""
    return await acted(gate, EventOut, event_id, lambda: service.stop(gate, event_id, said.cancel_reason))


@me.get("", operation_id="listMyEvents")
async def mine(
    gate: PersonReading, since: Since = None, until: Until = None, after: After = None, limit: Limit = PAGE
) -> Response:
    """« Mon agenda », in order of time."""
    asked = {"usager": whom(gate), "state": None, **questions.between(since, until)}
    return await page(gate, MyEventOut, questions.OF_USAGER, limit, after, "mine", **asked)


@me.get("/{event_id}", operation_id="readMyEvent")
async def read_mine(event_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(MyEventOut, event_id))


@me.post("/{event_id}/answer", operation_id="answerMyEvent")
async def come(event_id: UUID, said: ComingIn, gate: PersonGate) -> Response:
    """Je viens · Je ne viens pas · Je veux en parler. The next answer replaces it; nothing is cancelled by itself."""
    if gate.replay:
        seen = await gate.get(MyEventOut, event_id)
        now_said = {"id": seen.id, "answer": seen.answer, "answered_at": seen.answered_at}
        return told(now_said, headers={"Idempotency-Replayed": "true"})
    row: EventParticipant = await service.come(gate, event_id, said.answer)
    await gate.settle()
    return told({"id": str(row.id), "answer": row.answer, "answered_at": row.answered_at})


def _rows(rows: list[EventOut], location: str, more: dict[str, str]) -> Response:
    return told({"items": rows}, status=201, headers={"Location": location, **more})
