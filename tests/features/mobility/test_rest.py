"""Who reads and writes how a person moves about; the doors that every room under a person has."""

from typing import Any
from uuid import uuid4

import pytest

from tests.features.consents.people import represent
from tests.world import World


def path(world: World, usager: str = "karim") -> str:
    return f"/api/v1/usagers/{world.ids[usager]}/mobility"


def said(world: World, structure: str = "mas_fam", **more: object) -> dict[str, object]:
    return {"structure_id": str(world.ids[structure]), "mode_label": "En fauteuil", **more}


def written(world: World, **more: Any) -> str:
    answer = world.post("sonia", path(world), said(world, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


@pytest.mark.parametrize(
    ("who", "status"), [("sonia", 201), ("marc", 201), ("odile", 403), ("helene", 403), ("leila", 404), ("yann", 404)]
)
def test_is_written_by_role(world: World, who: str, status: int):
    assert world.post(who, path(world), said(world)).status_code == status


@pytest.mark.parametrize(("who", "status"), [("sonia", 200), ("odile", 404), ("leila", 404), ("yann", 404)])
def test_is_read_by_role(world: World, who: str, status: int):
    assert world.get(who, written(world)).status_code == status


def test_is_not_under_another_person(world: World):
    id = written(world).rpartition("/")[2]
    elsewhere = f"{path(world, 'jeanne')}/{id}"
    assert world.get("sonia", elsewhere).status_code == 404
    assert world.patch("sonia", elsewhere, {"comment": "x"}, 1).status_code == 404
    assert world.delete("sonia", elsewhere, 1).status_code == 404


def test_that_says_nothing_is_refused(world: World):
    answer = world.post("sonia", path(world), said(world, mode_label=None))
    assert (answer.status_code, answer.json()["code"]) == (422, "mobility.nothing")
    assert world.patch("sonia", written(world), {"mode_label": None}, 1).status_code == 422


def test_of_a_day_to_come_is_refused(world: World):
    answer = world.post("sonia", path(world), said(world, noted_on="2200-01-01"))
    assert (answer.status_code, answer.json()["code"]) == (422, "mobility.future")


def test_a_correction_keeps_what_it_leaves_out(world: World):
    place = written(world, noted_on="2026-01-05", details=[{"text": "Ceinture"}])
    told = world.patch("sonia", place, {"comment": "Même pour sortir."}, 1).json()
    assert (told["details"], told["noted_on"], told["occurred_at"]) == (
        [{"text": "Ceinture"}],
        "2026-01-05",
        "2026-01-04T23:00:00Z",
    )
    undated = world.patch("sonia", place, {"noted_on": None, "details": None}, 2).json()
    assert (undated["details"], undated["occurred_at"]) == (None, undated["recorded_at"])
    assert world.patch("sonia", place, {"comment": "b"}, 2).status_code == 412


def test_is_listed_the_latest_first(world: World):
    for day in ("2021-01-01", "2023-01-01", "2022-01-01"):
        answer = world.post("sonia", path(world, "ines"), said(world, "mecs", noted_on=day))
        assert answer.status_code == 201
    first = world.get("sonia", f"{path(world, 'ines')}?limit=2").json()
    last = world.get("sonia", f"{path(world, 'ines')}?limit=2&after={first['next']}").json()
    assert [i["noted_on"][:4] for i in first["items"] + last["items"]] == ["2023", "2022", "2021"]


def test_out_of_reach_is_told_like_nobody(world: World):
    written(world)
    same = {"X-Request-Id": str(uuid4())}
    nobody = world.get("yann", f"/api/v1/usagers/{uuid4()}/mobility", headers=same)
    assert world.get("yann", path(world), headers=same).content == nobody.content


def test_the_person_reads_what_is_shared_and_who_represents_them_too(world: World):
    shown, kept = written(world), written(world, visibility="not_shared")
    represent(world, "tuteur_mobile", "karim", "tutelle")
    for who in ("karim", "tuteur_mobile"):
        items = world.get(who, "/api/v1/me/mobility?limit=200").json()["items"]
        ids = {i["id"] for i in items}
        assert [place.rpartition("/")[2] in ids for place in (shown, kept)] == [True, False]
        assert "structure_id" not in items[0]
    assert world.get("sonia", "/api/v1/me/mobility").status_code == 401
    assert world.get("karim", path(world)).status_code == 401


def test_removed_is_gone(world: World):
    place = written(world)
    assert world.delete("sonia", place, 1).status_code == 204
    assert [world.get(who, place).status_code for who in ("sonia", "yann")] == [410, 404]


def test_costs(world: World):
    for url in (written(world), path(world)):
        world.get("sonia", url)
        with world.statements() as counted:
            world.get("sonia", url)
        assert len(counted) == 1, counted.sql
    with world.statements() as counted:
        written(world)
    assert len(counted) <= 4, counted.sql
