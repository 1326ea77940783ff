"""The plans of chains, `_has` and what comes along, as Postgres makes them for the text that is kept: at ten thousand
rows of each table, of fifty houses, none is read whole.
"""

import asyncio
import re
import time
from collections.abc import Callable

import asyncpg
import pytest

from app.kernel.hot import SET_TENANT
from tests.access.forgetting import forget
from tests.dossier import KINDS, TABLES, THEN, Person, insert, row_of
from tests.fhir.test_chains import made
from tests.fhir.test_read import written
from tests.world import World

__all__ = ["made"]
MANY, HOUSES = 10_000, 50
GROWN = (
    "usager", "project", "action", "service", "means", "need", "event_participant", "transport", "transmission",
)  # fmt: skip
READ_WHOLE = re.compile(r"Seq Scan on (\w+)")
QUERIES = (
    "Task?part-of.status=in-progress",
    "Task?part-of:Task._id={action}",
    "Task?part-of.based-on.status=draft",
    "Task?patient.birthdate=1944-05-12",
    "Task?patient.identifier=x|1&_count=0",
    "ServiceRequest?based-on.status=draft",
    "CarePlan?replaces.status=draft",
    "Task?encounter.date=2026",
    "Patient?_has:Task:patient:status=draft",
    "Patient?_has:ServiceRequest:patient:based-on.status=draft",
    "CarePlan?_has:Task:based-on:status=in-progress",
    "CarePlan?_has:CarePlan:replaces:_id={CarePlan}",
    "Encounter?_has:Task:encounter:_id={action}",
    "Task?_id={service}&_include=Task:part-of",
    "Task?_id={service}&_include=*&_revinclude=Task:part-of",
    "CarePlan?_id={CarePlan}&_revinclude=*",
    "Patient?_id={jeanne}&_revinclude=Task:patient&_revinclude=CarePlan:patient",
)


@pytest.fixture(scope="module")
def grown(world: World, made: dict[str, str]) -> dict[str, str]:
    """Ten thousand rows more of each table, of ten thousand persons, like those of the project of Jeanne's."""
    jeanne = Person(world.ids["ehpad"], world.keyring.new_usager_key(str(world.ids["jeanne"]))[0], world.ids["jeanne"])
    for kind, values in (("event", {"usager_id": jeanne.id}), ("transport", {"starts_at": THEN})):
        insert(world, TABLES.get(kind, kind), [row_of(world, kind, jeanne, values)])
    written(world, usager="jeanne", structure="ehpad")
    asyncio.run(_grow(world))
    return {**made, "jeanne": str(world.ids["jeanne"])}


async def _grow(world: World) -> None:
    owner = await asyncpg.connect(world.database.superuser_url)
    await owner.execute("SET session_replication_role = replica")  # no key is checked: what counts is how many
    for table in GROWN:
        names = [r[0] for r in await owner.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = ''", table
        )]  # fmt: skip
        said = {
            "organisation_id": f"CASE n % {HOUSES} WHEN 0 THEN t.organisation_id ELSE md5('house' || n % {HOUSES})::uuid END",
            "id": f"md5('{table}' || n)::uuid",
            "usager_id": f"CASE WHEN n IN ({HOUSES}, {2 * HOUSES}) THEN t.usager_id ELSE md5('usager' || n)::uuid END",
            "project_id": "md5('project' || n)::uuid", "action_id": "md5('action' || n)::uuid",
            "event_id": "md5('event_participant' || n)::uuid", "replaces_id": "md5('project' || n + 1)::uuid",
            "number": "n", "birth_date": "date '1900-01-01' + n", "name_key": "'personne ' || n",
            **dict.fromkeys(("occurred_at", "updated_at", "starts_at", "ends_at"), "now() - n * interval '1 hour'"),
        }  # fmt: skip
        columns = ", ".join(f'"{name}"' for name in names)
        told = ", ".join(said.get(name, f't."{name}"') for name in names)
        grown = await owner.execute(
            f"INSERT INTO {table} ({columns}) SELECT {told} FROM (SELECT * FROM {table} LIMIT 1) t,"
            f" generate_series(1, {MANY}) n"
        )
        assert grown == f"INSERT 0 {MANY}", table
    names = [r[0] for r in await owner.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'entry_version'::regclass AND attnum > 0 AND NOT attisdropped"
    )]  # fmt: skip
    said = {"entry_id": "md5(kind || n)::uuid", "at": "now() - n * interval '1 hour'"}
    await owner.execute(
        f"INSERT INTO entry_version ({', '.join(names)}) SELECT {', '.join(said.get(name, name) for name in names)}"
        f" FROM (SELECT DISTINCT ON (kind) * FROM entry_version) t, generate_series(1, {MANY}) n"
    )
    await owner.execute("VACUUM ANALYZE")
    await owner.close()


def plan_of(world: World, sql: str) -> str:
    """As the app's role, whose rows are its organisation's, for whatever values come."""

    async def ask() -> str:
        connection = await asyncpg.connect(world.database.app_url)
        try:
            await connection.fetchval(SET_TENANT, str(world.organisation))
            await connection.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")
            await connection.execute(f"PREPARE asked AS {sql}")
            values = ", ".join(["NULL"] * max(int(n) for n in re.findall(r"\$(\d+)", sql)))
            return "\n".join(line[0] for line in await connection.fetch(f"EXPLAIN EXECUTE asked ({values})"))
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.once
@pytest.mark.parametrize("who", ["sonia", "chu"])
@pytest.mark.parametrize("query", QUERIES)
def test_no_table_of_the_record_is_read_whole(world: World, grown: dict[str, str], who: str, query: str):
    tables = {TABLES.get(kind, kind) for kind in KINDS}
    with world.statements() as asked:
        answer = world.get(who, f"/fhir/{query.format(**grown)}")
    assert answer.status_code == 200, answer.text
    plans = [plan_of(world, sql) for sql in asked.sql if "SELECT" in sql and "$1" in sql and "set_config" not in sql]
    assert plans
    whole = {found for plan in plans for found in READ_WHOLE.findall(plan)} & {*GROWN} & tables
    assert not whole, "\n".join(plans)


@pytest.mark.once
def test_a_search_with_three_includes_is_soon_written(
    world: World, made: dict[str, str], figure: Callable[[str], None]
):
    """The first time: its text is made, then kept."""
    query = "Task?_id={service}&_include=Task:part-of&_include=Task:based-on&_include=Task:patient".format(**made)
    world.get("sonia", f"/fhir/{query}")
    spent = {}
    for times in ("first", "then"):
        if times == "first":
            forget()
        began = time.process_time()
        world.get("sonia", f"/fhir/{query}")
        spent[times] = time.process_time() - began
    figure(f"includes: {spent['first']:.2f} s of CPU to write a search with three, {spent['then']:.3f} s once kept")
    assert spent["then"] < spent["first"]


TURNED = {"": "occurred_at", "&_sort=_lastUpdated": "updated_at", "&_sort=-_lastUpdated": "updated_at"}


@pytest.mark.once
@pytest.mark.parametrize("sort", TURNED)
@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("Patient", ["usager"]), ("CarePlan", ["project"]), ("ServiceRequest", ["need"]), ("Encounter", ["event_participant"]),
        ("Task", ["action", "service", "means", "transport"]), ("DocumentReference", ["transmission"]),
    ],
)  # fmt: skip
def test_a_page_begins_where_the_last_one_ended_by_an_index(
    world: World, grown: dict[str, str], sort: str, name: str, tables: list[str]
):
    """Not counted off: the place of the last row given bounds what is read."""
    bundle = world.get("sonia", f"/fhir/{name}?_count=1{sort}").json()
    following = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    with world.statements() as asked:
        assert world.get("sonia", following).status_code == 200
    [plan] = [plan_of(world, sql) for sql in asked.sql if "after_" in sql or ("LIMIT" in sql and "$1" in sql)]
    place, turn = TURNED[sort], ">" if sort == "&_sort=_lastUpdated" else "<"
    for table in tables:
        bounds = [
            cond
            for cond in re.findall(rf" on {table}\b[^\n]*\n\s+Index Cond: ([^\n]*)", plan)
            if f"ROW({place}, id) {turn}" in cond
        ]
        assert bounds, (table, plan)


@pytest.mark.once
@pytest.mark.parametrize("who", ["sonia", "helene", "chu"])
@pytest.mark.parametrize(
    "path", ["Task/_history?_since=2026-01-01", "Patient/_history?_count=5", "_history?_since=2026-11-20"]
)
def test_what_changed_since_is_found_by_an_index(world: World, grown: dict[str, str], who: str, path: str):
    with world.statements() as asked:
        assert world.get(who, f"/fhir/{path}").status_code == 200
    plans = [plan_of(world, sql) for sql in asked.sql if "LIMIT" in sql and "$1" in sql]
    assert plans
    for plan in plans:
        whole = {found for found in READ_WHOLE.findall(plan) if found in GROWN or found.startswith("entry_version")}
        assert not whole, plan


@pytest.mark.once
@pytest.mark.parametrize("query", ["Patient?family=PERS", "Patient?family:exact=PERSONNE"])
def test_a_family_name_is_found_by_its_key(world: World, grown: dict[str, str], query: str):
    with world.statements() as asked:
        assert world.get("sonia", f"/fhir/{query}").status_code == 200
    [plan] = [plan_of(world, sql) for sql in asked.sql if "LIMIT" in sql and "$1" in sql]
    for key in ("name_key", "used_name_key"):
        assert re.search(rf"Index Cond: [^\n]*\({key} >= [^\n]*\({key} < ", plan), plan
