"""The second lock: row-level security alone, by the catalogue and by raw connections."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import true

from app.access import questions
from app.access.reading import Reading
from app.access.refusal import OutOfReach
from app.audit.vocabulary import Call, Door
from app.features.transmissions.schemas import TransmissionOut
from app.features.transmissions.service import OF_USAGER
from app.kernel.hot import HotLane
from app.security.principal import Professional, Role
from tests.features.transmissions.test_rest import written
from tests.world import World

GLOBAL = {
    "account",
    "account_credential",
    "fhir_definition",
    "fhir_package",
    "session",
    "refresh_family",
    "jti_seen",
    "code_attempt",
    "concept",
    "cluster_epoch",
    "key_check",
    "alembic_version",
}
TABLES = """SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
        (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies, c.relispartition,
        pg_get_userbyid(c.relowner) AS owner,
        EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organisation_id') AS tenant,
        (SELECT array_agg(a.attname ORDER BY k.n) FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, n),
             pg_attribute a WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum
        ) AS key
    FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"""


@pytest.fixture(scope="module")
def tables(world: World) -> list[asyncpg.Record]:
    return world.rows(TABLES)


class TestByTheCatalogue:
    def test_every_table_is_of_a_tenant_or_known_to_be_global(self, tables: list[asyncpg.Record]):
        assert {t["relname"] for t in tables if not t["tenant"]} <= GLOBAL
        assert not {t["relname"] for t in tables if t["tenant"]} & (GLOBAL - {"session"})

    def test_row_security_is_forced_on_every_tenant_table(self, tables: list[asyncpg.Record]):
        tenant = [t for t in tables if t["tenant"] and t["relname"] not in GLOBAL]
        assert len(tenant) > 15
        assert [t["relname"] for t in tenant if not (t["relrowsecurity"] and t["relforcerowsecurity"])] == []
        assert [t["relname"] for t in tenant if not t["relispartition"] and not t["policies"]] == []

    def test_the_tenant_comes_first_in_every_key(self, tables: list[asyncpg.Record]):
        tenant = [t for t in tables if t["tenant"] and t["relname"] not in GLOBAL]
        assert [t["relname"] for t in tenant if t["key"][0] != "organisation_id"] == []

    def test_the_application_owns_nothing(self, tables: list[asyncpg.Record]):
        assert {t["owner"] for t in tables}.isdisjoint({"dui_app", "dui_sealer"})

    @pytest.mark.threat("tenant-raw-connection")
    def test_a_raw_connection_told_nothing_sees_nothing(self, world: World, tables: list[asyncpg.Record]):
        written(world)

        async def count() -> dict[str, int]:
            connection = await asyncpg.connect(world.database.app_url)
            try:
                seen = {}
                for t in tables:
                    if t["tenant"] and t["relname"] not in GLOBAL and not t["relispartition"]:
                        seen[t["relname"]] = await connection.fetchval(f"SELECT count(*) FROM {t['relname']}")
                return seen
            finally:
                await connection.close()

        assert {name for name, n in asyncio.run(count()).items() if n} == set()

    @pytest.mark.threat("tenant-row-for-another")
    def test_a_row_for_another_tenant_can_not_be_written(self, world: World):
        async def write() -> None:
            connection = await asyncpg.connect(world.database.app_url)
            await connection.execute("SELECT set_config('dui.organisation', $1, false)", str(world.organisation))
            try:
                await connection.execute(
                    "INSERT INTO structure (organisation_id, id, name, model, version, recorded_at, updated_at)"
                    " VALUES ($1, gen_random_uuid(), 'x', 'ime', 1, now(), now())",
                    world.other_organisation,
                )
            finally:
                await connection.close()

        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            asyncio.run(write())


class TestWithThePolicyTakenOff:
    """What is left when the first lock is off."""

    @pytest.fixture
    def no_policy(self, monkeypatch: pytest.MonkeyPatch):
        questions.hot.cache_clear()
        monkeypatch.setattr(questions, "allowed", lambda *_: true())
        yield
        questions.hot.cache_clear()

    def _stranger(self, world: World, lane: HotLane, organisation: UUID) -> Reading:
        who = Professional(
            id=uuid4(),
            organisation_id=organisation,
            session_id=world.ids["yann_session"],
            expires=2e9,
            account_id=uuid4(),
            membership_id=uuid4(),
            role=Role.EDUCATEUR,
        )
        return Reading(who, Call(Door.API, "raw"), world.keyring, lane)

    @pytest.mark.threat("tenant-policy-off")
    def test_another_tenant_still_reads_nothing(self, world: World, no_policy: None):
        id = written(world).rpartition("/")[2]

        async def ask() -> None:
            lane = HotLane(world.database.app_url, 1)
            await lane.open()
            try:
                inside = self._stranger(world, lane, world.organisation)
                assert (await inside.get(TransmissionOut, id)).id == id, "the policy is off"
                stranger = self._stranger(world, lane, world.other_organisation)
                with pytest.raises(OutOfReach):
                    await stranger.get(TransmissionOut, id)
                assert not await stranger.list(TransmissionOut, OF_USAGER, 50, usager=world.ids["jeanne"])
            finally:
                await lane.close()

        asyncio.run(ask())


@pytest.mark.threat("tenant-leaked-by-pool")
def test_a_connection_never_leaks_a_tenant(world: World):
    """Two tenants, few connections, calls cut short at any moment: each still reads its own only."""
    id = written(world).rpartition("/")[2]

    def caller(name: str, organisation: object, lane: HotLane) -> Reading:
        role = Role.CHEF_DE_SERVICE if name == "marc" else Role.EDUCATEUR
        who = Professional(
            id=world.ids[name],
            organisation_id=organisation,
            session_id=world.ids[f"{name}_session"],
            expires=2e9,
            account_id=world.ids[f"{name}_account"],
            membership_id=world.ids[f"{name}_membership"],
            role=role,
        )
        return Reading(who, Call(Door.API, "leak"), world.keyring, lane)

    async def hammer() -> int:
        lane, served = HotLane(world.database.app_url, 2), 0
        await lane.open()
        marc, yann = caller("marc", world.organisation, lane), caller("yann", world.other_organisation, lane)

        async def one(n: int) -> None:
            nonlocal served
            who, wait = (marc, yann)[n % 2], (0.0005, 0.002, 5)[n % 3]
            try:
                row = await asyncio.wait_for(who.get(TransmissionOut, id), wait)
                assert (who, row.id) == (marc, id)
            except OutOfReach:
                assert who is yann
            except TimeoutError:
                return
            served += 1

        for start in range(0, 600, 30):
            await asyncio.gather(*(one(n) for n in range(start, start + 30)))
        await lane.close()
        return served

    assert asyncio.run(hammer()) >= 200  # those left the time to answer
