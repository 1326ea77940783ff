"""What each caller may do with stays, through the staff's door; dates open and close them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.kernel.clock import today
from app.security.principal import Role
from tests.features.usagers.people import opened
from tests.world import World

PATH = "/api/v1/stays"


@pytest.fixture
def someone(world: World) -> str:
    """A newcomer at the EHPAD, without a stay."""
    return opened(world, birth_family_name="Séjour", confirmed_new=True).rpartition("/")[2]


def said(world: World, usager: str, structure: str = "ehpad", **changes: object) -> dict[str, object]:
    return {
        "usager_id": usager,
        "structure_id": str(world.ids[structure]),
        "starts": str(today() - timedelta(days=10)),
        **changes,
    }


def planned(world: World, usager: str, who: str = "odile", **changes: object) -> str:
    answer = world.post(who, PATH, said(world, usager, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def day(number: int) -> str:
    return str(today() + timedelta(days=number))


class TestPlan:
    def test_by_the_secretary_who_reads_it_back(self, world: World, someone: str):
        unit = str(world.ids["unit_ehpad"])
        told = world.get("odile", planned(world, someone, unit_id=unit, file_number="1012")).json()
        assert (told["status"], told["unit_id"], told["file_number"]) == ("in_progress", unit, "1012")

    @pytest.mark.parametrize(
        ("starts", "ends", "status"),
        [(0, None, "in_progress"), (1, None, "planned"), (-5, 0, "finished"), (-5, 1, "in_progress")],
    )
    def test_its_dates_say_its_status(self, world: World, someone: str, starts: int, ends: int | None, status: str):
        changes = {"starts": day(starts), "ends": None if ends is None else day(ends)}
        place = planned(world, someone, **changes)
        assert world.get("odile", place).json()["status"] == status
        assert world.post("odile", PATH, said(world, someone, "ime", **changes)).json()["status"] == status

    def test_what_was_planned_begins_by_itself(self, world: World, someone: str):
        place = planned(world, someone, starts=day(3))
        assert world.get("odile", place).json()["planned_start"] == day(3)
        world.rows("UPDATE stay SET starts = $1 WHERE id = $2", today(), place.rpartition("/")[2])
        assert world.get("odile", place).json()["status"] == "in_progress"

    @pytest.mark.parametrize(
        ("who", "status"),
        [("marc", 201), ("odile", 201), ("sonia", 403), ("leila", 404), ("helene", 403), ("yann", 404)],
    )
    def test_by_role(self, world: World, someone: str, who: str, status: int):
        world.accompany("sonia", someone, "ehpad")
        assert world.post(who, PATH, said(world, someone)).status_code == status

    def test_of_someone_received_elsewhere_is_not_found(self, world: World):
        world.hire("nina", Role.CHEF_DE_SERVICE, "ehpad")
        karim = str(world.ids["karim"])
        answer = world.post("nina", PATH, said(world, karim))
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (404, ["/usager_id"])
        assert world.get("nina", f"/api/v1/usagers/{karim}").status_code == 404

    def test_of_nobody_is_told_like_one_out_of_reach(self, world: World, someone: str):
        same = {"X-Request-Id": str(uuid4())}
        never = world.post("yann", PATH, said(world, str(uuid4())), headers=same)
        other = world.post("yann", PATH, said(world, someone), headers=same)
        assert (never.status_code, never.content) == (404, other.content)

    @pytest.mark.parametrize("unit", ["unit_ime", "nothing"])
    def test_in_a_unit_of_another_structure_is_refused(self, world: World, someone: str, unit: str):
        answer = world.post("odile", PATH, said(world, someone, unit_id=str(world.ids.get(unit, uuid4()))))
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, ["/unit_id"])

    def test_that_ends_before_it_begins_is_refused(self, world: World, someone: str):
        answer = world.post("odile", PATH, said(world, someone, ends=day(-10)))
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, ["/ends"])

    def test_needs_a_token_of_this_door(self, world: World, someone: str):
        assert [world.post(who, PATH, said(world, someone)).status_code for who in ("jeanne", "chu")] == [401, 401]


class TestOneAtATime:
    @pytest.mark.parametrize(("starts", "ends"), [(-10, None), (-20, -9), (5, 8)])
    def test_in_a_structure(self, world: World, someone: str, starts: int, ends: int | None):
        planned(world, someone)
        body = said(world, someone, starts=day(starts), ends=None if ends is None else day(ends))
        answer = world.post("odile", PATH, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict.ex_stay_one_at_a_time")

    def test_the_day_one_ends_another_begins(self, world: World, someone: str):
        planned(world, someone, ends=day(5))
        planned(world, someone, starts=day(5))

    def test_two_structures_may_receive_them(self, world: World, someone: str):
        planned(world, someone)
        planned(world, someone, structure="ime")

    def test_a_change_that_would_overlap_is_refused(self, world: World, someone: str):
        first = planned(world, someone, ends=day(-5))
        planned(world, someone, starts=day(-5))
        answer = world.patch("odile", first, {"ends": None}, 1)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict.ex_stay_one_at_a_time")

    @pytest.mark.parametrize("gone", ["cancelled", "removed"])
    def test_one_that_was_cancelled_or_removed_leaves_its_place(self, world: World, someone: str, gone: str):
        first = planned(world, someone)
        if gone == "cancelled":
            world.patch("odile", first, {"status": "cancelled"}, 1)
        else:
            world.delete("marc", first, 1)
        planned(world, someone)

    @pytest.mark.threat("object-clash-oracle")
    def test_out_of_reach_an_overlap_is_not_told(self, world: World, someone: str):
        planned(world, someone)
        assert world.post("yann", PATH, said(world, someone, "other")).status_code == 404


class TestChange:
    def test_its_end_closes_what_it_opened_at_the_next_request(self, world: World):
        world.hire("nestor", Role.CHEF_DE_SERVICE, "mecs")
        id = opened(world, birth_family_name="Ferme").rpartition("/")[2]
        place = planned(world, id, structure="mecs")
        assert world.get("nestor", f"/api/v1/usagers/{id}").status_code == 200
        closed = world.patch("odile", place, {"ends": str(today()), "exit_mode": "Retour au domicile"}, 1)
        assert (closed.status_code, closed.json()["status"]) == (200, "finished")
        assert world.get("nestor", f"/api/v1/usagers/{id}").status_code == 404

    def test_a_cancelled_one_opens_nothing_and_is_over(self, world: World):
        world.hire("nils", Role.CHEF_DE_SERVICE, "mecs")
        id = opened(world, birth_family_name="Annule").rpartition("/")[2]
        place = planned(world, id, structure="mecs")
        told = world.patch("odile", place, {"status": "cancelled"}, 1).json()
        assert (told["status"], told["ends"]) == ("cancelled", told["starts"])
        assert world.get("odile", place).json()["status"] == "cancelled"
        assert world.get("nils", f"/api/v1/usagers/{id}").status_code == 404
        again = world.patch("odile", place, {"ends": None}, 2)
        assert (again.status_code, again.json()["code"]) == (409, "stay.cancelled")

    def test_moves_to_a_unit_of_its_structure_only(self, world: World, someone: str):
        place = planned(world, someone)
        assert world.patch("odile", place, {"unit_id": str(world.ids["unit_ehpad"])}, 1).status_code == 200
        elsewhere = world.patch("odile", place, {"unit_id": str(world.ids["unit_ime"])}, 2)
        assert (elsewhere.status_code, elsewhere.json()["errors"][0]["where"]) == (422, "/unit_id")

    @pytest.mark.parametrize(("who", "status"), [("sonia", 403), ("helene", 403), ("leila", 404), ("yann", 404)])
    def test_by_role_is_refused(self, world: World, someone: str, who: str, status: int):
        world.accompany("sonia", someone, "ehpad")
        assert world.patch(who, planned(world, someone), {"ends": None}, 1).status_code == status

    @pytest.mark.parametrize(
        "body", [{"starts": None}, {"status": "finished"}, {"structure_id": str(uuid4())}, {"ends": "2000-01-01"}]
    )
    def test_what_cannot_be_is_refused(self, world: World, someone: str, body: dict[str, object]):
        answer = world.patch("odile", planned(world, someone), body, 1)
        assert answer.status_code == 422

    def test_from_a_stale_version_is_refused(self, world: World, someone: str):
        place = planned(world, someone)
        world.patch("odile", place, {"comment": "a"}, 1)
        assert world.patch("odile", place, {"comment": "b"}, 1).status_code == 412


class TestRead:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("sonia", 200), ("marc", 200), ("odile", 200), ("helene", 200), ("leila", 404), ("yann", 404)],
    )
    def test_by_role(self, world: World, someone: str, who: str, status: int):
        world.accompany("sonia", someone, "ehpad")
        assert world.get(who, planned(world, someone)).status_code == status

    def test_of_someone_the_latest_first_page_after_page(self, world: World, someone: str):
        for n in (-30, -20, -10):
            planned(world, someone, starts=day(n), ends=day(n + 5))
        url = f"{PATH}?usager={someone}&limit=2"
        first = world.get("odile", url).json()
        last = world.get("odile", f"{url}&after={first['next']}").json()
        assert [i["starts"] for i in first["items"] + last["items"]] == [day(-10), day(-20), day(-30)]
        assert world.get("yann", url).json() == {"items": [], "next": None}

    def test_of_all_holds_those_i_may_read(self, world: World):
        assert {i["usager_id"] for i in world.get("leila", PATH).json()["items"]} == {str(world.ids["jeanne"])}

    def test_removed_is_gone_for_who_could_read_it(self, world: World, someone: str):
        place = planned(world, someone)
        assert world.delete("odile", place, 1).status_code == 403
        assert world.delete("marc", place, 1).status_code == 204
        assert [world.get(who, place).status_code for who in ("marc", "yann")] == [410, 404]


class TestCost:
    def test_read_and_list_are_one(self, world: World, someone: str):
        for url in (planned(world, someone), f"{PATH}?usager={someone}"):
            world.get("odile", url)
            with world.statements() as counted:
                world.get("odile", url)
            assert len(counted) == 1, counted.sql

    @pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "count-stays"}])
    def test_a_post_is_four_at_most(self, world: World, someone: str, key: dict[str, str]):
        world.post("odile", PATH, said(world, someone, "ime", unit_id=str(world.ids["unit_ime"])))
        with world.statements() as counted:
            answer = world.post("odile", PATH, said(world, someone, unit_id=str(world.ids["unit_ehpad"])), headers=key)
        assert answer.status_code == 201
        assert 3 <= len(counted) <= 4, counted.sql
