"""The one door to dossier rows. Every read and write of REST, FHIR and the portal passes here: the policy decides,
the trail records, and no feature holds a raw session.

A write costs: the tenant told, one insert per table (which answers the policy's verdict on each new row), one
statement that settles versions, traces and the idempotency key.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import writing
from app.access.acts import Act
from app.access.entry import DossierEntry, Row, fill
from app.access.facts import ORGANISATION, facts
from app.access.permissions import Action
from app.access.policy import allowed, has_cell, usager_table
from app.access.questions import Listing, still_alive
from app.access.reading import Reading
from app.access.refusal import ENDED, NOT_FOUND, MayNot, OutOfReach, Refused, refused
from app.access.versions import StoredUsagerKey, values_of, version_of
from app.access.writing import as_json, told_by
from app.audit import trail
from app.audit.vocabulary import Outcome
from app.kernel import db
from app.kernel.clock import now
from app.kernel.crypto import UsagerKey
from app.kernel.errors import DuiError, Gone, Invalid, NotFound, Stale, Unauthenticated
from app.kernel.idempotency import Claim, Replay
from app.security import access_cards
from app.security.principal import Caller

__all__ = ["Gate", "Listing", "MayNot", "OutOfReach", "Reading", "Refused"]

E = TypeVar("E", bound=Row)

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
    _new: list[tuple[Action, Row]] = field(default_factory=list)
    _written: list[tuple[Action | Act, Row]] = field(default_factory=list)
    _versions: list[dict[str, object]] = field(default_factory=list)  # beside those of what is written
    _notes: list[writing.Note] = field(default_factory=list)
    _keys: dict[UUID, UsagerKey] = field(default_factory=dict)
    _opened: dict[UUID, bytes] = field(default_factory=dict)
    _told: list[dict[str, object]] = field(default_factory=list)
    _beside: list[db.Base] = field(default_factory=list)
    location: str | None = None

    def add(self, row: E) -> E:
        """A new row of this organisation, written by this caller unless it says by whom. Written at `settle`."""
        fill(row, but=row.CHOSEN)
        row.organisation_id = self.principal.organisation_id
        if isinstance(row, DossierEntry):
            row.category = row.category or row.CATEGORY.value
        if isinstance(row, DossierEntry) and not row.author_kind:
            row.author_id, row.author_kind = self.principal.id, AUTHOR_KINDS[self.principal.shape.kind]
        self._new.append((Action.CREATE, row))
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

    def key_beside(self, usager_id: str, wrapped: bytes | None) -> UsagerKey:
        """The same; of a row just written, the key is in hand."""
        return self._keys[UUID(usager_id)] if wrapped is None else Reading.key_beside(self, usager_id, wrapped)

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

    async def change(self, row: E, *, action: Action | Act = Action.UPDATE, **values: Any) -> E:
        """A new version of a row got by `entry`. Raises MayNot when the row would leave the caller's reach."""
        table = type(row)
        for name, value in values.items():
            setattr(row, name, value)
        told = {**values, "version": row.version + 1, "updated_at": now()}
        self._session.expunge(row)  # the statement below is the write; nothing is flushed behind it
        this = (table.organisation_id == row.organisation_id, table.id == row.id, table.version == row.version)
        query = update(table).where(*this).values(**told, changed_xid=func.pg_current_xact_id())
        verdict = (
            allowed(self.principal.shape, Action.UPDATE, table) if action is Action.UPDATE else literal_column("true")
        )
        core = await self._session.connection()  # the ORM would read the row again to refresh it
        try:
            told_back = await core.execute(query.returning(verdict, writing.wrapped_of(table)), facts(self.principal))
        except IntegrityError as exc:
            raise told_by(exc, table) or exc from None
        may, wrapped = told_back.one()  # it is there as it was: locked since `entry`
        if not may:
            raise refused(MayNot, action, table.KIND, [row.id], usager_id=_usager_of(row))
        for name, value in told.items():
            setattr(row, name, value)
        self._know(row, wrapped)
        self._written.append((action, row))
        return row

    async def remove(self, row: E) -> E:
        """Deleted for every reader, kept for history; got by `entry(…, Action.DELETE)`."""
        return await self.change(row, action=Action.DELETE, deleted_at=now())

    async def along(self, row: DossierEntry, table: type[db.Base], where: ColumnElement[bool], **values: Any) -> None:
        """What stands beside a row just written, and the same thing in other dossiers (an event for eight), changes
        with it, whoever's it is. Each dossier row has its version and its line in the trail.
        """
        written = next((action for action, one in self._written if one is row), None)
        if written is None:
            raise ValueError("Nothing was written to go along with.")
        query = writing.along(table, row.organisation_id, where, values)
        try:
            found = await self._session.execute(query, execution_options=writing.AS_WRITTEN)
        except IntegrityError as exc:
            raise told_by(exc) or exc from None
        if issubclass(table, DossierEntry):
            for other, key in found.all():
                self._session.expunge(other)
                self._know(other, key)
                self._written.append((written, other))

    def note(self, row: db.Base | writing.Line, *, over: bool = False) -> None:
        """A line that goes with the work and that no policy judges, written as it is settled; `over` an earlier one."""
        self._notes.append((row, over))

    async def flush(self) -> None:
        """Write what was added, judged by the policy row by row; versions and traces follow at `settle`.

        Raises OutOfReach or MayNot, and the request rolls back, when one row is out of reach.
        """
        added: list[tuple[Action | Act, Row]] = [*self._new]
        self._new = []
        for table in sorted({type(row) for _, row in added}, key=_depth):  # what others point to comes first
            await self._insert(table, [row for _, row in added if type(row) is table])
        await self._insert_beside()
        self._written = added + self._written

    async def settle(self) -> None:
        """Flush, then write versions, keys, notes, the idempotency key and the trace of it all, in one statement."""
        await self.flush()
        written, self._written = self._written, []
        who = trail.of_caller(self.principal, self.call)
        lines = [*self._told, *_lines(who, written)]
        self._told = []
        if not lines and self.claim is None:
            return
        versions = [self._version(row, self.principal.id) for _, row in written if isinstance(row, DossierEntry)]
        keys = [
            {"organisation_id": self.principal.organisation_id, "usager_id": id, "wrapped": "\\x" + wrapped.hex()}
            for id, wrapped in self._opened.items()
        ]
        statement, notes = writing.settling(self._notes)
        versions += self._versions
        told = {
            "snapshots": [each.pop("snapshot") for each in versions],
            "versions": as_json(versions),
            "keys": as_json(keys),
            "lines": as_json(lines),
            "claims": as_json([self.claim.remembered(self.location)] if self.claim else []),
        }
        self._opened, self._versions, self._notes = {}, [], []
        try:
            await self._session.execute(statement, {**told, **notes})
        except IntegrityError as exc:
            raise told_by(exc) or exc from None
        self.claim = None

    def _version(self, row: DossierEntry, by: UUID | None) -> dict[str, object]:
        return version_of(row, self._keys[row.usager_id], by)

    async def _insert(self, table: type[Row], rows: Sequence[Row]) -> None:
        """One statement a table; it answers, for each row, whether the policy lets this caller write it."""
        query = writing.inserting(self.principal.shape, table)
        values = {**facts(self.principal), "rows": as_json([values_of(row) for row in rows])}
        try:
            told = (await (await self._session.connection()).execute(query, values)).all()
        except IntegrityError as exc:
            raise await self._why_not(rows, exc) from None
        if not all(within for _, within, *_ in told):
            raise await self._why_not(rows, None)
        back = {id: (key, chosen) for id, _, key, *chosen in told}
        for row in rows:
            key, chosen = back[row.id]
            for name, value in zip(table.CHOSEN, chosen, strict=True):
                setattr(row, name, value)
            self._know(row, key)

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
            told_by(broken, type(row)) if broken and has_cell(self.principal.shape, Action.CREATE, type(row)) else None
        )
        [(alive,)] = await self._lane.ask(self.principal.organisation_id, still_alive(), self._facts())
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

    async def give_card(
        self, id: UUID, usager_id: UUID, contact_id: UUID | None, ends: datetime | None, *, own_device: bool
    ) -> tuple[str, str]:
        """The link's token and the code of a card asked for by `access.cards`, told this once."""
        who, organisation = self.principal.id, self.principal.organisation_id
        return await access_cards.give(
            self._session, self.keyring, organisation, usager_id, contact_id,
            given_by=who, ends=ends, own_device=own_device, id=id,
        )  # fmt: skip

    async def take_back_card(self, id: UUID) -> None:
        """This card opens nothing more, from the next request."""
        await access_cards.take_back(self._session, id)

    async def take_back_cards(self, usager_id: UUID) -> None:
        """The cards of this person, and of who represents them, open nothing more, from the next request."""
        await access_cards.take_back_all(self._session, self.principal.organisation_id, usager_id)

    async def _remember(self, no: Refused) -> None:
        """Closing remembers it: see `opened`."""

    def undone(self, no: DuiError) -> bool:
        """What stays of undone work, to be settled: the trace of what the policy refused. False: nothing does."""
        self.clear()
        if isinstance(no, Refused):
            self.tell(no.action, no.kind, no.ids, usager_id=no.usager_id, outcome=Outcome.REFUSED)
        return bool(self._told)

    def clear(self) -> None:
        """Forget what was to be written."""
        self._new, self._written, self._versions, self._notes, self._told = [], [], [], [], []
        self._beside = []
        self._opened, self.claim = {}, None

    def tell(
        self,
        action: str,
        kind: str,
        ids: Collection[UUID],
        *,
        usager_id: UUID | None,
        ground: str | None = None,
        outcome: Outcome = Outcome.SUCCESS,
    ) -> None:
        """A line of the trail for an act that is no row of the matrix."""
        who = trail.of_caller(self.principal, self.call)
        self._told.append(trail.line(who, action, kind, ids, usager_id=usager_id, ground=ground, outcome=outcome))


@lru_cache
def _depth(table: type[Row]) -> int:
    return [t.name for t in db.Base.metadata.sorted_tables].index(table.__tablename__)


def _usager_of(row: Row) -> UUID | None:
    return row.usager_id if isinstance(row, DossierEntry) else None


def _lines(who: dict[str, object], written: Sequence[tuple[Action | Act, Row]]) -> list[dict[str, object]]:
    """One line per act, kind and usager."""
    grouped: dict[tuple[Action | Act, str, UUID | None], list[UUID]] = {}
    for action, row in written:
        grouped.setdefault((action, row.KIND.value, _usager_of(row)), []).append(row.id)
    return [trail.line(who, a.value, kind, ids, usager_id=usager) for (a, kind, usager), ids in grouped.items()]
