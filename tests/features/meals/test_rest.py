"""Who notes meals, and what the person is told of theirs."""

from typing import Any

import pytest

from tests.features.consents.people import represent
from tests.features.meals.test_fhir import PATH, TYPE, written
from tests.world import World


def noted(world: World, who: str = "sonia", **more: Any) -> str:
    answer = world.post(who, PATH, written(world, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


class TestNote:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("marc", 201), ("sonia", 201), ("leila", 201), ("odile", 403), ("helene", 403), ("yann", 404), ("chu", 401)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, written(world)).status_code == status

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"occurred_at": "2100-01-01T12:00:00Z"}, "/status"),
            ({"present": None}, "/present"),
            ({"type_code": "1"}, "/type_code"),
        ],
    )
    def test_what_is_missing_or_too_soon_is_named(self, world: World, changes: dict[str, Any], where: str):
        answer = world.post("sonia", PATH, written(world, **changes))
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, [where])

    def test_one_to_come_is_planned(self, world: World):
        place = noted(world, occurred_at="2100-01-01T12:00:00Z", status="planned")
        assert world.patch("sonia", place, {"status": "done"}, 1).json()["code"] == "meal.future"

    def test_costs_few_statements(self, world: World):
        with world.statements() as statements:
            noted(world)
        assert len(statements) <= 4


class TestChange:
    def test_who_gave_the_status_is_told(self, world: World):
        place = noted(world)
        assert world.patch("marc", place, {"comment": "Au jardin"}, 1).json()["status_author_id"] == str(
            world.ids["sonia"]
        )
        assert world.patch("marc", place, {"status": "cancelled"}, 2).json()["status_author_id"] == str(
            world.ids["marc"]
        )

    @pytest.mark.parametrize(("who", "status"), [("leila", 200), ("marc", 200), ("odile", 404), ("yann", 404)])
    def test_by_role(self, world: World, who: str, status: int):
        assert world.patch(who, noted(world), {"present": False}, 1).status_code == status

    @pytest.mark.parametrize(("who", "status"), [("leila", 403), ("sonia", 204), ("marc", 204), ("odile", 404)])
    def test_removed_by_who_wrote_it_or_who_leads(self, world: World, who: str, status: int):
        assert world.delete(who, noted(world), 1).status_code == status


class TestRead:
    def test_between_two_days_in_order(self, world: World):
        for day in ("2031-03-03", "2031-03-01", "2031-03-02"):
            noted(world, status="planned", occurred_at=f"{day}T11:00:00Z")
        for whose in (f"usager={world.ids['jeanne']}", f"structure={world.ids['ehpad']}", "limit=50"):
            told = world.get("marc", f"{PATH}?{whose}&from=2031-03-01&until=2031-03-03").json()["items"]
            assert [one["occurred_at"][:10] for one in told] == ["2031-03-01", "2031-03-02"]

    def test_the_person_and_their_representative_read_what_is_shared(self, world: World):
        represent(world, "daughter", "jeanne", "habilitation_familiale")
        shared, hidden = noted(world), noted(world, visibility="not_shared")
        for who in ("jeanne", "daughter"):
            answers = [world.get(who, place.replace("/events", "/me/events")) for place in (shared, hidden)]
            assert [answer.status_code for answer in answers] == [200, 404]
            assert (answers[0].json()["type_code"], "comment" in answers[0].json()) == (f"{TYPE}|1", False)
            told = world.get(who, "/api/v1/me/events/meals?from=2026-11-20&until=2026-11-21").json()["items"]
            ids = {one["id"] for one in told}
            assert [place.rpartition("/")[2] in ids for place in (shared, hidden)] == [True, False]

    @pytest.mark.parametrize(
        ("who", "status"), [("marc", 200), ("odile", 404), ("mdph", 404), ("karim", 404), ("yann", 404)]
    )
    def test_by_whom(self, world: World, who: str, status: int):
        assert world.get(who, noted(world).replace(PATH, "/fhir/Observation")).status_code == status
