"""Whose account an identity of the provider opens. Linked by an administrator or by an invitation, never by what it says.

No name, number or address of mail of the provider is looked at. What is kept is a keyed hash of issuer and subject.
"""

from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.errors import Conflict, Unauthenticated
from app.security import sessions, tickets, tokens
from app.security.jose import PROVIDER_REFUSED, Logout
from app.security.models import AccountCredential, JtiSeen, LiveSession

KIND = "oidc"
SAID = "provider logout"  # no partner's client_id has a space
CODES = "provider ended"
CODE_LASTS = timedelta(minutes=1)  # from the provider's proof to a session here
# Who is about to open a session, and a logout that would not see it yet, wait for each other.
ENDING = text("SELECT pg_advisory_xact_lock(hashtextextended('provider ended', 7))")
OPENING = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('provider ended', 7))")
TAKEN = "Cette identité est déjà reliée à un compte, ou ce compte à une identité."
ACCOUNT_OF = text("SELECT account_id FROM account_of_identity(:identity)")
C = AccountCredential


def kept(keyring: Keyring, issuer: str, subject: str) -> str:
    """An identity as it is kept, and carried."""
    return keyring.blind(f"{issuer}\0{subject}", "identity").hex()


def session_kept(keyring: Keyring, issuer: str, said: str | None) -> bytes:
    """The provider's session as it is kept; one without a name is known to be the provider's all the same."""
    return keyring.blind(f"{issuer}\0{said or ''}", "provider_session")


async def account_of(session: AsyncSession, identity: str) -> UUID | None:
    """Whose identity (as `kept`) this is; None once the account is disabled."""
    return cast(UUID | None, await session.scalar(ACCOUNT_OF, {"identity": identity}))


async def link(session: AsyncSession, account_id: UUID, identity: str) -> None:
    """Raises Conflict: one identity an account, one account an identity."""
    row = insert(C).values(account_id=account_id, kind=KIND, secret=identity, changed_at=now())
    if await session.scalar(row.on_conflict_do_nothing().returning(C.account_id)) is None:
        raise Conflict(TAKEN)


async def unlink(session: AsyncSession, account_id: UUID) -> None:
    """It opens nothing more, and what it had opened ends at the next request."""
    await session.execute(delete(C).where(C.account_id == account_id, C.kind == KIND))
    await sessions.revoke(session, LiveSession.account_id == account_id, LiveSession.provider_session.is_not(None))


async def check_still(session: AsyncSession, identity: str, theirs: bytes, until: datetime) -> None:
    """What was proved still is, though no session here says so yet: a code good `until`. No logout passes before the
    caller commits: it would not see the session that opens. Raises Unauthenticated.
    """
    await session.execute(OPENING)
    told = [_code_of(*which) for which in ((theirs, None), (None, identity), (theirs, identity))]
    j = JtiSeen
    given_before = (j.client_id == CODES, j.jti_hash.in_(told), j.expires_at >= until)
    if await session.scalar(select(j.client_id).where(*given_before).limit(1)):
        raise Unauthenticated(tickets.OVER)


async def _end_codes(session: AsyncSession, theirs: bytes | None, identity: str | None) -> None:
    """Those given until now, which serve at most as long as this is kept."""
    await session.execute(ENDING)
    j, told = JtiSeen, _code_of(theirs, identity)
    await session.execute(delete(j).where(j.client_id == CODES, (j.jti_hash == told) | (j.expires_at < now())))
    await session.execute(insert(j).values(client_id=CODES, jti_hash=told, expires_at=now() + CODE_LASTS))


def _code_of(theirs: bytes | None, identity: str | None) -> bytes:
    return tokens.digest(f"{theirs.hex() if theirs else ''} {identity or ''}")


async def ended(session: AsyncSession, keyring: Keyring, issuer: str, said: Logout) -> dict[UUID, list[UUID]]:
    """The provider ended this session, or all of this subject's: ours that they opened end too, and the codes that would
    have opened others. Which, by organisation.

    Raises Unauthenticated when this was said already.
    """
    if not await tickets.once(session, SAID, said.jti, datetime.fromtimestamp(said.expires, UTC)):
        raise Unauthenticated(PROVIDER_REFUSED)
    theirs = session_kept(keyring, issuer, said.identity.session) if said.identity.session else None
    identity = kept(keyring, issuer, said.identity.subject) if said.identity.subject else None
    await _end_codes(session, theirs, identity)
    which: list[ColumnElement[bool]] = [LiveSession.provider_session.is_not(None)]
    if theirs:
        which.append(LiveSession.provider_session == theirs)
    if identity:
        which.append(LiveSession.account_id == await account_of(session, identity))
    ids = await sessions.revoke(session, *which)
    houses: dict[UUID, list[UUID]] = {}
    rows = select(LiveSession.organisation_id, LiveSession.id).where(LiveSession.id.in_(ids))
    for organisation, id in await session.execute(rows):
        houses.setdefault(organisation, []).append(id)
    return houses
