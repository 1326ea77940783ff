"""Opening, renewing, ending: a row in `session` for every token there is.

The caller commits, with the line of the trail that goes with it.
"""

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, any_, delete, func, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Unauthenticated
from app.kernel.ids import uuid7
from app.security import tokens
from app.security.models import LiveSession, RefreshFamily
from app.security.principal import Partner, Principal, Professional, Representative, Role, UsagerSelf
from app.security.tokens import Door, Known

STAFF_TTL = timedelta(minutes=15)
FAMILY_TTL = timedelta(hours=12)  # a long day: then the password again
PARTNER_TTL = timedelta(minutes=5)  # SMART Backend Services: no more than five minutes advised
ROTATIONS = 500  # of one family: what it remembers stays small
FAMILY_BYTES, SECRET_BYTES = 16, 32
REFRESH_LENGTH = 64  # characters: 48 bytes
KEPT = timedelta(days=7)  # after its end, and longer than any family may sleep
SWEPT = 20
ENDED = "Cette connexion est finie. Connectez-vous à nouveau."

PLACES = text("SELECT organisation_id, professional_id, membership_id, role FROM places_of(:account_id)")


@dataclass(frozen=True, slots=True)
class Place:
    """One membership that runs today: where an account may work, and as what."""

    organisation_id: UUID
    professional_id: UUID
    membership_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class Opened:
    """What the caller takes away."""

    principal: Principal
    token: str
    refresh: str | None = None
    amr: tuple[str, ...] = ()  # how a session that is renewed was proved when it began


async def places(session: AsyncSession, account_id: UUID) -> list[Place]:
    """The memberships of this account that run today; none once it is disabled."""
    rows = await session.execute(PLACES, {"account_id": account_id})
    return [Place(r.organisation_id, r.professional_id, r.membership_id, Role(r.role)) for r in rows]


async def open_staff(
    session: AsyncSession,
    keyring: Keyring,
    issuer: str,
    account_id: UUID,
    place: Place,
    *,
    ttl: timedelta = STAFF_TTL,
    family_ttl: timedelta = FAMILY_TTL,
    amr: Sequence[str] = (),
    provider_session: bytes | None = None,
) -> Opened:
    family_id = uuid7()
    live = LiveSession(
        id=uuid7(),
        kind="staff",
        door=Door.API.value,
        organisation_id=place.organisation_id,
        subject_id=place.professional_id,
        account_id=account_id,
        membership_id=place.membership_id,
        family_id=family_id,
        amr=list(amr),
        provider_session=provider_session,
        expires_at=_until(ttl),
    )
    refresh, secret = _new_refresh(family_id)
    await _start(session, live)
    session.add(
        RefreshFamily(
            id=family_id,
            session_id=live.id,
            current_hash=secret,
            expires_at=max(_until(family_ttl), live.expires_at),
        )
    )
    await session.flush()
    principal = _professional(live, account_id, place)
    return Opened(principal, tokens.signed(keyring, issuer, principal), refresh)


async def open_partner(
    session: AsyncSession,
    keyring: Keyring,
    issuer: str,
    partner: tuple[UUID, UUID],
    structure_id: UUID,
    scopes: frozenset[str],
    *,
    ttl: timedelta = PARTNER_TTL,
) -> Opened:
    """`partner`: its organisation, its id."""
    live = LiveSession(
        id=uuid7(),
        kind="partner",
        door=Door.FHIR.value,
        organisation_id=partner[0],
        subject_id=partner[1],
        expires_at=_until(ttl),
    )
    await _start(session, live)
    principal = Partner(**_common(live), structure_id=structure_id, scopes=scopes)
    return Opened(principal, tokens.signed(keyring, issuer, principal))


async def open_person(
    session: AsyncSession,
    organisation_id: UUID,
    access_id: UUID,
    usager_id: UUID,
    contact_id: UUID | None,
    door: Door,
    until: datetime,
) -> Opened:
    """For the person, or for the contact who represents them: an opaque token for one door, `me` or `page`."""
    token, kept = tokens.new_opaque()
    live = LiveSession(
        id=uuid7(),
        kind="representative" if contact_id else "usager",
        door=door.value,
        organisation_id=organisation_id,
        subject_id=contact_id or usager_id,
        usager_id=usager_id,
        access_id=access_id,
        opaque_hash=kept,
        expires_at=until,
    )
    await _start(session, live)
    return Opened(_person(live), token)


async def find(database: Database, token: str) -> Known:
    """Whose opaque token this is, in one statement. Raises Unauthenticated when it is unknown, ended or too old."""
    alive = LiveSession.revoked_at.is_(None) & (LiveSession.expires_at > func.now())
    async with database.session(None) as session:
        live = await session.scalar(select(LiveSession).where(LiveSession.opaque_hash == tokens.digest(token), alive))
    if live is None:
        raise Unauthenticated(ENDED)
    return Known(_person(live), Door(live.door))


async def lives(database: Database, principal: Principal) -> bool:
    """Would a request by this caller be heard now?"""
    alive = LiveSession.revoked_at.is_(None) & (LiveSession.expires_at > func.now())
    async with database.session(None) as session:
        found = await session.scalar(select(LiveSession.id).where(LiveSession.id == principal.session_id, alive))
    return found is not None


async def extend(session: AsyncSession, principal: Principal, until: datetime) -> None:
    """« Rester connecté » : a later end for a session that still lives, never for one that ended."""
    await session.execute(
        update(LiveSession)
        .where(LiveSession.id == principal.session_id, LiveSession.revoked_at.is_(None))
        .where(LiveSession.expires_at > func.now())
        .values(expires_at=until)
    )


async def end(session: AsyncSession, principal: Principal) -> None:
    """Leaving: this session, and whatever it had given."""
    await revoke(session, LiveSession.id == principal.session_id)


async def revoke(session: AsyncSession, *which: Any) -> list[UUID]:
    """End the sessions that `which` says (conditions on LiveSession), and their refresh tokens with them: which they were."""
    ended = (
        update(LiveSession)
        .where(LiveSession.revoked_at.is_(None), *which)
        .values(revoked_at=func.now())
        .returning(LiveSession.id)
    )
    ids = list(await session.scalars(ended))
    await session.execute(
        update(RefreshFamily)
        .where(RefreshFamily.session_id.in_(ids), RefreshFamily.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    return ids


async def rotate(
    session: AsyncSession, keyring: Keyring, issuer: str, refresh: str, *, ttl: timedelta = STAFF_TTL
) -> Opened | LiveSession:
    """A new pair for the current refresh token; the session lives on. Raises Unauthenticated.

    Or the session, ended instead: an old refresh token shown again, a membership that ended, an account disabled (the
    role is read again). To be committed, although the answer is a refusal.
    """
    family_id, shown = _family_of(refresh)
    named = select(RefreshFamily.session_id).where(RefreshFamily.id == family_id).scalar_subquery()
    live = await session.scalar(select(LiveSession).where(LiveSession.id == named).with_for_update())
    if live is None or live.account_id is None or live.revoked_at:
        raise Unauthenticated(ENDED)
    family = await session.get_one(RefreshFamily, family_id)  # read once we are alone with its session
    used = shown in family.used_hashes
    if family.expires_at <= now() or not (used or shown == family.current_hash):
        raise Unauthenticated(ENDED)
    held = await places(session, live.account_id)
    place = next((p for p in held if p.membership_id == live.membership_id), None)
    if used or place is None or len(family.used_hashes) >= ROTATIONS:
        await revoke(session, LiveSession.id == live.id)
        return live
    token, fresh = _new_refresh(family.id)
    family.used_hashes = [*family.used_hashes, shown]
    family.current_hash = fresh
    live.expires_at = min(_until(ttl), family.expires_at)
    await session.flush()
    principal = _professional(live, live.account_id, place)
    return Opened(principal, tokens.signed(keyring, issuer, principal), token, tuple(live.amr))


async def give_back(session: AsyncSession, keyring: Keyring, issuer: str, token: str) -> LiveSession | None:
    """Logging out: the session of this token ends, whichever of its tokens it is. What is no token of ours, or of a
    session over, ends nothing.
    """
    try:
        which = _session_of(keyring, issuer, token)
    except Unauthenticated:
        return None
    ids = await revoke(session, which)
    return await session.get_one(LiveSession, ids[0]) if ids else None


def _session_of(keyring: Keyring, issuer: str, token: str) -> ColumnElement[bool]:
    if tokens.is_signed(token):
        return LiveSession.id == tokens.read_signed(keyring, issuer, token).principal.session_id
    if len(token) != REFRESH_LENGTH:
        return LiveSession.opaque_hash == tokens.digest(token)
    (family_id, shown), f = _family_of(token), RefreshFamily
    ever = (f.current_hash == shown) | (literal(shown) == any_(f.used_hashes))
    mine = select(f.session_id).where(f.id == family_id, ever)
    return LiveSession.id.in_(mine)


async def _start(session: AsyncSession, live: LiveSession) -> None:
    await _sweep(session)
    session.add(live)
    await session.flush()


async def _sweep(session: AsyncSession) -> None:
    """Take away a few sessions long over; called at each opening, it takes more than an opening adds."""
    old = select(LiveSession.id).where(LiveSession.expires_at < func.now() - KEPT)
    await session.execute(
        delete(LiveSession).where(LiveSession.id.in_(old.limit(SWEPT).with_for_update(skip_locked=True)))
    )


def _professional(live: LiveSession, account_id: UUID, place: Place) -> Professional:
    return Professional(**_common(live), account_id=account_id, membership_id=place.membership_id, role=place.role)


def _person(live: LiveSession) -> UsagerSelf | Representative:
    if live.usager_id in (None, live.subject_id):
        return UsagerSelf(**_common(live))
    return Representative(**_common(live), usager_id=live.usager_id)


def _common(live: LiveSession) -> dict[str, Any]:
    return {
        "id": live.subject_id,
        "organisation_id": live.organisation_id,
        "session_id": live.id,
        "expires": live.expires_at.timestamp(),
    }


def _until(ttl: timedelta) -> datetime:
    """On a whole second: a signed token says no finer."""
    return datetime.fromtimestamp(int((now() + ttl).timestamp()), UTC)


def _new_refresh(family_id: UUID) -> tuple[str, bytes]:
    token = base64.urlsafe_b64encode(family_id.bytes + secrets.token_bytes(SECRET_BYTES)).decode()
    return token, tokens.digest(token)


def _family_of(refresh: str) -> tuple[UUID, bytes]:
    try:
        raw = base64.b64decode(refresh.encode(), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise Unauthenticated(ENDED) from None
    if len(raw) != FAMILY_BYTES + SECRET_BYTES:
        raise Unauthenticated(ENDED)
    return UUID(bytes=raw[:FAMILY_BYTES]), tokens.digest(refresh)
