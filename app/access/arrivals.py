"""Rows written over rows, many in one statement: what a partner sends again, what the sas releases.

A partner's new version replaces its own last one. Where the team has written since (or in another structure than the
one that receives, or when what arrives must wait), it replaces nothing: the row moves on by two versions, the first for what came, kept beside and
read by its sender alone, the second for what the team had written, unchanged and current.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    TextClause,
    TextualSelect,
    and_,
    bindparam,
    case,
    column,
    func,
    literal_column,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as to
from sqlalchemy.dialects.postgresql import JSON, insert
from sqlalchemy.exc import IntegrityError

from app.access.entry import DossierEntry, Row
from app.access.facts import facts
from app.access.gate import Gate
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT, allowed, decides, overtaken
from app.access.reading import Reading
from app.access.refusal import MayNot, refused
from app.access.versions import values_of
from app.access.writing import as_json
from app.kernel.clock import now
from app.kernel.crypto import UsagerKey
from app.kernel.hot import HotQuery
from app.security.principal import Shape

# Whatever the partner sends again, these stay what the row says.
OF_THE_ROW = frozenset(
    {"organisation_id", "id", "recorded_at", "usager_id", "structure_id", "visibility", "withheld_reason", "withheld_until",
     "reserved_to", "origin_partner_id", "held", "consigne", "minor_secret"}
)  # fmt: skip


R = TypeVar("R", bound=Row)
D = TypeVar("D", bound=DossierEntry)


@dataclass(slots=True)
class Arrivals(Gate):
    """The gate of what is exchanged."""

    waiting: set[UUID] = field(default_factory=set)  # sent again, and kept beside what the team had written
    _again: set[UUID] = field(default_factory=set)

    async def consult(self, query: TextClause | TextualSelect, **values: object) -> Sequence[Any]:
        """The exchange's own lines (names, journal), which no policy judges, asked or mended; the query knows who calls."""
        return (await self._session.execute(query, {**facts(self.principal), **values})).mappings().all()

    def knows(self, usager_id: UUID, wrapped: bytes) -> UsagerKey:
        """The key of a person already here, found with the names of the bundle."""
        if usager_id not in self._keys:
            self._keys[usager_id] = self.keyring.usager_key(wrapped, str(usager_id))
        return self._keys[usager_id]

    def opens(self, usager_id: UUID) -> UsagerKey:
        """The key of a person who arrives, the same for all that is about them."""
        return self._keys.get(usager_id) or self.open_dossier(usager_id)

    async def undo(self) -> None:
        """As if nothing had been asked: a trial."""
        self.clear()
        await self._session.rollback()

    def send_again(self, row: R) -> R:
        """A new version, whole, of a row that this partner sent before."""
        self.add(row)
        self._new[-1] = (Action.UPDATE, row)
        self._again.add(row.id)
        return row

    def withdraw(self, row: D) -> D:
        """The last version that this partner sent of a row, deleted: where the team has written since, it waits beside."""
        self.send_again(row)
        self._new[-1] = (Action.DELETE, row)
        row.deleted_at = row.updated_at = now()
        return row

    def outside(self) -> Reading:
        """The same caller, beside this transaction: what they are told is traced whatever becomes of it."""
        return Reading(self.principal, self.call, self.keyring, self._lane)

    async def ask(
        self, query: HotQuery, asked: Sequence[UUID], limit: int, values: Mapping[str, object]
    ) -> Sequence[Any]:
        """In this transaction: what it wrote is there, what it tells is traced with it."""
        known = {**values, **self._facts(), "trace_asked": asked, "limit": limit}
        connection = await (await self._session.connection()).get_raw_connection()
        driver: Any = connection.driver_connection
        rows: Sequence[Any] = await driver.fetch(query.sql, *query.arguments(known))
        return rows

    async def arrived(self, table: type[D], ids: Collection[UUID]) -> list[D]:
        """What a bundle brought into one of the caller's structures, locked; the caller was asked for the act."""
        values = {**facts(self.principal), "ids": list(ids)}
        rows = (await self._session.scalars(_arrived(self.principal.shape, table), values)).all()
        for row in rows:
            self._session.expunge(row)
        return list(rows)

    async def rewrite(self, rows: Sequence[DossierEntry]) -> None:
        """New versions of rows got by `arrived`, in one statement; their sender reads them as its own.

        One statement for all tables: what a part and its whole say together (whose they are) changes together.
        Raises MayNot when a row would leave the caller's reach.
        """
        tables = tuple(sorted({type(row) for row in rows}, key=lambda table: table.__tablename__))
        if not tables:
            return
        for row in rows:
            await self.key_of(row.usager_id)
            row.version, row.updated_at = row.version + 1, now()
            row.origin_version = row.version
        lots = {f"rows_{n}": _told(row for row in rows if type(row) is table) for n, table in enumerate(tables)}
        query = _writing_over(self.principal.shape, tables)
        core = await self._session.connection()
        try:
            told = (await core.execute(query, {**facts(self.principal), **lots})).all()
        except IntegrityError as exc:
            raise await self._why_not(rows, exc) from None
        if not all(may for (may,) in told):
            raise refused(MayNot, Action.UPDATE, rows[0].KIND, [row.id for row in rows])
        self._written.extend((Action.UPDATE, row) for row in rows)

    async def _insert(self, table: type[Row], rows: Sequence[Row]) -> None:
        """Over rows that exist too: each takes what the base answers, or stands beside it."""
        if self._again.isdisjoint(row.id for row in rows):
            await super(Arrivals, self)._insert(table, rows)  # a class with slots is made twice: plain super() is lost
            return
        try:
            told = await self._over(_sending_again(self.principal.shape, table), rows)
        except IntegrityError as exc:
            raise await self._why_not(rows, exc) from None
        if not all(answer["may"] for answer in told):
            raise await self._why_not(rows, None)
        answers = {answer["id"]: answer for answer in told}
        for row in rows:
            self._take(row, {name: value for name, value in answers[row.id].items() if name != "may"})

    def _take(self, row: Row, stands: dict[str, Any]) -> None:
        if isinstance(row, DossierEntry) and stands["version"] != stands["origin_version"]:
            row.version = row.origin_version = stands["origin_version"]
            row.held = True
            self.waiting.add(row.id)
            self._versions.append(self._version(type(row)(**stands), None))
        else:
            for name, value in stands.items():
                setattr(row, name, value)

    async def _over(self, query: Any, rows: Sequence[Row]) -> Sequence[Any]:
        values = {**facts(self.principal), "rows": _told(rows)}
        return (await (await self._session.connection()).execute(query, values)).mappings().all()


@lru_cache(maxsize=SHAPES_KEPT)
def _sending_again(caller: Shape, table: type[Row]) -> Any:
    """New rows and new versions of one table; answers whole rows, and whether this caller may write each."""
    query, own, kept = _given(table), table.__table__.columns, [n for n in _names(table) if n not in OF_THE_ROW]
    if not issubclass(table, DossierEntry):
        said: dict[str, Any] = {name: query.excluded[name] for name in kept}
        said["version"] = own["version"] + literal_column("1")
        return _over(query, said).returning(*own, allowed(caller, Action.CREATE, table).label("may"))
    last = and_(
        own["version"] == own["origin_version"],
        own["structure_id"] == query.excluded["structure_id"],
        or_(own["held"], not_(query.excluded["held"])),
    )
    said = {name: case((last, query.excluded[name]), else_=own[name]) for name in kept}
    said["version"] = own["version"] + case((last, literal_column("1")), else_=literal_column("2"))
    said["origin_version"] = own["version"] + literal_column("1")
    may = or_(allowed(caller, Action.CREATE, table), overtaken(caller, table))
    return _over(query, said).returning(*own, may.label("may"))


@lru_cache(maxsize=SHAPES_KEPT)
def _writing_over(caller: Shape, tables: tuple[type[DossierEntry], ...]) -> Any:
    """Rows got by `arrived`, whole; each a new version. Answers whether each stays within reach."""
    written = []
    for n, table in enumerate(tables):
        query = _given(table, f"rows_{n}")
        said = {name: query.excluded[name] for name in _names(table) if name not in ("organisation_id", "id")}
        written.append(_over(query, said).returning(decides(caller, table).label("may")).cte(f"w{n}"))
    return union_all(*(select(each.c.may) for each in written))


@lru_cache(maxsize=SHAPES_KEPT)
def _arrived(caller: Shape, table: type[DossierEntry]) -> Any:
    """The rows of `ids` that a bundle brought into one of the caller's structures, locked."""
    mine = (table.id == func.any(bindparam("ids")), decides(caller, table))
    return select(table).where(*mine).with_for_update(of=table)


def _told(rows: Iterable[Row]) -> str:
    return as_json([values_of(row) for row in rows])


def _names(table: type[Row]) -> list[str]:
    return [c.name for c in table.__table__.columns if c.key != "changed_xid" and c.computed is None]


def _given(table: type[Row], rows_of: str = "rows") -> Any:
    names, of = _names(table), table.__tablename__
    columns = [column(name, table.__table__.columns[name].type) for name in names]
    rows = func.json_populate_recordset(literal_column(f"NULL::{of}"), to(bindparam(rows_of, type_=Text()), JSON))
    given = rows.table_valued(*columns, name="given")
    return insert(table).from_select(names, select(*(given.c[name] for name in names)), include_defaults=False)


def _over(query: Any, said: Mapping[str, ColumnElement[Any]]) -> Any:
    told = {**said, "changed_xid": func.pg_current_xact_id()}
    return query.on_conflict_do_update(index_elements=["organisation_id", "id"], set_=told)
