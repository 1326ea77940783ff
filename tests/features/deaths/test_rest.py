"""The causes of a death are care; the team writes them once the day is known, once for a person."""

from typing import Any

import pytest

from app.kernel.clock import today
from tests.features.usagers.people import opened
from tests.world import World

CIM = "http://hl7.org/fhir/sid/icd-10"


@pytest.fixture
def dead(world: World) -> str:
    usager = opened(world, birth_family_name="Absente", confirmed_new=True).rpartition("/")[2]
    world.rows("UPDATE usager SET died_on = '2026-02-01' WHERE id = $1", usager)
    for who in ("leila", "sonia"):
        world.accompany(who, usager, "ehpad")
    return usager


def said(world: World, **more: object) -> dict[str, object]:
    return {"structure_id": str(world.ids["ehpad"]), "causes": [{"code": f"{CIM}|I21"}], **more}


def written(world: World, usager: str, **more: Any) -> str:
    answer = world.post("leila", f"/api/v1/usagers/{usager}/death", said(world, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


@pytest.mark.parametrize(("who", "status"), [("leila", 201), ("sonia", 403), ("odile", 403), ("yann", 404)])
def test_is_written_by_who_cares(world: World, dead: str, who: str, status: int):
    assert world.post(who, f"/api/v1/usagers/{dead}/death", said(world)).status_code == status


@pytest.mark.parametrize(("who", "status"), [("leila", 200), ("sonia", 404), ("odile", 404), ("yann", 404)])
def test_is_read_by_who_cares(world: World, dead: str, who: str, status: int):
    assert world.get(who, written(world, dead)).status_code == status


def test_needs_the_day_of_the_death(world: World, dead: str):
    world.rows("UPDATE usager SET died_on = NULL WHERE id = $1", dead)
    answer = world.post("leila", f"/api/v1/usagers/{dead}/death", said(world))
    assert (answer.status_code, answer.json()["code"]) == (409, "death.unknown_day")
    assert world.rows("SELECT * FROM death WHERE usager_id = $1", dead) == []


def test_that_nobody_knows_of_is_told_to_no_one_who_may_not_write(world: World, dead: str):
    world.rows("UPDATE usager SET died_on = NULL WHERE id = $1", dead)
    assert world.post("sonia", f"/api/v1/usagers/{dead}/death", said(world)).status_code == 403


@pytest.mark.parametrize(("day", "code"), [("2026-01-31", "death.before"), ("2200-01-01", "death.future")])
def test_of_a_day_that_cannot_be_is_refused(world: World, dead: str, day: str, code: str):
    answer = world.post("leila", f"/api/v1/usagers/{dead}/death", said(world, noted_on=day))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    answer = world.patch("leila", written(world, dead), {"noted_on": day}, 1)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_without_a_cause_is_refused(world: World, dead: str):
    assert world.post("leila", f"/api/v1/usagers/{dead}/death", said(world, causes=[])).status_code == 422


def test_is_written_once_and_corrected(world: World, dead: str):
    place = written(world, dead, noted_on=str(today()))
    again = world.post("leila", f"/api/v1/usagers/{dead}/death", said(world))
    assert (again.status_code, again.json()["code"]) == (409, "conflict.uq_death_one")
    assert world.patch("leila", place, {"causes": [{"code": f"{CIM}|C34"}]}, 1).json()["causes"] == [
        {"code": f"{CIM}|C34"}
    ]
    world.patch("leila", place, {"status": "in_error"}, 2)
    written(world, dead)
    assert len(world.get("leila", f"/api/v1/usagers/{dead}/death").json()["items"]) == 2


def test_costs_four_statements_at_most_to_write(world: World, dead: str):
    place = written(world, dead)
    assert world.delete("leila", place, 1).status_code == 204
    with world.statements() as counted:
        written(world, dead)
    assert len(counted) <= 4, counted.sql
