"""Partner systems: registering one, and SMART Backend Services' proof of who it is.

A client's keys are given when it is registered, or read at the https address it gave then (`partner_keys`).
Source: https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

import asyncio
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Invalid, Unauthenticated
from app.kernel.ids import uuid7
from app.security import jose, partner_keys, scopes, sessions, throttle, tickets
from app.security.models import LiveSession, PartnerClient, PartnerKind, PartnerStructure
from app.security.outbound import Outbound
from app.security.throttle import Limit

CLIENT_ID = re.compile(r"[A-Za-z0-9._:~-]{3,120}", re.ASCII)
FAILURES = Limit(30, throttle.GUESSES.window)  # of one client, from one place, before it hears when to come back
FREE_PER_ADDRESS = 60  # failures of all clients from there before each next one waits
CLIENT = text(
    """SELECT organisation_id, partner_id, jwks, jwks_url, jwks_read_at, scopes, default_structure_id, structure_ids
    FROM client_of(:client_id)"""
)


@dataclass(frozen=True, slots=True)
class Client:
    """A partner that proved who it is, and what it was given at most."""

    organisation_id: UUID
    partner_id: UUID
    client_id: str
    scopes: frozenset[str]
    default_structure_id: UUID
    structure_ids: frozenset[UUID]


async def register(
    session: AsyncSession,
    organisation_id: UUID,
    name: str,
    client_id: str,
    jwks: Sequence[partner_keys.Key],
    scope: str,
    default_structure_id: UUID,
    structure_ids: Collection[UUID] = (),
    *,
    accepts: bool = False,
    jwks_url: str | None = None,
    kind: PartnerKind = PartnerKind.OTHER,
) -> UUID:
    """In a session of this tenant; `jwks` as `jose.public_keys` or `partner_keys.read` give them.

    `accepts`: what it sends enters the dossiers as it comes. Raises Invalid naming what to mend in the scopes or the name.
    """
    if CLIENT_ID.fullmatch(client_id) is None:
        raise Invalid("Un client_id a de 3 à 120 lettres, chiffres ou . _ : ~ -", where="/client_id")
    try:
        may = scopes.read(scope)
    except scopes.Unreadable:
        raise Invalid("Un droit s'écrit system/Type.cruds, par exemple system/CarePlan.rs.", where="/scope") from None
    partner = PartnerClient(
        organisation_id=organisation_id,
        id=uuid7(),
        name=name,
        kind=kind.value,
        client_id=client_id,
        jwks=list(jwks),
        jwks_url=jwks_url,
        jwks_read_at=now() if jwks_url else None,
        scopes=sorted(may),
        default_structure_id=default_structure_id,
    )
    session.add(partner)
    await session.flush()
    for structure_id in {default_structure_id, *structure_ids}:
        session.add(
            PartnerStructure(
                organisation_id=organisation_id, partner_id=partner.id, structure_id=structure_id, accepts=accepts
            )
        )
    await session.flush()
    return partner.id


async def disable(session: AsyncSession, partner_id: UUID) -> None:
    """In a session of its tenant: no new token, and those that run end at the next request."""
    await session.execute(update(PartnerClient).where(PartnerClient.id == partner_id).values(disabled_at=now()))
    await sessions.revoke(session, LiveSession.kind == "partner", LiveSession.subject_id == partner_id)


async def authenticate(database: Database, outbound: Outbound, assertion: str, audiences: Collection[str]) -> Client:
    """Who signed this, the first time it is shown. Raises Unauthenticated, in the same words whatever is wrong."""
    client_id, kid = jose.named(assertion)
    async with database.session(None) as session:
        found = (await session.execute(CLIENT, {"client_id": client_id})).one_or_none()
    keys = await partner_keys.known(database, outbound, found, kid) if found else []
    proof = jose.read_assertion(assertion, keys, client_id, audiences)
    async with database.session(None) as session:
        until = datetime.fromtimestamp(proof.expires, UTC)
        first = await tickets.once(session, proof.client_id, proof.jti, until)
        await session.commit()
    if not first or found is None:
        raise Unauthenticated(jose.ASSERTION_REFUSED)
    return Client(
        organisation_id=found.organisation_id,
        partner_id=found.partner_id,
        client_id=client_id,
        scopes=frozenset(found.scopes),
        default_structure_id=found.default_structure_id,
        structure_ids=frozenset(found.structure_ids),
    )


async def count_failure(database: Database, keyring: Keyring, assertion: str, address: str | None) -> None:
    """Of a proof already judged: there is nothing to guess in it, so a right one is never refused nor slowed for those of
    others. Counted under the client it names and where it comes from, slowed by where. Raises TooMany.
    """
    place, named = throttle.neighbourhood(address), ""
    with suppress(Unauthenticated):
        named, _ = jose.named(assertion)
    keys = [throttle.key(keyring, "proof", named, place), throttle.key(keyring, "proofs", place)]
    wait = throttle.SLOWEST
    try:
        _, shared = await throttle.spend(database, keys, FAILURES)
        wait = throttle.slowness(shared, FREE_PER_ADDRESS)
    finally:
        await asyncio.sleep(wait)
