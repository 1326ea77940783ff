"""`dui exchange remap` too: what a later version searches by is read from what was kept, sealed, beside rows already here."""

from typing import Any

import orjson
from sqlalchemy import and_, select, update

from app.access.versions import StoredUsagerKey
from app.exchange import parties_told
from app.exchange.kept import resource_of
from app.exchange.models import OutsideParty
from app.fhir import in_part
from app.fhir.mapping import about_extra
from app.fhir.registry import Registry
from app.kernel.crypto import Keyring
from app.kernel.db import Database

AT_ONCE = 500  # no row written meanwhile is written over: it was read as it came


async def parties(owner: Database, keyring: Keyring) -> int:
    """How many of those who stand in bundles are now searched by what their resource says."""
    many, last, p = 0, None, OutsideParty
    asked = select(p).order_by(p.id).limit(AT_ONCE)
    async with owner.session(None) as session:
        while rows := (await session.scalars(asked if last is None else asked.where(p.id > last))).all():
            for row in rows:
                told = parties_told.read(resource_of(row, keyring))
                if any(getattr(row, name) != value for name, value in told.items()):
                    this = (p.organisation_id == row.organisation_id, p.id == row.id, p.version == row.version)
                    await session.execute(update(p).where(*this).values(**told))
                    many += 1
            last = rows[-1].id
            session.expunge_all()
        await session.commit()
    return many


async def dates(owner: Database, keyring: Keyring, registry: Registry) -> int:
    """How many rows are now searched by a date that was told in part."""
    paths: dict[Any, dict[str, None]] = {}
    for each in registry.maps:
        if each.in_part:
            paths.setdefault(each.view.TABLE, {}).update(dict.fromkeys(each.in_part))
    return sum([await _of_table(owner, keyring, table, tuple(names)) for table, names in paths.items()])


async def _of_table(owner: Database, keyring: Keyring, table: Any, paths: tuple[str, ...]) -> int:
    """Those of an erased person stay sealed for ever."""
    many, last, k = 0, None, StoredUsagerKey
    its_key = and_(k.organisation_id == table.organisation_id, k.usager_id == table.usager_id)
    asked = select(table.organisation_id, table.id, table.version, table.usager_id, table.extra, k.wrapped).join(
        k, its_key
    )
    asked = asked.where(table.extra.is_not(None), table.told_in_part.is_(None)).order_by(table.id).limit(AT_ONCE)
    async with owner.session(None) as session:
        while rows := (await session.execute(asked if last is None else asked.where(table.id > last))).all():
            for organisation_id, id, version, usager_id, extra, wrapped in rows:
                kept = orjson.loads(keyring.usager_key(wrapped, str(usager_id)).open(extra, about_extra(table, id)))
                if told := in_part.kept(kept, paths):
                    this = (table.organisation_id == organisation_id, table.id == id, table.version == version)
                    await session.execute(update(table).where(*this).values(told_in_part=told))
                    many += 1
            last = rows[-1].id
        await session.commit()
    return many
