"""The one door to dossier rows. Every read and write of REST, FHIR and the portal passes here: the policy decides,
the trail records, and no feature holds a raw session.

A write costs: the tenant told, one insert per table (which answers the policy's verdict on each new row), one
statement that settles versions, traces and the idempotency key.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
from sqlalchemy import Insert, Table, Text, bindparam, column, func, insert, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.entry import DossierEntry, Row, fill
from app.access.permissions import Action
from app.access.policy import ORGANISATION, SHAPES_KEPT, allowed, facts, has_cell, usager_table
from app.access.reading import (
    ENDED,
    NOT_FOUND,
    Listing,
    MayNot,
    OutOfReach,
    Reading,
    Refused,
    _still_alive,
    refused,
)
from app.access.versions import EntryVersion, StoredUsagerKey, values_of, version_of
from app.audit import trail
from app.audit.models import AuditEntry
from app.audit.vocabulary import Call, Outcome
from app.kernel import db
from app.kernel.clock import now
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.db import Database
from app.kernel.errors import Conflict, DuiError, Gone, Invalid, NotFound, Stale, Unauthenticated
from app.kernel.hot import HotLane
from app.kernel.idempotency import Claim, Idempotency, Replay, claim
from app.security import access_cards
from app.security.principal import Caller, Principal, Shape

__all__ = ["Gate", "Listing", "MayNot", "OutOfReach", "Reading", "Refused", "opened", "reading_of"]

E = TypeVar("E", bound=Row)
UNKNOWN = "reference.unknown"
AUTHOR_KINDS = {
    Caller.PROFESSIONAL: "professional",
    Caller.USAGER: "usager",
    Caller.REPRESENTATIVE: "representative",
    Caller.PARTNER: "partner",
}


@dataclass(slots=True)
class Gate(Reading):
    """The same, and a transaction to write in."""

    _session: AsyncSession
    replay: Replay | None = None  # this very request was already answered
    claim: Claim | None = None  # its Idempotency-Key, remembered when the work is settled
    _new: list[Row] = field(default_factory=list)
    _changed: list[tuple[Action, Row]] = field(default_factory=list)
    _keys: dict[UUID, UsagerKey] = field(default_factory=dict)
    _opened: dict[UUID, bytes] = field(default_factory=dict)
    _told: list[dict[str, object]] = field(default_factory=list)
    _beside: list[db.Base] = field(default_factory=list)
    location: str | None = None

    def add(self, row: E) -> E:
        """A new row of this organisation, written by this caller unless it says by whom. Written at `settle`."""
        fill(row)
        row.organisation_id = self.principal.organisation_id
        if isinstance(row, DossierEntry):
            row.category = row.category or row.CATEGORY.value
        if isinstance(row, DossierEntry) and not row.author_kind:
            row.author_id, row.author_kind = self.principal.id, AUTHOR_KINDS[self.principal.shape.kind]
        self._new.append(row)
        return row

    def beside(self, row: db.Base) -> None:
        """A row with no life of its own (a link of a membership): written with the row it belongs to, judged by it."""
        row.organisation_id = self.principal.organisation_id  # type: ignore[attr-defined]
        self._beside.append(row)

    def open_dossier(self, usager_id: UUID) -> UsagerKey:
        """The key of a person who arrives; deleting it erases what it sealed."""
        self._keys[usager_id], self._opened[usager_id] = self.keyring.new_usager_key(str(usager_id))
        return self._keys[usager_id]

    async def key_of(self, usager_id: UUID) -> UsagerKey:
        """Opens and seals what is kept about one person. Raises NotFound when they were erased."""
        if usager_id not in self._keys:
            k = StoredUsagerKey
            query = select(k.wrapped).where(k.organisation_id == ORGANISATION, k.usager_id == usager_id)
            wrapped = await self._session.scalar(query, facts(self.principal))
            if wrapped is None:
                raise NotFound(NOT_FOUND)
            self._keys[usager_id] = self.keyring.usager_key(wrapped, str(usager_id))
        return self._keys[usager_id]

    async def entry(self, table: type[E], id: UUID, action: Action = Action.UPDATE, version: int | None = None) -> E:
        """The row itself, locked, to be changed in this transaction.

        Raises OutOfReach (404), Gone (410), MayNot (403), or Stale (412) when `version` is no longer the last.
        """
        caller = self.principal.shape
        query = select(table, allowed(caller, action, table).label("may"))
        query = query.where(table.id == id, allowed(caller, Action.READ, table)).with_for_update(of=table)
        found = (await self._session.execute(query, facts(self.principal))).first()
        if found is None:
            raise refused(OutOfReach, action, table.KIND, [id])
        row, may = cast(tuple[E, bool], tuple(found))
        if row.deleted_at:
            raise Gone("Cet élément a été supprimé.")
        if not may:
            raise refused(MayNot, action, table.KIND, [id], usager_id=_usager_of(row))
        if version is not None and row.version != version:
            raise Stale("Cet élément a changé depuis votre lecture. Relisez-le, puis recommencez.")
        return row

    async def change(self, row: E, *, action: Action = Action.UPDATE, **values: Any) -> E:
        """A new version of a row got by `entry`. Raises MayNot when the row would leave the caller's reach."""
        table = type(row)
        for name, value in values.items():
            setattr(row, name, value)
        told = {**values, "version": row.version + 1, "updated_at": now()}
        if isinstance(row, DossierEntry) and row.origin_partner_id == self.principal.id:
            told["origin_version"] = row.version + 1
        self._session.expunge(row)  # the statement below is the write; nothing is flushed behind it
        this = (table.organisation_id == row.organisation_id, table.id == row.id, table.version == row.version)
        query = update(table).where(*this).values(**told, changed_xid=func.pg_current_xact_id())
        verdict = (
            allowed(self.principal.shape, Action.UPDATE, table) if action is Action.UPDATE else literal_column("true")
        )
        core = await self._session.connection()  # the ORM would read the row again to refresh it
        try:
            answer = (await core.execute(query.returning(verdict, _wrapped(table)), facts(self.principal))).first()
        except IntegrityError as exc:
            raise _told_by(exc, table) or exc from None
        if answer is None:
            raise Stale("Cet élément a changé depuis votre lecture. Relisez-le, puis recommencez.")
        if not answer[0]:
            raise refused(MayNot, action, table.KIND, [row.id], usager_id=_usager_of(row))
        for name, value in told.items():
            setattr(row, name, value)
        self._know(row, answer[1])
        self._changed.append((action, row))
        return row

    async def remove(self, row: E) -> E:
        """Deleted for every reader, kept for history; got by `entry(…, Action.DELETE)`."""
        return await self.change(row, action=Action.DELETE, deleted_at=now())

    async def settle(self) -> None:
        """Write what was added, judged by the policy row by row, and the trace of it all.

        Raises OutOfReach or MayNot, and the request rolls back, when one row is out of reach.
        """
        added, self._new = self._new, []
        for table in dict.fromkeys(type(row) for row in added):
            await self._insert(table, [row for row in added if type(row) is table])
        await self._insert_beside()
        written = [(Action.CREATE, row) for row in added] + self._changed
        self._changed = []
        who = trail.of_caller(self.principal, self.call)
        lines = [*self._told, *_lines(who, written)]
        self._told = []
        if not lines and self.claim is None:
            return
        versions = [
            version_of(row, self._keys[row.usager_id], self.principal.id)
            for _, row in written
            if isinstance(row, DossierEntry)
        ]
        keys = [
            {"organisation_id": self.principal.organisation_id, "usager_id": id, "wrapped": "\\x" + wrapped.hex()}
            for id, wrapped in self._opened.items()
        ]
        self._opened = {}
        await self._session.execute(
            SETTLE,
            {
                "versions": _json(versions),
                "keys": _json(keys),
                "lines": _json(lines),
                "claims": _json([self.claim.remembered(self.location)] if self.claim else []),
            },
        )
        self.claim = None

    async def _insert(self, table: type[Row], rows: Sequence[Row]) -> None:
        """One statement a table; it answers, for each row, whether the policy lets this caller write it."""
        query = _inserting(self.principal.shape, table)
        values = {**facts(self.principal), "rows": _json([values_of(row) for row in rows])}
        try:
            told = (await (await self._session.connection()).execute(query, values)).all()
        except IntegrityError as exc:
            raise await self._why_not(rows, exc) from None
        if not all(within for _, within, _ in told):
            raise await self._why_not(rows, None)
        wrapped = {id: key for id, _, key in told}
        for row in rows:
            self._know(row, wrapped[row.id])

    async def _insert_beside(self) -> None:
        beside, self._beside = self._beside, []
        if not beside:
            return
        try:
            self._session.add_all(beside)
            await self._session.flush()
        except IntegrityError:
            raise Invalid("Un identifiant de la liste n'existe pas ici.", code="unknown_reference") from None

    async def _why_not(self, rows: Sequence[Row], broken: IntegrityError | None) -> DuiError:
        """A usager out of reach is told as absent; one within reach, that this caller may not write it there."""
        await self._session.rollback()
        await db.enter(self._session, self.principal.organisation_id)
        row = rows[0]
        why = (
            _told_by(broken, type(row)) if broken and has_cell(self.principal.shape, Action.CREATE, type(row)) else None
        )
        [(alive,)] = await self._lane.ask(self.principal.organisation_id, _still_alive(), self._facts())
        if not alive:
            return Unauthenticated(ENDED)
        if not isinstance(row, DossierEntry) or row.usager_id in self._opened:
            return why or refused(MayNot, Action.CREATE, row.KIND)
        usager = usager_table()
        seen = select(usager.id).where(usager.id == row.usager_id, allowed(self.principal.shape, Action.READ, usager))
        if await self._session.scalar(seen, facts(self.principal)) is None:
            return refused(OutOfReach, Action.CREATE, row.KIND, [], usager_id=None, where="/usager_id")
        return why or refused(MayNot, Action.CREATE, row.KIND, [], usager_id=row.usager_id)

    def _know(self, row: Row, wrapped: bytes | None) -> None:
        if isinstance(row, DossierEntry) and row.usager_id not in self._keys:
            if wrapped is None:
                raise NotFound(NOT_FOUND)
            self._keys[row.usager_id] = self.keyring.usager_key(wrapped, str(row.usager_id))

    async def take_back_cards(self, usager_id: UUID) -> None:
        """The cards of this person, and of who represents them, open nothing more, from the next request."""
        await access_cards.take_back_all(self._session, self.principal.organisation_id, usager_id)

    async def _remember(self, no: Refused) -> None:
        """Closing remembers it: see `opened`."""

    def tell(
        self, action: str, kind: str, ids: Collection[UUID], *, usager_id: UUID | None, ground: str | None = None
    ) -> None:
        """A line of the trail for an act that is no row of the matrix."""
        who = trail.of_caller(self.principal, self.call)
        self._told.append(trail.line(who, action, kind, ids, usager_id=usager_id, ground=ground))


@lru_cache(maxsize=SHAPES_KEPT)
def _inserting(caller: Shape, table: type[Row]) -> Insert:
    names = [c.name for c in table.__table__.columns if c.key != "changed_xid" and c.computed is None]
    of = table.__tablename__
    columns = [column(name, table.__table__.columns[name].type) for name in names]
    given = func.json_populate_recordset(literal_column(f"NULL::{of}"), bindparam("rows", type_=Text()).cast(JSON))
    rows = given.table_valued(*columns, name="given")
    query = insert(table).from_select(names, select(*(rows.c[name] for name in names)), include_defaults=False)
    return query.returning(table.id, allowed(caller, Action.CREATE, table), _wrapped(table))


def _told_by(broken: IntegrityError, table: type[Row]) -> DuiError | None:
    """What a constraint of ours says, in words; None when it is a fault of the program."""
    name = str(getattr(getattr(broken.orig, "__cause__", None), "constraint_name", "") or "")  # the driver's own error
    if name.startswith(("uq_", "pk_", "ex_")):
        return Conflict("Cet élément existe déjà, ou en recouvre un autre.", code=f"conflict.{name}")
    to = next((c for c in cast(Table, table.__table__).foreign_key_constraints if c.name == name), None)
    if to is None:
        return None
    return Invalid("Ce champ désigne un élément qui n'existe pas ici.", where=f"/{to.column_keys[-1]}", code=UNKNOWN)


def _wrapped(table: type[Row]) -> Any:
    if not issubclass(table, DossierEntry):
        return literal_column("NULL::bytea")
    k = StoredUsagerKey
    of = table.__tablename__  # written as text: an INSERT's RETURNING correlates nothing by itself
    mine = (
        k.organisation_id == literal_column(f"{of}.organisation_id"),
        k.usager_id == literal_column(f"{of}.usager_id"),
    )
    return select(k.wrapped).where(*mine).scalar_subquery()


def _settling() -> Any:
    """Versions, keys, the idempotency key and the traces, in one statement."""

    def into(table: type[db.Base], names: Sequence[str], rows: str) -> str:
        cols = ", ".join(names)
        of = table.__tablename__
        return (
            f"INSERT INTO {of} ({cols}) "  # noqa: S608  names of ours
            f"SELECT {cols} FROM json_populate_recordset(NULL::{of}, CAST(CAST(:{rows} AS text) AS json))"
        )

    kept = [c.name for c in EntryVersion.__table__.columns if c.name != "at"]
    keys = ("organisation_id", "usager_id", "wrapped")
    claims = [c.name for c in Idempotency.__table__.columns if c.name != "at"]
    return text(
        f"WITH v AS ({into(EntryVersion, kept, 'versions')}), k AS ({into(StoredUsagerKey, keys, 'keys')}), "
        f"i AS ({into(Idempotency, claims, 'claims')}) {into(AuditEntry, trail.SAID, 'lines')}"
    )


SETTLE = _settling()
TRACE = text(
    f"INSERT INTO audit_entry ({', '.join(trail.SAID)}) SELECT {', '.join(trail.SAID)} "  # noqa: S608
    "FROM json_populate_recordset(NULL::audit_entry, CAST(CAST(:lines AS text) AS json))"
)


def _json(rows: Sequence[object]) -> str:
    return orjson.dumps(rows, default=str).decode()  # asyncpg has a UUID of its own


def _usager_of(row: Row) -> UUID | None:
    return row.usager_id if isinstance(row, DossierEntry) else None


def _lines(who: dict[str, object], written: Sequence[tuple[Action, Row]]) -> list[dict[str, object]]:
    """One line per act, kind and usager."""
    grouped: dict[tuple[Action, str, UUID | None], list[UUID]] = {}
    for action, row in written:
        grouped.setdefault((action, row.KIND.value, _usager_of(row)), []).append(row.id)
    return [trail.line(who, a.value, kind, ids, usager_id=usager) for (a, kind, usager), ids in grouped.items()]


def reading_of(principal: Principal, call: Call, keyring: Keyring, lane: HotLane) -> Reading:
    return Reading(principal, call, keyring, lane)


@asynccontextmanager
async def opened(
    principal: Principal, call: Call, keyring: Keyring, lane: HotLane, database: Database, asked: Claim | None = None
) -> AsyncIterator[Gate]:
    """One request, one transaction: committed when the handler returns, rolled back when it raises.

    A refusal undoes the work but its trace stays, in a transaction that follows on the same connection
    (a second connection while holding the first would empty the pool under load).
    """
    async with database.session(principal.organisation_id) as session:
        gate = Gate(principal, call, keyring, lane, session)
        if asked:
            gate.replay = await claim(session, asked)
            gate.claim = None if gate.replay else asked
        try:
            yield gate
            await gate.settle()  # whatever a handler forgot to settle is still checked and traced
            await session.commit()
        except Refused as no:
            await session.rollback()
            await db.enter(session, principal.organisation_id)
            who = trail.of_caller(principal, call)
            line = trail.line(who, no.action, no.kind, no.ids, usager_id=no.usager_id, outcome=Outcome.REFUSED)
            await session.execute(TRACE, {"lines": _json([line])})
            await session.commit()
            raise


async def refuse_unknown(database: Database, call: Call, action: str, kind: str) -> None:
    """The trace of a refusal before any organisation is known: a line of the nil organisation."""
    async with database.session(db.NIL) as session:
        line = trail.line(trail.unknown(call, db.NIL), action, kind, [], usager_id=None, outcome=Outcome.REFUSED)
        await session.execute(TRACE, {"lines": _json([line])})
        await session.commit()
