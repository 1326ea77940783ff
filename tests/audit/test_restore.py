"""A dump restored into another cluster: the chain goes on, its next link holding on to the old head."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.audit import sealer, upkeep
from app.audit.verify import verify
from app.kernel.postgres import Server
from app.kernel.roles import DATABASE
from tests import postgres
from tests.audit.conftest import HERE, LINE, Both, Connect
from tests.postgres import TestDatabase, chosen_engine

pytestmark = pytest.mark.anyio


def run(program: str, *words: str) -> None:
    subprocess.run([chosen_engine().command(program), *words], check=True, capture_output=True)


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    with postgres.cluster() as other:
        yield other


@pytest.mark.threat("trail-restored-elsewhere")
async def test_the_chain_goes_on_in_the_other_cluster(
    chained: TestDatabase, elsewhere: Server, connect: Connect, both: Both, tmp_path: Path
):
    app = await connect(chained.app_url)
    await app.execute(LINE, HERE, 4)  # not sealed when the dump was taken
    before = (await verify(await connect(chained.owner_url), HERE)).head
    run("pg_dump", "-Fc", "-f", str(tmp_path / "dump"), chained.superuser_url)
    run("pg_restore", "-d", elsewhere.superuser_url.replace("@/postgres?", f"@/{DATABASE}?"), str(tmp_path / "dump"))
    owner, seals = await connect(elsewhere.owner_url), await connect(elsewhere.sealer_url)
    with pytest.raises(sealer.NewCluster):
        await sealer.seal_all(seals)
    await upkeep.keep_up(owner)
    await (await connect(elsewhere.app_url)).execute(LINE, HERE, 2)
    assert [await sealer.seal(seals, HERE) for _ in range(3)] == [4, 2, 0]
    links = await owner.fetch("SELECT epoch, hash FROM audit_seal WHERE organisation_id = $1 ORDER BY number", HERE)
    assert ([link["epoch"] for link in links], links[2]["hash"]) == ([1, 1, 1, 1, 2], before)
    verdict = await both(owner)
    assert (verdict.broken, verdict.lines, verdict.unsealed) == (None, 1510, 0)
    await owner.execute("UPDATE audit_seal SET hash = sha256('x') WHERE number = 3")
    assert (await both(owner)).broken == 3
