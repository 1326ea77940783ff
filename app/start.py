"""What must hold before the first request; a start that is refused says why, in words to act on."""

import errno
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.exc import DBAPIError

from app.api import metrics as published
from app.config import Settings
from app.features.settings.service import unanswered
from app.kernel.crypto import KeyFault, Keyring
from app.kernel.db import NIL
from app.kernel.objects import Misplaced
from app.security.oidc import Misconfigured
from app.vault import proof

# Itself, or as a member of another role: SET ROLE would be enough.
SAFE_ROLE = """SELECT r.rolcreaterole OR EXISTS (
        SELECT 1 FROM pg_roles o WHERE (o.rolsuper OR o.rolbypassrls) AND pg_has_role(r.oid, o.oid, 'MEMBER'))
    OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
        AND pg_has_role(r.oid, c.relowner, 'MEMBER'))
    FROM pg_roles r WHERE r.rolname = current_user"""
NO_BASE = "La base n'a pas répondu à l'adresse de {} : vérifiez que Postgres tourne, puis cette adresse."
NO_ENTRY = "La base refuse le rôle de {} : vérifiez son nom, son mot de passe et le nom de la base."
NO_TABLES = "La base n'a pas les tables de cette version : lancez « dui migrate », puis recommencez."
NOT_ALLOWED = "La base n'en donne pas le droit au rôle de {} : donnez-lui le sien, puis lancez « dui migrate »."
REFUSED = "La base a refusé (code {}). Rien n'est fait : le journal de Postgres dit pourquoi."
FULL = "Il n'y a plus de place sur le disque : faites-en, puis recommencez."
NO_FILE = "{} : ce fichier, ou son dossier, n'existe pas. Vérifiez son chemin."
CLOSED_FILE = "{} : ce fichier, ou son dossier, est fermé à votre compte sur cette machine."
UNREADABLE = "{} : ce fichier, ou son dossier, ne peut pas être lu ou écrit."
FORESEEN = (KeyFault, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError)
NOT_REACHED = ("08", "57P", "53300")  # SQLSTATE: cut, stopping or starting, too many connections
DEMO_KEYS = (
    "Le fichier de clés est celui de la démonstration : nommez-en un autre (DUI_KEY_FILE), puis créez-le avec "
    "« dui keys create »."
)
A_BUG = "Ce n'est pas prévu : le journal dit où. Signalez-le."


log = logging.getLogger("dui")


class UnsafeStart(RuntimeError):
    """Refused to start, in words the person at the keyboard can act on."""


async def check(config: Settings) -> Keyring:
    """The keys, once all that is asked of a start holds. Raises UnsafeStart or KeyFault."""
    keyring = Keyring.load(config.key_file)
    if keyring.demo and not config.demo:
        raise UnsafeStart(DEMO_KEYS)
    await check_role(config.database_url)
    await proof.opens(config.database_url, keyring)
    if not config.demo:
        await check_answers(config.database_url)
    return keyring


async def check_role(url: str) -> None:
    """Raises UnsafeStart when row-level security would not hold for the application's role."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval(SAFE_ROLE):
            raise UnsafeStart(
                "Le rôle de DUI_DATABASE_URL possède une table, est superutilisateur ou contourne la sécurité par ligne, par "
                "lui-même ou comme membre d'un autre. "
                "Donnez-lui le rôle dui_app, que crée « dui migrate »."
            )
    finally:
        await connection.close()


async def check_answers(url: str) -> None:
    """Raises UnsafeStart until the six questions before a real person are answered (README)."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT set_config('dui.organisation', $1, false)", str(NIL))
        rows = await connection.fetch(
            "SELECT key, value FROM setting WHERE organisation_id = $1 AND deleted_at IS NULL", NIL
        )
    finally:
        await connection.close()
    missing = unanswered({row["key"]: row["value"] for row in rows})
    if missing:
        raise UnsafeStart(
            "Avant d'y mettre une vraie personne, répondez avec « dui settings answer » (« dui settings show » donne le nom "
            "de chaque question) : " + " ".join(missing)
        )


@contextmanager
def telling() -> Iterator[None]:
    """Says on stderr why the start fails: the server that hosts us hides what we raise."""
    try:
        yield
    except Exception as exc:
        said = why(exc)
        if said is A_BUG:
            log.error("start_failed", exc_info=exc)
        sys.stderr.write(f"Le serveur ne démarre pas. {said}\n")
        raise


def why(exc: Exception, address: str = "DUI_DATABASE_URL") -> str:
    """Our own words, never those of a driver: they may quote an address with its password."""
    if isinstance(exc, UnsafeStart | KeyFault | Misconfigured | Misplaced):
        return str(exc)
    if isinstance(exc, FORESEEN):
        return _of_a_file(exc) or _of_the_base(exc).format(address)
    return A_BUG


def _of_a_file(exc: Exception) -> str | None:
    """A connection that fails is an OSError too, which names no file."""
    if not isinstance(exc, OSError):
        return None
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL
    if not isinstance(exc.filename, str):
        return None
    missing = isinstance(exc, FileNotFoundError | NotADirectoryError)
    said = NO_FILE if missing else CLOSED_FILE if isinstance(exc, PermissionError) else UNREADABLE
    return said.format(Path(exc.filename).name)


def _of_the_base(exc: Exception) -> str:
    """By the code of Postgres, whichever library carries it; none: it did not answer."""
    code = str(getattr(getattr(exc, "orig", exc), "sqlstate", None) or "")
    if not code or code.startswith(NOT_REACHED):
        return NO_BASE
    if code.startswith("28") or code == "3D000":
        return NO_ENTRY
    if code in ("42P01", "42703", "42883"):
        return NO_TABLES
    if code == "42501":
        return NOT_ALLOWED
    return FULL if code == "53100" else REFUSED.replace("{}", code)


def metrics(port: int) -> None:
    """On this machine only, when asked for. Raises UnsafeStart when its port is taken."""
    said = taken("127.0.0.1", port) if port else None
    if said:
        raise UnsafeStart(f"DUI_METRICS_PORT : {said}")
    published.serve(port)


def taken(host: str, port: int) -> str | None:
    """What to say when this port can't be listened to; None when it can."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, OverflowError):
        return "L'adresse d'écoute (--host) est inconnue de cette machine."
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(address)
            except PermissionError:
                return f"Le port {port} est réservé au système : prenez-en un au-dessus de 1023."
            except OSError:
                return (
                    f"Le port {port} est déjà pris sur cette machine : arrêtez ce qui l'occupe, ou prenez-en un autre."
                )
    return None
