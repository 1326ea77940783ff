"""A real house under load: a durable Postgres, the server as its own process, nurses who write and read without pause.

Only what these fixtures started is ever killed, by its number.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import asyncpg
import httpx2

from app.audit import sealer, verify
from app.kernel import migrations, postgres
from app.kernel.roles import DATABASE
from tests.postgres import TestDatabase, ask, chosen_engine, free_port
from tests.world import ORIGIN, Headers, World
from tests.world import world as make_world

WRITERS = 4
READY_WITHIN = 60.0  # seconds, on a loaded machine
NOTES = "/api/v1/transmissions"


@dataclass
class House:
    folder: Path
    server: postgres.Server
    world: World
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Of whatever is typed in this house."""
        w = self.world
        told = {
            "DATABASE_URL": w.database.app_url,
            "OWNER_DATABASE_URL": w.database.owner_url,
            "SEALER_DATABASE_URL": w.database.sealer_url,
            "KEY_FILE": str(w.folder / "keys.json"),
            "DATA": str(w.folder),
            "DEMO": "1",
            "POOL_SIZE": "4",
            "PUBLIC_ORIGINS": f"{ORIGIN},{self.origin}",
        }
        return {**os.environ, **{f"DUI_{name}": value for name, value in told.items()}}

    def open(self) -> None:
        """Start the application, and wait until it answers."""
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)]
        with (self.folder / "app.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        self.wait()

    def wait(self) -> None:
        last = time.monotonic() + READY_WITHIN
        while time.monotonic() < last:
            if self.process is not None and self.process.poll() is not None:
                break
            with suppress(httpx2.HTTPError):
                if httpx2.get(f"{self.origin}/readyz", timeout=2).status_code == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError((self.folder / "app.log").read_text()[-2000:])

    def kill(self) -> None:
        """kill -9 of the application."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster; what it leaves behind is for the next start."""
        cluster = Path(str(ask(self.server.superuser_url, "SHOW data_directory")))
        os.kill(int((cluster / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def start_postgres(self) -> None:
        postgres.start(self.folder / "base", engine=chosen_engine())

    def restart_postgres(self) -> None:
        """As an administrator does, in the middle of the day."""
        self.server.stop()
        self.start_postgres()


@dataclass
class Load:
    """What was asked, and what was acknowledged, until told to stop."""

    house: House
    bearer: Headers
    body: dict[str, str]
    written: set[UUID] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._work) for _ in range(WRITERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def under_way(self) -> None:
        """Wait until more was acknowledged than now."""
        target, last = len(self.written) + WRITERS, time.monotonic() + READY_WITHIN
        while len(self.written) < target and time.monotonic() < last:
            time.sleep(0.01)
        if len(self.written) < target:
            raise RuntimeError(f"No work is under way: {self.statuses}.")

    def _work(self) -> None:
        with httpx2.Client(base_url=self.house.origin, headers=self.bearer, timeout=10) as client:
            while not self._stop.is_set():
                with suppress(httpx2.HTTPError):  # cut: nothing was acknowledged
                    self._once(client)
                    continue
                time.sleep(0.02)

    def _once(self, client: Any) -> None:
        answer = client.post(NOTES, json=self.body)
        self.statuses.add(answer.status_code)
        if answer.status_code != 201:
            time.sleep(0.02)
            return
        id = UUID(answer.json()["id"])
        self.written.add(id)
        answer = client.get(f"{NOTES}/{id}")
        self.statuses.add(answer.status_code)
        if answer.status_code == 200:
            self.read.add(answer.headers["x-request-id"])


def wrongs(house: House, load: Load) -> dict[str, int]:
    """What must never be, counted in the base by its owner."""

    async def count() -> dict[str, int]:
        owner = await asyncpg.connect(house.world.database.owner_url)
        try:
            rows = {r[0] for r in await owner.fetch("SELECT id FROM transmission")}
            versions = {
                r[0] for r in await owner.fetch("SELECT entry_id FROM entry_version WHERE kind = 'transmission'")
            }
            acts = "SELECT unnest(entry_ids) FROM audit_entry WHERE action = 'create' AND kind = 'transmission' AND outcome = 'success'"
            traced = [r[0] for r in await owner.fetch(acts)]
            reads = {r[0] for r in await owner.fetch("SELECT request_id FROM audit_entry WHERE action = 'read'")}
        finally:
            await owner.close()
        return {
            "acknowledged and lost": len(load.written - rows),
            "written without its version": len(rows - versions),
            "act without trace": len(rows - set(traced)),
            "trace without act": len(set(traced) - rows),
            "act traced twice": len(traced) - len(set(traced)),
            "read without trace": len(load.read - reads),
        }

    return asyncio.run(count())


def chain_holds(house: House) -> bool:
    """Once all is sealed."""

    async def check() -> bool:
        seals = await asyncpg.connect(house.world.database.sealer_url)
        try:
            while await sealer.seal_all(seals):
                pass
            return all([v.broken is None and not v.unsealed async for v in verify.verify_all(seals)])
        finally:
            await seals.close()

    return asyncio.run(check())


def load_of(house: House) -> Load:
    w = house.world
    body = {"usager_id": str(w.ids["jeanne"]), "structure_id": str(w.ids["ehpad"]), "text": "Bonjour."}
    return Load(house, w.bearers["sonia"], body)


@contextmanager
def a_house(folder: Path) -> Iterator[House]:
    folder.chmod(0o711)
    server = postgres.start(folder / "base", engine=chosen_engine())
    try:
        migrations.upgrade(server.owner_url)
        superuser = server.superuser_url.replace("@/postgres?", f"@/{DATABASE}?")
        database = TestDatabase(DATABASE, server.owner_url, server.app_url, server.sealer_url, superuser)
        with make_world(database, folder) as made:
            house = House(folder, server, made, free_port())
        try:
            house.open()
            yield house
        finally:
            house.kill()
    finally:
        postgres.stop(folder / "base")
