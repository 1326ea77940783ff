"""The chain finds what was changed after the seal, and skips nothing that was running during it."""

import asyncio

import asyncpg
import pytest

from app.audit import upkeep
from app.audit.lines import GENESIS
from app.audit.sealer import WAITING, NewCluster, run, seal, seal_all
from app.audit.verify import verify, verify_all
from app.kernel.db import NIL
from tests.audit.conftest import HERE, LINE, Both, Connect
from tests.postgres import TestDatabase

pytestmark = pytest.mark.anyio
FORGED = """INSERT INTO audit_entry (organisation_id, id, at, epoch, xid, principal_kind, action, kind, entry_ids, outcome,
        door, request_id)
    SELECT organisation_id, gen_random_uuid(), at, epoch, xid, principal_kind, action, kind, entry_ids, outcome, door,
        request_id FROM audit_entry ORDER BY xid LIMIT 1"""
FIRST = "(SELECT id FROM audit_entry ORDER BY xid, id LIMIT 1)"
ELSEWHERE = """INSERT INTO audit_entry (organisation_id, epoch, xid, principal_kind, action, kind, entry_ids, outcome, door,
        request_id) VALUES ((SELECT organisation_id FROM audit_seal LIMIT 1), {}, '{}', 'x', 'x', 'x', '{{}}', 'x', 'x', 'x')"""


async def test_an_untouched_chain_holds(chained: TestDatabase, connect: Connect, both: Both):
    verdict = await both(await connect(chained.owner_url))
    assert (verdict.links, verdict.lines, verdict.unsealed, verdict.broken) == (3, 1504, 0, None)
    assert (verdict.head != GENESIS, verdict.clock) == (True, None)


@pytest.mark.threat("trail-changed-by-the-owner")
@pytest.mark.parametrize(
    ("act", "at", "why"),
    [
        (f"UPDATE audit_entry SET outcome = 'refused' WHERE id = {FIRST}", 1, "modifié"),
        (f"UPDATE audit_entry SET request_id = 'e' WHERE id = {FIRST}", 1, "modifié"),
        (f"UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE id = {FIRST}", 1, "modifié"),
        ("DELETE FROM audit_entry WHERE id = (SELECT id FROM audit_entry ORDER BY xid DESC LIMIT 1)", 3, "retirées"),
        (FORGED, 1, "retirées"),
        (ELSEWHERE.format(0, 7), 1, "aucun maillon"),
        (ELSEWHERE.format(9, 7), 3, "aucun maillon"),
        ("DELETE FROM audit_seal WHERE number = 2", 2, "manque"),
        ("UPDATE audit_seal SET hash = sha256('x') WHERE number = 3", 3, "modifié"),
        ("UPDATE audit_seal SET cluster = 'x' WHERE number = 1", 1, "modifié"),
        ("UPDATE audit_seal SET from_xid = from_xid + 1 WHERE number = 3", 3, "précédent"),
    ],
)
async def test_a_change_by_the_owner_is_found(
    chained: TestDatabase, connect: Connect, both: Both, act: str, at: int, why: str
):
    owner = await connect(chained.owner_url)
    await owner.execute(act)
    verdict = await both(owner)
    assert verdict.broken == at
    assert why in str(verdict.why)


@pytest.mark.threat("trail-clock-set-back")
async def test_a_clock_set_back_breaks_nothing_and_is_told(chained: TestDatabase, connect: Connect, both: Both):
    owner, app = await connect(chained.owner_url), await connect(chained.app_url)
    await upkeep.keep_up(owner)
    await owner.execute("ALTER TABLE audit_entry ALTER at SET DEFAULT clock_timestamp() - interval '400 days'")
    await app.execute(LINE, HERE, 2)
    assert await seal_all(await connect(chained.sealer_url)) == 2
    verdict = await both(owner)
    assert (verdict.broken, verdict.lines, verdict.clock) == (None, 1506, 4)


@pytest.mark.threat("trail-changed-by-the-app", "trail-backdated")
@pytest.mark.parametrize(
    "act",
    [
        "UPDATE audit_entry SET outcome = 'refused'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "DELETE FROM audit_seal",
        "INSERT INTO audit_seal SELECT * FROM audit_seal",
        "INSERT INTO audit_entry (organisation_id, xid) VALUES (gen_random_uuid(), '3')",
        "INSERT INTO audit_entry (organisation_id, at) VALUES (gen_random_uuid(), now())",
        "INSERT INTO audit_entry (organisation_id, epoch) VALUES (gen_random_uuid(), 2)",
    ],
)
async def test_the_application_may_not(chained: TestDatabase, connect: Connect, act: str):
    app = await connect(chained.app_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):  # not only out of its tenant
        await app.execute(act)


@pytest.mark.threat("trail-line-behind-the-seal")
async def test_a_line_still_running_during_the_seal_is_in_the_next_link(chained: TestDatabase, connect: Connect):
    slow, fast = await connect(chained.app_url), await connect(chained.app_url)
    sealer = await connect(chained.sealer_url)
    running = slow.transaction()
    await running.start()
    await slow.execute(LINE, HERE, 1)  # takes its number first, commits last
    await fast.execute(LINE, HERE, 2)
    assert await seal(sealer, HERE) == 0  # nothing beyond the slow one
    await running.commit()
    assert await seal(sealer, HERE) == 3
    assert (await verify(sealer, HERE)).broken is None


@pytest.mark.threat("trail-forked")
async def test_two_sealers_at_once_never_fork(chained: TestDatabase, connect: Connect):
    app = await connect(chained.app_url)
    sealers = [await connect(chained.sealer_url) for _ in range(4)]
    for _ in range(5):
        await app.execute(LINE, HERE, 3)
        await asyncio.gather(*(seal_all(s) for s in sealers))
    assert (await verify(sealers[0], HERE)).broken is None
    assert (await verify(sealers[0], HERE)).unsealed == 0


async def test_a_refusal_before_any_organisation_is_sealed_too(chained: TestDatabase, connect: Connect):
    app, sealer = await connect(chained.app_url), await connect(chained.sealer_url)
    await app.execute("SELECT set_config('dui.organisation', $1, false)", str(NIL))
    await app.execute(LINE, NIL, 1)
    assert await seal_all(sealer) == 1
    assert {v.organisation_id async for v in verify_all(sealer)} == {NIL, HERE}


class TestAnotherCluster:
    """After a restore, transaction numbers begin again."""

    @pytest.mark.threat("trail-restored-elsewhere")
    async def test_nothing_is_sealed_before_the_owner_says_so(self, chained: TestDatabase, connect: Connect):
        owner, sealer = await connect(chained.owner_url), await connect(chained.sealer_url)
        await owner.execute("UPDATE cluster_epoch SET cluster = 'elsewhere'")
        with pytest.raises(NewCluster):
            await seal_all(sealer)

    async def test_a_new_epoch_opens_and_holds_on_to_the_old_head(
        self, chained: TestDatabase, connect: Connect, both: Both
    ):
        owner, app = await connect(chained.owner_url), await connect(chained.app_url)
        sealer = await connect(chained.sealer_url)
        await owner.execute("UPDATE cluster_epoch SET cluster = 'elsewhere'")
        await upkeep.keep_up(owner)
        await app.execute(LINE, HERE, 2)
        assert await seal(sealer, HERE) == 2
        verdict = await both(owner)
        assert (verdict.broken, verdict.links, verdict.lines) == (None, 4, 1506)
        await owner.execute("UPDATE audit_seal SET hash = sha256('x') WHERE number = 3")
        assert (await both(owner)).broken == 3

    async def test_lines_without_a_seal_when_the_cluster_fell_are_sealed_first(
        self, chained: TestDatabase, connect: Connect, both: Both
    ):
        owner, app = await connect(chained.owner_url), await connect(chained.app_url)
        sealer = await connect(chained.sealer_url)
        await app.execute(LINE, HERE, 5)
        await owner.execute("UPDATE cluster_epoch SET cluster = 'elsewhere'")
        await upkeep.keep_up(owner)
        assert (await both(owner)).unsealed == 5
        await app.execute(LINE, HERE, 2)
        assert [await seal(sealer, HERE) for _ in range(3)] == [5, 2, 0]
        verdict = await both(owner)
        assert (verdict.broken, verdict.links, verdict.lines, verdict.unsealed) == (None, 5, 1511, 0)
        epochs = (
            "SELECT array_agg(epoch ORDER BY number), array_agg(cluster = 'elsewhere' ORDER BY number) FROM audit_seal"
        )
        assert tuple(await owner.fetchrow(epochs)) == ([1, 1, 1, 1, 2], [False, False, False, True, False])

    @pytest.mark.threat("trail-changed-by-the-owner")
    async def test_a_line_slipped_behind_a_closed_epoch_is_found(
        self, chained: TestDatabase, connect: Connect, both: Both
    ):
        owner, app = await connect(chained.owner_url), await connect(chained.app_url)
        await owner.execute("UPDATE cluster_epoch SET cluster = 'elsewhere'")
        await upkeep.keep_up(owner)
        await app.execute(LINE, HERE, 2)
        await seal(await connect(chained.sealer_url), HERE)
        await owner.execute(ELSEWHERE.format(1, 10**12))
        verdict = await both(owner)
        assert (verdict.broken, verdict.why) == (4, "des lignes sont derrière un sceau, dans aucun maillon")


class TestRunning:
    async def test_seals_within_a_second_until_told_to_stop(self, chained: TestDatabase, connect: Connect):
        stop = asyncio.Event()
        running = asyncio.create_task(run(chained.sealer_url, stop))
        owner = await connect(chained.owner_url)
        await (await connect(chained.app_url)).execute(LINE, HERE, 1)
        for _ in range(100):
            if (await verify(owner, HERE)).unsealed == 0:
                break
            await asyncio.sleep(0.05)
        stop.set()
        await running
        assert (await verify(owner, HERE)).links == 4

    async def test_a_full_link_is_followed_at_once(
        self, chained: TestDatabase, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("app.audit.sealer.BATCH", 10)
        monkeypatch.setattr("app.audit.sealer.EVERY", 3600)
        app, owner = await connect(chained.app_url), await connect(chained.owner_url)
        for _ in range(30):
            await app.execute(LINE, HERE, 1)
        stop = asyncio.Event()
        running = asyncio.create_task(run(chained.sealer_url, stop))
        for _ in range(100):
            if (await verify(owner, HERE)).unsealed == 0:
                break
            await asyncio.sleep(0.05)
        stop.set()
        await running
        assert (await verify(owner, HERE)).links == 3 + 3

    async def test_finds_what_waits_without_reading_the_trail(self, chained: TestDatabase, connect: Connect):
        owner = await connect(chained.owner_url)
        await owner.execute(LINE, HERE, 5_000)
        await owner.execute("ANALYZE audit_entry")
        await seal_all(await connect(chained.sealer_url))
        plan = await (await connect(chained.sealer_url)).fetch(f"EXPLAIN {WAITING}", 1, NIL)
        assert not any("Seq Scan on audit_entry" in row[0] for row in plan), plan

    @pytest.mark.threat("fault-sealer-cut")
    async def test_survives_a_lost_connection(
        self, chained: TestDatabase, connect: Connect, caplog: pytest.LogCaptureFixture
    ):
        stop = asyncio.Event()
        running = asyncio.create_task(run(chained.sealer_url, stop))
        owner = await connect(chained.superuser_url)
        killed = 0
        for _ in range(100):
            killed += len(
                await owner.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dui-sealer'"
                    " AND datname = current_database()"
                )
            )
            if killed:
                break
            await asyncio.sleep(0.05)
        await (await connect(chained.app_url)).execute(LINE, HERE, 1)
        for _ in range(100):
            if (await verify(owner, HERE)).unsealed == 0:
                break
            await asyncio.sleep(0.05)
        stop.set()
        await running
        assert killed
        assert (await verify(owner, HERE)).unsealed == 0
        assert "sealer_interrupted" in caplog.messages

    async def test_waits_for_a_server_that_is_not_there_until_told_to_stop(self, caplog: pytest.LogCaptureFixture):
        stop = asyncio.Event()
        running = asyncio.create_task(run("postgresql://nobody@/none?host=/nowhere", stop))
        for _ in range(100):
            if "sealer_interrupted" in caplog.messages:
                break
            await asyncio.sleep(0.05)
        assert not running.done()
        stop.set()
        await asyncio.wait_for(running, 5)
        assert "sealer_interrupted" in caplog.messages
