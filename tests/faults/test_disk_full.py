"""The disk fills in the middle of the work: nothing acknowledged is lost, and once there is room all goes on.

A file system of its own, small, which root alone may mount: skipped elsewhere.
"""

import asyncio
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from tests.faults.house import READY_WITHIN, House, Load, a_house, chain_holds, load_of, wrongs
from tests.postgres import ask

pytestmark = pytest.mark.once

SIZE = "160m"  # a fresh house takes 50, and its journal may take 80
MANY, BLOCK = 1024 * 1024, 4096
QUIET = 3.0  # seconds without a note: refused


@pytest.fixture
def small() -> Iterator[Path]:
    """A folder with little room, where the account of Postgres may go."""
    folder = Path(tempfile.mkdtemp(prefix="dui-small-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        pytest.skip("a disk to fill needs the right to mount one (root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # this process still holds its locks there
        folder.rmdir()


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Not a byte left, nor of what Postgres frees meanwhile."""
    ballast, over, full = folder / "ballast", threading.Event(), threading.Event()

    def fill() -> None:
        with ballast.open("wb", buffering=0) as file:
            while not over.wait(0.02):
                for size in (MANY, BLOCK):
                    with suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
                full.set()

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        full.wait(READY_WITHIN)
        yield
    finally:
        over.set()
        filling.join()
        ballast.unlink()


def refusing(load: Load) -> None:
    """Wait until no more is acknowledged."""
    last = time.monotonic() + READY_WITHIN
    while time.monotonic() < last:
        before = len(load.written)
        time.sleep(QUIET)
        if len(load.written) == before:
            return
    raise RuntimeError("The disk is full, and notes are still kept.")


def new_journal(house: House) -> None:
    """The journal of Postgres needs a file more: it can only stop, and again while it recovers."""

    async def switch() -> None:
        superuser = await asyncpg.connect(house.server.superuser_url, timeout=10)
        try:
            for _ in range(20):  # those kept ready are used up
                await superuser.execute("SELECT pg_logical_emit_message(true, 'a', 'b'); SELECT pg_switch_wal()")
        finally:
            superuser.terminate()

    with pytest.raises((asyncpg.PostgresError, OSError)):
        asyncio.run(switch())


@pytest.mark.threat("fault-disk-full")
@pytest.mark.parametrize("journal", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_full_disk_loses_nothing_and_is_left_behind(small: Path, journal: bool) -> None:
    """Rows have no room; or even Postgres' own journal has none, and Postgres stops in the middle of the work."""
    with a_house(small) as house:
        assert str(ask(house.server.superuser_url, "SHOW data_directory")).startswith(str(small))
        with load_of(house) as load:
            load.under_way()
            with filled(small):
                if journal:
                    new_journal(house)
                refusing(load)
                kept = len(load.written)
            house.start_postgres()  # as an administrator does, where Postgres itself gave up
            house.wait()
            load.under_way()
        assert len(load.written) > kept > 0
        assert 503 in load.statuses <= {200, 201, 503}
        assert not any(wrongs(house, load).values()), wrongs(house, load)
        assert chain_holds(house)
