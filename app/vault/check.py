"""`dui restore --check`: the backup restored into a server thrown away afterwards, and everything asked again of it.

Counts and fingerprints of each table, each document, every link of the chain, and what a sample of callers may read,
this time as the application, row-level security included. The report is signed with the server's key (ES256).
"""

import asyncio
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from app.access import sample
from app.access.sample import Asked
from app.audit import verify
from app.kernel import clock, postgres, revisions
from app.kernel.crypto import KeyFault, Keyring
from app.vault import restore, tables
from app.vault.backup import DOCUMENTS, MADE_BY, Saved

DOMAIN = b"dui-restore-report\n"  # no token is signed over bytes that begin so


@dataclass(frozen=True, slots=True)
class Report:
    """What was compared, and what is wrong: nothing, when the backup can be trusted."""

    file: str
    sha256: str
    saved_at: str
    checked_at: str
    checked_by: str
    revision: str
    tables: int
    rows: int
    files: int
    chains: int
    links: int
    callers: int
    questions: int
    wrong: list[str]

    @property
    def holds(self) -> bool:
        return not self.wrong


def check(
    path: Path,
    keyring: Keyring,
    *,
    scratch: Path | None = None,
    passphrase: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """`scratch`: where the throw-away server lies (it needs the room of the base). Raises BackupFault, PostgresFault."""
    folder = Path(tempfile.mkdtemp(prefix="dui-check-", dir=scratch))
    folder.chmod(0o711)  # as root, Postgres runs under another account: it must go through here
    try:
        server = postgres.start(folder, throwaway=True)
        try:
            saved = restore.load(server.owner_url, path, keyring, folder, passphrase=passphrase, progress=progress)
            return prove(server.owner_url, server.app_url, path, saved, keyring, folder / DOCUMENTS)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prove(owner_url: str, app_url: str, path: Path, saved: Saved, keyring: Keyring, documents: Path) -> Report:
    """Of a base just loaded, not yet finished: what it gives back, compared with what the manifest says."""
    wrong = asyncio.run(_rows(owner_url, saved)) + _documents(documents, saved) + asyncio.run(_lost(owner_url, saved))
    restore.finish(owner_url)
    links, broken = asyncio.run(_chains(owner_url, saved))
    questions, unlike = asyncio.run(_access(owner_url, app_url, saved))
    return Report(
        file=path.name,
        sha256=_sha256(path),
        saved_at=saved.at,
        checked_at=clock.now().isoformat(),
        checked_by=MADE_BY,
        revision=saved.revision,
        tables=len(saved.tables),
        rows=saved.rows,
        files=len(saved.files),
        chains=len(saved.heads),
        links=links,
        callers=len(saved.callers),
        questions=questions,
        wrong=wrong + broken + asyncio.run(_keys(owner_url, keyring)) + unlike,
    )


def signed(report: Report, keyring: Keyring) -> str:
    """The report as it is written beside the backup: its text, the key's name, the signature of the text."""
    text = json.dumps(asdict(report), ensure_ascii=False, sort_keys=True)
    kid, signature = keyring.sign(DOMAIN + text.encode())
    return json.dumps({"report": text, "kid": kid, "signature": signature.hex()}, ensure_ascii=False, indent=1)


def read_signed(told: str, keyring: Keyring) -> dict[str, Any]:
    """Raises KeyFault when the text is not what this server signed."""
    said = json.loads(told)
    keyring.check_signature(str(said["kid"]), DOMAIN + str(said["report"]).encode(), bytes.fromhex(said["signature"]))
    report: dict[str, Any] = json.loads(said["report"])
    return report


async def _rows(owner_url: str, saved: Saved) -> list[str]:
    connection = await asyncpg.connect(owner_url, server_settings=tables.SETTINGS)
    try:
        return [f"table {name} : {why}" for name, why in await restore.differences(connection, saved)]
    finally:
        await connection.close()


def _documents(folder: Path, saved: Saved) -> list[str]:
    return [f"document {name} : différent" for name, told in saved.files.items() if _sha256(folder / name) != told]


async def _lost(owner_url: str, saved: Saved) -> list[str]:
    """Of a base whose documents lie in a folder, saved with it: a row that names a file which is not there."""
    connection = await asyncpg.connect(owner_url)
    try:
        since = await connection.fetchval("SELECT to_regclass('content') IS NOT NULL")  # a backup of before has none
        named = "SELECT object FROM content WHERE object IS NOT NULL ORDER BY object"
        rows = await connection.fetch(named) if since else []
    finally:
        await connection.close()
    lost = [row["object"] for row in rows if row["object"] not in saved.files]
    return [f"document {name} : sa ligne est là, pas son fichier" for name in lost if len(lost) < len(rows)]


async def _chains(owner_url: str, saved: Saved) -> tuple[int, list[str]]:
    connection = await asyncpg.connect(owner_url)
    try:
        seen = {str(v.organisation_id): v async for v in verify.verify_all(connection)}
    finally:
        await connection.close()
    wrong = [f"chaîne {id} : rompue au maillon {v.broken} ({v.why})" for id, v in seen.items() if v.broken is not None]
    other = [id for id, head in saved.heads.items() if id not in seen or seen[id].head.hex() != head["hash"]]
    wrong += [f"chaîne {id} : la tête n'est pas celle de la sauvegarde" for id in other if id not in str(wrong)]
    return sum(v.links for v in seen.values()), wrong


async def _keys(owner_url: str, keyring: Keyring) -> list[str]:
    """The key file opens what is there: one person's key of each organisation is tried."""
    connection = await asyncpg.connect(owner_url)
    query = (
        "SELECT DISTINCT ON (organisation_id) usager_id, wrapped FROM usager_key ORDER BY organisation_id, usager_id"
    )
    try:
        rows = await connection.fetch(query)
    finally:
        await connection.close()
    try:
        for row in rows:
            keyring.usager_key(row["wrapped"], str(row["usager_id"]))
    except KeyFault as exc:
        return [f"clés : {exc}"]
    return []


async def _access(owner_url: str, app_url: str, saved: Saved) -> tuple[int, list[str]]:
    """As the application. A backup of another version may rightly be read otherwise: it is not compared."""
    if saved.revision != revisions.head():
        return 0, []
    at = datetime.fromisoformat(saved.at)
    asked = [Asked(**told) for told in saved.callers]
    owner = await asyncpg.connect(owner_url)
    app = await asyncpg.connect(app_url, server_settings=tables.SETTINGS)
    try:
        session = await sample.open_session(owner, at)
        now = await sample.ask(app, asked, session, at.astimezone(clock.PARIS).date(), at)
    except asyncpg.PostgresError as exc:
        return 0, [f"accès : l'application ne peut pas lire (code {exc.sqlstate})"]
    finally:
        await app.close()
        await owner.close()
    wrong = [
        f"accès de {before.role or before.kind} à {kind} : {after.reads.get(kind, ['rien'])[0]} lignes au lieu de {told[0]}"
        for before, after in zip(asked, now, strict=True)
        for kind, told in before.reads.items()
        if after.reads.get(kind) != told
    ]
    return sum(len(each.reads) for each in now), wrong


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError:
        return ""
