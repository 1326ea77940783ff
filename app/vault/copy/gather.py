"""The rows of one dossier, opened and put in order: what `page` shows and what the JSON holds are the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.acts import ACTS, Act
from app.access.models import Membership, Professional
from app.access.opening import trace_system
from app.access.permissions import Action, Kind
from app.access.sealed import about as about_sealed
from app.access.versions import StoredUsagerKey
from app.features.structures.models import Structure
from app.features.usagers import numbers
from app.fhir.mapping import about_extra
from app.kernel import clock
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.db import Base
from app.kernel.errors import Forbidden, NotFound
from app.portal.people import ROLES
from app.security.models import PartnerClient
from app.security.principal import Role
from app.vault import forgetting
from app.vault.copy import rules
from app.vault.copy.places import PROTECTED_PLACE, TECHNICAL, TOLD

AUTHORS = {"usager": "vous", "representative": "votre représentant"}
NOT_THERE = "Personne de ce numéro dans vos maisons."


@dataclass(frozen=True, slots=True)
class Copy:
    """`sections`: by table, the rows as they are told. `care` says whether that part is in it."""

    usager_id: str
    made_at: str
    care: bool
    sections: dict[str, list[dict[str, Any]]]

    def json(self) -> bytes:
        told = {"usager_id": self.usager_id, "made_at": self.made_at, "care": self.care, "sections": self.sections}
        return orjson.dumps(told, option=orjson.OPT_INDENT_2)


async def prepare(
    session: AsyncSession, keyring: Keyring, usager_id: UUID, account: UUID, care_account: UUID | None
) -> Copy:
    """By the direction; the care part by a health professional, another person. As the owner: the rules are `rules`.

    Raises NotFound, Forbidden. Each of the two has their line in the trail, in this transaction.
    """
    usager = Base.metadata.tables["usager"]
    organisation = await session.scalar(select(usager.c.organisation_id).where(usager.c.id == usager_id))
    if organisation is None:
        raise NotFound(NOT_THERE)
    wrapped = await session.scalar(select(StoredUsagerKey.wrapped).where(StoredUsagerKey.usager_id == usager_id))
    if wrapped is None:
        raise NotFound(NOT_THERE)
    await _sign(session, organisation, usager_id, account, Act.PREPARE_COPY)
    if care_account is not None:
        if care_account == account:
            raise Forbidden("Deux personnes : la direction, et un professionnel de santé pour la partie soins.")
        await _sign(session, organisation, usager_id, care_account, Act.PREPARE_COPY_OF_CARE)
    asked = {"organisation": organisation, "usager": usager_id}
    who = [row.id for row in await session.execute(forgetting.SAME_HUMAN, asked)]
    words = await _words(session, organisation)
    keys, sections = await _keys(session, keyring, organisation, who), {}
    for name in TOLD:
        table = Base.metadata.tables[name]
        query = select(table).where(table.c.organisation_id == organisation, table.c.usager_id.in_(who))
        found = (await session.execute(query.order_by(*_order(table)))).mappings().all()
        rows: list[dict[str, Any]] = [{str(name): value for name, value in row.items()} for row in found]
        kept = [row for row in rows if rules.given(row, clock.today(), care=care_account is not None)]
        sections[name] = [_told(name, row, keyring, keys, words) for row in kept]
    return Copy(str(usager_id), clock.now().isoformat(), care_account is not None, sections)


async def _sign(session: AsyncSession, organisation: UUID, usager_id: UUID, account: UUID, act: Act) -> None:
    today = clock.today()
    query = (
        select(Professional.id, Membership.role)
        .join(Membership, Membership.professional_id == Professional.id)
        .where(Professional.organisation_id == organisation, Professional.account_id == account)
        .where(Membership.organisation_id == organisation, Membership.deleted_at.is_(None))
        .where(Membership.starts <= today, (Membership.ends.is_(None)) | (Membership.ends > today))
        .where(Membership.role.in_([role.value for role in ACTS[act]]))
        .limit(1)
    )
    found = (await session.execute(query)).first()
    if found is None:
        raise Forbidden("La direction prépare la copie ; un professionnel de santé, la partie soins (deux comptes).")
    who = {"principal_kind": "professional", "principal_id": found.id, "role": found.role}
    await trace_system(session, organisation, Action.READ, Kind.USAGER, [usager_id], usager_id, who)


async def _keys(session: AsyncSession, keyring: Keyring, organisation: UUID, who: list[UUID]) -> dict[UUID, UsagerKey]:
    k = StoredUsagerKey
    rows = await session.execute(
        select(k.usager_id, k.wrapped).where(k.organisation_id == organisation, k.usager_id.in_(who))
    )
    return {id: keyring.usager_key(wrapped, str(id)) for id, wrapped in rows}


async def _words(session: AsyncSession, organisation: UUID) -> dict[UUID, str]:
    """Structures and partners by their name, staff by their role (field.md §6)."""
    told: dict[UUID, str] = {}
    for table in (Structure, PartnerClient):
        told |= {
            id: name
            for id, name in await session.execute(
                select(table.id, table.name).where(table.organisation_id == organisation)
            )
        }
    staff = select(Membership.professional_id, Membership.role).where(Membership.organisation_id == organisation)
    for id, role in await session.execute(staff.order_by(Membership.starts)):
        told[id] = ROLES[Role(role)].alone
    return told


def _told(
    table: str, row: Mapping[str, Any], keyring: Keyring, keys: Mapping[UUID, UsagerKey], words: Mapping[UUID, str]
) -> dict[str, Any]:
    opened = dict(row)
    key = keys[row["usager_id"]]
    model = _model(table)
    for name in getattr(model, "SEALED", ()):
        if row[name] is not None:
            opened[name] = key.open(row[name], about_sealed(model, row["id"], name)).decode()
    if table == "usager_identifier":
        opened["value"] = numbers.opened(keyring, row["id"], opened.pop("sealed"))
    told = rules.closed(table, opened)
    if told.get("extra"):
        told["received"] = orjson.loads(key.open(told["extra"], about_extra(model, row["id"])))
    told.pop("extra", None)
    if "author_id" in row:
        told["author"] = _named(words, row["author_id"]) or AUTHORS.get(row["author_kind"], "")
    place = told.get("structure_id")
    told["house"] = PROTECTED_PLACE if place == PROTECTED_PLACE else _named(words, place)
    return {
        name: _plain(value) for name, value in told.items() if name not in TECHNICAL and value not in (None, "", [])
    }


def _named(words: Mapping[UUID, str], id: UUID | None) -> str:
    return words.get(id, "") if id else ""


@cache
def _model(table: str) -> Any:
    return next(m.class_ for m in Base.registry.mappers if m.local_table is Base.metadata.tables[table])


def _order(table: Table) -> list[Any]:
    return [table.c[name] for name in ("occurred_at", "recorded_at", "starts", "id") if name in table.c] or list(
        table.primary_key
    )


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
