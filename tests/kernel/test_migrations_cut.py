"""A migration whose connection Postgres ends, at each of its statements: found again, and finished."""

from collections.abc import Callable, Iterator

import pytest

from app.kernel import migrations, revisions
from app.kernel.migrations import MigrationBlocked
from app.kernel.postgres import Server
from tests import postgres
from tests.postgres import TestDatabase, ask

# After each DDL statement, and when the step writes its number, just before its commit. A sequence outlives a rollback.
FAULT = (
    "CREATE SCHEMA fault",
    "CREATE SEQUENCE fault.seen",
    "GRANT USAGE ON SCHEMA fault TO PUBLIC",
    "GRANT ALL ON SEQUENCE fault.seen TO PUBLIC",
    """CREATE FUNCTION fault.end_it() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('fault.seen') = current_setting('fault.at')::bigint THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
            PERFORM pg_sleep(10);
        END IF;
    END $$""",
    "CREATE FUNCTION fault.after_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM fault.end_it(); END $$",
    """CREATE FUNCTION fault.after_row() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM fault.end_it(); RETURN NULL; END $$""",
)
EACH = "CREATE EVENT TRIGGER fault_ddl ON ddl_command_end EXECUTE FUNCTION fault.after_ddl()"
NUMBERED = "CREATE TRIGGER fault_number AFTER INSERT OR UPDATE ON alembic_version EXECUTE FUNCTION fault.after_row()"
GONE = (
    "DROP EVENT TRIGGER fault_ddl",
    "DROP TRIGGER IF EXISTS fault_number ON alembic_version",
    "DROP SCHEMA fault CASCADE",
)
TABLES = "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


def faulty(database: TestDatabase, at: int) -> None:
    ask(
        database.superuser_url,
        "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) CONSTRAINT alembic_version_pkc PRIMARY KEY)",
        "ALTER TABLE alembic_version OWNER TO dui_owner",
        f"ALTER DATABASE {database.name} SET fault.at = '{at}'",
        *FAULT,
        NUMBERED,
        EACH,
    )


def statements(cluster: Server, template: str | None, goal: str) -> int:
    """How many times the fault may strike on the way to this revision."""
    with postgres.clone(cluster, template) as database:
        faulty(database, 0)
        migrations.upgrade(database.owner_url, goal)
        return int(str(ask(database.superuser_url, "SELECT last_value FROM fault.seen")))


def cut_and_finished(cluster: Server, template: str | None, at: int, *, expected: str) -> None:
    with postgres.clone(cluster, template) as database:
        before = ask(database.owner_url, TABLES)
        faulty(database, at)
        with pytest.raises(MigrationBlocked, match="interrompue"):
            migrations.upgrade(database.owner_url)
        ask(database.superuser_url, *GONE)
        stopped = migrations.current(database.owner_url)
        assert stopped is None or stopped in revisions.known()
        if template:
            assert ask(database.owner_url, TABLES) == before, "a step cut short left something"
        migrations.upgrade(database.owner_url)
        assert migrations.current(database.owner_url) == revisions.head()
        assert ask(database.owner_url, TABLES) == expected


@pytest.fixture(scope="module")
def before_last(cluster: Server) -> Iterator[str]:
    """A base at the revision before the head."""
    with postgres.clone(cluster, None) as database:
        migrations.upgrade(database.owner_url)
        migrations.downgrade(database.owner_url, "-1")
        yield database.name


@pytest.fixture(scope="module")
def whole(cluster: Server, template: str) -> str:
    with postgres.clone(cluster, template) as database:
        return str(ask(database.owner_url, TABLES))


@pytest.mark.threat("fault-migration-cut")
def test_the_last_migration_cut_at_each_statement(cluster: Server, before_last: str, whole: str) -> None:
    many = statements(cluster, before_last, "head")
    assert many > 1
    for at in range(1, many + 1):
        cut_and_finished(cluster, before_last, at, expected=whole)


@pytest.mark.threat("fault-migration-cut")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.95])
def test_the_whole_chain_cut_somewhere(cluster: Server, whole: str, share: float) -> None:
    many = statements(cluster, None, "head")
    cut_and_finished(cluster, None, 1 + int(many * share), expected=whole)


@pytest.mark.long
def test_the_whole_chain_cut_at_each_statement(cluster: Server, whole: str, figure: Callable[[str], None]) -> None:
    many = statements(cluster, None, "head")
    for at in range(1, many + 1):
        cut_and_finished(cluster, None, at, expected=whole)
    figure(f"migrations: cut at each of {many} statements, taken up again each time")


@pytest.mark.threat("fault-migration-half-made")
def test_a_schema_changed_by_hand_is_refused_in_words(cluster: Server, before_last: str) -> None:
    with postgres.clone(cluster, None) as database:
        migrations.upgrade(database.owner_url)
        ask(database.superuser_url, "UPDATE alembic_version SET version_num = '0014'")
        with pytest.raises(MigrationBlocked, match="changé à la main"):
            migrations.upgrade(database.owner_url)


@pytest.mark.threat("fault-migration-half-made")
def test_a_later_schema_is_refused_in_words(cluster: Server, template: str) -> None:
    with postgres.clone(cluster, template) as database:
        ask(database.superuser_url, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(MigrationBlocked, match="version plus récente"):
            migrations.upgrade(database.owner_url)


def test_no_migration_leaves_its_transaction() -> None:
    """Outside of it a step could stay half-made."""
    texts = {path.name: path.read_text() for path in (revisions.FOLDER / "versions").glob("*.py")}
    assert [name for name, text in texts.items() if "CONCURRENTLY" in text or "autocommit_block" in text] == []
