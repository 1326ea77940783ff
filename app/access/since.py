"""What a first page saw, so that those which follow keep its order while rows are written.

A row written since is told where it stood then, by its history; one made since waits for the next search. Where history
does not hold what the rows are sorted by, one written since is told no more: it would come twice, or not at all.

To look for rows where they stood costs a third more, and mostly nothing was written: so a page is asked as if nothing
was, and tells when that is wrong. Then it is asked again, and those after it know.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
)
from sqlalchemy.orm import aliased
from sqlalchemy.types import UserDefinedType

from app.access.entry import DossierEntry, View
from app.access.versions import EntryVersion

ORGANISATION = bindparam("organisation", type_=Uuid())
SLACK = timedelta(seconds=40)  # a row is dated before it is committed; no statement lasts longer than thirty
LONG = timedelta(days=3650)  # no link is followed so late
STILL, STIRRED = " ", "*"  # between the two parts of what a link holds: a link tells nothing by its length
_INSTANT = DateTime(timezone=True)
_AT, _FROM, _TO = (bindparam(f"as_of_{name}", type_=_INSTANT) for name in ("at", "from", "to"))
_W: Any = aliased(EntryVersion, name="version_seen")

# once a statement: its snapshot, and the hour, in seconds
SEEN_HERE: ColumnElement[Any] = literal_column(
    "(SELECT pg_current_snapshot()::text || ' ' || extract(epoch FROM clock_timestamp()))", Text()
)


IS_STIRRED: ColumnElement[bool] = select(column("so", Boolean())).select_from(table("stirred")).scalar_subquery()


class Snapshot(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "pg_snapshot"


_SEEN = select(cast(bindparam("as_of_seen", type_=Text()), Snapshot())).scalar_subquery()


class Asked(Protocol):
    @property
    def view(self) -> type[View]: ...
    @property
    def kept(self) -> bool: ...


class Past(Enum):
    """What a page has to do with the one it follows."""

    NONE = "none"
    BEGINS = "begins"
    QUIET = "quiet"  # nothing was written since, or the statement tells only that something was
    KNOWN = "known"  # history tells where each row stood
    UNKNOWN = "unknown"

    @property
    def follows(self) -> bool:
        return self in (Past.QUIET, Past.KNOWN, Past.UNKNOWN)

    @classmethod
    def of(cls, asked: Iterable[Asked], as_of: str) -> "Past":
        if not all(each.kept and issubclass(each.view.TABLE, DossierEntry) for each in asked):
            return cls.UNKNOWN
        return cls.KNOWN if STIRRED in as_of else cls.QUIET


class Stirred(Exception):
    """Something was written since the first page: its rows are to be looked for where they stood."""


def values(as_of: str) -> dict[str, object]:
    """The binds of a page, of what the first one saw."""
    seen, seconds = as_of.replace(STIRRED, STILL).split(STILL)
    at = datetime.fromtimestamp(float(seconds), UTC)
    return {"as_of_seen": seen, "as_of_at": at, "as_of_from": at - SLACK, "as_of_to": at + LONG}


def unchanged(row: Any) -> ColumnElement[bool]:
    return func.pg_visible_in_snapshot(row.changed_xid, _SEEN)


def changed(row: Any) -> ColumnElement[bool]:
    """Found by when they were written, and at once: whoever reads them, few are."""
    r: Any = aliased(row, name="written_since")
    found = select(r.id).where(*_late(r)).scalar_subquery()
    return row.id == any_(func.array(found, type_=ARRAY(Uuid())))  # type: ignore[no-any-return]


def _late(r: Any) -> tuple[ColumnElement[bool], ...]:
    """A range: of few rows, says a plan for all values."""
    return r.organisation_id == ORGANISATION, r.updated_at >= _FROM, r.updated_at <= _TO, not_(unchanged(r))


def looked(tables: Iterable[Any]) -> CTE:
    """Whether any row of these, within reach or not, was written since: `IS_STIRRED` reads it."""
    each = (aliased(row, name="written_since") for row in dict.fromkeys(tables))
    written = or_(*(exists().where(*_late(r)) for r in each))
    return select(written.label("so")).cte("stirred").prefix_with("MATERIALIZED")


def seen(version: Any) -> ColumnElement[bool]:
    return version.at <= _AT  # type: ignore[no-any-return]


def stood(row: Any) -> ColumnElement[bool]:
    """The version of a row written since that the first page saw."""
    v: Any = EntryVersion
    before = (_W.organisation_id == row.organisation_id, _W.entry_id == row.id, _W.version < row.version, seen(_W))
    last = select(func.max(_W.version)).where(*before).correlate(row).scalar_subquery()
    return and_(v.organisation_id == row.organisation_id, v.entry_id == row.id, v.version == last, seen(v))
