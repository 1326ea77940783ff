"""What an alert may say: of what happened, in a house of ours where its author works. Who reads it: tests/stories."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.kernel.clock import now, today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.world import World

PATH = "/api/v1/alerts"
TOMORROW = str(today() + timedelta(days=2))  # whatever the hour the test runs at


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    world.hire("nadia", Role.AIDE_SOIGNANT, "ime")
    world.accompany("nadia", world.ids["lucas"], "ime")


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    world.rows("DELETE FROM alert")


def given(world: World, who: str = "nadia", structure: object = None, **more: object) -> Any:
    said = {"usager_id": str(world.ids["lucas"]), "structure_id": str(structure or world.ids["ime"])}
    return world.post(who, PATH, {**said, "nature": "fait_grave", "facts": "Un bleu au bras gauche.", **more})


class TestWhen:
    @pytest.mark.parametrize(
        ("more", "where"),
        [
            ({"occurred_at": (now() + timedelta(hours=1)).isoformat()}, "/occurred_at"),
            ({"representatives_told_on": TOMORROW}, "/representatives_told_on"),
            ({"sent_to": "crip", "sent_on": TOMORROW}, "/sent_on"),
        ],
    )
    def test_what_is_to_come_did_not_happen(self, world: World, more: dict[str, object], where: str) -> None:
        answer = given(world, **more)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["where"], error["code"]) == (422, where, "alert.future")
        assert world.rows("SELECT 1 FROM alert") == []

    @pytest.mark.parametrize("name", ["representatives_told_on", "sent_on"])
    def test_nor_when_it_is_completed(self, world: World, name: str) -> None:
        place = given(world, sent_to="crip", sent_on=str(today())).headers["location"]
        answer = world.patch("nadia", place, {name: TOMORROW}, 1)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, f"/{name}")

    @pytest.mark.parametrize("day", [today(), today() - timedelta(days=400)])
    def test_today_and_long_ago_are_told(self, world: World, day: Any) -> None:
        """A child speaks when they can."""
        at = min(now(), now() - (today() - day))
        told = {"representatives_told_on": str(day), "sent_to": "crip", "sent_on": str(day)}
        answer = given(world, occurred_at=at.isoformat(), **told)
        assert answer.status_code == 201, answer.text
        assert {name: answer.json()[name] for name in told} == told

    def test_a_device_some_minutes_ahead_is_heard(self, world: World) -> None:
        assert given(world, occurred_at=(now() + timedelta(minutes=2)).isoformat()).status_code == 201


class TestWhere:
    def test_in_a_house_where_its_author_works(self, world: World) -> None:
        assert given(world).status_code == 201

    def test_not_in_another_house_of_ours(self, world: World) -> None:
        answer = given(world, structure=world.ids["ehpad"])
        assert (answer.status_code, world.rows("SELECT 1 FROM alert")) == (403, [])

    @pytest.mark.parametrize("house", ["other", "none"])
    def test_a_house_of_another_organisation_is_none(self, world: World, house: str) -> None:
        answer = given(world, structure=world.ids["other"] if house == "other" else uuid7())
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/structure_id")
        assert world.rows("SELECT 1 FROM alert") == []

    def test_it_moves_to_no_other_house(self, world: World) -> None:
        place = given(world).headers["location"]
        assert world.patch("nadia", place, {"structure_id": str(world.ids["ehpad"])}, 1).status_code == 422

    def test_who_is_named_works_in_this_organisation(self, world: World) -> None:
        answer = given(world, named=[str(world.ids["yann"])])
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/named")

    def test_only_who_meets_the_person_gives_one(self, world: World) -> None:
        assert given(world, "yann", world.ids["other"]).status_code == 404
