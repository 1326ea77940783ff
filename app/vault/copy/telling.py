"""One row as the copy tells it: opened, closed where it must be, in words; and each version that it had before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import LargeBinary, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import Membership
from app.access.sealed import about as about_sealed
from app.access.versions import about as about_version
from app.features.stays.models import Stay
from app.features.structures.models import Structure
from app.features.usagers import numbers
from app.fhir.keeping import AS_SENT, KNOWN_AS
from app.fhir.mapping import about_extra
from app.kernel.clock import today
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.db import Base
from app.portal.people import ROLES
from app.schema import metadata
from app.security.models import PartnerClient
from app.security.principal import Role
from app.vault.copy import rules
from app.vault.copy.places import PROTECTED_PLACE, TECHNICAL

AUTHORS = {"usager": "vous", "representative": "votre représentant"}
OF_THE_ROW = ("id", "version", "author", "house", "closed")  # the same in each version, or told beside


@dataclass(frozen=True, slots=True)
class Version:
    """`row`: its columns as they stood; `at` and `by`: when it was written, and by whom."""

    number: int
    at: datetime
    by: UUID | None
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """`words`: structures and partners by their name, staff by their role (field.md §6)."""

    keyring: Keyring
    keys: Mapping[UUID, UsagerKey]
    words: Mapping[UUID, str]

    def with_versions(self, table: str, row: Mapping[str, Any], before: Sequence[Version]) -> dict[str, Any]:
        """The row, and of each version before it, what the next one changed; when it was written, by whom."""
        now = self.told(table, row)
        if not before:
            return now
        states = [self.told(table, rules.as_now(table, version.row, row)) for version in before]
        earlier = []
        for version, then, after in zip(before, states, [*states[1:], now], strict=True):
            changed = {k: v for k, v in then.items() if k not in OF_THE_ROW and v != after.get(k)}
            by = self._named(version.by) or self._of_theirs(version, row)
            earlier.append({"version": version.number, "at": version.at.isoformat(), "by": by, **changed})
        return {**now, "earlier": earlier}

    def version(self, table: str, line: Any) -> Version:
        """A line of `entry_version`, opened."""
        sealed = self.keys[line.usager_id].open(line.snapshot, about_version(line.kind, line.entry_id, line.version))
        columns = metadata.tables[table].columns
        row = {
            name: _typed(columns[name].type, value) for name, value in orjson.loads(sealed).items() if name in columns
        }
        return Version(line.version, line.at, line.written_by, row)

    def told(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        opened = dict(row)
        key = self.keys[row["usager_id"]]
        model = _model(table)
        for name in getattr(model, "SEALED", ()):
            if row[name] is not None:
                opened[name] = key.open(row[name], about_sealed(model, row["id"], name)).decode()
        for name in getattr(model, "NESTED", ()):
            opened[name] = orjson.loads(row[name]) if row[name] is not None else None
        if table == "usager_identifier":
            opened["value"] = numbers.opened(self.keyring, row["id"], opened.pop("sealed"))
        told, codes = rules.closed(table, opened)
        if told.get("extra"):
            received = orjson.loads(key.open(told["extra"], about_extra(model, row["id"])))
            told["received"] = {
                part: said for part, said in received.items() if part not in (AS_SENT, KNOWN_AS)
            } or None
        told.pop("extra", None)
        if "author_id" in row:
            told["author"] = self._named(row["author_id"]) or AUTHORS.get(row["author_kind"], "")
        place = told.get("structure_id")
        told["house"] = PROTECTED_PLACE if place == PROTECTED_PLACE else self._named(place)
        told["closed"] = codes or None
        return {name: _plain(v) for name, v in told.items() if name not in TECHNICAL and v not in (None, "", [])}

    def _named(self, id: UUID | None) -> str:
        return self.words.get(id, "") if id else ""

    def _of_theirs(self, version: Version, row: Mapping[str, Any]) -> str:
        return AUTHORS["usager" if version.by == row["usager_id"] else "representative"] if version.by else ""


async def words(session: AsyncSession, organisation: UUID, who: Sequence[UUID]) -> dict[UUID, str]:
    told: dict[UUID, str] = {}
    for table in (Structure, PartnerClient):
        told |= {
            id: name
            for id, name in await session.execute(
                select(table.id, table.name).where(table.organisation_id == organisation)
            )
        }
    s = Stay
    there = select(s.structure_id).where(s.organisation_id == organisation, s.usager_id.in_(who), s.place_protected)
    running = there.where(s.deleted_at.is_(None), or_(s.ends.is_(None), s.ends > today()))
    told |= {id: PROTECTED_PLACE for id in await session.scalars(running)}
    staff = select(Membership.professional_id, Membership.role).where(Membership.organisation_id == organisation)
    for id, role in await session.execute(staff.order_by(Membership.starts)):
        told[id] = ROLES[Role(role)].alone
    return told


@cache
def _model(table: str) -> Any:
    return next(m.class_ for m in Base.registry.mappers if m.local_table is metadata.tables[table])


def _typed(kind: Any, plain: Any) -> Any:
    """A column as a snapshot holds it, as the base gives it: what the rules compare, and what is opened."""
    if plain is None:
        return None
    if isinstance(kind, LargeBinary):
        return bytes.fromhex(plain.removeprefix("\\x"))
    of = kind.python_type
    return of.fromisoformat(plain) if of in (date, datetime) else of(plain) if of is UUID else plain


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return str(value)
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case _:
            return value
