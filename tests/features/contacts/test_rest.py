"""What each caller may do with contacts, through the staff's door."""

from uuid import uuid4

import pytest

from app.kernel.clock import today
from app.security.principal import Role
from tests.features.contacts.people import PATH, TUTELLE, added, entered, said
from tests.world import World


class TestAdd:
    def test_by_the_secretary_who_reads_it_back(self, world: World):
        place = added(world, given_name="Hélène", role="https://smt.example/jdv-j384|MTH", phone="06 11 22 33 44")
        read = world.get("odile", place)
        told = read.json()
        assert (read.status_code, told["family_name"], told["role"]) == (
            200,
            "BLANC",
            "https://smt.example/jdv-j384|MTH",
        )
        assert (told["visibility"], told["call_order"]) == ("shared", 99)

    @pytest.mark.parametrize(
        ("who", "status"),
        [("odile", 201), ("marc", 201), ("sonia", 403), ("leila", 403), ("helene", 403), ("yann", 404)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, said(world)).status_code == status

    def test_of_someone_received_elsewhere_is_not_found(self, world: World):
        world.hire("nina", Role.SECRETARIAT, "ehpad")
        body = said(world, "karim") | {"structure_id": str(world.ids["ehpad"])}
        assert world.post("nina", PATH, body).status_code == 404

    def test_of_nobody_is_told_like_one_out_of_reach(self, world: World):
        same = {"X-Request-Id": str(uuid4())}
        never = world.post("yann", PATH, said(world) | {"usager_id": str(uuid4())}, headers=same)
        other = world.post("yann", PATH, said(world), headers=same)
        assert (never.status_code, never.content) == (404, other.content)

    def test_needs_a_token_of_this_door(self, world: World):
        assert [world.post(who, PATH, said(world)).status_code for who in ("jeanne", "chu")] == [401, 401]

    @pytest.mark.parametrize(
        ("field", "value"),
        [("role", "mère"), ("call_order", 0), ("phone", "172057511111115172057511111115"), ("family_name", " ")],
    )
    def test_a_bad_field_is_named_without_its_value(self, world: World, field: str, value: object):
        answer = world.post("odile", PATH, said(world, **{field: value}))
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, [f"/{field}"])
        assert "172057511111115" not in answer.text

    def test_leaves_a_line_of_trail(self, world: World):
        answer = world.post("odile", PATH, said(world))
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["kind"], line["usager_id"]) == ("create", "contact", world.ids["jeanne"])


class TestRead:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("sonia", 200), ("marc", 200), ("leila", 200), ("odile", 200), ("helene", 200), ("yann", 404)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.get(who, added(world)).status_code == status

    def test_outside_the_team_is_not_found(self, world: World):
        assert world.get("leila", added(world, "karim")).status_code == 404

    def test_in_the_order_of_calls_page_after_page(self, world: World):
        for name, order in (("Troisième", 3), ("Première", 1), ("Deuxième", 2), ("Sans rang", 99)):
            added(world, "lucas", family_name=name, call_order=order)
        url = f"{PATH}?usager={world.ids['lucas']}&limit=3"
        first = world.get("sonia", url).json()
        last = world.get("sonia", f"{url}&after={first['next']}").json()
        names = [i["family_name"] for i in first["items"] + last["items"]]
        assert names == ["Première", "Deuxième", "Troisième", "Sans rang"]

    def test_of_all_holds_those_i_may_read(self, world: World):
        added(world)
        added(world, "karim")
        assert {i["usager_id"] for i in world.get("leila", PATH).json()["items"]} == {str(world.ids["jeanne"])}
        assert world.get("yann", PATH).json()["items"] == []


class TestCorrect:
    def test_makes_a_version(self, world: World):
        told = world.patch("marc", added(world), {"address_protected": True, "call_order": 2}, 1).json()
        assert (told["address_protected"], told["call_order"], told["version"]) == (True, 2, 2)

    @pytest.mark.parametrize(("who", "status"), [("sonia", 403), ("leila", 403), ("helene", 403), ("yann", 404)])
    def test_by_role_is_refused(self, world: World, who: str, status: int):
        assert world.patch(who, added(world), {"phone": "0611223344"}, 1).status_code == status

    @pytest.mark.parametrize("body", [{"family_name": None}, {"usager_id": str(uuid4())}, {"trusted_person": "chosen"}])
    def test_what_cannot_change_is_refused(self, world: World, body: dict[str, object]):
        assert world.patch("odile", added(world), body, 1).status_code == 422

    def test_from_a_stale_version_is_refused(self, world: World):
        place = added(world)
        world.patch("odile", place, {"notes": "a"}, 1)
        assert world.patch("odile", place, {"notes": "b"}, 1).status_code == 412


class TestRemove:
    @pytest.mark.parametrize(("who", "status"), [("marc", 204), ("odile", 403), ("sonia", 403), ("yann", 404)])
    def test_by_role(self, world: World, who: str, status: int):
        assert world.delete(who, added(world), 1).status_code == status

    def test_waits_for_the_end_of_their_mandate(self, world: World):
        contact = added(world, "karim")
        mandate = entered(world, contact, **TUTELLE)
        refused = world.delete("marc", contact, 1)
        assert (refused.status_code, refused.json()["code"]) == (409, "contact.mandate_runs")
        world.patch("odile", mandate, {"ends": str(today())}, 1)
        assert world.delete("marc", contact, 1).status_code == 204
        assert world.get("marc", contact).status_code == 410


class TestCost:
    def test_read_and_list_are_one(self, world: World):
        for url in (added(world), f"{PATH}?usager={world.ids['jeanne']}"):
            world.get("odile", url)
            with world.statements() as counted:
                world.get("odile", url)
            assert len(counted) == 1, counted.sql

    @pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "count-contacts"}])
    def test_a_post_is_four_at_most(self, world: World, key: dict[str, str]):
        world.post("odile", PATH, said(world))
        with world.statements() as counted:
            assert world.post("odile", PATH, said(world), headers=key).status_code == 201
        assert 3 <= len(counted) <= 4, counted.sql
