"""Who notes, confirms and bills presences, and what the person is told of theirs."""

from typing import Any
from uuid import uuid4

import pytest

from tests.features.consents.people import represent
from tests.features.presences.test_fhir import PATH, TYPE, WHY, written
from tests.features.usagers.people import opened
from tests.world import World


def noted(world: World, who: str = "odile", **more: Any) -> str:
    answer = world.post(who, PATH, written(world, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


@pytest.fixture
def newcomer(world: World) -> str:
    """Someone of whom no presence was noted yet."""
    return opened(world, birth_family_name="Présence", confirmed_new=True).rpartition("/")[2]


class TestNote:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("marc", 201), ("odile", 201), ("sonia", 201), ("leila", 201), ("helene", 403), ("yann", 404), ("chu", 401)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, written(world)).status_code == status

    def test_of_someone_whom_one_does_not_accompany_is_not_found(self, world: World, newcomer: str):
        assert world.post("sonia", PATH, written(world, usager_id=newcomer)).status_code == 404

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"ends_at": "2026-11-23T08:00:00Z"}, "/ends_at"),
            ({"reason_code": None}, "/reason_code"),
            ({"planned": None}, "/planned"),
            ({"type_code": f"{TYPE}|1"}, "/reason_code"),
            ({"type_code": f"{TYPE}|1", "reason_code": None}, "/reason_code"),
            ({"type_code": "2"}, "/type_code"),
            ({"occurred_at": "2026-11-23T08:00:00"}, "/occurred_at"),
        ],
    )
    def test_what_is_missing_or_too_much_is_named(self, world: World, changes: dict[str, Any], where: str):
        answer = world.post("odile", PATH, written(world, **changes))
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, [where])

    def test_all_those_of_one_person_in_one_house_are_in_one_schedule(self, world: World, newcomer: str):
        first, second = (noted(world, usager_id=newcomer) for _ in range(2))
        told = {world.get("odile", place).json()["schedule_id"] for place in (first, second)}
        assert len(told) == 1
        [row] = world.rows("SELECT structure_id, version FROM presence_schedule WHERE usager_id = $1", newcomer)
        assert (row["structure_id"], row["version"]) == (world.ids["ehpad"], 1)

    def test_costs_few_statements(self, world: World, newcomer: str):
        counts = []
        for _ in range(2):
            with world.statements() as statements:
                noted(world, usager_id=newcomer)
            counts.append(len(statements))
        assert counts[0] <= 5
        assert counts[1] <= 4


class TestChange:
    def test_only_what_is_confirmed_is_billed(self, world: World):
        place = noted(world)
        assert world.patch("odile", place, {"billed": True}, 1).json()["code"] == "presence.not_confirmed"
        answer = world.patch("odile", place, {"status": "confirmed", "billed": True}, 1).json()
        assert (answer["billed"], answer["status_author_id"]) == (True, str(world.ids["odile"]))

    def test_what_is_billed_is_neither_corrected_nor_removed(self, world: World):
        place = noted(world, status="confirmed")
        world.patch("odile", place, {"billed": True}, 1)
        for answer in (world.patch("odile", place, {"planned": False}, 2), world.delete("odile", place, 2)):
            assert (answer.status_code, answer.json()["code"]) == (409, "presence.billed")
        assert world.patch("odile", place, {"billed": False, "planned": False}, 2).status_code == 200

    def test_an_absence_becomes_a_presence_by_saying_so(self, world: World):
        place = noted(world)
        assert world.patch("odile", place, {"type_code": f"{TYPE}|1"}, 1).status_code == 422
        changes = {"type_code": f"{TYPE}|1", "reason_code": None, "planned": None}
        assert world.patch("odile", place, changes, 1).json()["absent"] is False

    @pytest.mark.parametrize(("who", "status"), [("sonia", 200), ("odile", 200), ("helene", 403), ("yann", 404)])
    def test_by_role(self, world: World, who: str, status: int):
        assert world.patch(who, noted(world), {"comment": "Rentrée plus tôt"}, 1).status_code == status

    @pytest.mark.parametrize(("who", "status"), [("sonia", 403), ("odile", 204), ("marc", 204), ("helene", 403)])
    def test_removed_by_who_counts_or_who_wrote_it(self, world: World, who: str, status: int):
        assert world.delete(who, noted(world), 1).status_code == status

    def test_who_wrote_it_takes_it_back(self, world: World):
        place = noted(world, "sonia")
        assert world.delete("sonia", place, 1).status_code == 204
        assert world.get("odile", place).status_code == 410


class TestRead:
    def test_between_two_days_in_order_of_one_person_or_one_house(self, world: World, newcomer: str):
        days = ("2031-03-03", "2031-03-01", "2031-03-02")
        for day in days:
            noted(world, usager_id=newcomer, occurred_at=f"{day}T08:00:00Z", ends_at=f"{day}T09:00:00Z")
        for whose in (f"usager={newcomer}", f"structure={world.ids['ehpad']}", "limit=50"):
            told = world.get("odile", f"{PATH}?{whose}&from=2031-03-01&until=2031-03-03").json()["items"]
            assert [one["occurred_at"][:10] for one in told] == ["2031-03-01", "2031-03-02"]
        assert world.get("odile", f"{PATH}?structure={uuid4()}").json()["items"] == []

    def test_the_person_and_their_representative_read_what_is_shared(self, world: World):
        represent(world, "daughter", "jeanne", "habilitation_familiale")
        shared, hidden = noted(world), noted(world, visibility="not_shared")
        for who in ("jeanne", "daughter"):
            answers = [world.get(who, place.replace("/events", "/me/events")) for place in (shared, hidden)]
            assert [answer.status_code for answer in answers] == [200, 404]
            assert (answers[0].json()["absent"], "comment" in answers[0].json()) == (True, False)
            told = world.get(who, "/api/v1/me/events/presences?from=2026-11-23&until=2026-11-24").json()["items"]
            assert {shared.rpartition("/")[2]} <= {one["id"] for one in told}
            assert hidden.rpartition("/")[2] not in {one["id"] for one in told}

    def test_fhir_tells_the_person_no_comment_of_the_team(self, world: World):
        place = noted(world).replace(PATH, "/fhir/Slot")
        assert [world.get(who, place).json().get("comment") for who in ("jeanne", "sonia")] == [None, "En famille"]

    @pytest.mark.parametrize(("who", "status"), [("mdph", 404), ("karim", 404), ("yann", 404), ("helene", 200)])
    def test_by_no_one_else(self, world: World, who: str, status: int):
        assert world.get(who, noted(world).replace(PATH, "/fhir/Slot")).status_code == status

    def test_why_someone_is_away_is_said_by_a_code(self, world: World):
        assert world.get("odile", noted(world)).json()["reason_code"] == f"{WHY}|1"
