"""`dui restore`: a backup put back into an empty base, as it was, in one transaction; then the chain opens a new epoch.

Nothing is believed: each table is read again from the base and compared with the manifest. Sessions do not come back:
one ended since the backup must stay ended.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import asyncpg

from app.audit import upkeep
from app.kernel import migrations, revisions
from app.kernel.crypto import Keyring
from app.vault import sealed, tables
from app.vault.backup import DATA, DOCUMENTS, END, FILE, HELLO, MANIFEST, TABLE, Saved
from app.vault.sealed import ALTERED, BackupFault, Reader

FRAME_MOST = 1024 * 1024 * 1024
BOUND = re.compile(r"DEFAULT|FOR VALUES FROM \('[\d :+-]+'\) TO \('[\d :+-]+'\)")
FORGET_SESSIONS = (
    "UPDATE session SET revoked_at = now() WHERE revoked_at IS NULL",
    "UPDATE refresh_family SET revoked_at = now() WHERE revoked_at IS NULL",
)
# Always: even where the cluster is the same, what was sealed after the backup is no longer there.
NEXT_EPOCH = """INSERT INTO cluster_epoch (epoch, cluster)
    SELECT coalesce(max(e.epoch), 0) + 1, c.system_identifier::text
    FROM pg_control_system() c LEFT JOIN cluster_epoch e ON true GROUP BY c.system_identifier RETURNING epoch"""


def _quiet(_: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Restored:
    saved: Saved
    epoch: int


def restore(
    owner_url: str,
    path: Path,
    keyring: Keyring,
    data: Path,
    *,
    files: Path | None = None,
    passphrase: str | None = None,
    progress: Callable[[str], None] = _quiet,
) -> Restored:
    """For a program not yet in an event loop. `files`: the folder of documents, when it is not that of `data`. Raises
    BackupFault; the base then holds no row, the folder no file.
    """
    saved = load(owner_url, path, keyring, data, files=files, passphrase=passphrase, progress=progress, forget=True)
    return Restored(saved, finish(owner_url))


def load(
    owner_url: str,
    path: Path,
    keyring: Keyring,
    data: Path,
    *,
    files: Path | None = None,
    passphrase: str | None = None,
    progress: Callable[[str], None] = _quiet,
    forget: bool = False,
) -> Saved:
    """The rows, in the schema they were saved from. `forget`: their sessions end in the same transaction."""
    with sealed.opened(path, keyring, passphrase) as source:
        revision = _known(str(source.header["revision"]), str(source.header["made_by"]))
        asyncio.run(_must_be_empty(owner_url))
        folder = files or data / DOCUMENTS
        if folder.exists() and any(folder.iterdir()):
            raise BackupFault(f"Le dossier {folder.name} n'est pas vide : restaurez ailleurs.")
        if migrations.current(owner_url) not in (None, revision):
            migrations.downgrade(owner_url, "base")
        migrations.upgrade(owner_url, revision)
        return asyncio.run(_load(owner_url, source, folder, progress, forget=forget))


def finish(owner_url: str) -> int:
    """Today's schema, and the next epoch of the chain: its number."""
    migrations.upgrade(owner_url)
    return asyncio.run(_open_epoch(owner_url))


def _known(revision: str, made_by: str) -> str:
    if revision not in revisions.known():
        raise BackupFault(
            f"Cette sauvegarde vient d'une version plus récente ({made_by}) : installez cette version, puis restaurez."
        )
    return revision


async def _must_be_empty(owner_url: str) -> None:
    """Raises BackupFault when a table holds a row; those that the migrations write do not count."""
    connection = await asyncpg.connect(owner_url, server_settings=tables.SETTINGS)
    try:
        for table in await tables.tables(connection):
            if table.name != "cluster_epoch" and await connection.fetchval(f"SELECT 1 FROM {table.name} LIMIT 1"):  # noqa: S608
                raise BackupFault(
                    "Cette base n'est pas vide : rien n'a été touché. Restaurez dans une base neuve "
                    "(createdb, puis DUI_OWNER_DATABASE_URL)."
                )
    finally:
        await connection.close()


async def _load(
    owner_url: str, source: Reader, folder: Path, progress: Callable[[str], None], *, forget: bool
) -> Saved:
    connection = await asyncpg.connect(owner_url, server_settings=tables.SETTINGS)
    written: list[Path] = []
    try:
        async with connection.transaction():
            here = {table.name: table for table in await tables.tables(connection)}
            await connection.execute(f"TRUNCATE {', '.join(here)}")
            seen = Saved("", "", {}, {}, {}, [])
            async with tables.as_they_were(connection, here):
                for tag, told in _frames(source):
                    match tag:
                        case b"H":
                            await _months(connection, json.loads(told)["months"])
                        case b"T":
                            await _table(connection, source, here, json.loads(told), seen, progress)
                        case b"F":
                            written.append(_file(source, folder, json.loads(told)["name"], seen))
                        case _:
                            saved = Saved(**json.loads(told))
            source.end()
            if (saved.tables, saved.files) != (seen.tables, seen.files):
                raise BackupFault(ALTERED)
            await same_rows(connection, saved)
            for statement in FORGET_SESSIONS if forget else ():
                await connection.execute(statement)
        return saved
    except BaseException as exc:
        for path in written:
            path.unlink(missing_ok=True)
        if isinstance(exc, asyncpg.PostgresError):  # its text holds the row
            raise BackupFault(f"Postgres a refusé une ligne (code {exc.sqlstate}) : la base reste vide.") from None
        raise
    finally:
        await connection.close()


async def same_rows(connection: asyncpg.Connection, saved: Saved) -> None:
    """Raises BackupFault naming the first table that does not give back what the manifest says."""
    for name, why in await differences(connection, saved):
        raise BackupFault(f"La table {name} ne rend pas ce qui a été sauvegardé ({why}).")


async def differences(connection: asyncpg.Connection, saved: Saved) -> list[tuple[str, str]]:
    found = []
    here = {table.name: table for table in await tables.tables(connection)}
    for name, expected in saved.tables.items():
        told = await tables.stream(connection, here[name])
        if told.rows != expected["rows"]:
            found.append((name, f"{told.rows} lignes au lieu de {expected['rows']}"))
        elif told.sha256 != expected["sha256"]:
            found.append((name, "une ligne est différente"))
    return found


async def _table(
    connection: asyncpg.Connection,
    source: Reader,
    here: dict[str, tables.Table],
    told: dict[str, Any],
    seen: Saved,
    progress: Callable[[str], None],
) -> None:
    table = here.get(told["name"])
    if table is None or set(table.columns) != set(told["columns"]):
        raise BackupFault(
            f"La table {told['name']} de cette sauvegarde n'est pas une table de dui-serveur : "
            "elle avait été ajoutée ou changée à la main. Restaurez-la à part."
        )
    progress(table.name)
    ended: dict[str, Any] = {}

    async def rows() -> AsyncIterator[bytes]:
        for data in _until_end(source, ended):
            yield data

    loaded = await tables.load(connection, tables.Table(table.name, tuple(told["columns"]), table.key), rows())
    if (loaded.rows, loaded.sha256) != (ended.get("rows"), ended.get("sha256")):
        raise BackupFault(ALTERED)
    seen.tables[table.name] = ended


def _file(source: Reader, folder: Path, name: str, seen: Saved) -> Path:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise BackupFault(ALTERED)
    path, digest, ended = folder / inside, hashlib.sha256(), dict[str, Any]()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as out:
        for data in _until_end(source, ended):
            digest.update(data)
            out.write(data)
    if digest.hexdigest() != ended.get("sha256"):
        raise BackupFault(ALTERED)
    seen.files[name] = ended["sha256"]
    return path


async def _months(connection: asyncpg.Connection, months: list[dict[str, str]]) -> None:
    """The partitions that were there, so that no month stays in the default one for ever."""
    for told in months:
        parent, name, bound = told["parent"], told["name"], told["bound"]
        if not (tables.NAME.fullmatch(name) and parent in upkeep.PARTITIONED and BOUND.fullmatch(bound)):
            raise BackupFault(ALTERED)
        if await connection.fetchval("SELECT to_regclass($1)", name) is None:
            await connection.execute(f"CREATE TABLE {name} PARTITION OF {parent} {bound}")
            await connection.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
            await connection.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


async def _open_epoch(owner_url: str) -> int:
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            epoch = int(await connection.fetchval(NEXT_EPOCH))
            await connection.execute(f"ALTER TABLE audit_entry ALTER COLUMN epoch SET DEFAULT {epoch}")
        await upkeep.keep_up(connection)
        return epoch
    finally:
        await connection.close()


def _frames(source: Reader) -> Iterator[tuple[bytes, bytes]]:
    """Down to the manifest, which is the last. What a table or a file holds is read by whoever handles it."""
    while True:
        tag, told = _frame(source)
        if tag not in (HELLO, TABLE, FILE, MANIFEST):
            raise BackupFault(ALTERED)
        yield tag, told
        if tag == MANIFEST:
            return


def _until_end(source: Reader, ended: dict[str, Any]) -> Iterator[bytes]:
    while True:
        tag, told = _frame(source)
        if tag == END:
            ended |= json.loads(told)
            return
        if tag != DATA:
            raise BackupFault(ALTERED)
        yield told


def _frame(source: Reader) -> tuple[bytes, bytes]:
    head = source.read(5)
    length = int.from_bytes(head[1:])
    if length > FRAME_MOST:
        raise BackupFault(ALTERED)
    return head[:1], source.read(length)
