"""The cast, always the same, in a database of its own: who works where, who is supported, who comes with what token.

Rows are written by the owner, as facts; tests then act through the doors.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import asyncpg
from starlette.testclient import TestClient

from app.access.entry import DossierEntry, fill
from app.access.models import Membership, MembershipStructure, Professional, TeamMember
from app.access.versions import StoredUsagerKey
from app.config import Settings, settings
from app.features.stays.models import Stay
from app.features.structures.models import Organisation, Structure, Unit
from app.features.usagers import names
from app.features.usagers.models import Usager
from app.kernel.crypto import Keyring
from app.kernel.db import Base, Database
from app.kernel.ids import uuid7
from app.main import create_app
from app.security import access_cards, sessions, tokens
from app.security.models import Account, PartnerClient, PartnerStructure
from app.security.principal import Role
from app.security.sessions import Place
from app.security.tokens import Door
from tests.fhir import leaving
from tests.postgres import TestDatabase

ORIGIN = "http://127.0.0.1:8000"
LONG = timedelta(hours=12)
Headers = dict[str, str]
STAFF = {
    "sonia": (Role.EDUCATEUR, "Sonia", "Benali"),
    "marc": (Role.CHEF_DE_SERVICE, "Marc", "Petit"),
    "leila": (Role.INFIRMIER, "Leïla", "Haddad"),
    "odile": (Role.SECRETARIAT, "Odile", "Roux"),
    "helene": (Role.DIRECTION, "Hélène", "Garnier"),
}
USAGERS = {
    "jeanne": ("MOREAU", "Jeanne", date(1944, 5, 12), "ehpad"),
    "karim": ("BENSAÏD", "Karim", date(1992, 2, 3), "mas_fam"),
    "lucas": ("MARTIN", "Lucas", date(2017, 3, 9), "ime"),
    "ines": ("DIALLO", "Inès", date(2009, 1, 20), "mecs"),
}
SCOPES = frozenset({"*.c", "*.r", "*.u", "*.d", "*.s"})


@dataclass
class World:
    """Ids by name, a client on the running app, a bearer for each of the cast."""

    database: TestDatabase
    keyring: Keyring
    client: TestClient
    organisation: UUID
    other_organisation: UUID
    folder: Path
    ids: dict[str, UUID] = field(default_factory=dict)
    bearers: dict[str, Headers] = field(default_factory=dict)

    def get(self, who: str, path: str, **more: Any) -> Any:
        return self.client.get(path, headers={**self.bearers[who], **more.pop("headers", {})}, **more)

    def post(self, who: str, path: str, body: object, **more: Any) -> Any:
        return self.client.post(path, json=body, headers={**self.bearers[who], **more.pop("headers", {})}, **more)

    def patch(self, who: str, path: str, body: object, version: int, **more: Any) -> Any:
        headers = {**self.bearers[who], "If-Match": f'W/"{version}"'}
        return self.client.patch(path, json=body, headers=headers, **more)

    def delete(self, who: str, path: str, version: int) -> Any:
        return self.client.delete(path, headers={**self.bearers[who], "If-Match": f'W/"{version}"'})

    def rows(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """What the owner sees in the base: the truth behind the doors."""

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.database.owner_url)
            try:
                return list(await connection.fetch(sql, *values))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def write(self, said: Iterable[tuple[str, str]]) -> None:
        """Statements of one value each, as the owner, one after another."""

        async def run() -> None:
            connection = await asyncpg.connect(self.database.owner_url)
            try:
                for sql, value in said:
                    await connection.execute(sql, value)
            finally:
                await connection.close()

        asyncio.run(run())

    def add(self, *rows: Base) -> None:
        """Write facts as the owner."""

        async def write() -> None:
            base = Database(self.database.owner_url, 1)
            async with base.session(None) as session:
                session.add_all(prepared(self.organisation, row) for row in rows)
                await session.commit()
            await base.close()

        asyncio.run(write())

    def hire(self, name: str, role: Role, *places: str) -> None:
        """One more of the staff, in these structures only."""

        async def write() -> None:
            base = Database(self.database.owner_url, 1)
            async with base.session(None) as session:
                house = self.other_organisation if places == ("other",) else self.organisation
                await _staff(self, session, name, house, (role, name.title(), "Nouveau"), places)
                await session.commit()
            await base.close()

        asyncio.run(write())

    def appoint(self, name: str, as_who: str, role: Role, *places: str) -> None:
        """Another membership of someone hired already, under a bearer of its own: rights are never added up."""

        async def write() -> None:
            base = Database(self.database.owner_url, 1)
            async with base.session(None) as session:
                who = (self.ids[as_who], self.ids[f"{as_who}_account"])
                await _appointed(self, session, name, self.organisation, who, role, places)
                await session.commit()
            await base.close()

        asyncio.run(write())

    def accompany(self, name: str, usager_id: UUID | str, place: str, *, referent: bool = False) -> None:
        """This professional is in the team of this person, by name."""
        common = {"usager_id": UUID(str(usager_id)), "structure_id": self.ids[place]}
        self.add(TeamMember(professional_id=self.ids[name], referent=referent, starts=date(2020, 1, 1), **common))

    def enter(self, name: str, usager_id: UUID, contact: UUID | None = None, door: Door = Door.ME) -> None:
        """A session of this person, or of who represents them, under this name: at `/me`, or on the page."""

        async def write() -> None:
            base = Database(self.database.owner_url, 1)
            until = datetime.now(UTC) + LONG
            async with base.session(None) as session:
                opened = await sessions.open_person(
                    session, self.organisation, uuid7(), usager_id, contact, door, until
                )
                await session.commit()
            await base.close()
            self.ids |= {name: contact or usager_id, f"{name}_session": opened.principal.session_id}
            shown = {"Cookie": f"dui={opened.token}"} if door is Door.PAGE else None
            self.bearers[name] = shown or {"Authorization": f"Bearer {opened.token}"}

        asyncio.run(write())

    def card(self, usager: str, contact: UUID | None = None, **how: Any) -> tuple[str, str]:
        """A new card to this person's dossier: the last part of its link, and its code."""

        async def give() -> tuple[str, str]:
            base = Database(self.database.owner_url, 1)
            async with base.session(self.organisation) as session:
                card = await access_cards.give(
                    session, self.keyring, self.organisation, self.ids[usager], contact, **how
                )
                await session.commit()
            await base.close()
            return card

        return asyncio.run(give())

    def statements(self) -> "Counted":
        return Counted(self.client)

    def traces(self, **where: object) -> list[asyncpg.Record]:
        names = " AND ".join(f"{name} = ${i}" for i, name in enumerate(where, 1)) or "true"
        return self.rows(f"SELECT * FROM audit_entry WHERE {names} ORDER BY xid, at", *where.values())


class Counted:
    """How many statements reached the driver while open: BEGIN, COMMIT and ROLLBACK not counted, nor a new connection's."""

    OF_A_NEW_ONE = ("pg_catalog.version()", "current_schema()", "transaction isolation level", "standard_conforming_")

    def __init__(self, client: TestClient) -> None:
        self.app, self.sql = client.app, list[str]()

    def __enter__(self) -> Self:
        self._patch = asyncpg.Connection._execute  # noqa: SLF001  the one place all paths of the driver meet
        seen = self.sql

        original = asyncpg.Connection._execute  # noqa: SLF001
        prepared_bind = asyncpg.prepared_stmt.PreparedStatement._PreparedStatement__bind_execute  # noqa: SLF001
        self._bind = prepared_bind

        async def execute(connection: Any, query: str, *args: Any, **more: Any) -> Any:
            if not any(each in query for each in self.OF_A_NEW_ONE):
                seen.append(query)
            return await original(connection, query, *args, **more)

        async def bind(statement: Any, *args: Any, **more: Any) -> Any:
            if not any(each in statement.get_query() for each in self.OF_A_NEW_ONE):
                seen.append(statement.get_query())
            return await prepared_bind(statement, *args, **more)

        asyncpg.Connection._execute = execute  # type: ignore[method-assign]  # noqa: SLF001
        asyncpg.prepared_stmt.PreparedStatement._PreparedStatement__bind_execute = bind  # noqa: SLF001
        return self

    def __exit__(self, *_: object) -> None:
        asyncpg.Connection._execute = self._patch  # type: ignore[method-assign]  # noqa: SLF001
        asyncpg.prepared_stmt.PreparedStatement._PreparedStatement__bind_execute = self._bind  # noqa: SLF001

    def __len__(self) -> int:
        return len(self.sql)


def prepared(organisation: UUID, row: Base) -> Base:
    if hasattr(row, "organisation_id") and row.organisation_id is None:
        row.organisation_id = organisation
    if isinstance(row, DossierEntry):
        row.category = row.category or row.CATEGORY.value
        row.author_kind = row.author_kind or "professional"
        row.visibility = row.visibility or "shared"
        fill(row)
    return row


@contextmanager
def world(database: TestDatabase, folder: Path) -> Iterator[World]:
    """The app on this database, its lifespan run, and the cast."""
    keyring = Keyring.create(folder / "keys.json", demo=True)
    config = Settings(
        database_url=database.app_url,
        owner_database_url=database.owner_url,
        key_file=folder / "keys.json",
        data=folder,
        demo=True,
        pool_size=4,
        requests_per_second=100_000,  # tests ask faster than people; tests/security/test_rates.py has its own
    )
    settings.cache_clear()
    with TestClient(create_app(config), base_url=ORIGIN) as client:
        client.event_hooks = {"response": [leaving.check]}
        made = World(database, keyring, client, uuid7(), uuid7(), folder)
        asyncio.run(_people(made))
        yield made


async def _people(w: World) -> None:
    base = Database(w.database.owner_url, 2)
    async with base.session(None) as session:
        for organisation, name in ((w.organisation, "Association Les Tilleuls"), (w.other_organisation, "Autre")):
            session.add(Organisation(organisation_id=organisation, name=name, finess=None))
        await session.flush()
        for model in ("ehpad", "mas_fam", "ime", "mecs"):
            w.ids[model] = uuid7()
            session.add(Structure(organisation_id=w.organisation, id=w.ids[model], name=model.upper(), model=model))
        w.ids["other"] = uuid7()
        session.add(Structure(organisation_id=w.other_organisation, id=w.ids["other"], name="AUTRE", model="ime"))
        await session.flush()
        for model in ("ehpad", "mas_fam", "ime", "mecs"):
            w.ids[f"unit_{model}"] = uuid7()
            session.add(
                Unit(
                    organisation_id=w.organisation,
                    id=w.ids[f"unit_{model}"],
                    structure_id=w.ids[model],
                    name="Unité",
                    kind="unit",
                )
            )
        for name, told in STAFF.items():
            await _staff(w, session, name, w.organisation, told, ("ehpad", "mas_fam", "ime", "mecs"))
        await _staff(w, session, "yann", w.other_organisation, (Role.EDUCATEUR, "Yann", "Le Goff"), ("other",))
        for name, told in USAGERS.items():
            await _usager(w, session, name, *told)
        for name in ("chu", "mdph"):
            await _partner(w, session, name)
        await session.commit()
    await base.close()


async def _staff(
    w: World, session: Any, name: str, organisation: UUID, told: tuple[Role, str, str], places: tuple[str, ...]
) -> None:
    role, given, family = told
    account, professional = Account(id=uuid7(), login=name, name=given), uuid7()
    session.add(account)
    session.add(
        Professional(
            organisation_id=organisation, id=professional, account_id=account.id, family_name=family, given_name=given
        )
    )
    await session.flush()
    await _appointed(w, session, name, organisation, (professional, account.id), role, places)


async def _appointed(
    w: World,
    session: Any,
    name: str,
    organisation: UUID,
    who: tuple[UUID, UUID],
    role: Role,
    places: tuple[str, ...],
) -> None:
    (professional, account), membership = who, uuid7()
    session.add(
        Membership(
            organisation_id=organisation,
            id=membership,
            professional_id=professional,
            role=role.value,
            starts=date(2020, 1, 1),
        )
    )
    await session.flush()
    for place in places:
        session.add(
            MembershipStructure(organisation_id=organisation, membership_id=membership, structure_id=w.ids[place])
        )
    place_of = Place(organisation, professional, membership, role)
    opened = await sessions.open_staff(session, w.keyring, ORIGIN, account, place_of, ttl=LONG)
    w.ids |= {name: professional, f"{name}_account": account, f"{name}_membership": membership}
    w.ids[f"{name}_session"] = opened.principal.session_id
    w.bearers[name] = {"Authorization": f"Bearer {opened.token}"}


async def _usager(w: World, session: Any, name: str, family: str, given: str, born: date, model: str) -> None:
    id = uuid7()
    w.ids[name] = id
    _, wrapped = w.keyring.new_usager_key(str(id))
    session.add(StoredUsagerKey(organisation_id=w.organisation, usager_id=id, wrapped=wrapped))
    common = {"usager_id": id, "structure_id": w.ids[model]}
    row = Usager(
        id=id,
        birth_family_name=family,
        birth_given_names=given,
        birth_date=born,
        name_key=names.key(family, given),
        **common,
    )
    session.add(prepared(w.organisation, row))
    await session.flush()
    stay = Stay(unit_id=w.ids[f"unit_{model}"], status="in_progress", starts=date(2022, 9, 1), **common)
    member = TeamMember(professional_id=w.ids["sonia"], referent=True, starts=date(2022, 9, 1), **common)
    session.add(prepared(w.organisation, stay))
    session.add(prepared(w.organisation, member))
    if model == "ehpad":
        nurse = TeamMember(professional_id=w.ids["leila"], starts=date(2022, 9, 1), **common)
        session.add(prepared(w.organisation, nurse))
    await session.flush()
    until = datetime.now(UTC) + LONG
    opened = await sessions.open_person(session, w.organisation, uuid7(), id, None, Door.ME, until)
    w.bearers[name] = {"Authorization": f"Bearer {opened.token}"}


async def _partner(w: World, session: Any, name: str) -> None:
    id = uuid7()
    w.ids[name] = id
    session.add(
        PartnerClient(
            organisation_id=w.organisation,
            id=id,
            name=name.upper(),
            kind="mdph" if name == "mdph" else "other",
            client_id=f"{name}-test",
            jwks=[],
            scopes=sorted(SCOPES),
            default_structure_id=w.ids["ime"],
        )
    )
    await session.flush()
    for model in ("ehpad", "mas_fam", "ime", "mecs"):
        accepted = {"partner_id": id, "structure_id": w.ids[model], "accepts": True}
        session.add(PartnerStructure(organisation_id=w.organisation, **accepted))
    opened = await sessions.open_partner(
        session, w.keyring, ORIGIN, (w.organisation, id), w.ids["ime"], SCOPES, ttl=LONG
    )
    w.ids[f"{name}_session"] = opened.principal.session_id
    w.bearers[name] = {"Authorization": f"Bearer {opened.token}"}


__all__ = ["ORIGIN", "Counted", "World", "tokens", "world"]
