"""The emergency sheet: read by whoever is on duty, each field with its day and its author, orange after three months."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.access.models import UnitTeam
from app.access.reading import Reading
from app.audit.vocabulary import Call, Door
from app.features.emergency.models import FIELDS
from app.features.emergency.schemas import SheetView, months_ago
from app.features.emergency.sheet import OF_USAGER
from app.kernel.clock import now, today
from app.security.principal import Representative, Role
from tests.features.consents.people import HOUSES, represent
from tests.world import World


def place(world: World, usager: str = "jeanne") -> str:
    return f"/api/v1/usagers/{world.ids[usager]}/emergency-sheet"


def opened(world: World, usager: str = "jeanne", who: str = "sonia", **fields: str) -> Any:
    return world.post(who, place(world, usager), {"structure_id": str(world.ids[HOUSES[usager]]), **fields})


@pytest.fixture(autouse=True)
def clean(world: World):
    yield
    world.rows("DELETE FROM emergency_sheet")
    world.rows("DELETE FROM unit_team")
    world.rows("DELETE FROM mandate")


class TestOpen:
    def test_has_fifteen_short_fields_each_with_its_day_and_its_author(self, world: World):
        made = opened(world, allergies="Pénicilline", soothes="La radio, doucement.")
        assert (made.status_code, made.headers["location"]) == (201, place(world))
        told = world.get("sonia", place(world)).json()
        assert len(told["fields"]) == len(FIELDS) == 15
        assert told["fields"]["allergies"] == {
            "value": "Pénicilline",
            "on": str(today()),
            "by": str(world.ids["sonia"]),
            "stale": False,
        }
        assert told["fields"]["measure"] == {"value": None, "on": None, "by": None, "stale": True}
        assert told["stale"] is False

    def test_a_second_one_is_refused(self, world: World):
        opened(world)
        assert opened(world, who="marc").status_code == 409

    def test_the_same_key_opens_once(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        body = {"structure_id": str(world.ids["ehpad"]), "texture": "Mixée"}
        first, again = (world.post("sonia", place(world), body, headers=key) for _ in "ab")
        assert (first.status_code, again.status_code, again.json()["id"]) == (201, 201, first.json()["id"])

    @pytest.mark.parametrize(
        ("who", "status"), [("marc", 201), ("leila", 201), ("odile", 403), ("helene", 403), ("yann", 404)]
    )
    def test_by_role(self, world: World, who: str, status: int):
        assert opened(world, who=who).status_code == status

    def test_too_long_a_field_is_refused_naming_it(self, world: World):
        refused = opened(world, risks="x" * 501)
        assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "/risks")

    def test_costs_four_statements_at_most(self, world: World):
        opened(world, "karim")
        with world.statements() as counted:
            body = {"structure_id": str(world.ids["ehpad"])}
            world.post("sonia", place(world), body, headers={"Idempotency-Key": str(uuid4())})
        assert len(counted) <= 4, counted.sql


class TestRead:
    def test_by_whoever_is_on_duty_without_any_emergency(self, world: World):
        opened(world, "ines", texture="Normale")
        world.hire("nuit", Role.VEILLEUR, "mecs")
        assert world.get("nuit", place(world, "ines")).status_code == 404
        duty = {"kind": "on_duty", "starts_at": now() - timedelta(hours=1), "ends_at": now() + timedelta(hours=8)}
        world.add(UnitTeam(professional_id=world.ids["nuit"], unit_id=world.ids["unit_mecs"], **duty))
        answer = world.get("nuit", place(world, "ines"))
        assert answer.json()["fields"]["texture"]["value"] == "Normale"
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["kind"], line["ground"]) == ("emergency_sheet", None)

    @pytest.mark.parametrize(
        ("who", "status"), [("sonia", 200), ("marc", 200), ("odile", 404), ("helene", 404), ("yann", 404)]
    )
    def test_by_role(self, world: World, who: str, status: int):
        opened(world)
        assert world.get(who, place(world)).status_code == status

    @pytest.mark.threat("object-absent-told-apart")
    def test_no_sheet_and_out_of_reach_are_alike_to_the_byte(self, world: World):
        opened(world)
        same = {"X-Request-Id": "0" * 32}
        there = world.get("yann", place(world), headers=same)
        none = world.get("sonia", place(world, "karim"), headers=same)
        assert there.status_code == none.status_code == 404
        assert {**there.json(), "request_id": 0} == {**none.json(), "request_id": 0}

    def test_costs_one_statement(self, world: World):
        opened(world)
        world.get("sonia", place(world))
        with world.statements() as counted:
            world.get("sonia", place(world))
        assert len(counted) == 1, counted.sql

    def test_from_another_structure_of_the_person(self, world: World):
        """Common to every structure where the person has an open stay."""
        opened(world)
        world.rows(
            "UPDATE stay SET structure_id = $1, unit_id = NULL WHERE usager_id = $2",
            world.ids["ime"],
            world.ids["jeanne"],
        )
        world.hire("chef_ime", Role.CHEF_DE_SERVICE, "ime")
        assert world.get("chef_ime", place(world)).status_code == 200
        world.rows(
            "UPDATE stay SET structure_id = $1, unit_id = $3 WHERE usager_id = $2",
            world.ids["ehpad"],
            world.ids["jeanne"],
            world.ids["unit_ehpad"],
        )


class TestWrite:
    def test_stamps_what_it_says_and_nothing_else(self, world: World):
        opened(world, allergies="Aucune connue", risks="Chutes")
        world.rows("UPDATE emergency_sheet SET risks_on = $1", today() - timedelta(days=30))
        told = world.patch("leila", place(world), {"allergies": "Arachide"}, 1).json()
        assert (told["fields"]["allergies"]["by"], told["fields"]["risks"]["by"]) == (
            str(world.ids["leila"]),
            str(world.ids["sonia"]),
        )
        assert told["fields"]["risks"]["on"] == str(today() - timedelta(days=30))

    def test_empties_a_field_and_says_who_did(self, world: World):
        opened(world, measure="Curatelle")
        field = world.patch("leila", place(world), {"measure": None}, 1).json()["fields"]["measure"]
        assert (field["value"], field["by"], field["stale"]) == (None, str(world.ids["leila"]), False)

    def test_turns_orange_after_three_months(self, world: World):
        opened(world, allergies="Pénicilline", risks="Chutes")
        world.rows("UPDATE emergency_sheet SET risks_on = $1", months_ago(today(), 3))
        assert world.get("sonia", place(world)).json()["stale"] is False
        world.rows("UPDATE emergency_sheet SET risks_on = $1", months_ago(today(), 3) - timedelta(days=1))
        told = world.get("sonia", place(world)).json()
        assert (told["stale"], told["fields"]["risks"]["stale"], told["fields"]["allergies"]["stale"]) == (
            True,
            True,
            False,
        )

    def test_said_again_it_is_fresh(self, world: World):
        opened(world, risks="Chutes")
        world.rows("UPDATE emergency_sheet SET risks_on = $1", today() - timedelta(days=200))
        world.patch("sonia", place(world), {"risks": "Chutes"}, 1)
        assert world.get("sonia", place(world)).json()["stale"] is False

    def test_from_a_stale_version_is_refused(self, world: World):
        opened(world)
        world.patch("sonia", place(world), {"risks": "A"}, 1)
        assert world.patch("sonia", place(world), {"risks": "B"}, 1).status_code == 412

    def test_of_a_sheet_that_never_was_is_not_found(self, world: World):
        assert world.patch("sonia", place(world), {"risks": "A"}, 1).status_code == 404

    def test_keeps_each_version_sealed(self, world: World):
        id = opened(world, risks="Fausse route").json()["id"]
        world.patch("sonia", place(world), {"risks": "Chutes"}, 1)
        kept = world.rows("SELECT snapshot FROM entry_version WHERE entry_id = $1", id)
        assert len(kept) == 2
        assert not any(b"Fausse" in row["snapshot"] for row in kept)


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2026, 5, 31), date(2026, 2, 28)),
        (date(2024, 5, 31), date(2024, 2, 29)),
        (date(2026, 2, 10), date(2025, 11, 10)),
        (date(2026, 7, 31), date(2026, 4, 30)),
    ],
)
def test_three_months_ago_is_a_day_that_was(day: date, told: date):
    assert months_ago(day, 3) == told


def reads(world: World, name: str, usager: str) -> bool:
    """No door of theirs leads to the sheet: what the gate would answer."""
    [session] = world.rows("SELECT id FROM session WHERE subject_id = $1", world.ids[name])
    common = {"organisation_id": world.organisation, "session_id": session["id"], "expires": 0.0}
    who = Representative(id=world.ids[name], usager_id=world.ids[usager], **common)

    async def look() -> bool:
        state = world.client.app.state  # type: ignore[attr-defined]
        reading = Reading(who, Call(Door.ME, str(uuid4())), state.keyring, state.lane)
        return bool(await reading.list(SheetView, OF_USAGER, 1, usager=world.ids[usager]))

    return bool(world.client.portal.call(look))  # type: ignore[union-attr]


def test_opens_to_no_representative_of_goods(world: World):
    opened(world, "karim", allergies="Aucune")
    represent(world, "rose", "karim", "tutelle", opens=("administrative", "support", "care"))
    represent(
        world, "blanc", "karim", "curatelle_simple", scope="biens", effect="assistance", opens=("administrative",)
    )
    assert {who: reads(world, who, "karim") for who in ("rose", "blanc")} == {"rose": True, "blanc": False}
    assert world.get("rose", place(world, "karim")).status_code == 401  # the staff's door
