"""The three roles of a database: its owner (migrations), the application (owns nothing), the sealer of the trail."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg

from app.kernel.engine import OLDEST, PostgresFault

OWNER, APP, SEALER = "dui_owner", "dui_app", "dui_sealer"
DATABASE = "dui"
ROUNDS = 4096  # Postgres's own default for SCRAM


@dataclass(frozen=True, slots=True)
class Urls:
    """One address per role, for asyncpg as for SQLAlchemy (`postgresql://`)."""

    owner_url: str
    app_url: str
    sealer_url: str


async def create_role(connection: asyncpg.Connection, role: str, password: str, attributes: str = "") -> None:
    """Create the role, or give it this password; what travels and may be logged is the verifier, not the password."""
    known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if known else "CREATE"
    await connection.execute(f"{verb} ROLE {role} LOGIN {attributes} PASSWORD '{_scram(password)}'")


async def create_database(superuser_url: str, passwords: dict[str, str]) -> None:
    """In a cluster of ours: the roles, and the database `dui` that its owner alone may shape."""
    connection = await asyncpg.connect(superuser_url)
    try:
        await create_role(
            connection, OWNER, passwords[OWNER], "BYPASSRLS"
        )  # row-level security is forced on owners too
        await create_role(connection, APP, passwords[APP], "NOBYPASSRLS")
        await create_role(connection, SEALER, passwords[SEALER], "NOBYPASSRLS")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        await connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP}, {SEALER}")
    finally:
        await connection.close()


async def prepare(owner_url: str, data: Path) -> Urls:
    """On a server of the house's: the application's and the sealer's roles, their passwords kept in `data` (0600).

    `owner_url` is a role that may create roles and owns the database. Raises PostgresFault.
    """
    passwords = _kept(data / "roles.json")
    urls = Urls(owner_url, url_as(owner_url, APP, passwords[APP]), url_as(owner_url, SEALER, passwords[SEALER]))
    try:
        connection = await asyncpg.connect(owner_url)
    except (OSError, asyncpg.PostgresError) as exc:
        raise PostgresFault(f"La base de DATABASE_URL ne répond pas ({type(exc).__name__}).") from exc
    try:
        await _settle(connection, urls, passwords)
    except asyncpg.InsufficientPrivilegeError as exc:
        raise PostgresFault("Le rôle de DATABASE_URL doit pouvoir créer des rôles (CREATEROLE).") from exc
    finally:
        await connection.close()
    return urls


async def _settle(connection: asyncpg.Connection, urls: Urls, passwords: dict[str, str]) -> None:
    if connection.get_server_version().major < OLDEST:
        raise PostgresFault(f"PostgreSQL {OLDEST} ou plus récent est demandé.")
    if await connection.fetchval(
        "SELECT 1 FROM pg_roles WHERE rolname = ANY($1) AND (rolsuper OR rolbypassrls)", [APP, SEALER]
    ):
        raise PostgresFault(f"Les rôles {APP} et {SEALER} ne doivent être ni SUPERUSER ni BYPASSRLS.")
    for role, url in ((APP, urls.app_url), (SEALER, urls.sealer_url)):
        if not await _opens(url):
            await create_role(connection, role, passwords[role])
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {APP}, {SEALER}")
    await connection.execute(f"GRANT USAGE ON SCHEMA public TO {APP}, {SEALER}")


async def _opens(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.PostgresError:
        return False
    await connection.close()
    return True


def url_as(url: str, role: str, password: str, database: str | None = None) -> str:
    """The same server, another role (and another database)."""
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    asked = [(k, v) for k, v in parse_qsl(parts.query) if k not in ("user", "password")]
    path = parts.path if database is None else f"/{quote(database)}"
    return urlunsplit(
        (parts.scheme, f"{role}:{quote(password, safe='')}@{server}", path, urlencode(asked, safe="/"), "")
    )


def new_passwords() -> dict[str, str]:
    return {role: secrets.token_urlsafe(24) for role in (OWNER, APP, SEALER)}


def write_secret(path: Path, text: str) -> None:
    """Readable by its owner only from its first byte; replaced whole, never half-written."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
        f.write(text)
    part.replace(path)


def _kept(path: Path) -> dict[str, str]:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, json.dumps(new_passwords()))
    passwords: dict[str, str] = json.loads(path.read_text())
    return passwords


def _scram(password: str) -> str:
    """RFC 5803, as Postgres stores it: a server that logs its statements never sees the password."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    first, second, third = (base64.b64encode(b).decode() for b in (salt, stored, server))
    return f"SCRAM-SHA-256${ROUNDS}:{first}${second}:{third}"
