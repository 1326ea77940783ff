"""Rooms beside events (presences, meals, transports): `/events/{path}` for staff; for the person and who represents them,
`/me/events/{path}`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from app.access.entry import DossierEntry, DossierView
from app.access.gate import Gate, Listing
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
from app.kernel.fields import Body


@dataclass(frozen=True, kw_only=True)
class Room:
    """`write` (operation `verb` and `name`) makes the row of a body; `mine` is what the person reads, `about` says it."""

    path: str
    name: str  # of one row, in operation ids
    verb: str
    about: str
    body: type[Body]
    patch: type[Body]
    view: type[DossierView]
    my_view: type[DossierView]
    lists: dict[str, Listing]
    write: Callable[[Gate, Any], Any]
    change: Callable[[Gate, UUID, int, Any], Awaitable[DossierEntry]]
    remove: Callable[[Gate, UUID, int], Awaitable[None]]

    @property
    def one_of(self) -> str:
        return f"{self.name.lower()}_id"


def opened(room: Room) -> tuple[APIRouter, APIRouter]:
    """The team's door of this room, and the person's."""
    team = APIRouter(prefix=f"/events/{room.path}", tags=["events"])
    person = APIRouter(prefix=f"/me/events/{room.path}", tags=["me"])
    _for_staff(room, team)
    _for_person(room, person)
    return team, person


def _for_staff(room: Room, router: APIRouter) -> None:
    async def write(said: Any, gate: StaffGate) -> Response:
        return await created(gate, room.view, f"/api/v1/events/{room.path}", lambda: room.write(gate, said))

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
        return await page(gate, room.view, room.lists[name], limit, after, name, **whose, **between(since, until))

    async def read(id: Any, gate: StaffReading) -> Response:
        return one(await gate.get(room.view, id))

    async def change(id: Any, said: Any, version: Version, gate: StaffGate) -> Response:
        return await changed(gate, room.view, await room.change(gate, id, version, said))

    async def remove(id: Any, version: Version, gate: StaffGate) -> Response:
        await room.remove(gate, id, version)
        return await removed(gate)

    write.__annotations__["said"], change.__annotations__["said"] = room.body, room.patch
    for each in (read, change, remove):
        each.__annotations__["id"] = _named(room)
    place = f"/{{{room.one_of}}}"
    router.add_api_route("", write, methods=["POST"], status_code=201, operation_id=f"{room.verb}{room.name}")
    router.add_api_route("", listed, methods=["GET"], operation_id=f"list{room.name}s")
    router.add_api_route(place, read, methods=["GET"], operation_id=f"read{room.name}")
    router.add_api_route(place, change, methods=["PATCH"], operation_id=f"change{room.name}")
    router.add_api_route(place, remove, methods=["DELETE"], status_code=204, operation_id=f"remove{room.name}")


def _for_person(room: Room, router: APIRouter) -> None:
    async def mine(
        gate: PersonReading, since: Since = None, until: Until = None, after: After = None, limit: Limit = PAGE
    ) -> Response:
        asked = {"usager": whom(gate), **between(since, until)}
        return await page(gate, room.my_view, room.lists["of_usager"], limit, after, "mine", **asked)

    async def read_mine(id: Any, gate: PersonReading) -> Response:
        return one(await gate.get(room.my_view, id))

    read_mine.__annotations__["id"] = _named(room)
    router.add_api_route("", mine, methods=["GET"], operation_id=f"listMy{room.name}s", description=room.about)
    router.add_api_route(f"/{{{room.one_of}}}", read_mine, methods=["GET"], operation_id=f"readMy{room.name}")


def _named(room: Room) -> Any:
    """The id in the address, under the name of what it is."""
    return Annotated[UUID, Path(alias=room.one_of)]
