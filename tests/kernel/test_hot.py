"""A statement that would serve one caller's value to the next is never kept."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy import Date, PickleType, Text, bindparam, column, literal, select, table

from app.access.facts import facts
from app.access.permissions import Action
from app.access.questions import Listing, question
from app.features.transmissions.models import Transmission
from app.features.transmissions.schemas import TransmissionOut
from app.features.transmissions.service import OF_USAGER
from app.kernel import hot
from app.kernel.db import NIL, PASSING
from app.kernel.hot import WIDE, HotLane, HotQuery, NotHot, aside, compiled, word
from app.security.principal import Caller, Professional, Role, Shape
from tests.postgres import TestDatabase

WHO = Shape(Caller.PROFESSIONAL, Role.EDUCATEUR)


@pytest.mark.threat("input-sql-in-statement-text")
@pytest.mark.parametrize(
    "where",
    [
        Transmission.author_id == uuid4(),
        literal(date(2026, 1, 1), Date()) > bindparam("day", type_=Date()),
        Transmission.target.in_(bindparam("targets", expanding=True)),
        Transmission.target.in_(["care", "family"]),
    ],
)
def test_a_value_in_the_text_is_refused(where: object):
    with pytest.raises(NotHot):
        compiled(question(WHO, Action.READ, TransmissionOut, Listing(where)))


def test_a_type_that_needs_python_is_refused_both_ways():
    t = table("t", column("a", Text()), column("p", PickleType()))
    with pytest.raises(NotHot):
        compiled(select(t.c.p))
    with pytest.raises(NotHot):
        compiled(select(t.c.a).where(t.c.p == bindparam("p", type_=PickleType())))


@pytest.mark.parametrize("said", ["it's", "a b", "a;b", ""])
def test_only_a_word_is_written_in_the_text(said: str):
    with pytest.raises(NotHot):
        word(said)


def test_callers_of_one_shape_share_one_text():
    one = compiled(question(WHO, Action.READ, TransmissionOut, OF_USAGER))
    other = compiled(question(WHO, Action.READ, TransmissionOut, OF_USAGER))
    assert one == other
    who = Professional(
        id=uuid4(), organisation_id=uuid4(), session_id=uuid4(), expires=0.0, account_id=uuid4(), membership_id=uuid4(),
        role=Role.EDUCATEUR,
    )  # fmt: skip
    assert not any(str(value) in one.sql for value in facts(who).values())


def test_a_closed_lane_says_so():
    lane = HotLane("postgresql://nobody@/nowhere", 1)
    with pytest.raises(RuntimeError):
        asyncio.run(lane.ask(uuid4(), compiled(question(WHO, Action.READ, TransmissionOut, OF_USAGER)), {}))
    asyncio.run(lane.close())


class TestConnections:
    """One connection in the lane: whatever became of it, the next who asks is answered."""

    SLEEP, ONE = HotQuery("SELECT pg_sleep(20)", ()), HotQuery("SELECT 1", ())

    @pytest.fixture
    async def lane(self, database: TestDatabase) -> AsyncIterator[HotLane]:
        lane = HotLane(database.app_url, 1)
        await lane.open()
        yield lane
        await lane.close()

    @pytest.mark.threat("fault-connection-cut")
    async def test_one_ended_by_postgres_is_opened_again(self, lane: HotLane, database: TestDatabase):
        [(pid,)] = await lane.ask(NIL, HotQuery("SELECT pg_backend_pid()", ()), {})
        owner = await asyncpg.connect(database.superuser_url)
        await owner.execute("SELECT pg_terminate_backend($1, 5000)", pid)
        await owner.close()
        with suppress(asyncpg.PostgresError, OSError):  # the end may be heard of only by asking
            await lane.ask(NIL, self.ONE, {})
        assert await lane.ask(NIL, self.ONE, {}) == [(1,)]

    @pytest.mark.threat("fault-connection-cut")
    async def test_one_that_ends_between_two_questions_is_lost_not_a_fault(
        self, lane: HotLane, monkeypatch: pytest.MonkeyPatch
    ):
        ask = PreparedStatement.fetchval

        async def last(statement: Any, *said: object) -> object:
            told = await ask(statement, *said)
            await statement._connection.close()  # noqa: SLF001  no other way to cut it between the two
            return told

        with monkeypatch.context() as patch:
            patch.setattr(PreparedStatement, "fetchval", last)
            with pytest.raises(ConnectionResetError):
                await lane.ask(NIL, self.ONE, {})
        assert await lane.ask(NIL, self.ONE, {}) == [(1,)]

    async def test_what_the_driver_refuses_is_a_fault(self, lane: HotLane):
        with pytest.raises(asyncpg.InterfaceError):
            await lane.ask(NIL, HotQuery("SELECT $1::int + $2::int", ("one",)), {"one": 1})

    @pytest.mark.threat("fault-connection-cut")
    async def test_one_left_half_way_is_given_to_nobody(self, lane: HotLane):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await lane.ask(NIL, self.SLEEP, {})
        async with asyncio.timeout(10):
            assert await lane.ask(NIL, self.ONE, {}) == [(1,)]

    async def test_who_waits_is_served_when_it_is_given_back(self, lane: HotLane):
        both = await asyncio.gather(*(lane.ask(NIL, self.ONE, {}) for _ in "ab"))
        assert both == [[(1,)], [(1,)]]

    @pytest.mark.threat("fault-pool-exhausted")
    async def test_who_waits_too_long_is_told(self, lane: HotLane, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(hot, "PATIENCE", 0.05)
        busy = asyncio.create_task(lane.ask(NIL, self.SLEEP, {}))
        await asyncio.sleep(0.1)
        with pytest.raises(TimeoutError):
            await lane.ask(NIL, self.ONE, {})
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)

    @pytest.mark.threat("fault-postgres-away")
    async def test_while_postgres_is_away_each_is_told_and_none_is_lost(self, lane: HotLane, database: TestDatabase):
        lane._dsn = "postgresql://nobody@/none?host=/nowhere"  # noqa: SLF001
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await lane.ask(NIL, self.SLEEP, {})
        for _ in "ab":
            with pytest.raises(FileNotFoundError):
                await lane.ask(NIL, self.ONE, {})
        lane._dsn = database.app_url  # noqa: SLF001
        assert await lane.ask(NIL, self.ONE, {}) == [(1,)]

    async def test_a_statement_of_any_length_is_prepared_once(self, lane: HotLane):
        long = HotQuery(f"SELECT 1 /* {'a search of several tables ' * 1_000}*/", ())
        kept = HotQuery("SELECT count(*) FROM pg_prepared_statements WHERE length(statement) > 20000", ())
        await lane.ask(NIL, long, {})
        await lane.ask(NIL, long, {})
        assert await lane.ask(NIL, kept, {}) == [(1,)]

    async def test_what_was_asked_long_ago_leaves_before_there_is_too_much(
        self, lane: HotLane, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(hot, "KEPT", 3_000)
        asked = [HotQuery(f"SELECT {n} /* {'as long as a search ' * 45}*/", ()) for n in range(4)]
        for n in (0, 1, 2, 0, 3):  # the first is asked again, so that the second leaves
            assert await lane.ask(NIL, asked[n], {}) == [(n,)]
        await lane.ask(NIL, self.ONE, {})  # what left is closed with the next one prepared
        kept = HotQuery(
            "SELECT left(statement, 8) FROM pg_prepared_statements WHERE length(statement) > 500 ORDER BY 1", ()
        )
        assert await lane.ask(NIL, kept, {}) == [("SELECT 0",), ("SELECT 2",), ("SELECT 3",)]

    async def test_each_statement_is_prepared_once_whoever_asks(self, lane: HotLane, monkeypatch: pytest.MonkeyPatch):
        """That which tells the tenant too: houses that ask in turn cost no round trip more."""
        prepare, seen = hot.TenantConnection.prepare, list[str]()

        async def noting(connection: Any, sql: str, **more: Any) -> Any:
            seen.append(sql)
            return await prepare(connection, sql, **more)

        monkeypatch.setattr(hot.TenantConnection, "prepare", noting)
        for tenant in (uuid4(), uuid4()) * 3:
            assert await lane.ask(tenant, self.ONE, {}) == [(1,)]
        assert sorted(seen) == sorted({hot.SET_TENANT, self.ONE.sql})

    @pytest.mark.threat("fault-look-without-end")
    async def test_a_look_without_end_is_ended(self, database: TestDatabase, monkeypatch: pytest.MonkeyPatch):
        assert hot.SETTINGS["statement_timeout"] == "30s"
        monkeypatch.setitem(hot.SETTINGS, "statement_timeout", "100ms")
        lane = HotLane(database.app_url, 1)
        await lane.open()
        with pytest.raises(PASSING):
            await lane.ask(NIL, self.SLEEP, {})
        assert await lane.ask(NIL, self.ONE, {}) == [(1,)]
        await lane.close()

    async def test_one_longer_than_all_is_kept_alone(self, lane: HotLane, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(hot, "KEPT", 10)
        for _ in "ab":
            assert await lane.ask(NIL, self.ONE, {}) == [(1,)]

    async def test_a_table_that_changed_is_read_as_it_is(self, lane: HotLane, database: TestDatabase):
        owner = await asyncpg.connect(database.owner_url)
        try:
            await owner.execute("CREATE TABLE changing (a integer); INSERT INTO changing VALUES (1)")
            await owner.execute("GRANT SELECT ON changing TO dui_app")
            everything = HotQuery("SELECT * FROM changing", ())
            assert await lane.ask(NIL, everything, {}) == [(1,)]
            await owner.execute("ALTER TABLE changing ALTER a TYPE text, ADD b boolean DEFAULT true")
            assert await lane.ask(NIL, everything, {}) == [("1", True)]
        finally:
            await owner.execute("DROP TABLE IF EXISTS changing")
            await owner.close()


@pytest.mark.parametrize(("tables", "beside"), [(1, False), (WIDE, False), (WIDE + 1, True)])
def test_a_long_statement_is_written_beside_the_loop(tables: int, beside: bool) -> None:
    async def where() -> bool:
        return await aside(threading.get_ident, tables) != threading.get_ident()

    assert asyncio.run(where()) is beside
