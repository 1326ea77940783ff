"""Who is signed in: one's own sessions, those of someone of the house, and ending them.

A session is no row of the matrix. Everyone sees and ends their own, by the door they came in; of someone else, the act
`manage_accounts` says who. What a session had given stops at the next request, on every path.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    null,
    select,
)
from sqlalchemy.orm import aliased

from app.access.acts import Act
from app.access.facts import ME, NOW, ORGANISATION, SESSION, alive
from app.access.gate import Gate
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT
from app.access.reading import Reading
from app.access.refusal import ENDED, OutOfReach, refused
from app.audit import trail
from app.audit.vocabulary import Outcome
from app.kernel.errors import Unauthenticated
from app.kernel.hot import HotQuery, compiled, word
from app.security import sessions
from app.security.models import LiveSession, RefreshFamily
from app.security.principal import Caller, Principal, Representative, Shape, UsagerSelf

KIND, END = "session", "end_session"
MOST = 100  # of one person, the latest
KINDS = {
    Caller.PROFESSIONAL: "staff",
    Caller.USAGER: "usager",
    Caller.REPRESENTATIVE: "representative",
    Caller.PARTNER: "partner",
}
WHO = bindparam("who", type_=Uuid())


class SignedIn(msgspec.Struct, frozen=True):
    """One opening that still lives; `ends`: when it closes by itself. `current`: the one that asks."""

    id: str
    door: str
    starts: datetime
    ends: datetime
    current: bool


async def mine(reading: Reading) -> Sequence[SignedIn]:
    """The latest first. Raises Unauthenticated when even the session that asks has ended."""
    rows = await reading.ask(_mine(reading.principal.shape), [], MOST, {})
    if not rows:
        raise Unauthenticated(ENDED)
    return [SignedIn(*row) for row in rows]


async def of_professional(reading: Reading, professional: UUID) -> Sequence[SignedIn]:
    """In this organisation only: what else they have elsewhere is not ours to see. Raises MayNot."""
    await reading.require(Act.MANAGE_ACCOUNTS)
    rows = await reading.ask(_theirs(reading.principal.shape), [], MOST, {"who": professional})
    return [SignedIn(*row) for row in rows]


class Ending(Gate):
    """The gate, and the sessions that it may end."""

    async def end_mine(self, id: UUID) -> None:
        """Raises OutOfReach for a session that is not one's own, or over; Unauthenticated when the one that asks is."""
        who = self.principal
        ids = await sessions.revoke(self._session, *_own(who), LiveSession.id == id, self._heard())
        if not ids:
            await self._check_alive()
            raise refused(OutOfReach, END, KIND, [id], usager_id=_usager_of(who))
        self.tell(END, KIND, ids, usager_id=_usager_of(who))

    async def end_others(self) -> None:
        """One's own, all but the one that asks."""
        who = self.principal
        others = await sessions.revoke(self._session, *_own(who), LiveSession.id != who.session_id, self._heard())
        if not others:
            await self._check_alive()
        self.tell(END, KIND, others, usager_id=_usager_of(who))

    async def end_of(self, professional: UUID) -> None:
        """All of theirs in this organisation. Raises MayNot."""
        await self.require(Act.MANAGE_ACCOUNTS)
        s = LiveSession
        theirs = (s.organisation_id == self.principal.organisation_id, s.kind == "staff", s.subject_id == professional)
        self.tell(END, KIND, await sessions.revoke(self._session, *theirs), usager_id=None)

    def _heard(self) -> ColumnElement[bool]:
        """The session that asks still lives."""
        living = aliased(LiveSession)
        here = (living.id == self.principal.session_id, living.revoked_at.is_(None), living.expires_at > func.now())
        return exists().where(*here)


def _usager_of(who: Principal) -> UUID | None:
    return who.usager_id if isinstance(who, UsagerSelf | Representative) else None


def _own(who: Principal) -> Sequence[ColumnElement[bool]]:
    s = LiveSession
    mine = [s.organisation_id == who.organisation_id, s.subject_id == who.id, s.kind == KINDS[who.shape.kind]]
    return [*mine, s.usager_id == who.usager_id] if isinstance(who, Representative) else mine


@lru_cache(maxsize=SHAPES_KEPT)
def _mine(caller: Shape) -> HotQuery:
    s = LiveSession
    own = and_(s.subject_id == ME, s.kind == word(KINDS[caller.kind]), alive())
    if caller.kind is Caller.REPRESENTATIVE:
        own = and_(own, s.usager_id == bindparam("me_usager", type_=Uuid()))
    return _living(caller, own, s.usager_id)


@lru_cache(maxsize=SHAPES_KEPT)
def _theirs(caller: Shape) -> HotQuery:
    return _living(caller, and_(LiveSession.subject_id == WHO, LiveSession.kind == word("staff")), cast(null(), Uuid()))


def _living(caller: Shape, whose: ColumnElement[bool], usager: Any) -> HotQuery:
    """Those that can still be used or renewed; and the line that says they were read."""
    s, f = LiveSession, RefreshFamily
    ends = func.coalesce(f.expires_at, s.expires_at, type_=DateTime(timezone=True))
    query: Select[Any] = (
        select(
            s.id, usager.label("usager_id"), cast(null(), Text).label("ground"), s.door, s.created_at.label("starts"),
            ends.label("ends"), (s.id == SESSION).label("current"),
        )
        .select_from(s)
        .outerjoin(f, and_(f.session_id == s.id, f.revoked_at.is_(None)))
        .where(s.organisation_id == ORGANISATION, s.revoked_at.is_(None), ends > NOW, whose)
        .order_by(s.created_at.desc(), s.id.desc())
        .limit(literal_column(str(MOST)))
    )  # fmt: skip
    found = query.cte("found")
    line = trail.traced(found, caller, Action.READ, KIND, Outcome.EMPTY, cast(null(), Uuid()))
    told = [cast(c, Text) if isinstance(c.type, Uuid) else c for c in (found.c[n] for n in SignedIn.__struct_fields__)]
    return compiled(select(*told).order_by(found.c.starts.desc(), found.c.id.desc()).add_cte(line.cte("traced")))
