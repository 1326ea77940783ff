"""What a partner writes by FHIR, whatever the address: its body, its key, the one gate it passes."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from starlette.requests import Request

from app.access.http import KEY_LONGEST, call_of
from app.access.opening import opened, opened_as
from app.access.refusal import MayNot, Refused, refused
from app.api.fhir import origin_of, prefers
from app.api.fhir_entries import look
from app.api.middleware import BodyTooLarge
from app.api.resources import REGISTRY
from app.audit.vocabulary import Door
from app.exchange import inbound
from app.exchange.inbound import How
from app.exchange.journal import Receiving
from app.fhir.mapping import Json
from app.fhir.reading import Bundle, Entry
from app.fhir.verbs.transaction import Done
from app.kernel.errors import DuiError, Fault, TooLarge, Unreadable
from app.kernel.idempotency import Claim
from app.security.principal import Partner, Principal

ASIDE = 64 * 1024  # bytes beyond which a body is read beside the event loop
PARTNERS_WRITE = (
    "Seul un partenaire écrit par /fhir, avec un jeton system/… demandé à /oauth/token ; l'équipe et la personne y lisent, et "
    "écrivent par /api/v1 ou par leur page."
)
T = TypeVar("T")
Then = Callable[[Receiving, list[Done]], Awaitable[None]]  # what is read of it before it is committed


async def written(
    request: Request,
    who: Partner,
    body: bytes | None,
    read: Bundle | DuiError,
    claim: Claim | None,
    *,
    strict: bool,
    dry: bool = False,
    whole: bool = False,
    then: Then | None = None,
) -> tuple[list[Done], bool]:
    """What became of each entry, and whether it was done already."""
    state, origin = request.app.state, origin_of(request)

    async def looks(gate: Receiving, entry: Entry) -> Json | None:
        return await look(request, gate, entry)

    how = How(REGISTRY, origin, looks, strict, dry, whole, objects=state.objects, size=len(body or b""))
    call = call_of(request, Door.FHIR)
    async with opened_as(Receiving, who, call, state.keyring, state.lane, state.database, claim) as gate:
        done = await inbound.receive(gate, who, body, read, how)
        if then:
            await then(gate, done)
        return done, gate.replayed


async def no_writing(request: Request, who: Principal, action: str, kind: str) -> Refused:
    """Who is no partner writes by the other door: traced, then to be raised."""
    state, no = request.app.state, refused(MayNot, action, kind, why=PARTNERS_WRITE)
    try:
        async with opened(who, call_of(request, Door.FHIR), state.keyring, state.lane, state.database):
            raise no
    except MayNot:
        return no


async def body_of(request: Request) -> bytes | None:
    """None when it is over the cap, known while reading."""
    try:
        return await request.body()
    except BodyTooLarge:
        return None


async def read_aside(read: Callable[[bytes], T], body: bytes | None, where: str) -> T | DuiError:
    """What a body says, or why it can't be read: `where` names the whole of it."""
    if body is None:
        return TooLarge("Un envoi compte 32 Mio au plus.", where=where)
    try:
        return await asyncio.to_thread(partial(read, body)) if len(body) > ASIDE else read(body)
    except DuiError as no:
        no.faults = no.faults or (Fault(where, no.told, no.message),)
        return no


def claim_of(
    request: Request, who: Partner, body: bytes, route: str, *, by_bytes: bool, part: int | None = None
) -> Claim | None:
    """The sender's `Idempotency-Key`, for each `part` of a batch; else the bytes themselves, for the structure that
    receives them.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= KEY_LONGEST:
        raise Unreadable("La clé d'idempotence doit avoir de 1 à 200 caractères.", where="Idempotency-Key")
    if key is None and not by_bytes:
        return None
    if key is not None and part is not None:
        key = f"{key} {part}"
    asked = f"{route} {who.structure_id}{' strict' if prefers(request, 'handling', 'strict') else ''}"
    key = key or f"{asked.removeprefix(route).strip()} {hashlib.sha256(body).hexdigest()}"
    return Claim.of(who.organisation_id, who.id, key, asked, body)
