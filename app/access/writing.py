"""The statements of the gate's writes: one a table, then one that settles all that goes with the work."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast
from uuid import UUID

import orjson
from sqlalchemy import (
    ColumnElement,
    Insert,
    Table,
    Text,
    bindparam,
    column,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.exc import IntegrityError

from app.access.entry import DossierEntry, Row
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT, allowed
from app.access.versions import EntryVersion, StoredUsagerKey, values_of
from app.audit import trail
from app.audit.models import AuditEntry
from app.kernel.clock import now
from app.kernel.db import Base
from app.kernel.errors import Conflict, DuiError, Invalid
from app.kernel.hot import DIALECT
from app.kernel.idempotency import Idempotency
from app.security.principal import Shape


class Line(NamedTuple):
    """A line of a table in which nothing is computed, as JSON can hold it: where hundreds go with one request."""

    table: type[Base]
    values: dict[str, Any]


Note = tuple[Base | Line, bool]  # a line that goes with the work; whether it takes the place of an earlier one


@lru_cache(maxsize=SHAPES_KEPT)
def inserting(caller: Shape, table: type[Row]) -> Insert:
    """It answers, for each row: its id, the policy's verdict, the person's wrapped key, what the house chose."""
    names = [c.name for c in table.__table__.columns if c.key != "changed_xid" and c.computed is None]
    of = table.__tablename__
    columns = [column(name, table.__table__.columns[name].type) for name in names]
    given = func.json_populate_recordset(literal_column(f"NULL::{of}"), bindparam("rows", type_=Text()).cast(JSON))
    rows = given.table_valued(*columns, name="given")
    said = [func.coalesce(rows.c[n], table.CHOSEN[n]) if n in table.CHOSEN else rows.c[n] for n in names]
    query = insert(table).from_select(names, select(*said), include_defaults=False)
    chosen = (table.__table__.c[name] for name in table.CHOSEN)
    return query.returning(table.id, allowed(caller, Action.CREATE, table), wrapped_of(table), *chosen)


AS_WRITTEN = {"synchronize_session": False, "populate_existing": True}


def along(table: type[Base], organisation_id: UUID, where: ColumnElement[bool], values: dict[str, Any]) -> Any:
    """The change of every living row of `where`; of a dossier's rows, it answers each as written, with its key."""
    query = update(table).where(table.__table__.c.organisation_id == organisation_id, where)
    if not issubclass(table, DossierEntry):
        return query.values(**values)
    stamped = {**values, "version": table.version + 1, "updated_at": now(), "changed_xid": func.pg_current_xact_id()}
    return query.where(table.deleted_at.is_(None)).values(**stamped).returning(table, wrapped_of(table))


def wrapped_of(table: type[Row]) -> Any:
    if not issubclass(table, DossierEntry):
        return literal_column("NULL::bytea")
    k = StoredUsagerKey
    of = table.__tablename__  # written as text: an INSERT's RETURNING correlates nothing by itself
    mine = (
        k.organisation_id == literal_column(f"{of}.organisation_id"),
        k.usager_id == literal_column(f"{of}.usager_id"),
    )
    return select(k.wrapped).where(*mine).scalar_subquery()


def settling(notes: Sequence[Note]) -> tuple[Any, dict[str, str]]:
    """The statement that settles and writes these notes, and their values; of two that hold one place, the last."""
    lots: dict[tuple[type[Base], bool], dict[tuple[object, ...], dict[str, Any]]] = {}
    for row, over in notes:
        table, values = row if isinstance(row, Line) else (type(row), values_of(row))
        place = tuple(values[name] for name in _keys(table))
        lots.setdefault((table, over), {})[place] = values
    told = {f"notes_{n}": as_json([*lot.values()]) for n, lot in enumerate(lots.values())}
    return _settling(tuple(lots)), told


@cache
def _keys(table: type[Base]) -> tuple[str, ...]:
    return tuple(c.name for c in table.__table__.primary_key)


@lru_cache
def _settling(notes: tuple[tuple[type[Base], bool], ...]) -> Any:
    """Versions, keys, the idempotency key, notes and the traces, in one statement."""
    keys = ("organisation_id", "usager_id", "wrapped")
    claims = [c.name for c in Idempotency.__table__.columns if c.name != "at"]
    first = [_versions(), _into(StoredUsagerKey, keys, "keys")]
    first.append(_into(Idempotency, claims, "claims"))
    for place, (table, over) in enumerate(notes):
        names = [c.name for c in table.__table__.columns if c.name != "changed_xid" and c.computed is None]
        first.append(_into(table, names, f"notes_{place}") + (_over(table) if over else ""))
    with_them = ", ".join(f"w{place} AS ({statement})" for place, statement in enumerate(first))
    return text(f"WITH {with_them} {_into(AuditEntry, trail.SAID, 'lines')}")


def _versions() -> str:
    """What is sealed goes as bytes beside the lines: in JSON it would be written twice as long, and read."""
    of = [c for c in EntryVersion.__table__.columns if c.name not in ("at", "snapshot")]
    said = ", ".join(f"{c.name} {c.type.compile(DIALECT)}" for c in of)
    names = ", ".join(c.name for c in of)
    return (
        f"INSERT INTO entry_version ({names}, snapshot) SELECT * FROM ROWS FROM "  # noqa: S608  names of ours
        f"(json_to_recordset(CAST(CAST(:versions AS text) AS json)) AS ({said}), unnest(CAST(:snapshots AS bytea[])))"
    )


def _into(table: type[Base], names: Sequence[str], rows: str) -> str:
    cols = ", ".join(names)
    of = table.__tablename__
    return (
        f"INSERT INTO {of} ({cols}) "  # noqa: S608  names of ours
        f"SELECT {cols} FROM json_populate_recordset(NULL::{of}, CAST(CAST(:{rows} AS text) AS json))"
    )


def _over(table: type[Base]) -> str:
    keys = _keys(table)
    others = [c.name for c in table.__table__.columns if c.name not in keys]
    said = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f" ON CONFLICT ({', '.join(keys)}) DO " + (f"UPDATE SET {said}" if said else "NOTHING")


UNKNOWN = "reference.unknown"
TRACE = text(
    f"INSERT INTO audit_entry ({', '.join(trail.SAID)}) SELECT {', '.join(trail.SAID)} "  # noqa: S608
    "FROM json_populate_recordset(NULL::audit_entry, CAST(CAST(:lines AS text) AS json))"
)


def as_json(rows: Sequence[object]) -> str:
    return orjson.dumps(rows, default=str).decode()  # asyncpg has a UUID of its own


def told_by(broken: IntegrityError, table: type[Row] | None = None) -> DuiError | None:
    """What a constraint of ours says, in words; None when it is a fault of the program."""
    name = str(getattr(getattr(broken.orig, "__cause__", None), "constraint_name", "") or "")  # the driver's own error
    if name.startswith(("uq_", "pk_", "ex_")):
        return Conflict("Cet élément existe déjà, ou en recouvre un autre.", code=f"conflict.{name}")
    tables = [cast(Table, table.__table__)] if table else Base.metadata.sorted_tables
    to = next((c for t in tables for c in t.foreign_key_constraints if c.name == name), None)
    if to is None:
        return None
    return Invalid("Ce champ désigne un élément qui n'existe pas ici.", where=f"/{to.column_keys[-1]}", code=UNKNOWN)
