"""Every connection busy: who comes next waits a while, then hears when to come back; those who held one are served."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from tests.world import World

HELD, MORE = 4, 3  # connections of the hot lane in the world of tests, and who comes too many


@pytest.mark.threat("fault-pool-exhausted")
def test_who_comes_too_many_hears_when_to_come_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.kernel.hot.PATIENCE", 1.0)
    path = f"/api/v1/usagers/{world.ids['jeanne']}"
    assert world.get("sonia", path).status_code == 200

    async def asked_while_locked() -> list[tuple[int, bool]]:
        owner = await asyncpg.connect(world.database.owner_url)
        with ThreadPoolExecutor(HELD + MORE) as pool:
            async with owner.transaction():
                await owner.execute("LOCK TABLE usager IN ACCESS EXCLUSIVE MODE")
                asked = [pool.submit(world.get, "sonia", path) for _ in range(HELD + MORE)]
                while sum(each.done() for each in asked) < MORE:
                    await asyncio.sleep(0.05)
            answers = [await asyncio.to_thread(each.result) for each in asked]
        await owner.close()
        return sorted((answer.status_code, "retry-after" in answer.headers) for answer in answers)

    assert asyncio.run(asyncio.wait_for(asked_while_locked(), 60)) == [(200, False)] * HELD + [(503, True)] * MORE
