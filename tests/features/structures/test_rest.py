"""The organisation's own places: read by who works there, changed by the direction."""

import pytest

from tests.world import World

PATH = "/api/v1/structures"


@pytest.mark.parametrize(("who", "status"), [("helene", 201), ("marc", 403), ("sonia", 403), ("odile", 403)])
def test_added_by_the_direction_only(world: World, who: str, status: int):
    assert world.post(who, PATH, {"name": "SAVS", "model": "savs"}).status_code == status


def test_read_by_all_who_work_here_and_by_nobody_else(world: World):
    place = f"{PATH}/{world.ids['ehpad']}"
    assert [world.get(who, place).status_code for who in ("sonia", "odile", "yann")] == [200, 200, 404]
    names = [s["name"] for s in world.get("sonia", PATH).json()["items"]]
    assert names == sorted(names)
    assert "AUTRE" not in names


def test_changed_and_closed_with_its_version(world: World):
    place = world.post("helene", PATH, {"name": "Temporaire", "model": "savs"}).headers["location"]
    assert world.patch("helene", place, {"name": "SAVS du parc"}, 1).json()["name"] == "SAVS du parc"
    assert world.patch("helene", place, {"name": "x"}, 1).status_code == 412
    assert world.patch("helene", place, {"name": None}, 2).status_code == 422
    assert world.delete("helene", place, 2).status_code == 204
    assert world.get("sonia", place).status_code == 410


def test_a_wrong_finess_is_named_and_not_repeated(world: World):
    answer = world.post("helene", PATH, {"name": "x", "model": "ime", "finess": "123456789"})
    assert answer.json()["errors"][0] == {
        "where": "/finess",
        "code": "finess",
        "message": "Un numéro FINESS a neuf chiffres, le dernier étant sa clé.",
    }
    assert "123456789" not in answer.text


def test_the_same_finess_twice_is_a_conflict(world: World):
    body = {"name": "x", "model": "ime", "finess": "750000010"}
    answers = [world.post("helene", PATH, body) for _ in "ab"]
    assert [a.status_code for a in answers] == [201, 409]


def test_nor_is_it_given_to_another_afterwards(world: World):
    first = world.post("helene", PATH, {"name": "x", "model": "ime", "finess": "750000028"})
    other = world.post("helene", PATH, {"name": "y", "model": "ime"}).headers["location"]
    assert (first.status_code, world.patch("helene", other, {"finess": "750000028"}, 1).status_code) == (201, 409)


def test_units_belong_to_a_structure_of_here(world: World):
    unit = {"structure_id": str(world.ids["ehpad"]), "name": "Le verger"}
    place = world.post("helene", f"{PATH}/units", unit).headers["location"]
    assert world.get("sonia", place).json()["kind"] == "unit"
    assert world.patch("helene", place, {"name": "Le grand verger"}, 1).status_code == 200
    of = world.get("sonia", f"{PATH}/units?structure={world.ids['ehpad']}").json()["items"]
    assert {u["name"] for u in of} == {"Unité", "Le grand verger"}
    assert len(world.get("sonia", f"{PATH}/units").json()["items"]) > len(of)
    assert world.delete("helene", place, 2).status_code == 204
    elsewhere = {"structure_id": str(world.ids["other"]), "name": "x"}
    assert world.post("helene", f"{PATH}/units", elsewhere).status_code == 422
