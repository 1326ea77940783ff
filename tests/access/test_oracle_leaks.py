"""Leaks planted where such servers leak, one at a time: each is seen by the oracle or by the twins.

Like `test_oracle_mutants`, it knows the product in order to break it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import true
from sqlalchemy.sql import visitors

from app.access import http, past, policy, questions, refusal, several
from app.access.entry import Readable, Row
from app.access.facts import ONE_ROW, Extent
from app.access.permissions import Action
from app.access.refusal import OutOfReach, Refused
from app.features.projects.models import Project, ProjectAction
from app.features.transmissions.models import Transmission
from app.fhir.verbs import search_type
from app.kernel import paging
from app.kernel.answers import told
from app.kernel.errors import Stale
from app.security.principal import Shape
from tests.access.forgetting import forget
from tests.access.mutating import standing_for
from tests.oracle.broad import broad
from tests.oracle.joined import joined
from tests.oracle.paths import Path, lists, wrong
from tests.oracle.twins import differences
from tests.oracle.worlds import JOINED, Cast, Drawn, Size, drawn
from tests.world import World

SEED = 57
pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast.hired(world)


@pytest.fixture
def house(cast: Cast) -> Drawn:
    return drawn(cast, SEED)


def aside(world: World, sql: str, *values: object) -> Any:
    """What the base holds, asked as the owner from inside a request."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(world.rows, sql, *values).result()[0][0]


def seen(house: Drawn, kind: str, name: str) -> Iterator[str]:
    """What the oracle says of the paths that bear this name."""
    who = house.cast.named(kind)
    paths: Iterator[Path] = lists(house, who) if name else broad(house, who)
    return (no for path in paths if path.name.startswith(name) if (no := wrong(house, who, path)))


@pytest.mark.threat("object-planted-leak")
class TestOraclesSee:
    def test_a_view_that_skips_the_policy(self, house: Drawn):
        real = policy.allowed

        def allowed(caller: Shape, action: Action, row: type[Row], *extent: Any) -> Any:
            return true() if row is Transmission else real(caller, action, row, *extent)

        with standing_for(real, allowed):
            assert next(seen(house, "educateur", "GET transmissions"), None)

    def test_a_count_that_counts_hidden_rows(self, house: Drawn):
        async def count(reading: Any, asked: Any, most: int, usager: str | None = None, **values: object) -> int:
            tables = [one.view.TABLE.__tablename__ for one in asked]
            return sum(aside(house.cast.world, f"SELECT count(*) FROM {table}") for table in tables)

        with standing_for(several.count, count):
            assert next(seen(house, "partner", "GET DocumentReference"), None)

    def test_a_criterion_on_another_table_that_forgets_who_may_read_it(self, house: Drawn):
        def judged(caller: Shape, said: Any) -> Any:
            return visitors.replacement_traverse(
                said, {}, lambda element, **_: true() if isinstance(element, Readable) else None
            )

        with standing_for(questions.judged, judged):
            found = (no for who in house.cast.who if who.staff for no in seen(house, who.kind, "Patient?identifier"))
            assert next(found, None)

    def test_a_link_that_serves_anyone(self, house: Drawn):
        seal, unseal = paging.seal, paging.unseal

        def to_all(keyring: Any, bound_to: str, said: Any) -> str:
            return seal(keyring, "all", said)

        def from_all(keyring: Any, bound_to: str, token: str) -> Any:
            return unseal(keyring, "all", token)

        with standing_for(seal, to_all), standing_for(unseal, from_all):
            found = (no for who in house.cast.who if who.staff for no in seen(house, who.kind, "next of another"))
            assert next(found, None)


@pytest.fixture
def linked(cast: Cast) -> Drawn:
    """A house whose rows lead to each other."""
    return drawn(cast, SEED, Size(24, JOINED.rows))


def told_by(house: Drawn, kind: str, name: str) -> str | None:
    """The first thing that the oracle says of the paths of this name."""
    who = house.cast.named(kind)
    return next((no for path in joined(house, who) if path.name == name if (no := wrong(house, who, path))), None)


def unjudged(caller: Shape, said: Any) -> Any:
    """Every row that a criterion asks is open."""

    def open_to_all(element: Any, **_: Any) -> Any:
        return true() if isinstance(element, Readable) else None

    return visitors.replacement_traverse(said, {}, open_to_all)


@pytest.mark.threat("object-planted-leak")
class TestOraclesSeeWhatIsJoined:
    @pytest.mark.parametrize("kind", ["educateur", "partner"])
    @pytest.mark.parametrize("name", ["chain Task:part-of", "has Task:part-of", "chain twice", "has twice"])
    def test_a_chain_over_rows_that_nobody_judged(self, linked: Drawn, name: str, kind: str):
        assert told_by(linked, kind, name) is None
        with standing_for(questions.judged, unjudged):
            assert "leaked" in (told_by(linked, kind, name) or "")

    def test_a_count_through_a_chain_that_nobody_judged(self, linked: Drawn):
        with standing_for(questions.judged, unjudged):
            assert told_by(linked, "educateur", "chain counted Task:part-of")

    @pytest.mark.parametrize("kind", ["educateur", "partner"])
    @pytest.mark.parametrize(
        ("name", "table"), [("include Task:based-on", Project), ("revinclude Task:based-on", ProjectAction)]
    )
    def test_what_comes_along_without_being_judged(self, linked: Drawn, name: str, table: Any, kind: str):
        real = policy.allowed

        def allowed(caller: Shape, action: Action, row: type[Row], extent: Extent = ONE_ROW) -> Any:
            return true() if row is table and not extent.many else real(caller, action, row, extent)

        assert told_by(linked, kind, name) is None
        with standing_for(real, allowed):
            assert "leaked" in (told_by(linked, kind, name) or "")

    @pytest.mark.parametrize("name", ["history Task", "vread", "history of one"])
    def test_a_past_that_nobody_judged(self, linked: Drawn, name: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(past, "allowed", lambda *_: true())
        forget()
        try:
            assert told_by(linked, "educateur", name)
        finally:
            monkeypatch.undo()
            forget()


@pytest.mark.threat("object-planted-leak")
class TestTwinsSee:
    def test_an_order_that_hidden_rows_change(self, house: Drawn):
        real = several.page

        async def page(*said: Any, **more: Any) -> Any:
            rows = await real(*said, **more)
            near = aside(house.cast.world, "SELECT count(*) FROM goal") % max(1, len(rows))
            return [*rows[near:], *rows[:near]]

        with standing_for(real, page):
            assert [no for no in differences(house, house.cast.named("educateur"), "_sort") if "other words" in no]

    def test_a_condition_that_hidden_rows_meet(self, house: Drawn):
        real = search_type.matching

        async def matching(asking: Any, said: Any, most: int) -> Any:
            found = await real(asking, said, most)
            table = asking.maps[0].view.TABLE.__tablename__
            ids = [text for name, text in said if name == "_id"]
            there = aside(
                house.cast.world, f"SELECT count(*) FROM {table} WHERE id = ANY($1)", [UUID(id) for id in ids]
            )
            if there and not found:
                raise Stale("Plusieurs lignes répondent à cette condition.", code="several")
            return found

        with standing_for(real, matching):
            told = differences(house, house.cast.named("partner"), "?_id=")
        assert [no for no in told if "404 then 412" in no or "then 412" in no]

    def test_an_entry_of_a_bundle_that_tells_what_is_there(self, house: Drawn):
        real = refusal.refused

        def refused(cls: type[Refused], action: str, kind: str, ids: Any = (), **more: Any) -> Refused:
            no = real(cls, action, kind, ids, **more)
            asked = "SELECT count(*) FROM need WHERE id = ANY($1)"
            if cls is OutOfReach and ids and aside(house.cast.world, asked, [UUID(str(id)) for id in ids]):
                no.faults = tuple(
                    replace(each, message="Cet élément existe, mais pas pour vous.") for each in no.faults
                )
            return no

        with standing_for(real, refused):
            told = differences(house, house.cast.named("partner"), "POST /fhir")
        assert [no for no in told if "other words" in no]

    def test_a_tag_that_hidden_rows_change(self, house: Drawn):
        def one(row: Any) -> Any:
            near = aside(house.cast.world, "SELECT count(*) FROM goal")
            return told(row, headers={"ETag": f'W/"{row.version}-{near}"'} if hasattr(row, "version") else None)

        with standing_for(http.one, one):
            assert [no for no in differences(house, house.cast.named("educateur")) if "other headers" in no]

    def test_an_error_that_tells_what_is_there(self, house: Drawn):
        real = refusal.refused

        def refused(cls: type[Refused], action: str, kind: str, ids: Any = (), **more: Any) -> Refused:
            no = real(cls, action, kind, ids, **more)
            table = {"event": "event_participant"}.get(str(kind), str(kind))
            if (
                cls is OutOfReach
                and ids
                and aside(house.cast.world, f"SELECT count(*) FROM {table} WHERE id = $1", ids[0])
            ):
                no.message = "Cet élément existe, mais pas pour vous."
            return no

        with standing_for(real, refused):
            assert [no for no in differences(house, house.cast.named("educateur")) if "other words" in no]


@pytest.mark.threat("object-planted-leak")
def test_nothing_is_seen_where_nothing_leaks(house: Drawn):
    """Else what is seen above would prove nothing."""
    for kind, name in (("educateur", "GET transmissions"), ("partner", "GET DocumentReference")):
        assert list(seen(house, kind, name)) == []
