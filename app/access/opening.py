"""Opening the gate: one request, one transaction, and what stays of a refused one."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import writing
from app.access.gate import Gate
from app.access.writing import as_json
from app.audit import trail
from app.audit.vocabulary import Call, Door, Outcome
from app.kernel import db
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import DuiError
from app.kernel.hot import HotLane
from app.kernel.idempotency import Claim, claim
from app.kernel.ids import uuid7
from app.security.principal import Caller, Principal
from app.security.sessions import Place

G = TypeVar("G", bound=Gate)
SERVER: dict[str, object] = {"principal_kind": "system"}


def opened(
    principal: Principal, call: Call, keyring: Keyring, lane: HotLane, database: Database, asked: Claim | None = None
) -> AbstractAsyncContextManager[Gate]:
    """One request, one transaction: see `opened_as`."""
    return opened_as(Gate, principal, call, keyring, lane, database, asked)


@asynccontextmanager
async def opened_as(
    kind: type[G],
    principal: Principal,
    call: Call,
    keyring: Keyring,
    lane: HotLane,
    database: Database,
    asked: Claim | None = None,
) -> AsyncIterator[G]:
    """One request, one transaction: committed when the handler returns, rolled back when it raises.

    A refusal undoes the work but its trace stays, in a transaction that follows on the same connection
    (a second connection while holding the first would empty the pool under load).
    """
    async with database.session(None if asked else principal.organisation_id) as session:
        gate = kind(principal, call, keyring, lane, session)
        if asked:
            gate.replay = await claim(session, asked)
            gate.claim = None if gate.replay else asked
        try:
            yield gate
            await gate.settle()  # whatever a handler forgot to settle is still checked and traced
            await session.commit()
        except DuiError as no:
            await session.rollback()
            if gate.undone(no):
                await db.enter(session, principal.organisation_id)
                await gate.settle()
                await session.commit()
            raise


async def refuse_unknown(database: Database, call: Call, action: str, kind: str) -> None:
    """The trace of a refusal before any organisation is known: a line of the nil organisation."""
    async with database.session(db.NIL) as session:
        line = trail.line(trail.unknown(call, db.NIL), action, kind, [], usager_id=None, outcome=Outcome.REFUSED)
        await session.execute(writing.TRACE, {"lines": as_json([line])})
        await session.commit()


async def trace_account(
    session: AsyncSession,
    call: Call,
    action: str,
    account_id: UUID,
    places: Collection[Place],
    house: UUID = db.NIL,
) -> None:
    """What someone did with their own account, in the transaction of the act: a line in each house where they work;
    when they work in none today, one in `house`.
    """
    who = [(p.organisation_id, Caller.PROFESSIONAL.value, p.professional_id, p.role.value) for p in places]
    for organisation, kind, id, role in {line[0]: line for line in who}.values() or [(house, "unknown", None, None)]:
        await db.enter(session, organisation)
        said = trail.unknown(call, organisation) | {"principal_kind": kind, "principal_id": id, "role": role}
        line = trail.line(said, action, "account", [account_id], usager_id=None)
        await session.execute(writing.TRACE, {"lines": as_json([line])})


async def trace_system(
    session: AsyncSession,
    organisation_id: UUID,
    action: str,
    kind: str,
    ids: Collection[UUID],
    usager_id: UUID | None,
    by: Mapping[str, object] = SERVER,
) -> None:
    """The trace of what the server's own hand moved, or of who proved at its keyboard who they are (`by`: columns of the
    line), in the transaction of the move.
    """
    who = {**trail.unknown(Call(Door.SYSTEM, str(uuid7())), organisation_id), **by}
    line = trail.line(who, action, kind, ids, usager_id=usager_id)
    await session.execute(writing.TRACE, {"lines": as_json([line])})
