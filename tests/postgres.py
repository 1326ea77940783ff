"""The tests' Postgres: a throw-away cluster, migrated once into a template, cloned for whoever asks."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from app.kernel import migrations, postgres
from app.kernel.engine import Engine, find
from app.kernel.roles import DATABASE, OWNER

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A database of one's own. `superuser_url` is for faults that no role of ours could make."""

    __test__ = False
    name: str
    owner_url: str
    app_url: str
    sealer_url: str
    superuser_url: str


def chosen_engine() -> Engine:
    """The wheel's, or the one of `DUI_TEST_PG`; skips when this machine has none of that version."""
    asked = os.environ.get("DUI_TEST_PG")
    if not asked:
        return find()
    folder = Path(f"/usr/lib/postgresql/{asked}/bin")
    if not (folder / "postgres").exists():
        pytest.skip(f"PostgreSQL {asked} is not installed here (apt-get install postgresql-{asked}).")
    return Engine(folder, int(asked))


@contextmanager
def cluster() -> Iterator[postgres.Server]:
    folder = Path(tempfile.mkdtemp(prefix="dui-test-"))
    folder.chmod(0o711)  # as root, Postgres runs under another account: it must go through here
    try:
        server = postgres.start(folder, engine=chosen_engine(), throwaway=True)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def migrated(server: postgres.Server) -> str:
    """The database every clone starts from: all migrations, no row."""
    migrations.upgrade(server.owner_url)
    return DATABASE


@contextmanager
def clone(server: postgres.Server, template: str | None) -> Iterator[TestDatabase]:
    """`template` None: an empty database, for the tests of migrations."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    source = f"TEMPLATE {template}" if template else ""
    ask(
        server.superuser_url,
        f"CREATE DATABASE {name} OWNER {OWNER} {source}",
        f"REVOKE TEMP ON DATABASE {name} FROM PUBLIC",
    )
    urls = (server.owner_url, server.app_url, server.sealer_url)
    owner, app, sealer = (url.replace(f"@/{DATABASE}?", f"@/{name}?") for url in urls)
    try:
        yield TestDatabase(name, owner, app, sealer, server.superuser_url.replace("@/postgres?", f"@/{name}?"))
    finally:
        ask(server.superuser_url, f"DROP DATABASE {name} WITH (FORCE)")


def free_port() -> int:
    """One that nothing listens to, for a process of its own."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ask(url: str, *statements: str) -> object:
    """Run each statement outside of any transaction; the first value of the last one."""

    async def main() -> object:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(main())
