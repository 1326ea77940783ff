"""Hiring someone and letting them in: who may, what is given, until when."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.features.professionals.templates import SEASON, TEMPLATES
from app.kernel.clock import PARIS, today
from app.security.principal import Role
from tests.world import ORIGIN, World

PATH = "/api/v1/professionals/invitations"
AGAIN = "/api/v1/professionals/{}/invitation"


def said(world: World, **changes: object) -> dict[str, object]:
    who = {"given_name": "Nadia", "family_name": "Roche", "template": "infirmier"}
    return {**who, "structure_ids": [str(world.ids["ehpad"])], **changes}


def invited(world: World, who: str = "helene", **changes: object) -> Any:
    return world.post(who, PATH, said(world, **changes))


@pytest.fixture(scope="module", autouse=True)
def admin(world: World) -> None:
    world.hire("alain", Role.ADMIN, "ehpad")
    world.hire("diane", Role.DPO, "ehpad")


class TestInviting:
    @pytest.mark.parametrize("who", ["helene", "alain"])
    def test_gives_a_link_for_a_week(self, world: World, who: str):
        answer = invited(world, who)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert told["link"].startswith(f"{ORIGIN}/invitation/")
        assert datetime.fromisoformat(told["expires_at"]).astimezone(PARIS).date() == today() + timedelta(days=7)

    def test_hires_them_in_that_role_there(self, world: World):
        told = invited(world).json()
        [held] = world.get("helene", f"/api/v1/professionals/{told['professional_id']}/memberships").json()["items"]
        assert (held["id"], held["role"], held["ends"], held["structure_ids"]) == (
            told["membership_id"],
            "infirmier",
            None,
            [str(world.ids["ehpad"])],
        )

    @pytest.mark.threat("invitation-table-stolen")
    def test_the_link_is_kept_nowhere(self, world: World):
        token = invited(world).json()["link"].rpartition("/")[2]
        assert not [row for row in world.rows("SELECT i.*::text AS kept FROM invitation i") if token in row["kept"]]

    def test_leaves_its_lines(self, world: World):
        answer = invited(world)
        lines = world.traces(request_id=answer.headers["x-request-id"])
        assert {(line["action"], line["kind"]) for line in lines} == {
            ("create", "professional"),
            ("create", "membership"),
            ("invite", "invitation"),
        }

    def test_the_same_key_hires_once_and_tells_no_link_again(self, world: World):
        key = {"Idempotency-Key": uuid4().hex}
        first = world.post("helene", PATH, said(world), headers=key)
        again = world.post("helene", PATH, said(world), headers=key)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
        assert (again.json()["professional_id"], again.json()["link"]) == (first.json()["professional_id"], None)

    def test_the_same_key_makes_another_link_once_and_does_not_tell_it_again(self, world: World):
        place = f"/api/v1/professionals/{invited(world).json()['professional_id']}/invitation"
        key = {"Idempotency-Key": uuid4().hex}
        first, again = (world.post("helene", place, {}, headers=key) for _ in range(2))
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
        assert (again.json()["professional_id"], again.json()["link"]) == (first.json()["professional_id"], None)
        assert world.client.get(first.json()["link"]).status_code == 200

    @pytest.mark.threat("invitation-by-whom")
    @pytest.mark.parametrize("who", ["sonia", "marc", "odile", "diane"])
    def test_nobody_else_may_and_nobody_is_hired(self, world: World, who: str):
        before = world.rows("SELECT count(*) FROM professional")
        answer = invited(world, who)
        assert answer.status_code == 403
        assert world.rows("SELECT count(*) FROM professional") == before
        assert {line["outcome"] for line in world.traces(request_id=answer.headers["x-request-id"])} == {"refused"}

    @pytest.mark.threat("invitation-by-whom")
    def test_nobody_is_hired_in_another_house(self, world: World):
        assert invited(world, structure_ids=[str(world.ids["other"])]).status_code == 422

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"template": "roi"}, "/template"),
            ({"given_name": " "}, "/given_name"),
            ({"structure_ids": []}, "/structure_ids"),
            ({"ends": "2020-01-01"}, "/ends"),
        ],
    )
    def test_what_to_mend_is_named(self, world: World, changes: dict[str, object], where: str):
        answer = invited(world, **changes)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)


class TestTemplates:
    def test_every_role_can_be_given(self):
        assert {template.role for template in TEMPLATES.values()} == set(Role)

    def test_are_told_to_who_may_invite(self, world: World):
        assert world.get("sonia", "/api/v1/professionals/templates").status_code == 403
        items = world.get("helene", "/api/v1/professionals/templates").json()["items"]
        assert {item["code"]: item["longest_days"] for item in items}["remplacant_infirmier"] == SEASON
        assert len(items) == len(TEMPLATES)

    def test_who_passes_through_has_an_end_even_unsaid(self, world: World):
        assert invited(world, template="stagiaire").json()["ends"] is not None

    @pytest.mark.threat("membership-endless")
    def test_and_none_beyond_what_the_function_allows(self, world: World):
        ends = str(today() + timedelta(days=SEASON + 1))
        answer = invited(world, template="remplacant_infirmier", ends=ends)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "membership.too_long")

    def test_a_sooner_end_is_kept(self, world: World):
        ends = str(today() + timedelta(days=10))
        assert invited(world, template="remplacant_infirmier", ends=ends).json()["ends"] == ends

    def test_a_day_to_come_may_be_the_first(self, world: World):
        starts = today() + timedelta(days=30)
        told = invited(world, template="stagiaire", starts=str(starts)).json()
        assert date.fromisoformat(told["ends"]) > starts


class TestAgain:
    def test_another_link_takes_the_place_of_the_first(self, world: World):
        first = invited(world).json()
        second = world.post("helene", AGAIN.format(first["professional_id"]), {})
        assert (second.status_code, second.json()["link"] != first["link"]) == (201, True)
        waiting = "SELECT count(*) FROM invitation WHERE professional_id::text = $1 AND revoked_at IS NULL"
        assert world.rows(waiting, first["professional_id"])[0]["count"] == 1

    def test_a_link_is_taken_back(self, world: World):
        told = invited(world).json()
        path = AGAIN.format(told["professional_id"])
        answer = world.client.delete(path, headers=world.bearers["alain"])
        assert answer.status_code == 204
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert line["action"] == "take_back_invitation"
        assert world.client.get(told["link"].removeprefix(ORIGIN)).status_code == 400

    @pytest.mark.threat("invitation-takes-account")
    @pytest.mark.parametrize("verb", ["POST", "DELETE"])
    def test_who_has_an_account_is_not_invited(self, world: World, verb: str):
        answer = world.client.request(verb, AGAIN.format(world.ids["sonia"]), headers=world.bearers["helene"])
        assert answer.status_code == 409

    @pytest.mark.threat("invitation-by-whom")
    @pytest.mark.parametrize("verb", ["POST", "DELETE"])
    def test_someone_of_another_house_is_not_there(self, world: World, verb: str):
        for id in (world.ids["yann"], uuid4()):
            assert world.client.request(verb, AGAIN.format(id), headers=world.bearers["helene"]).status_code == 404

    @pytest.mark.threat("invitation-by-whom")
    @pytest.mark.parametrize("verb", ["POST", "DELETE"])
    def test_nobody_else_may(self, world: World, verb: str):
        id = invited(world).json()["professional_id"]
        assert world.client.request(verb, AGAIN.format(id), headers=world.bearers["marc"]).status_code == 403


@pytest.mark.threat("token-wrong-door")
@pytest.mark.parametrize("who", ["jeanne", "chu"])
def test_the_door_is_the_staff_s(world: World, who: str):
    assert invited(world, who).status_code == 401
    assert world.get(who, "/api/v1/professionals/templates").status_code == 401
    for verb in ("POST", "DELETE"):
        path = AGAIN.format(uuid4())
        assert world.client.request(verb, path, headers=world.bearers[who]).status_code == 401
