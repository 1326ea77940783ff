"""The staff's local accounts: creating, proving, closing.

A wrong password, an unknown login, a disabled account: one answer, in the same time. Tries are limited per login *and*
place, so that nobody can lock a colleague out: a device that already entered is a place of its own, an address is the
place of all the others. A login, an address, or the whole house when it fails much, is slowed; known devices are not.
"""

import asyncio
import logging
import secrets
import unicodedata
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from app.security import devices, passwords, sessions, throttle
from app.security.models import Account, AccountCredential, LiveSession

WRONG = "Identifiant ou mot de passe incorrect."
# Failed tries in a quarter of an hour before each next one waits: of a login, of an address, of all logins together
# (many logins tried from many addresses, a little each).
FREE_PER_LOGIN, FREE_PER_ADDRESS, FREE_FOR_ALL = 10, 30, 300
LOGIN_LENGTH = range(3, 121)

log = logging.getLogger("dui")
CREDENTIAL = text("SELECT account_id, secret FROM credential_of(:login)")


async def create(session: AsyncSession, login: str, name: str, password: str | None) -> UUID:
    """None: who enters by the identity provider only. Raises Invalid on a login or password we do not take, Conflict when
    the login is taken."""
    said = normal(login)
    if len(said) not in LOGIN_LENGTH or not said.isprintable() or " " in said:
        raise Invalid("Un identifiant a de 3 à 120 caractères, sans espace.", where="/login")
    if await exists(session, said):
        raise Conflict("Cet identifiant est déjà pris.", where="/login")
    secret = await passwords.hashed(password, said) if password is not None else None
    account = Account(login=said, name=name)
    session.add(account)
    await session.flush()
    if secret:
        await _keep(session, account.id, secret)
    return account.id


def drawn_login(name: str) -> str:
    """For an account opened without one: a word that an administrator recognises, and that nobody has."""
    letters = "".join(c if c.isalnum() else "-" for c in normal(name))
    return f"{letters[:100]}-{secrets.token_hex(4)}"


async def exists(session: AsyncSession, login: str) -> bool:
    return await session.scalar(select(Account.id).where(func.lower(Account.login) == normal(login))) is not None


async def named(session: AsyncSession, login: str) -> Account:
    """In a session of the owner. Raises NotFound."""
    found = await session.scalar(select(Account).where(func.lower(Account.login) == normal(login)))
    if found is None:
        raise NotFound("Aucun compte ne porte cet identifiant.")
    return found


async def set_password(session: AsyncSession, account_id: UUID, password: str) -> None:
    """A new password ends what the old one had opened. Raises Invalid."""
    login = await session.scalar(select(Account.login).where(Account.id == account_id))
    await _keep(session, account_id, await passwords.hashed(password, login or ""))
    await sessions.revoke(session, LiveSession.account_id == account_id)


async def disable(session: AsyncSession, account_id: UUID) -> None:
    """Whoever was in is out at the next request."""
    await session.execute(update(Account).where(Account.id == account_id).values(disabled_at=now()))
    await sessions.revoke(session, LiveSession.account_id == account_id)


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a try comes from: its address, and what it shows of a device that already entered."""

    address: str | None
    device: str | None = None

    def known(self, keyring: Keyring, login: str) -> bool:
        return devices.known(keyring, normal(login), self.device) is not None

    def place(self, keyring: Keyring, login: str) -> tuple[str, ...]:
        """Whose failures count together."""
        device = devices.known(keyring, normal(login), self.device)
        return ("device", device) if device else (throttle.neighbourhood(self.address),)


async def authenticate(database: Database, keyring: Keyring, login: str, password: str, caller: Caller) -> UUID:
    """Whose login and password these are. Raises Unauthenticated, TooMany, Busy."""
    said = normal(login)
    place = caller.place(keyring, said)
    keys = [throttle.key(keyring, "login", said, *place)]
    if not caller.known(keyring, said):
        keys += [throttle.key(keyring, *what) for what in (("login", said), ("address", *place), ("all logins",))]
    _, *shared = await throttle.spend(database, keys)
    if shared and shared[-1] == FREE_FOR_ALL + 1:
        log.warning("login.spraying")
    waits = map(throttle.slowness, shared, (FREE_PER_LOGIN, FREE_PER_ADDRESS, FREE_FOR_ALL))
    await asyncio.sleep(max(waits, default=0))
    async with database.session(None) as session:
        found = (await session.execute(CREDENTIAL, {"login": said})).one_or_none()
    right, fresher = await passwords.matches(password, found.secret if found else None)
    if not right or found is None:
        raise Unauthenticated(WRONG)
    if fresher:
        async with database.session(None) as session:
            await _keep(session, found.account_id, fresher)
            await session.commit()
    await throttle.forgive(database, keys)
    return cast(UUID, found.account_id)


def normal(login: str) -> str:
    return unicodedata.normalize("NFKC", login).strip().casefold()


async def _keep(session: AsyncSession, account_id: UUID, secret: str) -> None:
    said = {"secret": secret, "changed_at": now()}
    row = insert(AccountCredential).values(account_id=account_id, kind="password", **said)
    await session.execute(row.on_conflict_do_update(index_elements=["account_id", "kind"], set_=said))
