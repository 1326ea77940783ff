"""Whose time is over: nobody by default; from the day of the setting, never before."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import orjson
import pytest
from dateutil.relativedelta import relativedelta

from app.features.copies.models import CopyRequest
from app.kernel.clock import now
from app.kernel.ids import uuid7
from tests.vault.leaving import LEFT, SETTING, due, ruled, someone_left
from tests.world import World

OVER = LEFT + relativedelta(months=24)
BORN = "UPDATE usager SET birth_date = '1940-02-29', died_on = NULL WHERE id = $1"


@pytest.fixture(scope="module")
def left(world: World) -> UUID:
    return someone_left(world)


@pytest.fixture
def gone(world: World, left: UUID) -> Iterator[UUID]:
    """As they left, and no rule yet."""
    yield left
    world.rows("DELETE FROM setting WHERE key LIKE 'retention.%'")
    world.rows(BORN, left)
    world.rows("UPDATE stay SET ends = $2, status = 'finished' WHERE usager_id = $1 AND starts < $2", left, LEFT)


class TestWhen:
    @pytest.mark.threat("erasure-by-default")
    def test_nobody_is_ever_due_as_shipped(self, world: World, gone: UUID) -> None:
        assert due(world, date(2150, 1, 1)) == []

    @pytest.mark.threat("erasure-early", "erasure-late")
    @pytest.mark.parametrize(("later", "expected"), [(-1, False), (0, True), (1, True), (36_500, True)])
    def test_from_the_day_of_the_setting_and_not_before(
        self, world: World, gone: UUID, later: int, expected: bool
    ) -> None:
        ruled(world)
        assert (gone in due(world, OVER + timedelta(days=later))) is expected

    @pytest.mark.threat("erasure-early")
    def test_a_clock_set_back_erases_nobody(self, world: World, gone: UUID) -> None:
        ruled(world)
        assert due(world, date(1999, 1, 1)) == []

    @pytest.mark.threat("erasure-early")
    def test_a_part_without_a_rule_keeps_the_whole(self, world: World, gone: UUID) -> None:
        ruled(world, parts=("administrative", "care"))
        assert due(world, date(2150, 1, 1)) == []

    @pytest.mark.threat("erasure-early")
    @pytest.mark.parametrize(("name", "value"), [("source", " "), ("starts", "someday"), ("months", 0)])
    def test_a_rule_that_lacks_one_of_its_answers_is_none(
        self, world: World, gone: UUID, name: str, value: object
    ) -> None:
        ruled(world)
        key = f"retention.support.{name}"
        world.rows(SETTING, world.organisation, uuid7(), "organisation", key, orjson.dumps(value).decode())
        assert due(world, date(2150, 1, 1)) == []

    @pytest.mark.threat("erasure-early")
    def test_the_longest_part_decides(self, world: World, gone: UUID) -> None:
        ruled(world)
        ruled(world, months=240, parts=("support",))
        assert due(world, LEFT + relativedelta(months=239, days=25)) == []
        assert due(world, LEFT + relativedelta(months=240)) == [gone]

    def test_the_kind_of_house_decides_for_itself(self, world: World, gone: UUID) -> None:
        ruled(world)
        ruled(world, months=120, scope="model:ehpad")
        ruled(world, months=1, scope="model:ime")
        assert due(world, LEFT + relativedelta(months=119)) == []
        assert due(world, LEFT + relativedelta(months=120)) == [gone]

    @pytest.mark.threat("erasure-early")
    def test_a_death_that_did_not_come_starts_nothing(self, world: World, gone: UUID) -> None:
        ruled(world, starts="death")
        assert due(world, date(2150, 1, 1)) == []
        world.rows("UPDATE usager SET died_on = '2021-06-01' WHERE id = $1", gone)
        assert due(world, date(2023, 5, 31)) == []
        assert due(world, date(2023, 6, 1)) == [gone]

    @pytest.mark.threat("erasure-early")
    def test_coming_of_age_counts_from_the_exit_when_it_is_later(self, world: World, gone: UUID) -> None:
        ruled(world, starts="majority")
        assert due(world, OVER - timedelta(days=1)) == []
        world.rows("UPDATE usager SET birth_date = '2004-02-29' WHERE id = $1", gone)
        assert due(world, date(2024, 2, 29)) == []
        assert due(world, date(2024, 3, 1)) == [gone]

    @pytest.mark.threat("erasure-early", "input-end-of-time")
    @pytest.mark.parametrize(("starts", "column"), [("majority", "birth_date"), ("death", "died_on")])
    def test_a_date_of_no_life_that_stands_erases_nobody(
        self, world: World, gone: UUID, starts: str, column: str
    ) -> None:
        ruled(world, starts=starts)
        world.rows(f"UPDATE usager SET {column} = '9999-12-31' WHERE id = $1", gone)
        assert due(world, date.max) == []

    @pytest.mark.threat("erasure-early")
    @pytest.mark.parametrize(("answer", "expected"), [(None, False), ("by_hand", True)])
    def test_who_waits_for_their_copy_is_kept_until_it_is_answered(
        self, world: World, gone: UUID, answer: str | None, expected: bool
    ) -> None:
        ruled(world)
        at = {"usager_id": gone, "structure_id": world.ids["ehpad"], "author_id": gone, "author_kind": "usager"}
        told = {"answer": answer, "answered_at": now() if answer else None}
        world.add(CopyRequest(part="rest", due_on=date(2026, 12, 1), **at, **told))
        try:
            assert (gone in due(world, date(2150, 1, 1))) is expected
        finally:
            world.rows("DELETE FROM copy_request")

    @pytest.mark.threat("erasure-early")
    def test_someone_who_is_here_or_will_come_is_not_due(self, world: World, gone: UUID) -> None:
        ruled(world)
        assert world.ids["jeanne"] not in due(world, date(2100, 1, 1))
        later = {"usager_id": str(gone), "structure_id": str(world.ids["ehpad"]), "starts": "2022-01-01"}
        assert world.post("odile", "/api/v1/stays", later).status_code == 201
        assert due(world, date(2100, 1, 1)) == []
