"""Teams shared by several structures, and being on call: what they open, and that they close."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.access.models import Consigne
from app.features.calendar.models import EventParticipant
from app.features.contacts.models import Contact
from app.features.emergency.models import EmergencySheet
from app.features.judicial.models import JudicialDecision
from app.features.stays.models import Stay
from app.features.transmissions.models import Transmission
from app.kernel.clock import now, today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.world import World

SHARED, ON_CALL = "/api/v1/teams/shared", "/api/v1/teams/on-call"


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    """Lucas, of the IME, also comes to the MECS; each of these works in one house only."""
    world.hire("chef_ime", Role.CHEF_DE_SERVICE, "ime")
    world.hire("educ_mecs", Role.EDUCATEUR, "mecs")
    world.hire("astreinte", Role.EDUCATEUR, "mecs")
    world.accompany("educ_mecs", world.ids["lucas"], "mecs")
    at = {"usager_id": world.ids["lucas"], "structure_id": world.ids["mecs"]}
    world.add(Stay(status="in_progress", starts=today() - timedelta(days=9), **at))


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in ("shared_team", "on_call", "transmission", "consigne", "judicial_decision"):
        world.rows(f"DELETE FROM {table}")


def note(world: World, **more: Any) -> str:
    id = uuid7()
    at = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"], "author_id": world.ids["marc"]}
    row = Transmission(id=id, thread_id=id, kind="narrative", text="?", **{**at, **more})
    row.category = more.get("category", "support")
    world.add(row)
    return f"/api/v1/transmissions/{id}"


def together(world: World, who: str = "marc", **more: Any) -> Any:
    said = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["ime"]), "name": "IME et MECS"}
    both = {"structure_ids": [str(world.ids["ime"]), str(world.ids["mecs"])], "person_told_on": str(today())}
    return world.post(who, SHARED, {**said, **both, **more})


def status(world: World, who: str, path: str) -> int:
    return int(world.get(who, path).status_code)


class TestShared:
    def test_each_house_reads_what_the_other_writes_of_this_person(self, world: World) -> None:
        of_ime, of_mecs = note(world), note(world, structure_id=world.ids["mecs"])
        before = [status(world, *asked) for asked in (("educ_mecs", of_ime), ("chef_ime", of_mecs))]
        answer = together(world)
        assert answer.status_code == 201, answer.text
        assert before == [404, 404]
        assert [status(world, *asked) for asked in (("educ_mecs", of_ime), ("chef_ime", of_mecs))] == [200, 200]

    def test_but_not_beyond_its_role_its_team_or_the_person(self, world: World) -> None:
        together(world)
        assert status(world, "astreinte", note(world)) == 404  # does not accompany Lucas
        assert status(world, "educ_mecs", note(world, category="care")) == 404
        assert status(world, "educ_mecs", note(world, usager_id=world.ids["ines"])) == 404

    def test_nor_writes_in_the_other_house(self, world: World) -> None:
        place = note(world, author_id=world.ids["educ_mecs"])
        together(world)
        assert status(world, "educ_mecs", place) == 200
        assert world.patch("educ_mecs", place, {"text": "!"}, 1).status_code == 403

    @pytest.mark.threat("shared-team-opposed")
    def test_the_person_ends_it_by_their_own_hand(self, world: World) -> None:
        place, made = note(world), together(world).json()
        assert status(world, "educ_mecs", place) == 200
        answer = world.post("lucas", f"/api/v1/me/teams/shared/{made['id']}/oppose", None)
        assert answer.status_code == 200, answer.text
        assert status(world, "educ_mecs", place) == 404
        assert world.post("lucas", f"/api/v1/me/teams/shared/{made['id']}/oppose", None).status_code == 409

    @pytest.mark.parametrize("end", [{"opposed": True}, {"ends": str(today())}])
    def test_a_chief_notes_its_end(self, world: World, end: dict[str, Any]) -> None:
        place, made = note(world), together(world)
        assert world.patch("marc", made.headers["location"], end, 1).status_code == 200
        assert status(world, "educ_mecs", place) == 404

    @pytest.mark.parametrize(
        ("more", "where"),
        [
            ({"person_told_on": "2100-01-01"}, "/person_told_on"),
            ({"ends": "2020-01-01"}, "/ends"),
            ({"structure_ids": ["{mecs}", "{ehpad}"]}, "/structure_ids"),
            ({"structure_ids": ["{ime}", "{ime}"]}, "/structure_ids"),
        ],
    )
    def test_what_is_wrong_is_named(self, world: World, more: dict[str, Any], where: str) -> None:
        if "structure_ids" in more:
            more = {"structure_ids": [str(world.ids[name.strip("{}")]) for name in more["structure_ids"]]}
        answer = together(world, **more)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)

    @pytest.mark.parametrize("who", ["sonia", "odile", "helene"])
    def test_is_made_by_a_chief(self, world: World, who: str) -> None:
        assert together(world, who).status_code == 403

    def test_lists(self, world: World) -> None:
        made = together(world)
        listed = world.get("marc", f"{SHARED}?usager={world.ids['lucas']}").json()["items"]
        assert listed == [world.get("marc", made.headers["location"]).json()]

    def test_an_end_before_its_start(self, world: World) -> None:
        made = together(world)
        assert world.patch("marc", made.headers["location"], {"ends": "2020-01-01"}, 1).status_code == 422


def named(world: World, who: str = "marc", whom: str = "astreinte", **more: Any) -> Any:
    period = {
        "starts_at": (now() - timedelta(hours=1)).isoformat(),
        "ends_at": (now() + timedelta(hours=9)).isoformat(),
    }
    said = {"professional_id": str(world.ids[whom]), "structure_ids": [str(world.ids["ime"])]}
    return world.post(who, ON_CALL, {**said, **period, **more})


class TestOnCall:
    def test_opens_what_a_night_may_ask_and_nothing_more(self, world: World) -> None:
        at = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"]}
        decision = uuid7()
        rows = {
            "contacts": Contact(id=uuid7(), family_name="PROCHE", **at),
            "consignes": Consigne(id=uuid7(), decision_id=decision, in_doubt="?", starts=today(), consigne=True, **at),
        }
        world.add(JudicialDecision(id=decision, nature="notified", title=b"?", **at))
        world.add(*rows.values(), EmergencySheet(**at))
        opens = [f"/api/v1/{room}/{row.id}" for room, row in rows.items()]
        opens += [f"/api/v1/usagers/{world.ids['lucas']}", f"/api/v1/usagers/{world.ids['lucas']}/emergency-sheet"]
        opens += [note(world, important=True), note(world, consigne=True)]
        closed = [
            note(world),
            note(world, important=True, category="care"),
            note(world, important=True, category="judicial"),
        ]
        closed += [f"/api/v1/judicial/{decision}", note(world, important=True, structure_id=world.ids["ehpad"])]
        assert [place for place in (*opens, *closed) if status(world, "astreinte", place) != 404] == []
        assert named(world).status_code == 201
        assert [status(world, "astreinte", place) for place in opens] == [200] * len(opens)
        assert [place for place in closed if status(world, "astreinte", place) != 404] == []
        world.rows("DELETE FROM emergency_sheet")

    @pytest.mark.threat("on-call-untold")
    def test_each_reading_says_so(self, world: World) -> None:
        named(world)
        answer = world.get("astreinte", note(world, important=True))
        assert {line["ground"] for line in world.traces(request_id=answer.headers["x-request-id"])} == {"astreinte"}

    def test_within_its_period(self, world: World) -> None:
        place, made = note(world, important=True), named(world)
        assert status(world, "astreinte", place) == 200
        ended = {"ends_at": (now() - timedelta(minutes=1)).isoformat()}
        assert world.patch("marc", made.headers["location"], ended, 1).status_code == 200
        assert status(world, "astreinte", place) == 404

    def test_never_for_oneself(self, world: World) -> None:
        assert named(world, whom="marc").status_code == 403

    @pytest.mark.threat("on-call-longer")
    def test_nobody_makes_their_own_last(self, world: World) -> None:
        world.hire("chef_mecs", Role.CHEF_DE_SERVICE, "mecs")
        made = named(world, whom="chef_mecs")
        later = {"ends_at": (now() + timedelta(days=90)).isoformat()}
        assert world.patch("chef_mecs", made.headers["location"], later, 1).status_code == 403

    def test_a_period_has_a_sense(self, world: World) -> None:
        assert named(world, ends_at="2020-01-01T00:00:00Z").json()["errors"][0]["where"] == "/ends_at"
        made = named(world)
        assert world.patch("marc", made.headers["location"], {"ends_at": "2020-01-01T00:00:00Z"}, 1).status_code == 422

    def test_lists(self, world: World) -> None:
        made = named(world)
        assert world.get("sonia", ON_CALL).json()["items"] == [world.get("sonia", made.headers["location"]).json()]

    def test_an_event_is_not_asked_at_night(self, world: World) -> None:
        happens = {"event_id": uuid7(), "types": [], "occurred_at": now(), "ends_at": now() + timedelta(hours=1)}
        local = now().replace(tzinfo=None)
        days = {"starts": local, "ends": local + timedelta(hours=1), "zone": "Europe/Paris"}
        at = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"], "category": "support"}
        row = EventParticipant(id=uuid7(), **happens, **days, **at)
        world.add(row)
        named(world)
        assert status(world, "astreinte", f"/api/v1/events/{row.id}") == 404
