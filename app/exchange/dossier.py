"""One dossier as a transaction bundle: what may leave of it, whom it names, nothing that leads back to what stays here.

Each resource keeps its address as its `fullUrl`: sent again, it is a new version of the same, never a second one. The
same content gives the same bytes. Source: https://interop.esante.gouv.fr/ig/fhir/tddui (flux 1.1)
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from msgspec import structs
from sqlalchemy import ARRAY, ColumnElement, DateTime, Text, Uuid, and_, any_, bindparam, or_, true

from app.access import contents, several
from app.access.entry import ME, DossierEntry
from app.access.gate import Listing, Reading
from app.access.permissions import IDENTITY, PROJECT, Kind
from app.access.several import Found, Question
from app.exchange.grounds import stays
from app.exchange.kept import without_bytes
from app.fhir import references
from app.fhir.mapping import AnyMap, Json, plain
from app.fhir.registry import Registry, profiles_of
from app.fhir.search.values import uuid_of
from app.fhir.tddui import profile
from app.fhir.verbs.transaction import OUTSIDE
from app.kernel.errors import TooLarge
from app.kernel.objects import Objects

MOST = 1_000  # what this server itself takes in one bundle
FILES_MOST = 20 * 1024 * 1024  # bytes: base64 makes four thirds of them, and 32 MiB are what this server itself takes
NOT_SENT = "non transmis"
PERSON = "Patient"
WHOSE = "whose"  # the person asked for, in the statement
# What stands whatever the dates asked for; the rest happened one day.
LASTS = frozenset({*IDENTITY, *PROJECT})
TOO_MANY = f"Ce dossier compte plus de {MOST} éléments : choisissez une période ou des types."
TOO_HEAVY = "Les fichiers de ce dossier pèsent plus de 20 Mio : choisissez une période ou des types."
_ids: ColumnElement[Any] = bindparam("ids", type_=ARRAY(Uuid()))
_types: ColumnElement[Any] = bindparam("types", type_=ARRAY(Text()))
_start, _end = (bindparam(name, type_=DateTime(timezone=True)) for name in ("start", "end"))


class Way(StrEnum):
    """Who takes it: the partner that asks, the person themselves, a professional for a partner."""

    PULL = "pull"
    OWN = "own"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Asked:
    """`types`: of resources, `kinds`: of rows, none for all; `start`, `end`: of what happened one day."""

    usager_id: UUID
    types: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """How the maps tell a row to who takes it."""

    outside: bool = True
    of_person: bool = False
    objects: Objects | None = None  # where the bytes of documents lie, when it is not in the base


@dataclass(frozen=True, slots=True)
class Piece:
    """A row that leaves, and the resource it leaves as."""

    kind: Kind
    type_name: str
    id: str
    usager_id: str | None
    version: int
    resource: Json

    @property
    def name(self) -> str:
        return f"{self.type_name}/{self.id}"


async def gather(
    reading: Reading, registry: Registry, way: Way, asked: Asked, reader: Reader, **values: object
) -> list[Piece]:
    """Within the reach of who asks, the person first, then the latest first. Raises TooLarge."""
    maps, questions = _of_dossier(registry, way, asked.types, asked.kinds)
    if not questions:
        return []
    values |= {WHOSE: asked.usager_id, "start": asked.start, "end": asked.end}
    values["types"] = sorted(asked.types) or None
    rows = await several.page(reading, questions, MOST + 1, (), WHOSE, **values)
    if len(rows) > MOST:
        raise TooLarge(TOO_MANY)
    found = [_piece(reading, maps[row.place], row, reader) for row in await _with_bytes(reading, rows, reader)]
    return sorted(found, key=lambda piece: piece.type_name != PERSON)


async def with_named(
    reading: Reading, registry: Registry, pieces: Sequence[Piece], may: Callable[[str], bool] = bool
) -> list[Piece]:
    """The same, and after the person the organisations and professionals they name, as far as one reads them, of the
    types that who takes it `may` read. Raises TooLarge.
    """
    known, found, newer = {piece.name for piece in pieces}, list[Piece](), list(pieces)
    maps, questions = _of_directory(registry)
    while wanted := {name for piece in newer for name in _names(piece.resource) if may(name.partition("/")[0])} - known:
        known |= wanted
        ids = [UUID(name.partition("/")[2]) for name in sorted(wanted)]
        rows = await several.page(reading, questions, len(ids), ids=ids)
        newer = [_piece(reading, maps[row.place], row, Reader()) for row in rows]
        found += newer
    if len(pieces) + len(found) > MOST:
        raise TooLarge(TOO_MANY)
    people = sum(piece.type_name == PERSON for piece in pieces)
    return [*pieces[:people], *sorted(found, key=lambda piece: piece.name), *pieces[people:]]


def bundle(origin: str, usager_id: UUID, pieces: Iterable[Piece]) -> Json:
    """A reference to what is not in it is told by its display alone; whose dossier it is, always by their id."""
    told = list(pieces)
    names = {f"{PERSON}/{usager_id}", *(piece.name for piece in told)}
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [profile("bundle")]},
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"{origin}/fhir/{piece.name}",
                "resource": references.cut(piece.resource, lambda target: _lost(target, names), NOT_SENT),
                "request": {"method": "POST", "url": piece.type_name},
            }
            for piece in told
        ],
    }


def counts(pieces: Iterable[Piece]) -> dict[str, int]:
    """How many of each profile, by its address; of a resource without one, by its type."""
    return counted(piece.resource for piece in pieces)


def counted(resources: Iterable[Json]) -> dict[str, int]:
    told = Counter(next(iter(profiles_of(each)), each["resourceType"]) for each in resources)
    return dict(sorted(told.items()))


def tables(registry: Registry) -> list[type[DossierEntry]]:
    """Those whose rows may leave."""
    return list(dict.fromkeys(each.view.TABLE for each in _travelling(registry)))


def _travelling(registry: Registry) -> list[AnyMap]:
    kept = (registry.kept,) if registry.kept else ()
    return [m for m in (*registry.maps, *kept) if m.travels and issubclass(m.view.TABLE, DossierEntry)]


@lru_cache(maxsize=200)
def _of_dossier(
    registry: Registry, way: Way, types: Collection[str], kinds: Collection[Kind]
) -> tuple[tuple[AnyMap, ...], tuple[Question, ...]]:
    wanted = {PERSON, *types} if types else frozenset()
    chosen = [m for m in _travelling(registry) if not wanted or m.type_name in wanted or m is registry.kept]
    chosen = [m for m in chosen if not kinds or m.view.TABLE.KIND in kinds]
    return tuple(chosen), tuple(Question(m.view, Listing(_leaving(m, registry, way))) for m in chosen)


def _leaving(its_map: AnyMap, registry: Registry, way: Way) -> ColumnElement[bool]:
    row: Any = its_map.view.TABLE
    rules = [row.usager_id == bindparam(WHOSE, type_=Uuid())]
    if its_map is registry.kept:
        rules.append(or_(_types.is_(None), row.type_name == any_(_types)))
    elif its_map.narrow is not None:
        rules.append(its_map.narrow)
    rules.append(in_period(row))
    if way is Way.PULL:
        rules += [row.held.is_(False), row.origin_partner_id.is_distinct_from(ME)]  # what it sent, it has
    elif way is Way.PUSH:
        rules.append(stays(row).is_(None))
    return and_(*rules)


def in_period(row: Any) -> ColumnElement[bool]:
    """Whether a row of this table is of the dates asked for (`start`, `end`), in the statement."""
    if row.KIND in LASTS:
        return true()
    return and_(or_(_start.is_(None), row.occurred_at >= _start), or_(_end.is_(None), row.occurred_at < _end))


@lru_cache(maxsize=4)
def _of_directory(registry: Registry) -> tuple[tuple[AnyMap, ...], tuple[Question, ...]]:
    maps = {m.view.TABLE: m for type_name in sorted(OUTSIDE) for m in registry.own(type_name)}
    listed = (Question(m.view, Listing(table.id == any_(_ids), few=True)) for table, m in maps.items())
    return tuple(maps.values()), tuple(listed)


async def _with_bytes(reading: Reading, rows: Sequence[Found], reader: Reader) -> list[Found]:
    """What travels holds its bytes: who receives it cannot come and fetch them. Raises TooLarge before any is opened."""
    holders = [row.view for row in rows if hasattr(row.view, "content_id")]
    beside = sum(len(getattr(row.view, "extra", None) or b"") for row in rows if not without_bytes(row.view))
    if beside + sum(getattr(view, "size", None) or 0 for view in holders) > FILES_MOST:
        raise TooLarge(TOO_HEAVY)
    clear = await contents.opened(reading, holders, reader.objects)
    return [structs.replace(row, view=contents.inlined(row.view, clear)) for row in rows] if clear else [*rows]


def _piece(reading: Reading, its_map: AnyMap, row: Found, reader: Reader) -> Piece:
    view = row.view
    resource = plain(its_map.out(view, reading.keyring, outside=reader.outside, of_person=reader.of_person))
    type_name = str(resource["resourceType"])
    kind = its_map.view.TABLE.KIND
    return Piece(kind, type_name, view.id, getattr(view, "usager_id", None), view.version, resource)


def _names(resource: Json) -> Iterable[str]:
    """Whom it names of those who are in no dossier."""
    for reference in references.found(resource):
        told = references.literal(reference.target)
        if told and not told.base and told.kind in OUTSIDE and uuid_of(told.id):
            yield f"{told.kind}/{told.id}"


def _lost(target: str, names: Collection[str]) -> bool:
    """A row of ours that is not in the bundle. What a sender could not tell stays as it came."""
    told = references.literal(target)
    return (
        bool(told and not told.base and uuid_of(told.id)) and f"{told.kind}/{told.id}" not in names if told else False
    )
