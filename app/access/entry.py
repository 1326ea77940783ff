"""What every row of a dossier has in common, and the typed structure a reader gets."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache, partial
from typing import Any, ClassVar, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Boolean, ColumnElement, ForeignKeyConstraint, Index, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.base import instance_state
from sqlalchemy.types import TypeEngine

from app.access.permissions import Category, Kind, Visibility
from app.kernel.clock import now
from app.kernel.crypto import UsagerKey
from app.kernel.db import Base, Xid8
from app.kernel.hot import word  # features hold no lane, but their views say words of ours
from app.kernel.ids import uuid7

__all__ = [
    "ME",
    "DirectoryEntry",
    "DossierEntry",
    "DossierView",
    "OfPlace",
    "Readable",
    "Row",
    "ToldInPart",
    "View",
    "Who",
    "entry_args",
    "fill",
    "leading",
    "reader",
    "spelled",
    "word",
]
ME = bindparam("me", type_=Uuid())  # who calls: a view may compute from it what it shows them


class Who(StrEnum):
    """What a person's id is the id of: `…_kind` stands beside each `…_id` that may be one of several."""

    PROFESSIONAL = "professional"
    ROLE = "role"  # a professional in one function, as partners tell them
    CONTACT = "contact"
    USAGER = "usager"


class Row(Base):
    """What the gate writes: a row of one organisation, with its version."""

    __abstract__ = True
    KIND: ClassVar[Kind]
    CHOSEN: ClassVar[dict[str, ColumnElement[Any]]] = {}  # a column nobody said: over `given`, what the house chose

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    recorded_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)
    changed_xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    deleted_at: Mapped[datetime | None]


class DirectoryEntry(Row):
    """A row of the organisation's own directory (structure, unit, professional…): about no usager."""

    __abstract__ = True


class DossierEntry(Row):
    """A row that belongs to one usager's dossier in one structure.

    These columns are all that `app.access.policy` needs to know about a row, so a new concept inherits them and is
    covered by the policy from its first line. `author_id` is a professional, a usager, a contact or a partner, told
    by `author_kind`. `origin_version` is the last version its sender wrote: that one, never a later, is read back.
    """

    __abstract__ = True
    CATEGORY: ClassVar[Category]  # of a row that does not choose
    WRITTEN_BY: ClassVar = "author_id"  # the professional who writes one; who says it may be another, whom they heard
    SEALED: ClassVar[tuple[str, ...]] = ()  # columns kept under the usager's key: `access.sealed`
    NESTED: ClassVar[tuple[str, ...]] = ()  # columns that hold a text of JSON, told as what it says

    usager_id: Mapped[UUID]
    structure_id: Mapped[UUID]
    category: Mapped[str]
    visibility: Mapped[str] = mapped_column(default=Visibility.NOT_SHARED.value)
    withheld_reason: Mapped[str | None]
    withheld_until: Mapped[date | None]  # told again that day, or read again by someone: `access.withholding`
    reserved_to: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    author_id: Mapped[UUID | None]
    author_kind: Mapped[str]
    on_behalf_of: Mapped[UUID | None]
    occurred_at: Mapped[datetime] = mapped_column(default=now)
    origin_exchange_id: Mapped[UUID | None]
    origin_partner_id: Mapped[UUID | None]
    origin_version: Mapped[int | None]
    held: Mapped[bool] = mapped_column(default=False)
    consigne: Mapped[bool] = mapped_column(default=False)
    minor_secret: Mapped[bool] = mapped_column(default=False)
    extra: Mapped[bytes | None]  # what no map models of a received resource, sealed under the usager's key


class ToldInPart:
    """Its dates that a partner told in part, by where they stand in the resource: the first day that each covers, and the
    first one after. They count as long as their column holds nothing."""

    told_in_part: Mapped[dict[str, list[str]] | None] = mapped_column(JSONB(none_as_null=True))


def fill(row: Base, but: Container[str] = ()) -> None:
    """Python's defaults, at once, in a new row: it is written by statements of ours, not by a flush."""
    values = vars(row)
    for name, given in _given(type(row)):
        if name not in but and values.get(name) is None:
            values[name] = given(None) if callable(given) else given


def reader(row: Base) -> Callable[[str], Any]:
    """Its columns by name; of a new row without asking the mapper, which costs ten times as much."""
    return vars(row).get if instance_state(row).key is None else partial(getattr, row)


def spelled(value: object) -> object:
    """A column as a view holds it: ids as text."""
    if isinstance(value, UUID):
        return str(value)
    return [spelled(item) for item in value] if isinstance(value, list) else value


@cache
def _given(table: type[Base]) -> tuple[tuple[str, Any], ...]:
    """The columns that have a default, and it."""
    return tuple((c.key, c.default.arg) for c in table.__table__.columns if c.default is not None)


def entry_args(cls: Any, *more: Any) -> tuple[Any, ...]:
    """The keys and indexes of every dossier table, and those of this one."""
    name = cls.__tablename__
    owner = () if name == "usager" else (ForeignKeyConstraint(["organisation_id", "usager_id"], _key("usager")),)
    return (
        *owner,
        ForeignKeyConstraint(["organisation_id", "structure_id"], _key("structure")),
        Index(f"ix_{name}_of_usager", "organisation_id", "usager_id", text("occurred_at DESC"), text("id DESC")),
        Index(None, "organisation_id", "occurred_at", "id"),
        Index(None, "organisation_id", "updated_at", "id"),
        Index(
            f"ix_{name}_of_partner",
            "organisation_id",
            "origin_partner_id",
            "id",
            postgresql_where=text("origin_partner_id IS NOT NULL"),
        ),
        *more,
    )


def leading(name: str, column: str) -> Index:
    """The rows of this table by what they lead to."""
    return Index(name, "organisation_id", column, postgresql_where=text(f"{column} IS NOT NULL"))


def _key(table: str) -> list[str]:
    return [f"{table}.organisation_id", f"{table}.id"]


class Readable(ColumnElement[bool]):
    """In a computed field or a search criterion that reads another table: its row is one this caller may read.

    The policy takes its place when the statement is written for a caller (`questions.judged`); left there, the
    statement does not compile.
    """

    inherit_cache = False

    def __init__(self, row: type[Row]) -> None:
        self.row, self.type = row, Boolean()


@dataclass(frozen=True, eq=False)
class OfPlace:
    """A computed field that hangs on whose row it is and in which structure, on nothing else of it: a statement over many
    rows asks it once of each person in each place (`app.access.beside`).

    `of` writes it of what has `organisation_id`, `usager_id` and `structure_id`.
    """

    type: TypeEngine[Any]
    of: Callable[[Any], ColumnElement[Any]]


Computed = ColumnElement[Any] | OfPlace


class Opens(Protocol):
    """Who read a row opens what is sealed in it."""

    def key_beside(self, usager_id: str, wrapped: bytes | None) -> UsagerKey: ...


class View(msgspec.Struct, frozen=True):
    """What is read of one table: each field is a column of `TABLE`, in this order; ids are text.

    A field named in `COMPUTED` is that expression over the table's columns instead. The policy has judged the row it
    stands on, not what the expression joins: rows of another kind are asked for with `Readable`.
    """

    TABLE: ClassVar[type[Row]]
    COMPUTED: ClassVar[Mapping[str, Computed]] = {}
    id: str

    def told_by(self, gate: Opens) -> Any:
        """What REST answers: the view itself, unless something of it is sealed."""
        return self


class DossierView(View, frozen=True):
    TABLE: ClassVar[type[DossierEntry]]
    usager_id: str

    def told_by(self, gate: Opens) -> Any:
        texts = {name: getattr(self, name, None) for name in self.TABLE.NESTED}
        nested = {name: msgspec.Raw(text.encode()) for name, text in texts.items() if text is not None}
        return msgspec.structs.replace(self, **nested) if nested else self
