"""`dui exchange remap`: resources kept whole move into their table once a map speaks them, same ids and versions.

Run by the owner, person by person: each version is told by the map from what was received then, and sealed anew. What a
map cannot hold stays where it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import and_, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.entry import DossierEntry, fill
from app.access.opening import trace_system
from app.access.permissions import Visibility
from app.access.versions import EntryVersion, StoredUsagerKey, about, version_of
from app.exchange.arrival import SHARED
from app.exchange.models import KeptResource
from app.exchange.persons import PERSON
from app.fhir import keeping, references
from app.fhir.mapping import AnyMap, Arrived, Inbound, Json, Neighbours, about_extra
from app.fhir.registry import Registry
from app.fhir.search.values import uuid_of
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.db import Database
from app.kernel.errors import DuiError

MOVE = "move"
RENAMED = (
    "UPDATE exchange_row SET kind = :kind WHERE organisation_id = :organisation AND row_id = :id AND kind = :was",
    "UPDATE external_id SET kind = :kind WHERE organisation_id = :organisation AND row_id = :id AND kind = :was",
    """UPDATE outside_party_mention SET kind = :kind
       WHERE organisation_id = :organisation AND entry_id = :id AND kind = :was""",
)
OF_A_DOSSIER = """SELECT DISTINCT entry_id FROM entry_version
    WHERE organisation_id = :organisation AND usager_id = :usager"""


async def remap(owner: Database, keyring: Keyring, registry: Registry) -> tuple[int, int]:
    """How many moved, and how many stay."""
    moved = stayed = 0
    async with owner.session(None) as session:
        k = KeptResource
        persons = (await session.execute(select(k.organisation_id, k.usager_id).distinct())).all()
        for organisation_id, usager_id in persons:
            ids, left = await _of_person(session, keyring, registry, organisation_id, usager_id)
            moved, stayed = moved + len(ids), stayed + left
            if ids:
                await trace_system(session, organisation_id, MOVE, KeptResource.KIND, ids, usager_id)
            await session.commit()
    return moved, stayed


async def _of_person(
    session: AsyncSession, keyring: Keyring, registry: Registry, organisation_id: UUID, usager_id: UUID
) -> tuple[list[UUID], int]:
    """Round after round, since what is part of another waits for it. What was erased stays sealed for ever."""
    mine = (KeptResource.organisation_id == organisation_id, KeptResource.usager_id == usager_id)
    rows = (await session.scalars(select(KeptResource).where(*mine).with_for_update())).all()
    every = [await _kept(session, keyring, row) for row in rows]
    left = [kept for kept in every if kept.row.version in kept.versions]
    asked = {"organisation": organisation_id, "usager": usager_id}
    known = frozenset((await session.scalars(text(OF_A_DOSSIER), asked)).all())
    around = Neighbours({kept.name: kept.versions[kept.row.version].resource for kept in left})
    mover, moved = Mover(session, keyring, registry, around, known), list[UUID]()
    while gone := [kept.row.id for kept in left if await mover.move(kept)]:
        moved += gone
        left = [kept for kept in left if kept.row.id not in gone]
    return moved, len(rows) - len(moved)


async def _kept(session: AsyncSession, keyring: Keyring, row: KeptResource) -> "Kept":
    """A version stays sealed under the key of whom it was about then."""
    v, k = EntryVersion, StoredUsagerKey
    its_key = (k.organisation_id == v.organisation_id, k.usager_id == v.usager_id)
    query = select(v.version, v.usager_id, v.snapshot, k.wrapped).join(k, and_(*its_key))
    query = query.where(v.organisation_id == row.organisation_id, v.entry_id == row.id, v.kind == row.KIND.value)
    versions = {}
    for n, usager_id, snapshot, wrapped in (await session.execute(query)).all():
        key = keyring.usager_key(wrapped, str(usager_id))
        was = orjson.loads(key.open(snapshot, about(row.KIND, row.id, n)))
        extra = _extra(key, row, was)
        known_as, as_sent = extra.pop(keeping.KNOWN_AS, None), extra.pop(keeping.AS_SENT, None)
        resource = _resource(row, extra)
        as_told = keeping.merge(resource, as_sent) if as_sent else None
        versions[n] = Then(was, resource, key, UUID(known_as) if known_as else None, as_told)
    return Kept(row, versions)


def _extra(key: UsagerKey, row: KeptResource, was: dict[str, Any]) -> Json:
    kept = orjson.loads(key.open(_bytes(was["extra"]), about_extra(KeptResource, row.id))) if was["extra"] else {}
    return dict(kept)


def _resource(row: KeptResource, extra: Json) -> Json:
    return keeping.merge({"resourceType": row.type_name, "id": str(row.id), "meta": {}}, extra)


def _bytes(plain: object) -> bytes:
    return bytes.fromhex(str(plain).removeprefix("\\x"))


class Decided(msgspec.Struct, frozen=True):
    """What the policy asks of a row and no map says: who wrote it, for whom it is kept, whether it still is."""

    structure_id: UUID
    withheld_reason: str | None
    withheld_until: date | None
    reserved_to: list[UUID] | None
    author_id: UUID | None
    author_kind: str
    on_behalf_of: UUID | None
    origin_exchange_id: UUID | None
    held: bool
    consigne: bool
    minor_secret: bool
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Then:
    """One version: its columns, as its snapshot holds them; the resource received; the key both are sealed under; how the
    resource names the person, when that is not as we do; how its sender is given it back, when that is more."""

    was: dict[str, Any]
    resource: Json
    key: UsagerKey
    known_as: UUID | None
    as_told: Json | None


@dataclass(frozen=True, slots=True)
class Kept:
    row: KeptResource
    versions: Mapping[int, Then]

    @property
    def name(self) -> str:
        return f"{self.row.type_name}/{self.row.id}"


@dataclass(frozen=True, slots=True)
class Mover:
    session: AsyncSession
    keyring: Keyring
    registry: Registry
    around: Neighbours  # the last version of each resource of this person
    known: frozenset[UUID]  # the rows of their dossier

    async def move(self, kept: Kept) -> bool:
        """False when its map, or the base, cannot take it: then nothing of it has moved."""
        try:
            async with self.session.begin_nested():
                told = {version: self._told(kept, version) for version in kept.versions}
                if not told or any(chosen is self.registry.kept for chosen, _ in told.values()):
                    return False
                await self._write(kept, {version: arrived for version, (_, arrived) in told.items()})
        except (DuiError, IntegrityError):
            return False
        return True

    def _told(self, kept: Kept, version: int) -> tuple[AnyMap, Arrived]:
        """The row that this version would have been, and what was decided of it as it was.

        The map says the category and when it happened; whether the person reads it too, where nobody had.
        """
        then, was = kept.versions[version], kept.versions[version].was
        inbound = Inbound(
            id=kept.row.id,
            usager_id=UUID(was["usager_id"]),
            structure_id=kept.row.structure_id,
            partner_id=UUID(was["origin_partner_id"]),
            key=then.key,
            keyring=self.keyring,
            where=kept.row.type_name,
            exchange_id=kept.row.origin_exchange_id,
            held=was["held"],
            known_as=then.known_as,
            as_told=then.as_told,
            local=self._local(then),
            around=self.around,
        )
        chosen, arrived = self.registry.received(then.resource, inbound)
        for row in (arrived.row, *arrived.beside):
            row.organisation_id = kept.row.organisation_id
            row.visibility = _visibility(row, was["visibility"])
            for name, value in msgspec.structs.asdict(msgspec.convert(was, Decided)).items():
                setattr(row, name, value)
        for content in arrived.along:
            content.organisation_id = kept.row.organisation_id
            fill(content)
        arrived.row.version, arrived.row.origin_version = version, was["origin_version"]
        arrived.row.recorded_at, arrived.row.updated_at = kept.row.recorded_at, was["updated_at"]
        return chosen, arrived

    def _local(self, then: Then) -> dict[str, UUID]:
        """The references that lead to a row of the same dossier."""
        local = {f"{PERSON}/{then.known_as}": UUID(then.was["usager_id"])} if then.known_as else {}
        for found in references.found(then.resource):
            named = references.literal(found.target)
            if named and not named.base and (id := uuid_of(named.id)) in self.known:
                local[f"{named.kind}/{id}"] = id
        return local

    async def _write(self, kept: Kept, told: Mapping[int, Arrived]) -> None:
        last = told[kept.row.version]
        last.row.updated_at = kept.row.updated_at
        for content in (each for arrived in told.values() for each in arrived.along):
            values = {c.key: getattr(content, c.key) for c in content.__table__.columns}
            await self.session.execute(insert(type(content)).values(values))
        for row in (last.row, *last.beside):
            values = {c.key: getattr(row, c.key) for c in row.__table__.columns if c.key != "changed_xid"}
            await self.session.execute(insert(type(row)).values(values))
        for row in last.beside:
            line = version_of(row, kept.versions[kept.row.version].key, None)
            await self.session.execute(insert(EntryVersion).values(line))
        v, of = EntryVersion, (EntryVersion.entry_id == kept.row.id, EntryVersion.kind == KeptResource.KIND.value)
        for version, arrived in told.items():
            line = version_of(arrived.row, kept.versions[version].key, None)
            new = {name: line[name] for name in ("kind", "category", "visibility")}
            this = (v.organisation_id == kept.row.organisation_id, *of, v.version == version)
            await self.session.execute(update(v).where(*this).values(**new, snapshot=line["snapshot"]))
        mine = (KeptResource.organisation_id == kept.row.organisation_id, KeptResource.id == kept.row.id)
        await self.session.execute(delete(KeptResource).where(*mine))
        named = {"kind": last.row.KIND.value, "was": KeptResource.KIND.value}
        for statement in RENAMED:
            await self.session.execute(
                text(statement), {**named, "organisation": kept.row.organisation_id, "id": kept.row.id}
            )


def _visibility(row: DossierEntry, was: str) -> str:
    """All that arrives starts not shared, but what was made with the person: any other word is someone's."""
    if was != Visibility.NOT_SHARED:
        return was
    return Visibility.SHARED.value if row.KIND in SHARED else row.visibility or was
