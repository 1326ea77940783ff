"""`dui backup`: everything, as one transaction saw it, in one encrypted file; writing goes on meanwhile.

What is inside, in order: what was saved and from which version; each table; each document; the manifest, which
counts and fingerprints all of it, names the heads of the chains, and what a sample of callers could read.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from app.access import sample
from app.config import VERSION
from app.kernel import clock, revisions
from app.kernel.crypto import Keyring
from app.vault import sealed, tables
from app.vault.sealed import BackupFault, Writer

DOCUMENTS = "documents"  # the folder of `DUI_DATA` that holds files
BLOCK = 1024 * 1024
HELLO, TABLE, DATA, END, FILE, MANIFEST = b"H", b"T", b"D", b"E", b"F", b"M"
HEADS = """SELECT DISTINCT ON (organisation_id) organisation_id::text, number, encode(hash, 'hex') AS hash
    FROM audit_seal ORDER BY organisation_id, number DESC"""
MADE_BY = f"dui-serveur {VERSION}"


@dataclass(frozen=True, slots=True)
class Saved:
    """What one backup holds; the report of the command."""

    at: str
    revision: str
    tables: dict[str, dict[str, Any]]
    files: dict[str, str]
    heads: dict[str, dict[str, Any]]
    callers: list[dict[str, Any]]

    @property
    def rows(self) -> int:
        return sum(int(told["rows"]) for told in self.tables.values())


async def save(
    owner_url: str,
    path: Path,
    keyring: Keyring,
    data: Path,
    *,
    files: Path | None = None,
    passphrase: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Saved:
    """`files`: the folder of documents, when it is not that of `data`. Raises BackupFault; the file is there whole, or
    not at all.
    """
    if path.exists():
        raise BackupFault(f"{path.name} existe déjà : donnez un autre nom.")
    connection = await asyncpg.connect(owner_url, server_settings=tables.SETTINGS)
    try:
        # Read only: a transaction without a number of its own does not hold the sealer back, however long it runs.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            at = clock.now()
            told = {
                "made_by": MADE_BY,
                "at": at.isoformat(),
                "revision": await connection.fetchval("SELECT version_num FROM alembic_version"),
            }
            known = told["revision"] == revisions.head()  # else the policy asks of tables that are not these
            callers = await _callers(owner_url, snapshot, at) if known else []
            heads = {row["organisation_id"]: dict(row) for row in await connection.fetch(HEADS)}
            with sealed.written(path, told, keyring, passphrase) as out:
                frame(out, HELLO, {"months": await tables.months(connection)})
                saved = await _tables(connection, out, progress)
                taken = files_into(out, files or data / DOCUMENTS, progress)
                done = Saved(told["at"], str(told["revision"]), saved, taken, heads, callers)
                frame(out, MANIFEST, asdict(done))
        return done
    except tables.Unreadable as exc:
        raise BackupFault(str(exc)) from exc
    except asyncpg.UndefinedTableError as exc:
        raise BackupFault("Cette base n'a pas encore de schéma : lancez « dui migrate ».") from exc
    finally:
        await connection.close()


async def _tables(
    connection: asyncpg.Connection, out: Writer, progress: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    saved = {}

    async def take(data: bytes) -> None:
        frame(out, DATA, data)

    for table in await tables.tables(connection):
        progress(table.name)
        frame(out, TABLE, {"name": table.name, "columns": table.columns})
        told = await tables.stream(connection, table, take)
        saved[table.name] = asdict(told)
        frame(out, END, saved[table.name])
    return saved


async def _callers(owner_url: str, snapshot: str, at: datetime) -> list[dict[str, Any]]:
    """Asked of the same snapshot, by a short transaction that is undone: it writes a session of nobody."""
    connection = await asyncpg.connect(owner_url, server_settings=tables.SETTINGS)
    try:
        undone = connection.transaction(isolation="repeatable_read")
        await undone.start()
        try:
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            day = at.astimezone(clock.PARIS).date()
            who = await sample.callers(connection, day)
            session = await sample.open_session(connection, at)
            return [each.told() for each in await sample.ask(connection, who, session, day, at)]
        finally:
            await undone.rollback()
    finally:
        await connection.close()


def files_into(out: Writer, folder: Path, progress: Callable[[str], None]) -> dict[str, str]:
    """Documents, after the tables: one written meanwhile is one too many, never one too few."""
    saved = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        progress(f"{DOCUMENTS}/{name}")
        digest = hashlib.sha256()
        frame(out, FILE, {"name": name})
        with path.open("rb") as source:
            while block := source.read(BLOCK):
                digest.update(block)
                frame(out, DATA, block)
        saved[name] = digest.hexdigest()
        frame(out, END, {"sha256": saved[name]})
    return saved


def frame(out: Writer, tag: bytes, told: object) -> None:
    body = bytes(told) if isinstance(told, bytes | bytearray | memoryview) else json.dumps(told).encode()
    out.write(tag + len(body).to_bytes(4) + body)
