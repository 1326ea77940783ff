"""Heads, signed and kept elsewhere, betray what recomputing the chain cannot: an end cut off, a chain made again."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.audit import heads, sealer, upkeep
from app.audit.lines import GENESIS, LINE_HASH_SQL, header, link_hash
from app.audit.verify import verify, verify_all
from app.audit.watch import Watch
from app.kernel.crypto import Keyring
from tests.audit.conftest import HERE, LINE, Both, Connect
from tests.postgres import TestDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keys.json")


@pytest.fixture
async def published(chained: TestDatabase, connect: Connect, keyring: Keyring, tmp_path: Path) -> Path:
    """The heads of the three links, put aside."""
    path = tmp_path / "heads" / "20261122T08Z.json"
    await heads.put(await connect(chained.sealer_url), keyring, path)
    return path


async def forge_again(owner: asyncpg.Connection) -> None:
    """What an owner who knows how the chain is made would do: every link recomputed over what it changed."""
    before = GENESIS
    for link in await owner.fetch("SELECT * FROM audit_seal WHERE organisation_id = $1 ORDER BY number", HERE):
        lines = await owner.fetchval(
            f"SELECT string_agg({LINE_HASH_SQL}, ''::bytea ORDER BY xid, id) FROM audit_entry WHERE organisation_id = $1"
            " AND xid >= $2::text::xid8 AND xid < $3::text::xid8",
            HERE,
            str(link["from_xid"]),
            str(link["to_xid"]),
        )
        named = header(link["number"], link["cluster"], link["epoch"], link["from_xid"], link["to_xid"])
        before = link_hash(before, named, lines)
        await owner.execute(
            "UPDATE audit_seal SET hash = $2 WHERE organisation_id = $1 AND number = $3", HERE, before, link["number"]
        )


async def test_a_head_is_met_in_the_chain(
    chained: TestDatabase, connect: Connect, published: Path, keyring: Keyring, both: Both
):
    known = heads.read([published], heads.own_keys(keyring))
    verdict = await both(await connect(chained.owner_url), known)
    assert (verdict.broken, verdict.heads) == (None, 1)


@pytest.mark.threat("trail-chain-made-again")
async def test_a_chain_made_again_is_found(
    chained: TestDatabase, connect: Connect, published: Path, keyring: Keyring, both: Both
):
    owner = await connect(chained.owner_url)
    await owner.execute("UPDATE audit_entry SET outcome = 'refused' WHERE xid = (SELECT min(xid) FROM audit_entry)")
    await forge_again(owner)
    assert (await both(owner)).broken is None  # without the heads, nothing shows
    verdict = await both(owner, heads.read([published], heads.own_keys(keyring)))
    assert (verdict.broken, "refaite" in str(verdict.why)) == (3, True)


@pytest.mark.threat("trail-tail-cut")
async def test_an_end_cut_off_is_found(
    chained: TestDatabase, connect: Connect, published: Path, keyring: Keyring, both: Both
):
    owner = await connect(chained.owner_url)
    await owner.execute("DELETE FROM audit_entry WHERE xid >= (SELECT max(xid) FROM audit_entry)")
    await owner.execute("DELETE FROM audit_seal WHERE number = 3")
    assert (await both(owner)).broken is None
    verdict = await both(owner, heads.read([published], heads.own_keys(keyring)))
    assert (verdict.broken, "la fin de la chaîne manque" in str(verdict.why)) == (3, True)


@pytest.mark.threat("trail-tail-cut")
async def test_a_chain_wholly_gone_is_found(chained: TestDatabase, connect: Connect, published: Path, keyring: Keyring):
    owner = await connect(chained.owner_url)
    for table in ("audit_entry", "audit_seal", "organisation"):
        await owner.execute(f"DELETE FROM {table}")
    known = heads.read([published], heads.own_keys(keyring))
    assert [v.broken async for v in verify_all(owner, known) if v.organisation_id == HERE] == [1]


async def test_what_a_restore_lost_is_told_as_such(
    chained: TestDatabase, connect: Connect, published: Path, keyring: Keyring, both: Both
):
    """The dump held two links; the third was published, then the machine fell."""
    owner, app = await connect(chained.owner_url), await connect(chained.app_url)
    await owner.execute("DELETE FROM audit_entry WHERE xid >= (SELECT max(xid) FROM audit_entry)")
    await owner.execute("DELETE FROM audit_seal WHERE number = 3")
    await owner.execute("UPDATE cluster_epoch SET cluster = 'elsewhere'")
    await upkeep.keep_up(owner)
    known = heads.read([published], heads.own_keys(keyring))
    for lines, last in ((1, 3), (1, 4)):
        await app.execute(LINE, HERE, lines)
        await sealer.seal(await connect(chained.sealer_url), HERE)
        verdict = await both(owner, known)
        assert (verdict.broken, "restauration" in str(verdict.why), last) == (3, True, last)


class TestFiles:
    @pytest.mark.threat("trail-head-forged")
    @pytest.mark.parametrize(
        "change",
        [
            {"made": "2020-01-01T00:00:00.000000Z"},
            {"heads": []},
            {"epoch": 7},
            {"signature": "00" * 70},
            {"signature": "x"},
            {"kid": "another"},
            {"signature": None},
        ],
    )
    async def test_a_file_changed_is_refused(self, published: Path, keyring: Keyring, change: dict[str, Any]):
        published.write_text(json.dumps(json.loads(published.read_text()) | change))
        with pytest.raises(heads.HeadsFault):
            heads.read([published], heads.own_keys(keyring))

    @pytest.mark.threat("trail-head-forged")
    async def test_a_file_signed_by_another_server_is_refused(self, published: Path, tmp_path: Path):
        other = Keyring.create(tmp_path / "other.json")
        kid = json.loads(published.read_text())["kid"]
        [key] = heads.own_keys(other).values()
        with pytest.raises(heads.HeadsFault, match="la signature ne tient pas"):
            heads.read([published], {kid: key})

    @pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"signature": 3}'])
    def test_another_file_is_refused(self, tmp_path: Path, keyring: Keyring, text: str):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(heads.HeadsFault, match=r"x\.json"):
            heads.read([tmp_path / "x.json"], heads.own_keys(keyring))

    async def test_two_signed_heads_that_differ_are_refused(
        self, chained: TestDatabase, connect: Connect, published: Path, keyring: Keyring
    ):
        """Someone who holds the key signed another chain: both can't be ours."""
        owner = await connect(chained.owner_url)
        await owner.execute("UPDATE audit_seal SET hash = sha256('x') WHERE number = 3")
        second = published.with_name("20261122T09Z.json")
        await heads.put(owner, keyring, second)
        with pytest.raises(heads.HeadsFault, match="contredit"):
            heads.read([published, second], heads.own_keys(keyring))

    def test_the_published_keys_verify(self, tmp_path: Path, keyring: Keyring):
        path = tmp_path / "jwks.json"
        path.write_text(json.dumps(heads.published(keyring)))
        assert {kid: key.public_numbers() for kid, key in heads.keys_of(path).items()} == {
            kid: key.public_numbers() for kid, key in heads.own_keys(keyring).items()
        }
        assert '"d"' not in path.read_text()

    @pytest.mark.parametrize(
        "text", ["", "[]", '{"keys": [{"kid": "a"}]}', '{"keys": [{"kid": "a", "x": "AA", "y": "AA"}]}']
    )
    def test_other_keys_are_refused(self, tmp_path: Path, text: str):
        (tmp_path / "jwks.json").write_text(text)
        with pytest.raises(heads.HeadsFault):
            heads.keys_of(tmp_path / "jwks.json")


class TestHourly:
    async def test_one_file_an_hour_whole_and_closed_to_others(
        self, chained: TestDatabase, connect: Connect, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        now, folder, watch = heads.now().replace(minute=10), tmp_path / "heads", Watch()
        after, connection = heads.hourly(folder, keyring, watch), await connect(chained.sealer_url)
        for minutes in (0, 1, 60, 61):
            monkeypatch.setattr(heads, "now", lambda minutes=minutes: now + timedelta(minutes=minutes))
            await after(connection)
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            (now + timedelta(hours=hours)).strftime(heads.HOURLY) for hours in (0, 1)
        )
        assert folder.stat().st_mode & 0o077 == 0
        assert len(heads.read(folder.iterdir(), heads.own_keys(keyring))[HERE]) == 1

    async def test_a_file_already_there_is_left(
        self, chained: TestDatabase, connect: Connect, keyring: Keyring, published: Path
    ):
        before = published.read_bytes()
        await heads.put(await connect(chained.sealer_url), keyring, published)
        assert published.read_bytes() == before

    async def test_a_full_disk_stops_no_seal_and_is_told(
        self, chained: TestDatabase, connect: Connect, keyring: Keyring, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    ):  # fmt: skip
        (tmp_path / "heads").write_text("a file where the folder should be")
        now, watch = heads.now(), Watch()
        after, connection = heads.hourly(tmp_path / "heads", keyring, watch), await connect(chained.sealer_url)
        for _ in range(3):
            await after(connection)
        assert (caplog.messages, watch.words()) == (["heads_not_written"], ["heads_missing"])
        (tmp_path / "heads").unlink()
        monkeypatch.setattr(heads, "now", lambda: now + timedelta(minutes=2))
        await after(connection)
        assert watch.words() == []

    async def test_the_sealer_writes_them(
        self, chained: TestDatabase, connect: Connect, keyring: Keyring, tmp_path: Path
    ):
        stop, watch = asyncio.Event(), Watch()
        running = asyncio.create_task(
            sealer.run(chained.sealer_url, stop, watch, heads.hourly(tmp_path / "heads", keyring, watch))
        )
        for _ in range(100):
            if list((tmp_path / "heads").glob("*.json")):
                break
            await asyncio.sleep(0.05)
        stop.set()
        await running
        [file] = (tmp_path / "heads").glob("*.json")
        head = (await verify(await connect(chained.owner_url), HERE)).head
        assert heads.read([file], heads.own_keys(keyring))[UUID(str(HERE))][3].hash == head
