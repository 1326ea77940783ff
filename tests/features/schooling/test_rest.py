"""The rules of a school period."""

from uuid import uuid4

import pytest

from tests.world import World


def said(world: World, **more: object) -> dict[str, object]:
    return {"structure_id": str(world.ids["ime"]), "starts": "2025-09-01", **more}


def path(world: World, usager: str = "lucas") -> str:
    return f"/api/v1/usagers/{world.ids[usager]}/schooling"


@pytest.mark.parametrize(
    ("who", "status"), [("sonia", 201), ("marc", 201), ("odile", 403), ("helene", 403), ("leila", 404), ("yann", 404)]
)
def test_is_written_by_role(world: World, who: str, status: int):
    assert world.post(who, path(world), said(world)).status_code == status


def test_ends_after_it_starts(world: World):
    refused = world.post("sonia", path(world), said(world, ends="2025-09-01"))
    assert (refused.status_code, refused.json()["code"]) == (422, "school.period")
    place = world.post("sonia", path(world), said(world)).headers["location"]
    assert world.patch("sonia", place, {"ends": "2025-01-01"}, 1).json()["code"] == "school.period"
    assert world.patch("sonia", place, {"ends": "2025-12-20"}, 1).json()["ends"] == "2025-12-20"


def test_who_follows_it_is_a_contact_of_theirs(world: World):
    contact = world.post(
        "odile",
        "/api/v1/contacts",
        {"usager_id": str(world.ids["karim"]), "structure_id": str(world.ids["mas_fam"]), "family_name": "PROF"},
    ).json()["id"]
    refused = world.post("sonia", path(world), said(world, referent_id=contact))
    assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "/referent_id")
    assert world.post("sonia", path(world), said(world, referent_id=str(uuid4()))).status_code == 404


def test_its_school_is_a_structure_of_ours_or_a_name(world: World):
    told = world.post("sonia", path(world), said(world, school_id=str(world.ids["ime"]))).json()
    assert told["school_id"] == str(world.ids["ime"])
    assert world.post("sonia", path(world), said(world, school_id=str(uuid4()))).status_code == 404


def test_a_start_taken_away_leaves_the_day_it_was_written(world: World):
    place = world.post("sonia", path(world), said(world)).headers["location"]
    told = world.patch("sonia", place, {"starts": None}, 1).json()
    assert (told["starts"], told["occurred_at"]) == (None, told["recorded_at"])


@pytest.mark.parametrize(
    "more", [{"volume": {"value": -1}}, {"teachings": [{"label": "sans code"}]}, {"teachings": [{"code": "nu"}]}]
)
def test_what_cannot_be_is_refused(world: World, more: dict[str, object]):
    assert world.post("sonia", path(world), said(world, **more)).status_code == 422
