"""Rooms of a dossier under the person they are about: `/usagers/{usager_id}/…` for the team, `/me/…` for the person."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import Uuid, bindparam
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
from app.access.permissions import Action
from app.access.refusal import NOT_FOUND
from app.features.contacts.schemas import Holder
from app.kernel.clock import PARIS, now, today
from app.kernel.errors import Invalid, NotFound
from app.kernel.fields import Body, Code, Line

Shown = Literal["not_shared", "shared"]
Values = dict[str, Any]


class Coded(Body):
    """A code of a list that may not be held here, with its label."""

    code: Code
    label: Line | None = None


@dataclass(frozen=True, kw_only=True)
class Room:
    """`write` makes the row of a body; `correct` says what a patch changes of a row. `mine`: what the person reads."""

    path: str
    name: str  # of one row, in operation ids
    body: type[Body]
    patch: type[Body]
    view: type[DossierView]
    mine: type[DossierView]
    write: Callable[[Gate, UUID, Any], Awaitable[DossierEntry]]
    correct: Callable[[Gate, Any, Any], Awaitable[Values]]

    @cached_property
    def listing(self) -> Listing:
        """The latest first."""
        of_usager = self.view.TABLE.usager_id == bindparam("usager", type_=Uuid())
        return Listing(of_usager, ("occurred_at", "id"), usager="usager")


def for_staff(room: Room, router: APIRouter) -> None:
    """The five routes of a room; its bodies are told to the framework by their types."""
    table = room.view.TABLE

    async def listed(usager_id: UUID, gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
        """The latest first."""
        return await page(gate, room.view, room.listing, limit, after, "of_usager", usager=usager_id)

    async def write(usager_id: UUID, said: Any, gate: StaffGate) -> Response:
        place = f"/api/v1/usagers/{usager_id}/{room.path}"
        return await created(gate, room.view, place, lambda: room.write(gate, usager_id, said))

    async def read(usager_id: UUID, entry_id: UUID, gate: StaffReading) -> Response:
        row = await gate.get(room.view, entry_id)
        _same(usager_id, UUID(row.usager_id))
        return one(row.told_by(gate))

    async def correct(usager_id: UUID, entry_id: UUID, said: Any, version: Version, gate: StaffGate) -> Response:
        row = await gate.entry(table, entry_id, Action.UPDATE, version)
        _same(usager_id, row.usager_id)
        return await changed(gate, room.view, await gate.change(row, **await room.correct(gate, row, said)))

    async def remove(usager_id: UUID, entry_id: UUID, version: Version, gate: StaffGate) -> Response:
        row = await gate.entry(table, entry_id, Action.DELETE, version)
        _same(usager_id, row.usager_id)
        await gate.remove(row)
        return await removed(gate)

    write.__annotations__["said"], correct.__annotations__["said"] = room.body, room.patch
    many = f"/usagers/{{usager_id}}/{room.path}"
    one_of, name = f"{many}/{{entry_id}}", room.name
    router.add_api_route(many, listed, methods=["GET"], operation_id=f"list{name}s")
    router.add_api_route(many, write, methods=["POST"], status_code=201, operation_id=f"write{name}")
    router.add_api_route(one_of, read, methods=["GET"], operation_id=f"read{name}")
    router.add_api_route(one_of, correct, methods=["PATCH"], operation_id=f"correct{name}")
    router.add_api_route(one_of, remove, methods=["DELETE"], status_code=204, operation_id=f"remove{name}")


def for_person(room: Room, router: APIRouter) -> None:
    async def mine(gate: PersonReading, after: After = None, limit: Limit = PAGE) -> Response:
        """What is shared with the person, the latest first."""
        return await page(gate, room.mine, room.listing, limit, after, "mine", usager=whom(gate))

    router.add_api_route(f"/me/{room.path}", mine, methods=["GET"], operation_id=f"listMy{room.name}s")


def opened(room: Room) -> tuple[APIRouter, APIRouter]:
    """The team's door of this room, and the person's."""
    team, person = APIRouter(tags=[room.path]), APIRouter(tags=["me"])
    for_staff(room, team)
    for_person(room, person)
    return team, person


def _same(asked: UUID, its: UUID) -> None:
    if asked != its:
        raise NotFound(NOT_FOUND)


async def of_theirs(gate: Gate, usager_id: UUID, contact_id: UUID | None, where: str) -> None:
    """A contact that is named is one of this person's. Raises Invalid, or OutOfReach."""
    if contact_id and (await gate.get(Holder, contact_id)).usager_id != str(usager_id):
        raise Invalid("Ce contact est celui d'une autre personne.", where=where, code="contact.of_another")


def noted(said: Values, row: Any, code: str) -> Values:
    """What was noted one day happened that day. Raises Invalid of a day to come."""
    day = said.get("noted_on")
    if day and day > today():
        raise Invalid("Ce jour n'est pas encore venu.", where="/noted_on", code=code)
    if row is not None and "noted_on" not in said:
        return said
    return said | {"occurred_at": midnight(day) if day else (row.recorded_at if row else now())}


def midnight(day: date) -> datetime:
    """In Paris, when a day begins."""
    return datetime.combine(day, time.min, PARIS).astimezone(UTC)
