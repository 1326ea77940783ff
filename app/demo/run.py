"""`dui demo`: the base, the stories, and `demo.json`, in which everything works for twelve hours."""

import asyncio
import json
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

import app.schema  # noqa: F401  every table is known
from app.access.models import Membership, Professional
from app.audit import upkeep
from app.config import Settings
from app.demo import days, lives, stories
from app.demo.places import PARTNERS, SCOPE, STAFF, build
from app.demo.stage import Stage
from app.features.contacts.models import Contact
from app.features.usagers.models import Usager
from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database, enter
from app.kernel.hot import HotLane
from app.kernel.roles import write_secret
from app.security import access_cards, scopes, sessions
from app.security.models import Account, PartnerClient, PersonalAccess
from app.security.principal import Role
from app.security.tokens import Door

EXAMPLE = Path(__file__).parents[2] / "fhir_profiles" / "bundles" / "dossier.json"
LASTS = timedelta(hours=12)
REPRESENTATIVES = {"claire": ("Martin", "Claire"), "blanc": ("Blanc", "Hervé")}


@dataclass(frozen=True, slots=True)
class Demo:
    """What the terminal's box shows, and `demo.json` holds."""

    told: dict[str, Any]
    fresh: bool


async def prepare(config: Settings, base_url: str) -> Demo:
    """Load the stories once, then give twelve hours of tokens and links. The base is already migrated."""
    await _keep_up(config.owner_database_url)
    keyring = Keyring.load(config.key_file)
    owner, app = Database(config.owner_database_url, 2), Database(config.database_url, 4)
    lane = HotLane(config.database_url, 2)
    await lane.open()
    try:
        async with owner.session(None) as session:
            fresh = await session.scalar(select(Account.id).limit(1)) is None
        before = {} if fresh else _before(config.data)
        passwords = {key: before.get("staff", {}).get(key, {}).get("password") or _password() for key in STAFF}
        if fresh:
            async with owner.session(None) as session:
                places = await build(session, passwords, config.data)
                await session.commit()
            stage = Stage(app, lane, keyring, base_url, places)
            usagers = await stories.tell(stage)
            await lives.tell(stage, usagers)
            await days.tell(stage, usagers)
        async with owner.session(None) as session:
            told = await _tokens(session, keyring, base_url, config, passwords)
            await session.commit()
    finally:
        await lane.close()
        await owner.close()
        await app.close()
    write_secret(config.data / "demo.json", json.dumps(told, ensure_ascii=False, indent=2))
    return Demo(told, fresh)


def _password() -> str:
    return secrets.token_urlsafe(12)


def _before(data: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((data / "demo.json").read_text()))
    except (OSError, ValueError):
        return {}


async def _keep_up(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        await upkeep.keep_up(connection)
    finally:
        await connection.close()


async def _tokens(
    session: AsyncSession, keyring: Keyring, base_url: str, config: Settings, passwords: dict[str, str]
) -> dict[str, Any]:
    """`demo.json`: see the issue of its keys in the README."""
    staff = {key: await _staff(session, keyring, base_url, key, passwords[key]) for key in STAFF}
    partners = {key: await _partner(session, keyring, base_url, config.data, key) for key in PARTNERS}
    usagers = {key: await _person(session, keyring, base_url, key) for key in stories.PEOPLE}
    return {
        "base_url": base_url,
        "fhir_url": f"{base_url}/fhir",
        "staff": staff,
        "partners": partners,
        "usagers": usagers,
        "representatives": {key: await _representative(session, keyring, base_url, key) for key in REPRESENTATIVES},
        "database": {
            "app_url": config.database_url,
            "owner_url": config.owner_database_url,
            "sealer_url": config.sealer_database_url,
        },
    }


async def _staff(session: AsyncSession, keyring: Keyring, base_url: str, key: str, password: str) -> dict[str, Any]:
    login, given, family, role = STAFF[key]
    account = (await session.scalars(select(Account).where(Account.login == login))).one()
    professional = (await session.scalars(select(Professional).where(Professional.account_id == account.id))).one()
    mine = select(Membership).where(Membership.professional_id == professional.id)
    membership = (await session.scalars(mine)).one()
    place = sessions.Place(professional.organisation_id, professional.id, membership.id, Role(membership.role))
    opened = await sessions.open_staff(session, keyring, base_url, account.id, place, ttl=LASTS, family_ttl=LASTS)
    return {
        "name": f"{given} {family}",
        "id": str(professional.id),
        "role": role.value,
        "login": login,
        "password": password,
        "token": opened.token,
    }


async def _partner(session: AsyncSession, keyring: Keyring, base_url: str, data: Path, key: str) -> dict[str, Any]:
    name, client_id = PARTNERS[key]
    row = (await session.scalars(select(PartnerClient).where(PartnerClient.client_id == client_id))).one()
    opened = await sessions.open_partner(
        session,
        keyring,
        base_url,
        (row.organisation_id, row.id),
        row.default_structure_id,
        scopes.read(SCOPE),
        ttl=LASTS,
    )
    return {
        "name": name,
        "client_id": client_id,
        "private_key": str(data.resolve() / f"{key}.pem"),
        "token_url": f"{base_url}/oauth/token",
        "token": opened.token,
    }


async def _person(session: AsyncSession, keyring: Keyring, base_url: str, key: str) -> dict[str, Any]:
    family, _, used, born, _, _ = stories.PEOPLE[key]
    find = select(Usager).where(Usager.birth_family_name == family, Usager.birth_date == born)
    usager = (await session.scalars(find.order_by(Usager.id))).first()
    if usager is None:
        raise RuntimeError("La démonstration est incomplète : « dui demo --reset » la recommence.")
    return {
        "name": f"{used} {family.title()}",
        "id": str(usager.id),
        **await _card(session, keyring, base_url, usager.organisation_id, usager.id, None),
    }


async def _representative(session: AsyncSession, keyring: Keyring, base_url: str, key: str) -> dict[str, Any]:
    family, given = REPRESENTATIVES[key]
    find = select(Contact).where(Contact.family_name == family, Contact.given_name == given).order_by(Contact.id)
    contact = (await session.scalars(find)).first()
    if contact is None:
        raise RuntimeError("La démonstration est incomplète : « dui demo --reset » la recommence.")
    return {
        "name": f"{given} {family}",
        "id": str(contact.id),
        "for": str(contact.usager_id),
        **await _card(session, keyring, base_url, contact.organisation_id, contact.usager_id, contact.id),
    }


async def _card(
    session: AsyncSession,
    keyring: Keyring,
    base_url: str,
    organisation_id: UUID,
    usager_id: UUID,
    contact_id: UUID | None,
) -> dict[str, str]:
    """A new card; those of former starts of the demo open nothing more."""
    await enter(session, organisation_id)
    same = (PersonalAccess.usager_id == usager_id, PersonalAccess.contact_id.is_not_distinct_from(contact_id))
    await session.execute(
        update(PersonalAccess).where(*same, PersonalAccess.revoked_at.is_(None)).values(revoked_at=now())
    )
    link, code = await access_cards.give(session, keyring, organisation_id, usager_id, contact_id, ends=now() + LASTS)
    access = (await session.scalars(select(PersonalAccess).where(*same, PersonalAccess.revoked_at.is_(None)))).one()
    opened = await sessions.open_person(
        session, organisation_id, access.id, usager_id, contact_id, Door.ME, now() + LASTS
    )
    return {"link": f"{base_url}/p/{link}", "code": code, "token": opened.token}


def box(told: dict[str, Any], data: Path) -> str:
    """The three doors, for a terminal."""
    educatrice, chu, jeanne = told["staff"]["educatrice"], told["partners"]["chu"], told["usagers"]["jeanne"]
    demo = data / "demo.json"
    example = os.path.relpath(EXAMPLE) if EXAMPLE.exists() else "dossier.json"
    shown = "$(python3 -c \"import json;print(json.load(open('{}'))['{}']['{}']['token'])\")"
    lines = [
        "dui-serveur est prêt (démonstration : personnes inventées, douze heures de jetons)",
        "",
        f"ÉQUIPE      {educatrice['name']}, éducatrice · mode d'emploi : {told['base_url']}/docs",
        f'  curl -H "Authorization: Bearer {shown.format(demo, "staff", "educatrice")}" \\',
        f"    {told['base_url']}/api/v1/transmissions",
        f"PARTENAIRE  {chu['name']} : envoyez un dossier TDDUI",
        f'  curl -H "Authorization: Bearer {shown.format(demo, "partners", "chu")}" \\',
        f"    -H 'Content-Type: application/fhir+json' --data @{example} {told['fhir_url']}",
        f"MA PAGE     {jeanne['name']}",
        f"  {jeanne['link']}   code {jeanne['code']}",
        "",
        f"Tout le reste est dans {demo}. Ctrl+C arrête le serveur.",
    ]
    rule = "─" * max(len(line) for line in lines[:1] + lines[2:3])
    return "\n".join((rule, *lines, rule))


def prepared(config: Settings, base_url: str) -> Demo:
    return asyncio.run(prepare(config, base_url))
