"""REST over the gate: who opens it and how a row is answered. Routers stay two lines, services hold no HTTP."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from starlette.responses import Response

from app.access.entry import Row, View, spelled
from app.access.gate import Gate, Listing
from app.access.opening import opened_as
from app.access.reading import Reading
from app.audit.vocabulary import Call, Door
from app.kernel import paging
from app.kernel.answers import etag, told
from app.kernel.errors import MatchRequired, Unreadable
from app.kernel.idempotency import Claim
from app.security import dependencies
from app.security.principal import Principal, Representative

PAGE = 50
PAGE_MOST = 200
KEY_LONGEST = 200
READING = "reading"  # in the scope of an entry of a bundle: who looks is who sent it
_MATCH = re.compile(r'(?:W/)?"(\d{1,9})"')

V = TypeVar("V", bound=View)
G = TypeVar("G", bound=Gate)


def call_of(request: Request, door: Door) -> Call:
    client = request.scope.get("client")
    return Call(door, request.scope["state"]["request_id"], client[0] if client else None)


async def principal_at(request: Request, door: Door) -> Principal:
    return await dependencies.caller(request, dependencies.Door(door.value))


async def read_at(request: Request, door: Door) -> Reading:
    """Who calls at this door, ready to look. Raises Unauthenticated."""
    held: Reading | None = request.scope.get(READING)
    if held is not None:
        return held
    state = request.app.state
    return Reading(await principal_at(request, door), call_of(request, door), state.keyring, state.lane)


@asynccontextmanager
async def open_as(kind: type[G], request: Request, door: Door) -> AsyncIterator[G]:
    """The same, ready to write by a gate of this kind: see `app.access.opening.opened`."""
    state, principal = request.app.state, await principal_at(request, door)
    asked = await _claim_of(request, principal)
    call = call_of(request, door)
    async with opened_as(kind, principal, call, state.keyring, state.lane, state.database, asked) as gate:
        yield gate


async def _claim_of(request: Request, principal: Principal) -> Claim | None:
    key = request.headers.get("idempotency-key")
    if key is None or request.method != "POST":
        return None
    if not 0 < len(key) <= KEY_LONGEST:
        raise Unreadable("La clé d'idempotence doit avoir de 1 à 200 caractères.", where="Idempotency-Key")
    route = f"{request.method} {request.url.path}"
    return Claim.of(principal.organisation_id, principal.id, key, route, await request.body())


async def _staff_reads(request: Request) -> Reading:
    return await read_at(request, Door.API)


async def _person_reads(request: Request) -> Reading:
    return await read_at(request, Door.ME)


def gate_at(kind: type[G], door: Door) -> Any:
    """What a route depends on to write by a gate of this kind."""

    async def opened(request: Request) -> AsyncIterator[G]:
        async with open_as(kind, request, door) as gate:
            yield gate

    # FastAPI's default scope would commit after the answer is sent, and a caller could hear "201 Created" for a row that never was.
    return Depends(opened, scope="function")


StaffReading = Annotated[Reading, Depends(_staff_reads)]
StaffGate = Annotated[Gate, gate_at(Gate, Door.API)]
PersonReading = Annotated[Reading, Depends(_person_reads)]
PersonGate = Annotated[Gate, gate_at(Gate, Door.ME)]


def whom(gate: Reading) -> UUID:
    """The person whose dossier this session of `/me` opens: they, or who represents them."""
    who = gate.principal
    return who.usager_id if isinstance(who, Representative) else who.id


def _version_asked(header: Annotated[str | None, Header(alias="If-Match")] = None) -> int:
    """The version the caller read. Raises MatchRequired without it."""
    if header is None:
        raise MatchRequired(
            "Dites quelle version vous avez lue : en-tête If-Match, valeur de l'ETag.", where="If-Match"
        )
    match = _MATCH.fullmatch(header.strip())
    if match is None:
        raise Unreadable('If-Match attend un numéro de version, comme W/"3".', where="If-Match")
    return int(match[1])


Version = Annotated[int, Depends(_version_asked)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST)]
After = Annotated[str | None, Query(max_length=2_000)]


async def created(
    gate: Gate, view: type[V], path: str, write: Callable[[], Awaitable[Row]] | Callable[[], Row]
) -> Response:
    """201 with the row written by `write`, or the first answer again when this `Idempotency-Key` was already served.

    `path` is the collection: the row's address is `path/id`.
    """
    if gate.replay:
        row = await gate.get(view, UUID(str(gate.replay.location).rpartition("/")[2]))
        headers = {"Location": f"{path}/{row.id}", "Idempotency-Replayed": "true"}
        return told(row.told_by(gate), status=gate.replay.status, headers=headers)
    done = write()
    written = await done if isinstance(done, Awaitable) else done
    gate.location = f"{path}/{written.id}"
    await gate.settle()
    headers = {"Location": gate.location, "ETag": etag(written.version)}
    return told(seen(view, written).told_by(gate), status=201, headers=headers)


async def changed(gate: Gate, view: type[V], row: Row) -> Response:
    await gate.settle()
    return told(seen(view, row).told_by(gate), headers={"ETag": etag(row.version)})


async def acted(gate: Gate, view: type[V], id: UUID, act: Callable[[], Awaitable[Row]]) -> Response:
    """The row as `act` leaves it; asked again under the same `Idempotency-Key`, the row as it stands."""
    if gate.replay:
        return one((await gate.get(view, id)).told_by(gate))
    return await changed(gate, view, await act())


async def removed(gate: Gate) -> Response:
    await gate.settle()
    return Response(status_code=204)


def one(row: Any) -> Response:
    return told(row, headers={"ETag": etag(row.version)} if hasattr(row, "version") else None)


def seen(view: type[V], row: Row) -> V:
    """A row just written, as its view tells it; what the view computes keeps its default until the next read."""
    columns = row.__table__.columns
    names = (n for n in view.__struct_fields__ if n in columns and columns[n].computed is None)
    told: dict[str, Any] = {n: spelled(getattr(row, n)) for n in names}
    return view(**told)


async def page(
    gate: Reading, view: type[V], listing: Listing, limit: int, after: str | None, name: str, **values: object
) -> Response:
    """One page: `items`, and `next` (an opaque cursor, bound to this caller and this list) while there is more."""
    bound = f"{gate.principal.id}:{name}:{sorted((k, str(v)) for k, v in values.items())}"
    kinds = [getattr(view.TABLE, column).type.python_type for column in listing.order]
    position: paging.Position = ()
    if after:
        position = paging.position(cast(list[object], paging.unseal(gate.keyring, bound, after)["at"]), kinds)
    rows = list(await gate.list(view, listing, limit + 1, position, **values))
    more = None
    if len(rows) > limit:
        rows = rows[:limit]
        more = paging.seal(gate.keyring, bound, {"at": [getattr(rows[-1], column) for column in listing.order]})
    return told({"items": [row.told_by(gate) for row in rows], "next": more})
