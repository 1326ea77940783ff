"""Who reads and writes a life project; what the person wrote is theirs."""

from typing import Any
from uuid import uuid4

import pytest

from tests.features.consents.people import represent
from tests.world import World

PATH, ME = "/api/v1/projects/life", "/api/v1/me/project/life"


def said(world: World, usager: str = "karim", structure: str = "mas_fam", **more: object) -> dict[str, object]:
    return {
        "usager_id": str(world.ids[usager]),
        "structure_id": str(world.ids[structure]),
        "words": "Vivre avec mes amis.",
        **more,
    }


def written(world: World, who: str = "sonia", **more: Any) -> str:
    answer = world.post(who, PATH, said(world, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def own(world: World, who: str = "karim", **more: object) -> str:
    answer = world.post(who, ME, {"words": "Travailler dehors.", **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


class TestTheTeam:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("sonia", 201), ("marc", 201), ("odile", 403), ("helene", 403), ("leila", 404), ("yann", 404)],
    )
    def test_writes_what_it_heard(self, world: World, who: str, status: int):
        assert world.post(who, PATH, said(world)).status_code == status

    @pytest.mark.parametrize(
        ("who", "status"), [("sonia", 200), ("marc", 200), ("odile", 404), ("leila", 404), ("yann", 404)]
    )
    def test_reads_by_role(self, world: World, who: str, status: int):
        assert world.get(who, written(world)).status_code == status

    def test_says_whose_words_they_are(self, world: World):
        told = world.get("sonia", written(world)).json()
        assert (told["said_by_kind"], told["said_by_id"]) == ("usager", str(world.ids["karim"]))

    def test_a_contact_of_theirs(self, world: World):
        contact = world.post(
            "odile",
            "/api/v1/contacts",
            {"usager_id": str(world.ids["karim"]), "structure_id": str(world.ids["mas_fam"]), "family_name": "SŒUR"},
        ).json()["id"]
        told = world.get("sonia", written(world, said_by_contact_id=contact)).json()
        assert (told["said_by_kind"], told["said_by_id"]) == ("contact", contact)
        other = world.post("sonia", PATH, said(world, "lucas", "ime", said_by_contact_id=contact))
        assert (other.status_code, other.json()["code"]) == (422, "life_project.whom")

    def test_what_is_wanted_comes_after_the_start(self, world: World):
        body = said(world, starts="2026-05-01", aim_on="2026-04-30")
        answer = world.post("sonia", PATH, body)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/aim_on")
        place = written(world, starts="2026-05-01")
        assert world.patch("sonia", place, {"aim_on": "2026-04-01"}, 1).status_code == 422

    def test_says_since_when_and_by_whom_one_is_over(self, world: World):
        place = written(world)
        told = world.patch("marc", place, {"status": "completed"}, 1).json()
        assert (told["status"], told["status_author_id"]) == ("completed", str(world.ids["marc"]))

    def test_an_empty_start_is_the_day_it_was_written(self, world: World):
        place = written(world, starts="2024-05-01")
        told = world.patch("sonia", place, {"starts": None}, 1).json()
        assert (told["starts"], told["occurred_at"]) == (None, told["recorded_at"])

    def test_lists_the_latest_first(self, world: World):
        for day in ("2021-01-01", "2023-01-01", "2022-01-01"):
            written(world, usager="ines", structure="mecs", starts=day)
        url = f"{PATH}?usager={world.ids['ines']}&limit=2"
        first = world.get("sonia", url).json()
        last = world.get("sonia", f"{url}&after={first['next']}").json()
        assert [i["starts"][:4] for i in first["items"] + last["items"]] == ["2023", "2022", "2021"]
        assert world.get("yann", url).json() == {"items": [], "next": None}
        assert str(world.ids["ines"]) in {i["usager_id"] for i in world.get("sonia", PATH).json()["items"]}

    def test_removed_is_gone(self, world: World):
        place = written(world)
        assert world.delete("sonia", place, 1).status_code == 204
        assert [world.get(who, place).status_code for who in ("sonia", "yann")] == [410, 404]


class TestThePerson:
    def test_writes_and_reads_their_own(self, world: World):
        id = own(world, aim="Un métier.", aim_on="2027-05-01")
        told = world.get("karim", f"{ME}/{id}").json()
        assert (told["words"], told["aim"], told["status"], told["mine"]) == (
            "Travailler dehors.",
            "Un métier.",
            "active",
            True,
        )
        assert world.get("karim", ME).json()["items"][0]["id"] == id
        assert world.get("sonia", f"{PATH}/{id}").json()["author_kind"] == "usager"

    def test_reads_what_is_shared_only(self, world: World):
        shown, kept = written(world), written(world, visibility="not_shared")
        ids = {i["id"] for i in world.get("karim", f"{ME}?limit=200").json()["items"]}
        assert [place.rpartition("/")[2] in ids for place in (shown, kept)] == [True, False]

    @pytest.mark.parametrize("changes", [{"words": "Autre chose."}, {"aim": None}, {"visibility": "not_shared"}])
    def test_what_they_wrote_the_team_does_not_write_again(self, world: World, changes: dict[str, object]):
        place = f"{PATH}/{own(world)}"
        answer = world.patch("sonia", place, changes, 1)
        assert (answer.status_code, answer.json()["code"]) == (409, "life_project.theirs")
        assert world.delete("marc", place, 1).json()["code"] == "life_project.theirs"
        assert world.get("sonia", place).json()["version"] == 1

    def test_the_team_may_say_it_is_over(self, world: World):
        assert world.patch("sonia", f"{PATH}/{own(world)}", {"status": "completed"}, 1).status_code == 200

    def test_who_represents_them_reads_and_does_not_write(self, world: World):
        represent(world, "curateur_vie", "karim", "tutelle")
        seen, closed = own(world), own(world, only_team=True)
        ids = {i["id"] for i in world.get("curateur_vie", f"{ME}?limit=200").json()["items"]}
        assert (seen in ids, closed in ids) == (True, False)
        assert world.post("curateur_vie", ME, {"words": "Je veux."}).status_code == 403
        assert {"structure_id", "author_id"}.isdisjoint(world.get("curateur_vie", f"{ME}/{seen}").json())

    @pytest.mark.parametrize("who", ["sonia", "chu"])
    def test_is_their_door_alone(self, world: World, who: str):
        assert world.get(who, ME).status_code == world.post(who, ME, {"words": "?"}).status_code == 401
        assert world.get("karim", PATH).status_code == 401

    def test_nobody_elses_is_found(self, world: World):
        id = own(world, "jeanne")
        assert world.get("karim", f"{ME}/{id}").status_code == world.get("karim", f"{ME}/{uuid4()}").status_code == 404


class TestCost:
    def test_reading_is_one_statement(self, world: World):
        for url in (written(world), f"{PATH}?usager={world.ids['karim']}"):
            world.get("sonia", url)
            with world.statements() as counted:
                world.get("sonia", url)
            assert len(counted) == 1, counted.sql

    def test_writing_is_four_at_most(self, world: World):
        written(world)
        with world.statements() as counted:
            written(world)
        assert len(counted) <= 4, counted.sql
        with world.statements() as counted:
            own(world)
        assert len(counted) <= 5, counted.sql
