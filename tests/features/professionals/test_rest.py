"""Who works here, and in which role: a membership is one role over some structures, dated."""

from datetime import timedelta

import pytest

from app.kernel.clock import today
from app.security.principal import Role
from tests.features.transmissions.test_rest import written
from tests.world import World

PATH = "/api/v1/professionals"


def membership(world: World, professional: str, **more: object):
    return {
        "professional_id": professional,
        "role": "educateur",
        "structure_ids": [str(world.ids["ime"]), str(world.ids["mecs"])],
        "starts": today().isoformat(),
        **more,
    }


@pytest.fixture
def newcomer(world: World) -> str:
    return str(world.post("helene", PATH, {"family_name": "Nouveau", "given_name": "Paul"}).json()["id"])


@pytest.mark.parametrize(("who", "status"), [("helene", 201), ("marc", 201), ("sonia", 403), ("odile", 403)])
def test_added_by_who_manages_staff(world: World, who: str, status: int):
    assert world.post(who, PATH, {"family_name": "Durand", "given_name": "Léa"}).status_code == status


def test_listed_by_name_for_those_who_work_here(world: World, newcomer: str):
    names = [p["family_name"] for p in world.get("sonia", PATH).json()["items"]]
    assert names == sorted(names)
    assert "Le Goff" not in names
    assert [world.get(who, f"{PATH}/{newcomer}").status_code for who in ("sonia", "yann")] == [200, 404]


def test_changed_with_its_version(world: World, newcomer: str):
    assert world.patch("marc", f"{PATH}/{newcomer}", {"rpps": "10003456780"}, 1).status_code == 422
    assert world.patch("marc", f"{PATH}/{newcomer}", {"family_name": None}, 1).status_code == 422
    assert world.patch("marc", f"{PATH}/{newcomer}", {"profession": "Moniteur"}, 1).json()["version"] == 2


def test_a_role_over_two_structures_then_ended(world: World, newcomer: str):
    given = world.post("helene", f"{PATH}/memberships", membership(world, newcomer))
    assert given.status_code == 201, given.text
    place = given.headers["location"]
    read = world.get("sonia", place).json()
    assert set(read["structure_ids"]) == {str(world.ids["ime"]), str(world.ids["mecs"])}
    assert [m["id"] for m in world.get("sonia", f"{PATH}/{newcomer}/memberships").json()["items"]] == [read["id"]]
    assert world.patch("helene", place, {"ends": "2000-01-01"}, 1).status_code == 422
    assert world.patch("helene", place, {"ends": today().isoformat()}, 1).status_code == 200


@pytest.mark.parametrize("change", [{"ends": "2000-01-01"}, {"structure_ids": []}, {"role": "roi"}])
def test_what_is_wrong_is_refused(world: World, newcomer: str, change: dict[str, object]):
    assert world.post("helene", f"{PATH}/memberships", membership(world, newcomer, **change)).status_code == 422


def test_a_structure_of_elsewhere_is_refused(world: World, newcomer: str):
    body = membership(world, newcomer, structure_ids=[str(world.ids["other"])])
    answer = world.post("helene", f"{PATH}/memberships", body)
    assert answer.status_code == 422
    assert world.get("sonia", f"{PATH}/{newcomer}/memberships").json()["items"] == []


@pytest.mark.threat("token-membership-ended")
def test_an_ended_role_closes_at_the_next_request_and_authorship_stays(world: World):
    note = written(world)
    [m] = world.get("marc", f"{PATH}/{world.ids['sonia']}/memberships").json()["items"]
    place = f"{PATH}/memberships/{m['id']}"
    assert world.patch("marc", place, {"ends": today().isoformat()}, 1).status_code == 200
    assert world.get("sonia", note).status_code == 404
    assert world.get("marc", note).json()["author_id"] == str(world.ids["sonia"])
    later = (today() + timedelta(days=30)).isoformat()
    assert world.patch("marc", place, {"ends": later}, 2).status_code == 200
    assert world.get("sonia", note).status_code == 200


@pytest.fixture(scope="module")
def chief(world: World) -> str:
    world.hire("chief_ime", Role.CHEF_DE_SERVICE, "ime")
    return "chief_ime"


class TestGiven:
    """By who leads: to others, below them, where they work."""

    @staticmethod
    def given(world: World, who: str, to: str, *places: str, role: str = "educateur") -> int:
        body = membership(world, to, role=role, structure_ids=[str(world.ids[place]) for place in places])
        return int(world.post(who, f"{PATH}/memberships", body).status_code)

    @pytest.mark.threat("membership-to-oneself")
    @pytest.mark.parametrize("who", ["chief_ime", "helene"])
    def test_nobody_gives_themselves_a_function(self, world: World, chief: str, who: str):
        assert self.given(world, who, str(world.ids[who]), "ime") == 403
        [mine] = world.get(who, f"{PATH}/{world.ids[who]}/memberships").json()["items"]
        place = f"{PATH}/memberships/{mine['id']}"
        assert world.patch(who, place, {"ends": "2099-01-01"}, mine["version"]).status_code == 403

    @pytest.mark.threat("membership-beyond-ones-own")
    @pytest.mark.parametrize("role", ["direction", "admin", "dpo", "chef_de_service"])
    def test_a_chief_gives_no_function_as_high_as_theirs(self, world: World, chief: str, newcomer: str, role: str):
        assert self.given(world, chief, newcomer, "ime", role=role) == 403
        assert self.given(world, "helene", newcomer, "ime", role=role) == 201

    @pytest.mark.threat("membership-beyond-ones-own")
    def test_a_chief_gives_none_where_they_do_not_work(self, world: World, chief: str, newcomer: str):
        assert [self.given(world, chief, newcomer, *places) for places in (("ime",), ("mecs",), ("ime", "mecs"))] == [
            201,
            403,
            403,
        ]
        assert world.traces(action="create", kind="membership")[-1]["outcome"] == "refused"

    @pytest.mark.threat("membership-beyond-ones-own")
    def test_nor_a_later_end_there(self, world: World, chief: str, newcomer: str):
        ends = (today() + timedelta(days=30)).isoformat()
        body = membership(world, newcomer, structure_ids=[str(world.ids["mecs"])])
        place = world.post("helene", f"{PATH}/memberships", body).headers["location"]
        assert world.patch(chief, place, {"ends": ends}, 1).status_code == 403
        assert world.patch("marc", place, {"ends": ends}, 1).status_code == 200

    @pytest.mark.threat("team-rule-elsewhere")
    def test_nor_a_rule_or_an_astreinte(self, world: World, chief: str):
        hours = {"starts_at": "2030-01-01T20:00:00Z", "ends_at": "2030-01-02T08:00:00Z"}
        who = {"professional_id": str(world.ids["sonia"])}
        for place, status in (("ime", 201), ("mecs", 403)):
            rule = {**who, "unit_id": str(world.ids[f"unit_{place}"])}
            assert world.post(chief, "/api/v1/teams/rules", rule).status_code == status
            call = {**who, **hours, "structure_ids": [str(world.ids[place])]}
            assert world.post(chief, "/api/v1/teams/on-call", call).status_code == status
        made = world.post("marc", "/api/v1/teams/rules", {**who, "unit_id": str(world.ids["unit_mecs"])})
        place = made.headers["location"]
        assert world.patch(chief, place, {"ends_at": hours["ends_at"]}, 1).status_code == 403
