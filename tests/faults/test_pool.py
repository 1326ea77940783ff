"""Every connection busy, or Postgres mute: who comes next waits a while, then hears when to come back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import pytest

from app.audit import sealer
from app.kernel.db import Database
from app.kernel.hot import HotLane
from tests.world import World

HELD, MORE = 4, 3  # connections of each pool in the world of tests, and who comes too many
ASKS: dict[str, Callable[[World], Any]] = {
    "read": lambda w: w.get("sonia", f"/api/v1/usagers/{w.ids['jeanne']}"),
    "write": lambda w: w.post(
        "sonia",
        "/api/v1/transmissions",
        {"usager_id": str(w.ids["jeanne"]), "structure_id": str(w.ids["ehpad"]), "text": "Bonjour."},
    ),
}


@pytest.mark.threat("fault-pool-exhausted")
@pytest.mark.parametrize(("kind", "done"), [("read", 200), ("write", 201)])
def test_who_comes_too_many_hears_when_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, done: int
) -> None:
    monkeypatch.setattr("app.kernel.hot.PATIENCE", 1.0)
    monkeypatch.setattr(world.client.app.state.database.engine.sync_engine.pool, "_timeout", 1.0)
    ask = ASKS[kind]
    assert ask(world).status_code == done

    async def asked_while_locked() -> list[tuple[int, bool]]:
        owner = await asyncpg.connect(world.database.owner_url)
        with ThreadPoolExecutor(HELD + MORE) as pool:
            async with owner.transaction():
                await owner.execute("LOCK TABLE usager IN ACCESS EXCLUSIVE MODE")
                asked = [pool.submit(ask, world) for _ in range(HELD + MORE)]
                while sum(each.done() for each in asked) < MORE:
                    await asyncio.sleep(0.05)
            answers = [await asyncio.to_thread(each.result) for each in asked]
        await owner.close()
        return sorted((answer.status_code, "retry-after" in answer.headers) for answer in answers)

    assert asyncio.run(asyncio.wait_for(asked_while_locked(), 60)) == [(done, False)] * HELD + [(503, True)] * MORE


class TestMute:
    """Postgres, or what stands before it, takes the call and says nothing."""

    @pytest.fixture
    async def mute(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
        for module in ("db", "hot"):
            monkeypatch.setattr(f"app.kernel.{module}.PATIENCE", 0.2)
        monkeypatch.setattr(sealer, "PATIENCE", 0.2)
        over = asyncio.Event()

        async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        yield f"postgresql://dui@127.0.0.1:{server.sockets[0].getsockname()[1]}/dui?sslmode=disable"
        over.set()
        server.close()
        await server.wait_closed()

    @pytest.mark.threat("fault-postgres-away")
    async def test_the_lane_waits_a_while_only(self, mute: str) -> None:
        async with asyncio.timeout(10):
            with pytest.raises(TimeoutError):
                await HotLane(mute, 1).open()

    @pytest.mark.threat("fault-postgres-away")
    async def test_so_do_writes(self, mute: str) -> None:
        database = Database(mute, 1)
        async with asyncio.timeout(10):
            with pytest.raises(TimeoutError):
                async with database.session(None) as session:
                    await session.connection()
        await database.close()

    @pytest.mark.threat("fault-sealer-cut")
    async def test_and_the_sealer_which_tries_again(self, mute: str) -> None:
        stop = asyncio.Event()
        sealing = asyncio.create_task(sealer.run(mute, stop))
        await asyncio.sleep(0.5)
        stop.set()
        async with asyncio.timeout(10):
            await sealing
