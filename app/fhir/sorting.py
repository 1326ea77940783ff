"""`_sort`: what each declared parameter puts in order. What a row lacks, or what this caller is not told, comes last.

Source: https://hl7.org/fhir/R4/search.html#sort
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, cast, null
from sqlalchemy.sql import visitors

from app.access.versions import EntryVersion
from app.fhir.mapping import AnyMap
from app.fhir.search.criteria import midnight

COLUMNS_THEN: Mapping[str, Any] = {
    "id": EntryVersion.entry_id,
    "usager_id": EntryVersion.usager_id,
    "occurred_at": EntryVersion.occurred_at,
    "updated_at": EntryVersion.at,
}  # what a former version says without being opened


@dataclass(frozen=True, eq=False)
class Sortable:
    """One parameter of the tables searched together: its column in each, and in a former version of each row there."""

    kind: type
    columns: tuple[ColumnElement[Any], ...]
    columns_then: tuple[ColumnElement[Any], ...]
    kept: bool  # a former version of any of these rows tells it


@lru_cache(maxsize=500)
def sortable(maps: tuple[AnyMap, ...], *, outside: bool, of_person: bool) -> Mapping[str, Sortable]:
    """By parameter, of these maps together, as such a caller is told of them."""
    names = sorted({name for each in maps for name in each.criteria})
    told = ((name, [_told(each, name, outside=outside, of_person=of_person) for each in maps]) for name in names)
    found = ((name, _together(columns)) for name, columns in told)
    return {name: each for name, each in found if each}


def _told(of: AnyMap, name: str, *, outside: bool, of_person: bool) -> Any:
    """None when it orders nothing, or nothing that they are told."""
    criterion = of.criteria.get(name)
    column = criterion.sorts if criterion else None
    if criterion is None or column is None:
        return None
    if of_person and any(getattr(part, "key", "") in of.of_team for part in visitors.iterate(column)):
        return None
    where = criterion.tells(outside=outside)
    return column if where is None else case((where, column), else_=null())


def _together(columns: list[Any]) -> Sortable | None:
    """Rows of several tables in one order: days are instants beside instants; any other mixture has no order."""
    kinds = {column.type.python_type for column in columns if column is not None}
    if kinds == {date, datetime}:
        columns = [column if column is None else midnight(column) for column in columns]
        kinds = {datetime}
    if len(kinds) != 1 or kinds <= {list, dict, bytes}:
        return None
    [kind] = kinds
    empty: Any = cast(null(), next(column.type for column in columns if column is not None))
    names = [str(getattr(column, "key", "")) for column in columns]
    return Sortable(
        kind,
        tuple(empty if column is None else column for column in columns),
        tuple(COLUMNS_THEN.get(name, empty) for name in names),
        all(column is None or name in COLUMNS_THEN for column, name in zip(columns, names, strict=True)),
    )


def position(keys: Iterable[Sortable], at: Iterable[object]) -> tuple[object, ...]:
    """Where the last row given stands, as it came out of a link: its keys, then its id."""
    *values, id = at
    return (*(_read(value, key.kind) for value, key in zip(values, keys, strict=True)), UUID(str(id)))


def _read(value: object, kind: type) -> object:
    if value is None:
        return None
    if kind in (date, datetime):
        return kind.fromisoformat(str(value))
    return UUID(str(value)) if kind is UUID else value
