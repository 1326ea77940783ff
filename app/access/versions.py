"""Every version of every dossier row, with the policy's columns *as of that version*; and the key of each usager.

The snapshot is sealed under the usager's key: erasing one person is deleting one row.
"""

from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import ARRAY, Index, LargeBinary, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from app.access.entry import DossierEntry, View, reader
from app.kernel.crypto import UsagerKey
from app.kernel.db import Base

V = TypeVar("V", bound=View)
POLICY_COLUMNS = (
    "organisation_id",
    "usager_id",
    "structure_id",
    "category",
    "visibility",
    "withheld_reason",
    "withheld_until",
    "reserved_to",
    "author_id",
    "author_kind",
    "occurred_at",
    "origin_partner_id",
    "origin_version",
    "held",
    "consigne",
    "minor_secret",
    "version",
    "deleted_at",
)


class EntryVersion(Base):
    __tablename__ = "entry_version"
    __table_args__ = (
        Index(None, "organisation_id", "usager_id", "at"),
        Index(None, "organisation_id", "kind", "at", "entry_id", "version"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True, server_default=text("clock_timestamp()"))
    kind: Mapped[str]
    usager_id: Mapped[UUID]
    structure_id: Mapped[UUID]
    category: Mapped[str]
    visibility: Mapped[str]
    withheld_reason: Mapped[str | None]
    withheld_until: Mapped[date | None]
    reserved_to: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    author_id: Mapped[UUID | None]
    author_kind: Mapped[str]
    occurred_at: Mapped[datetime]
    origin_partner_id: Mapped[UUID | None]
    origin_version: Mapped[int | None]
    held: Mapped[bool]
    consigne: Mapped[bool]
    minor_secret: Mapped[bool]
    deleted_at: Mapped[datetime | None]
    written_by: Mapped[UUID | None]
    snapshot: Mapped[bytes]


class StoredUsagerKey(Base):
    __tablename__ = "usager_key"

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    usager_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes]


def about(kind: str, id: UUID | str, version: int) -> str:
    return f"{kind}:{id}:{version}"


def values_of(entry: Base) -> dict[str, Any]:
    """The row's columns as `orjson` writes them: bytes as Postgres reads them; `changed_xid` is Postgres's to say."""
    read = reader(entry)
    values = {name: read(name) for name in _names(type(entry))}
    for name in _bytes(type(entry)):
        if isinstance(values[name], bytes):
            values[name] = "\\x" + values[name].hex()
    return values


@cache
def _names(table: type[Base]) -> tuple[str, ...]:
    return tuple(c.key for c in table.__table__.columns if c.key != "changed_xid" and c.computed is None)


@cache
def _bytes(table: type[Base]) -> tuple[str, ...]:
    return tuple(c.key for c in table.__table__.columns if isinstance(c.type, LargeBinary))


def version_of(entry: DossierEntry, key: UsagerKey, written_by: UUID | None) -> dict[str, Any]:
    """The line of `entry_version` that remembers this row as it stands: ids as text, `snapshot` as bytes."""
    values = values_of(entry)
    sealed = key.seal(orjson.dumps(values, default=str), about(entry.KIND, entry.id, entry.version))
    return {
        **{name: values[name] for name in POLICY_COLUMNS},
        "entry_id": str(entry.id),
        "kind": entry.KIND.value,
        "written_by": str(written_by) if written_by else None,
        "snapshot": sealed,
    }


def as_then(view: type[V], snapshot: dict[str, Any], wrapped: bytes) -> V:
    """A row as a version remembers it, told by its view; what the view computes keeps its default."""
    values = {name: snapshot[name] for name in view.__struct_fields__ if name in snapshot}
    for column in view.TABLE.__table__.columns:
        if isinstance(column.type, LargeBinary) and values.get(column.key) is not None:
            values[column.key] = bytes.fromhex(values[column.key].removeprefix("\\x"))
    return msgspec.convert({**values, "wrapped_key": wrapped}, view)
