"""A name is looked for by an index, whoever gave it: the plan, at fifty thousand names."""

import asyncio

import asyncpg
import pytest

from tests.fhir.test_join_plans import plan_of
from tests.world import World

NAMES = 50_000


@pytest.fixture(scope="module")
def named(world: World) -> None:
    async def grow() -> None:
        owner = await asyncpg.connect(world.database.superuser_url)
        await owner.execute("SET session_replication_role = replica")
        await owner.execute(
            "INSERT INTO external_id (organisation_id, partner_id, fingerprint, kind, row_id, usager_id)"
            " SELECT $1, $2, sha256(n::text::bytea), 'usager', md5('row' || n)::uuid, md5('row' || n)::uuid"
            f" FROM generate_series(1, {NAMES}) n",
            world.organisation,
            world.ids["chu"],
        )
        await owner.execute("VACUUM ANALYZE external_id")
        await owner.close()

    asyncio.run(grow())


@pytest.mark.once
@pytest.mark.parametrize("who", ["marc", "chu"])
@pytest.mark.parametrize(
    "query", ["Patient?identifier=urn:x|1", "Slot?identifier=urn:x|1", "Observation?subject:identifier=urn:x|1"]
)
def test_a_name_is_found_by_its_index(world: World, named: None, who: str, query: str):
    with world.statements() as asked:
        assert world.get(who, f"/fhir/{query}").status_code == 200
    plans = [plan_of(world, sql) for sql in asked.sql if "external_id" in sql and "fingerprint" in sql]
    assert plans
    for plan in plans:
        assert "Seq Scan on external_id" not in plan, plan
        led = "subject:" in query  # few rows, each looked up by whom it is about
        assert led or "fingerprint = ANY" in "".join(line for line in plan.splitlines() if "Index Cond" in line), plan
