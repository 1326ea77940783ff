"""The rows of one dossier, opened and put in order: what `page` shows and what the JSON holds are the same."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import contents
from app.access.acts import ACTS, Act
from app.access.contents import Content
from app.access.models import Membership, Professional, SharingConsent
from app.access.opening import trace_system
from app.access.permissions import Action, Kind
from app.access.versions import EntryVersion, StoredUsagerKey
from app.features.consents.models import ConsentAnswer
from app.features.documents.models import Document
from app.features.documents.service import named
from app.kernel import clock
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.errors import Forbidden, NotFound
from app.kernel.objects import Objects
from app.schema import metadata
from app.vault import forgetting
from app.vault.copy import rules
from app.vault.copy.places import TOLD
from app.vault.copy.rules import Asked
from app.vault.copy.telling import Telling, Version, words

NOT_THERE = "Personne de ce numéro dans vos maisons."


@dataclass(frozen=True, slots=True)
class Copy:
    """`sections`: by table, the rows as they are told, each with its earlier versions. `care` and `rest` say which part
    is in it.
    """

    usager_id: str
    made_at: str
    care: bool
    sections: dict[str, list[dict[str, Any]]]
    rest: bool = True

    def json(self) -> bytes:
        told = {"usager_id": self.usager_id, "made_at": self.made_at, "care": self.care, "rest": self.rest}
        return orjson.dumps({**told, "sections": self.sections}, option=orjson.OPT_INDENT_2)


async def prepare(
    session: AsyncSession,
    keyring: Keyring,
    usager_id: UUID,
    account: UUID,
    care_account: UUID | None,
    objects: Objects | None = None,
) -> Copy:
    """By the direction; the care part by a health professional, another person. As the owner: the rules are `rules`.

    Raises NotFound, Forbidden. Each of the two has their line in the trail, in this transaction.
    """
    usager = metadata.tables["usager"]
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
    return await gathered(session, keyring, organisation, usager_id, Asked(care=care_account is not None), objects)


async def gathered(
    session: AsyncSession,
    keyring: Keyring,
    organisation: UUID,
    usager_id: UUID,
    asked: Asked,
    objects: Objects | None = None,
) -> Copy:
    """What is asked, of one person, whoever may ask it: that is settled before. Nothing is traced here."""
    same = {"organisation": organisation, "usager": usager_id}
    who = [row.id for row in await session.execute(forgetting.SAME_HUMAN, same)]
    keys = await _keys(session, keyring, organisation, who)
    telling = Telling(keyring, keys, await words(session, organisation, who))
    c = SharingConsent
    kept_by_child = select(c.id).where(c.organisation_id == organisation, c.usager_id.in_(who), c.minor_secret)
    secret = set(await session.scalars(kept_by_child))
    sections: dict[str, list[dict[str, Any]]] = {}
    for name in TOLD:
        table = metadata.tables[name]
        query = select(table).where(table.c.organisation_id == organisation, table.c.usager_id.in_(who))
        found = (await session.execute(query.order_by(*_order(table)))).mappings().all()
        rows: list[dict[str, Any]] = [{str(name): value for name, value in row.items()} for row in found]
        for answer in (
            rows if name == ConsentAnswer.__tablename__ else ()
        ):  # a proof, never changed: as secret as its question
            answer["minor_secret"] |= answer["consent_id"] in secret
        kept = [row for row in rows if rules.given(row, clock.today(), asked)]
        before = await _before(session, telling, organisation, name, kept)
        sections[name] = [
            telling.with_versions(
                name, row, [v for v in before.get(row.get("id", usager_id), ()) if _then(name, v, row, asked)]
            )
            for row in kept
        ]
        if name == Document.__tablename__:
            await _with_files(session, keys, kept, sections[name], objects)
    return Copy(str(usager_id), clock.now().isoformat(), asked.care, sections, asked.rest)


async def _with_files(
    session: AsyncSession,
    keys: Mapping[UUID, UsagerKey],
    rows: list[dict[str, Any]],
    told: list[dict[str, Any]],
    objects: Objects | None,
) -> None:
    """Each document with its file, in base64; of one in which something is masked, the file says too much."""
    wanted: dict[UUID, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for row, into in zip(rows, told, strict=True):
        if row["content_id"] and not into.get("closed"):
            wanted.setdefault(row["content_id"], []).append((row, into))
    for kept in (await session.scalars(select(Content).where(Content.id.in_(wanted)))).all():
        sealed = await contents.fetched(kept.sealed, kept.object, objects)
        for row, into in wanted[kept.id]:
            clear = keys[row["usager_id"]].open(sealed, contents.about(kept.id))
            into["file"] = {"name": named(row["title"], row["content_type"]), "data": b64encode(clear).decode()}


def _then(table: str, version: Version, row: Mapping[str, Any], asked: Asked) -> bool:
    """The version as it stood and the row as it stands must both be given."""
    return rules.given(rules.as_now(table, version.row, row), clock.today(), asked)


async def _before(
    session: AsyncSession, telling: Telling, organisation: UUID, table: str, rows: list[dict[str, Any]]
) -> dict[UUID, list[Version]]:
    """The versions of these rows before the one that stands, the oldest first."""
    changed = {row["id"]: row["version"] for row in rows if row.get("version", 1) > 1}
    if not changed:
        return {}
    v, told = EntryVersion, dict[UUID, list[Version]]()
    query = select(v.entry_id, v.version, v.at, v.written_by, v.kind, v.usager_id, v.snapshot)
    query = query.where(v.organisation_id == organisation, v.entry_id.in_(changed))
    for line in await session.execute(query.order_by(v.entry_id, v.version)):
        if line.version < changed[line.entry_id]:
            told.setdefault(line.entry_id, []).append(telling.version(table, line))
    return told


async def _sign(session: AsyncSession, organisation: UUID, usager_id: UUID, account: UUID, act: Act) -> None:
    today = clock.today()
    query = (
        select(Professional.id, Membership.role)
        .join(Membership, Membership.professional_id == Professional.id)
        .where(Professional.organisation_id == organisation, Professional.account_id == account)
        .where(Professional.deleted_at.is_(None))
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


def _order(table: Table) -> list[Any]:
    return [table.c[name] for name in ("occurred_at", "recorded_at", "starts", "id") if name in table.c] or list(
        table.primary_key
    )
