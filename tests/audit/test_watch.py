"""A seal that is late is said: a figure, a line in the log, a word in /readyz."""

import asyncio
import time

import pytest

from app.audit.sealer import run, seal_all
from app.audit.watch import Watch
from tests.audit.conftest import HERE, LINE, Connect
from tests.postgres import TestDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.threat("trail-seal-late")]


async def until(holds: object) -> None:
    for _ in range(200):
        if holds():  # type: ignore[operator]
            return
        await asyncio.sleep(0.05)


def test_silent_it_ages():
    watch = Watch(late=0.01)
    assert watch.words() == []
    time.sleep(0.02)
    assert (watch.is_late, watch.words()) == (True, ["seal_late"])
    watch.saw(0)
    assert watch.words() == []


def test_a_line_of_the_future_is_not_late():
    watch = Watch()
    watch.saw(-3600.0)
    assert 0 <= watch.lag() < 1


async def test_a_transaction_left_open_holds_back_every_seal_and_shows(chained: TestDatabase, connect: Connect):
    """Nothing may be sealed beyond it: the age of what waits tells, where a count of seals would say all is well."""
    slow, app = await connect(chained.app_url), await connect(chained.app_url)
    sealer, watch = await connect(chained.sealer_url), Watch(late=0.05)
    left_open = slow.transaction()
    await left_open.start()
    await slow.execute(LINE, HERE, 1)
    await app.execute(LINE, HERE, 1)
    await asyncio.sleep(0.1)
    assert await seal_all(sealer, watch) == 0
    assert watch.is_late
    await left_open.commit()
    assert await seal_all(sealer, watch) == 2
    assert await seal_all(sealer, watch) == 0
    assert watch.words() == []


async def test_one_line_when_it_falls_behind_one_when_it_has_caught_up(
    chained: TestDatabase, connect: Connect, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.audit.watch.LOOK", 0.02)
    stop, watch, owner = asyncio.Event(), Watch(late=1.0), await connect(chained.owner_url)
    running = asyncio.create_task(run(chained.sealer_url, stop, watch))
    async with owner.transaction():
        await owner.execute("LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE")  # the sealer waits, and says nothing
        await until(lambda: "seal_late" in caplog.messages)
        assert watch.words() == ["seal_late"]
    await until(lambda: "seal_caught_up" in caplog.messages)
    stop.set()
    await running
    assert [m for m in caplog.messages if m.startswith("seal_")] == ["seal_late", "seal_caught_up"]


async def test_another_cluster_is_said_once_until_the_base_knows_it(
    chained: TestDatabase, connect: Connect, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.audit.sealer.EVERY", 0.02)
    owner, stop, watch = await connect(chained.owner_url), asyncio.Event(), Watch()
    [here] = await owner.fetchrow("SELECT cluster FROM cluster_epoch")
    await owner.execute("UPDATE cluster_epoch SET cluster = 'elsewhere'")
    running = asyncio.create_task(run(chained.sealer_url, stop, watch))
    await until(lambda: "another_cluster" in watch.words())
    await asyncio.sleep(0.2)
    assert caplog.messages.count("sealer_another_cluster") == 1
    await owner.execute("UPDATE cluster_epoch SET cluster = $1", here)
    await until(lambda: watch.words() == [])
    stop.set()
    await running
    assert watch.words() == []
