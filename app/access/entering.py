"""Coming in, going on, leaving: each leaves its line in the transaction that opens, renews or ends the session."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import opening, signed_in, writing
from app.access.models import Membership
from app.access.writing import as_json
from app.audit import trail
from app.audit.vocabulary import Call
from app.kernel import db
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import DuiError
from app.security import access_cards, throttle
from app.security.models import LiveSession
from app.security.principal import Caller, Principal, Representative, UsagerSelf
from app.security.sessions import Opened
from app.security.tokens import Door

KIND, LOGIN, RENEW, END = signed_in.KIND, "login", "renew_session", signed_in.END
CALLERS = {of: kind for kind, of in signed_in.KINDS.items()}


async def by_card(
    database: Database,
    keyring: Keyring,
    call: Call,
    link: str,
    code: str,
    lasting: Select[timedelta, timedelta],
    *,
    own_device: bool | None = None,
) -> Opened:
    """The person, or who represents them: see `access_cards.enter`.

    Raises Unauthenticated, TooMany, once the line of nobody is kept.
    """
    try:
        counted = await access_cards.tried(database, keyring, link)
        async with database.session(None) as session:
            door = Door(call.door.value)
            opened = await access_cards.enter(session, keyring, link, code, door, lasting, own_device=own_device)
            await trace(session, call, LOGIN, opened.principal)
            await session.commit()
    except DuiError:
        await opening.refuse_unknown(database, call, LOGIN, KIND)
        raise
    await throttle.forgive(database, counted)
    return opened


async def trace(session: AsyncSession, call: Call, action: str, who: Principal) -> None:
    """What this caller did with the session they are in."""
    usager = who.usager_id if isinstance(who, UsagerSelf | Representative) else None
    await _write(session, trail.of_caller(who, call), who.organisation_id, action, who.session_id, usager)


async def trace_given_back(session: AsyncSession, call: Call, live: LiveSession) -> None:
    """By who held one of its tokens, which says who they are."""
    await db.enter(session, live.organisation_id)
    m, kind = Membership, CALLERS[live.kind]
    role = select(m.role).where(m.organisation_id == live.organisation_id, m.id == live.membership_id)
    who = trail.unknown(call, live.organisation_id) | {
        "principal_kind": kind.value,
        "principal_id": live.subject_id,
        "role": await session.scalar(role),
        "on_behalf_of": live.usager_id if kind is Caller.REPRESENTATIVE else None,
    }
    await _write(session, who, live.organisation_id, END, live.id, live.usager_id)


async def trace_ended(session: AsyncSession, call: Call, live: LiveSession) -> None:
    """By a refresh token that may be anybody's: shown twice, or of someone who works here no more."""
    who = trail.unknown(call, live.organisation_id)
    await _write(session, who, live.organisation_id, END, live.id, live.usager_id)


async def _write(
    session: AsyncSession, who: dict[str, object], house: UUID, action: str, id: UUID, usager: UUID | None
) -> None:
    await db.enter(session, house)
    line = trail.line(who, action, KIND, [id], usager_id=usager)
    await session.execute(writing.TRACE, {"lines": as_json([line])})
