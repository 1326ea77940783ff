"""`dui keys rotate`: a new key, and everything sealed again under it in small batches, while requests are served.

Running servers follow the key file, so the new key is put there first and waited for; then each value goes from any
other key to the first. It may be killed anywhere: run again, it goes on with the same key. The index key does not
turn: an identifier received is kept as its fingerprint only, which nothing can compute again (docs/adr/0011).
"""

import asyncio
import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from app.kernel.crypto import FOLLOWED_EVERY, KEY_BYTES, KEY_ID_BYTES, MAGIC, KeyFault, Keyring, new_signing_pem

BATCH = 500  # rows of one short transaction
SETTLED = 2 * FOLLOWED_EVERY  # every running server has the new key by then
ROUNDS = 20  # a request in flight may still seal with the old key: what is left is looked for again
TOKENS_LAST = 24 * 3600  # seconds: longer than any token of ours
RETIRED = "retired-{}.json"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column sealed by the key file; `about` is the SQL of what it is about."""

    table: str
    column: str
    key: tuple[str, ...]
    about: str

    @property
    def others(self) -> str:
        """Rows not yet under the key $1; those that a request holds wait for the next round."""
        return (
            f"SELECT {', '.join(self.key)}, {self.column} AS value, {self.about} AS about FROM {self.table} "  # noqa: S608
            f"WHERE {self.column} IS NOT NULL AND substr({self.column}, 3, {KEY_ID_BYTES}) <> $1 "
            f"ORDER BY {', '.join(self.key)} LIMIT {BATCH} FOR UPDATE SKIP LOCKED"
        )

    @property
    def put(self) -> str:
        same = " AND ".join(f"{name} = ${n}" for n, name in enumerate(self.key, 2))
        return f"UPDATE {self.table} SET {self.column} = $1 WHERE {same}"  # noqa: S608


ID = ("organisation_id", "id")
SEALED = (
    Sealed("key_check", "sealed", ("id",), "'key_check'"),
    Sealed("usager_key", "wrapped", ("organisation_id", "usager_id"), "'usager_key:' || usager_id"),
    Sealed("usager_identifier", "sealed", ID, "'usager_identifier:' || id"),
    Sealed("exchange", "body_key", ID, "'usager_key:exchange:' || id"),
    Sealed("account_credential", "sealed", ("account_id", "kind"), "'totp:' || account_id"),
    Sealed("outside_party", "body", ID, "'outside_party:' || id"),
)
# A version remembers its row as it was, sealed value included: that one too must open without the old key.
REMEMBERED = {"usager_identifier": ("sealed", "usager_identifier:{}")}
VERSIONS = """SELECT v.organisation_id, v.entry_id, v.version, v.at, v.kind, v.snapshot, v.usager_id, k.wrapped
    FROM entry_version v JOIN usager_key k USING (organisation_id, usager_id)
    WHERE v.kind = ANY($1) AND (v.organisation_id, v.entry_id, v.version) > ($2, $3, $4)
    ORDER BY v.organisation_id, v.entry_id, v.version LIMIT $5"""
PUT_VERSION = (
    "UPDATE entry_version SET snapshot = $1 WHERE organisation_id = $2 AND entry_id = $3 AND version = $4 AND at = $5"
)
BYTES = """SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.atttypid = 'bytea'::regtype AND NOT a.attisdropped"""


@dataclass(frozen=True, slots=True)
class Turned:
    key: str
    values: int
    versions: int


async def rotate(owner_url: str, path: Path, *, settle: float = SETTLED, tell: Callable[[str], None]) -> Turned:
    """Raises KeyFault when the file does not open what is there, or when values stay under another key."""
    connection = await asyncpg.connect(owner_url)
    try:
        keyring = Keyring.load(path)
        if not await needed(connection, keyring):  # all under the first one: this is a new rotation, not one cut short
            keyring = _with_new_key(path)
        tell(f"Clé {keyring.current.hex()} : les serveurs la prennent.")
        await asyncio.sleep(settle)
        values = versions = 0
        for _ in range(ROUNDS):
            values += sum([await _turn(connection, keyring, column) for column in SEALED])
            versions += await _turn_versions(connection, keyring)
            if not await needed(connection, keyring):
                return Turned(keyring.current.hex(), values, versions)
            await asyncio.sleep(settle / ROUNDS)
        raise KeyFault("Des valeurs restent sous une ancienne clé : un serveur ne suit pas ce fichier. Relancez-le.")
    finally:
        await connection.close()


async def retire(owner_url: str, path: Path) -> list[Path]:
    """Take out of the file every key but the first, each put aside: a backup made with it needs it still.

    Raises KeyFault while anything of the base needs one.
    """
    connection = await asyncpg.connect(owner_url)
    try:
        keyring = Keyring.load(path)
        left = await needed(connection, keyring)
        if left:
            named = ", ".join(sorted({f"{table}.{column}" for table, column, _ in left}))
            raise KeyFault(f"Une ancienne clé sert encore ({named}) : lancez d'abord « dui keys rotate ».")
    finally:
        await connection.close()
    told = json.loads(path.read_text())
    put_aside = []
    for key in told["keys"][1:]:
        aside = path.with_name(RETIRED.format(key["id"]))
        _write(aside, {**told, "keys": [key]})
        put_aside.append(aside)
    _write(path, {**told, "keys": told["keys"][:1]})
    return put_aside


def resign(path: Path, *, leaked: bool = False) -> str:
    """A new key for tokens, first in the file; its kid. The others check for `TOKENS_LAST` more, or no token at all when
    one leaked; they stay in the file, by which the heads they signed are checked. Raises KeyFault.
    """
    Keyring.load(path)
    told, end = json.loads(path.read_text()), time.time() + (0 if leaked else TOKENS_LAST)
    new = {"kid": secrets.token_hex(KEY_ID_BYTES), "pem": new_signing_pem()}
    old = [{**key, "until": min(end, key.get("until", end))} for key in told["signing"]]
    _write(path, {**told, "signing": [new, *old]})
    return new["kid"]


async def needed(connection: asyncpg.Connection, keyring: Keyring) -> list[tuple[str, str, int]]:
    """Where a key other than the first is still needed: table, column, how many values.

    Asked of every column of bytes there is, listed above or not, by the first bytes of a sealed value.
    """
    others = [MAGIC + id for id in keyring.keys if id != keyring.current]
    found = []
    for table, column in await connection.fetch(BYTES) if others else []:
        head = f"substr({column}, 1, {len(MAGIC) + KEY_ID_BYTES}) = ANY($1)"
        count = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {head}", others)  # noqa: S608
        if count:
            found.append((table, column, count))
    if others and not found and await _turn_versions(connection, keyring, count_only=True):
        found.append(("entry_version", "snapshot", 1))
    return found


async def _turn(connection: asyncpg.Connection, keyring: Keyring, sealed: Sealed) -> int:
    turned = 0
    while True:
        async with connection.transaction():
            rows = await connection.fetch(sealed.others, keyring.current)
            for row in rows:
                value = keyring.seal(keyring.open(row["value"], row["about"]), row["about"])
                await connection.execute(sealed.put, value, *(row[name] for name in sealed.key))
        turned += len(rows)
        if len(rows) < BATCH:
            return turned


async def _turn_versions(connection: asyncpg.Connection, keyring: Keyring, *, count_only: bool = False) -> int:
    """All of them are opened each time: what is inside cannot be seen from outside."""
    turned, last = 0, _before_all()
    while rows := await connection.fetch(VERSIONS, list(REMEMBERED), *last, BATCH):
        async with connection.transaction():
            for row in rows:
                again = _remembered(keyring, row)
                turned += again is not None
                if again and not count_only:
                    which = (row["organisation_id"], row["entry_id"], row["version"], row["at"])
                    await connection.execute(PUT_VERSION, again, *which)
        last = (rows[-1]["organisation_id"], rows[-1]["entry_id"], rows[-1]["version"])
    return turned


def _remembered(keyring: Keyring, row: asyncpg.Record) -> bytes | None:
    """The snapshot with its value under the first key; None when it already is."""
    column, about = REMEMBERED[row["kind"]]
    bound, usager = f"{row['kind']}:{row['entry_id']}:{row['version']}", str(row["usager_id"])
    key = keyring.usager_key(row["wrapped"], usager)
    snapshot: dict[str, Any] = orjson.loads(key.open(row["snapshot"], bound))
    held = bytes.fromhex((snapshot.get(column) or "\\x")[2:])
    if not held or held[len(MAGIC) :][:KEY_ID_BYTES] == keyring.current:
        return None
    named = about.format(row["entry_id"])
    snapshot[column] = "\\x" + keyring.seal(keyring.open(held, named), named).hex()
    return key.seal(orjson.dumps(snapshot), bound)


def _before_all() -> tuple[Any, ...]:
    nil = "00000000-0000-0000-0000-000000000000"
    return (nil, nil, 0)


def _with_new_key(path: Path) -> Keyring:
    told = json.loads(path.read_text())
    new = {"id": secrets.token_hex(KEY_ID_BYTES), "key": secrets.token_hex(KEY_BYTES)}
    _write(path, {**told, "keys": [new, *told["keys"]]})
    return Keyring.load(path)


def _write(path: Path, told: dict[str, Any]) -> None:
    """On the disk before it has its name: half a key file is a lost base."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(told, out)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
