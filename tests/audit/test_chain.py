"""The chain finds what was changed after the seal, and skips nothing that was running during it."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from app.audit import upkeep
from app.audit.lines import GENESIS
from app.audit.sealer import WAITING, NewCluster, run, seal, seal_all
from app.audit.verify import verify, verify_all
from app.kernel.db import NIL
from tests.postgres import TestDatabase

pytestmark = pytest.mark.anyio
HERE = UUID("01900000-0000-7000-8000-000000000001")
LINE = """INSERT INTO audit_entry (organisation_id, principal_kind, action, kind, entry_ids, outcome, door, request_id)
    SELECT $1, 'professional', 'read', 'transmission', array[gen_random_uuid(), gen_random_uuid()], 'success', 'api', 'é'
    FROM generate_series(1, $2)"""
FORGED = """INSERT INTO audit_entry (organisation_id, id, at, epoch, xid, principal_kind, action, kind, entry_ids, outcome,
        door, request_id)
    SELECT organisation_id, gen_random_uuid(), at, epoch, xid, principal_kind, action, kind, entry_ids, outcome, door,
        request_id FROM audit_entry ORDER BY xid LIMIT 1"""
FIRST = "(SELECT id FROM audit_entry ORDER BY xid, id LIMIT 1)"

Connect = Callable[[str], Awaitable[asyncpg.Connection]]


@pytest.fixture
async def connect() -> object:
    opened: list[asyncpg.Connection] = []

    async def one(url: str) -> asyncpg.Connection:
        connection = await asyncpg.connect(url)
        await connection.execute("SELECT set_config('dui.organisation', $1, false)", str(HERE))
        opened.append(connection)
        return connection

    yield one
    for connection in opened:
        await connection.close()


@pytest.fixture
async def chained(fresh_database: TestDatabase, connect: Connect) -> TestDatabase:
    """Three links: 1,500 lines of one transaction, 1, 3."""
    owner, app = await connect(fresh_database.owner_url), await connect(fresh_database.app_url)
    sealer = await connect(fresh_database.sealer_url)
    await owner.execute("INSERT INTO organisation (organisation_id, name) VALUES ($1, 'Ici')", HERE)
    for lines in (1500, 1, 3):
        await app.execute(LINE, HERE, lines)
        assert await seal(sealer, HERE) == lines
    assert await seal(sealer, HERE) == 0
    return fresh_database


async def test_an_untouched_chain_holds(chained: TestDatabase, connect: Connect):
    verdict = await verify(await connect(chained.owner_url), HERE)
    assert (verdict.links, verdict.lines, verdict.unsealed, verdict.broken) == (3, 1504, 0, None)
    assert verdict.head != GENESIS


@pytest.mark.threat("trail-changed-by-the-owner")
@pytest.mark.parametrize(
    ("act", "at", "why"),
    [
        (f"UPDATE audit_entry SET outcome = 'refused' WHERE id = {FIRST}", 1, "modifié"),
        (f"UPDATE audit_entry SET request_id = 'e' WHERE id = {FIRST}", 1, "modifié"),
        (f"UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE id = {FIRST}", 1, "modifié"),
        ("DELETE FROM audit_entry WHERE id = (SELECT id FROM audit_entry ORDER BY xid DESC LIMIT 1)", 3, "retirées"),
        (FORGED, 1, "retirées"),
        ("DELETE FROM audit_seal WHERE number = 2", 2, "manque"),
        ("UPDATE audit_seal SET hash = sha256('x') WHERE number = 3", 3, "modifié"),
        ("UPDATE audit_seal SET from_xid = from_xid + 1 WHERE number = 3", 3, "précédent"),
    ],
)
async def test_a_change_by_the_owner_is_found(chained: TestDatabase, connect: Connect, act: str, at: int, why: str):
    owner = await connect(chained.owner_url)
    await owner.execute(act)
    verdict = await verify(owner, HERE)
    assert verdict.broken == at
    assert why in str(verdict.why)


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


@pytest.mark.threat("trail-sealer-overreach")
@pytest.mark.parametrize("act", ["SELECT * FROM usager", "UPDATE audit_seal SET hash = ''", "DELETE FROM audit_entry"])
async def test_the_sealer_may_nothing_else(chained: TestDatabase, connect: Connect, act: str):
    sealer = await connect(chained.sealer_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await sealer.execute(act)


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

    async def test_a_new_epoch_opens_and_holds_on_to_the_old_head(self, chained: TestDatabase, connect: Connect):
        owner, app = await connect(chained.owner_url), await connect(chained.app_url)
        sealer = await connect(chained.sealer_url)
        await owner.execute("UPDATE cluster_epoch SET cluster = 'elsewhere'")
        await upkeep.keep_up(owner)
        await app.execute(LINE, HERE, 2)
        assert await seal(sealer, HERE) == 2
        verdict = await verify(owner, HERE)
        assert (verdict.broken, verdict.links, verdict.lines) == (None, 4, 1506)
        await owner.execute("UPDATE audit_seal SET hash = sha256('x') WHERE number = 3")
        assert (await verify(owner, HERE)).broken == 3


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
