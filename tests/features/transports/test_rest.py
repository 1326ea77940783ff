"""Who plans transports, for which event; what the person is told: who comes, when."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.features.transports.models import Traveller
from app.kernel.clock import PARIS, today
from app.portal.frame import Screen
from tests.features.consents.people import represent
from tests.features.transports.test_fhir import PATH, UCUM, written
from tests.features.usagers.people import opened
from tests.portal.visitor import visit
from tests.world import World


def planned(world: World, who: str = "sonia", traveller: Traveller = Traveller.USAGER, **more: Any) -> str:
    answer = world.post(who, PATH, written(world, traveller, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def outing(world: World, *usagers: str, **more: Any) -> list[str]:
    """An event at the EHPAD; the row of each."""
    body = {
        "usager_ids": list(usagers), "structure_id": str(world.ids["ehpad"]), "title": "Dentiste",
        "starts": "2031-05-05T14:00:00", "ends": "2031-05-05T15:00:00", **more,
    }  # fmt: skip
    answer = world.post("marc", "/api/v1/events", body)
    assert answer.status_code == 201, answer.text
    rows = {row["usager_id"]: row["id"] for row in answer.json()["items"]}
    return [rows[usager] for usager in usagers]


def tomorrow(starts: str, ends: str) -> dict[str, str]:
    day = today() + timedelta(days=1)
    return {"starts": f"{day}T{starts}:00", "ends": f"{day}T{ends}:00"}


class TestPlan:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("marc", 201), ("sonia", 201), ("leila", 201), ("odile", 403), ("helene", 403), ("yann", 404), ("chu", 401)],
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert world.post(who, PATH, written(world)).status_code == status

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"ends_at": "2026-11-25T12:00:00Z"}, "/ends_at"),
            ({"professional_id": str(uuid4())}, "/professional_id"),
            ({"distance": -1}, "/distance"),
            ({"mode_code": "taxi"}, "/mode_code"),
        ],
    )
    def test_what_does_not_fit_is_named(self, world: World, changes: dict[str, Any], where: str):
        traveller = Traveller.PROFESSIONAL if "professional_id" in changes else Traveller.USAGER
        answer = world.post("sonia", PATH, written(world, traveller, **changes))
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, [where])

    @pytest.mark.parametrize("name", ["nature_code", "accompanied", "asepsis"])
    def test_what_is_said_of_the_person_s_own_is_not_of_a_professional_s(self, world: World, name: str):
        own = {name: written(world)[name]}
        answer = world.post("sonia", PATH, written(world, Traveller.PROFESSIONAL, **own))
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, [f"/{name}"])

    def test_for_an_event_of_the_same_person_only(self, world: World):
        jeanne, other = str(world.ids["jeanne"]), opened(world, birth_family_name="Sortie", confirmed_new=True)
        mine, theirs = outing(world, jeanne, other.rpartition("/")[2])
        assert world.get("marc", planned(world, "marc", event_id=mine)).json()["event_id"] == mine
        answer = world.post("marc", PATH, written(world, event_id=theirs))
        assert (answer.status_code, answer.json()["code"]) == (422, "transport.other_person")
        assert world.post("sonia", PATH, written(world, event_id=theirs)).status_code == 404

    def test_is_in_kilometres_minutes_and_euros(self, world: World):
        row = world.get("sonia", planned(world, budget_actual=None)).json()
        assert (row["distance_unit"], row["duration_unit"]) == (f"{UCUM}|km", f"{UCUM}|min")
        assert (row["budget_planned_currency"], row["budget_actual_currency"]) == ("EUR", None)

    @pytest.mark.parametrize("more", [{}, {"professional": True}])
    def test_costs_few_statements(self, world: World, more: dict[str, Any]):
        traveller = Traveller.PROFESSIONAL if more else Traveller.USAGER
        planned(world, traveller=traveller)
        with world.statements() as statements:
            planned(world, traveller=traveller)
        assert len(statements) <= 4


class TestChange:
    def test_one_that_is_to_come_is_not_over(self, world: World):
        place = planned(world, starts_at="2100-01-01T12:00:00Z", ends_at=None)
        assert world.patch("sonia", place, {"status": "done"}, 1).json()["code"] == "transport.future"

    def test_its_hour_is_where_it_stands_in_the_lists(self, world: World):
        place = planned(world)
        row = world.patch("sonia", place, {"starts_at": "2026-11-25T10:00:00Z"}, 1).json()
        assert row["occurred_at"] == row["starts_at"]

    def test_to_another_person_s_event_is_refused(self, world: World):
        other = opened(world, birth_family_name="Autre", confirmed_new=True).rpartition("/")[2]
        [theirs] = outing(world, other)
        answer = world.patch("marc", planned(world), {"event_id": theirs}, 1)
        assert (answer.status_code, answer.json()["code"]) == (422, "transport.other_person")

    def test_what_is_emptied_loses_its_unit(self, world: World):
        row = world.patch("sonia", planned(world), {"distance": None}, 1).json()
        assert (row["distance"], row["distance_unit"], row["duration"]) == (None, None, 20)

    @pytest.mark.parametrize(("who", "status"), [("leila", 200), ("marc", 200), ("odile", 404), ("yann", 404)])
    def test_by_role(self, world: World, who: str, status: int):
        assert world.patch(who, planned(world), {"accompanied": False}, 1).status_code == status

    @pytest.mark.parametrize(("who", "status"), [("leila", 403), ("sonia", 204), ("marc", 204), ("odile", 404)])
    def test_removed_by_who_wrote_it_or_who_leads(self, world: World, who: str, status: int):
        assert world.delete(who, planned(world), 1).status_code == status


class TestRead:
    def test_between_two_days_in_order_with_or_without_an_end(self, world: World):
        for day in ("2031-03-03", "2031-03-01", "2031-03-02"):
            planned(world, starts_at=f"{day}T11:00:00Z", ends_at=None)
        for whose in (f"usager={world.ids['jeanne']}", f"structure={world.ids['ehpad']}", "limit=50"):
            told = world.get("marc", f"{PATH}?{whose}&from=2031-03-01&until=2031-03-03").json()["items"]
            assert [one["occurred_at"][:10] for one in told] == ["2031-03-01", "2031-03-02"]

    def test_the_person_and_their_representative_read_who_comes_and_when(self, world: World):
        represent(world, "daughter", "jeanne", "habilitation_familiale")
        shared, hidden = planned(world), planned(world, visibility="not_shared")
        for who in ("jeanne", "daughter"):
            answers = [world.get(who, place.replace("/events", "/me/events")) for place in (shared, hidden)]
            assert [answer.status_code for answer in answers] == [200, 404]
            told = answers[0].json()
            assert (told["carrier_name"], told["starts_at"]) == ("Taxis du Centre", "2026-11-25T13:00:00Z")
            assert not {"description", "budget_planned", "distance"} & told.keys()
            ids = {one["id"] for one in world.get(who, "/api/v1/me/events/transports?from=2026-11-25").json()["items"]}
            assert [place.rpartition("/")[2] in ids for place in (shared, hidden)] == [True, False]

    def test_the_agenda_of_the_person_shows_it_with_its_event(self, world: World):
        [event] = outing(world, str(world.ids["jeanne"]), **tomorrow("14:00", "15:00"))
        planned(world, event_id=event, carrier_name="Taxi Vert")
        planned(world, carrier_name="Taxi Bleu")
        planned(world, event_id=event, carrier_name="Taxi Gris", visibility="not_shared")
        start = datetime.now(PARIS).replace(hour=13, minute=40) + timedelta(days=1)
        world.rows(
            "UPDATE transport SET starts_at = $1, occurred_at = $1, ends_at = NULL WHERE event_id = $2", start, event
        )
        page = visit(world, "jeanne").get(Screen.AGENDA.path).text.replace("\u00a0", " ")
        told = {color: f"13 h 40, avec Taxi {color}" in page for color in ("Vert", "Bleu", "Gris")}
        assert told == {"Vert": True, "Bleu": False, "Gris": False}

    def test_a_professional_who_comes_is_told_by_their_first_name(self, world: World):
        place = planned(world, traveller=Traveller.PROFESSIONAL).replace("/events", "/me/events")
        assert world.get("jeanne", place).json()["professional_name"] == "Marc"

    @pytest.mark.threat("object-protected-place")
    def test_where_a_protected_place_is_is_told_to_the_team_and_the_person_alone(self, world: World):
        represent(world, "daughter", "jeanne", "habilitation_familiale")
        [event] = outing(world, str(world.ids["jeanne"]), place="12 rue des Lilas", place_protected=True)
        place = planned(world, event_id=event, carrier_name="Taxi Lilas", description="Rue des Lilas")
        doors = (place.replace("/events", "/me/events"), place.replace(PATH, "/fhir/Task"))
        told = {who: ["Lilas" in world.get(who, door).text for door in doors] for who in ("jeanne", "daughter")}
        assert told == {"jeanne": [True, True], "daughter": [False, False]}
        assert "Lilas" in world.get("sonia", doors[1]).text

    @pytest.mark.parametrize(
        ("who", "status"), [("marc", 200), ("odile", 404), ("mdph", 404), ("karim", 404), ("yann", 404)]
    )
    def test_by_whom(self, world: World, who: str, status: int):
        assert world.get(who, planned(world).replace(PATH, "/fhir/Task")).status_code == status
