"""A house tunes what is shipped; each value says where it comes from; the server asks six questions first."""

import asyncio
import json

import pytest

from app import main
from app.config import Settings
from app.features.settings.shipped import MODELS, QUESTIONS, SHIPPED, STARTS
from app.kernel.db import NIL
from app.kernel.ids import uuid7
from app.kernel.roles import write_secret
from app.start import UnsafeStart
from tests.postgres import ask
from tests.world import World

PATH = "/api/v1/settings"


def test_the_nearest_layer_wins_and_says_so(world: World):
    structure = world.ids["mecs"]
    of = f"{PATH}/structures/{structure}"
    read = world.get("sonia", of).json()
    assert set(read) == set(SHIPPED)
    assert (read["emergency.hours"]["value"], read["emergency.hours"]["from"]) == (12, "national")
    assert read["page.shared_device_minutes"]["from"] == "model:mecs"
    for scope, value in (("organisation", 8), (f"structure:{structure}", 6)):
        answer = world.post("helene", PATH, {"scope": scope, "key": "emergency.hours", "value": value})
        assert answer.status_code == 201, answer.text
        told = world.get("sonia", of).json()["emergency.hours"]
        assert (told["value"], told["from"]) == (value, scope)
    elsewhere = world.get("sonia", f"{PATH}/structures/{world.ids['ime']}").json()["emergency.hours"]
    assert (elsewhere["value"], elsewhere["from"]) == (8, "organisation")


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"key": "nothing", "value": 1}, "/key"),
        ({"key": "emergency.hours", "value": 100}, "/value"),
        ({"key": "emergency.hours", "value": True}, "/value"),
        ({"key": "page.staff_first_names", "value": "yes"}, "/value"),
        ({"key": "visibility.transmission", "value": "withheld"}, "/value"),
        ({"key": "retention.care.starts", "value": "birth"}, "/value"),
        ({"key": "retention.care.starts", "value": ""}, "/value"),
        ({"key": "emergency.hours", "value": 6, "scope": "model:castle"}, "/scope"),
        ({"key": "emergency.hours", "value": 6, "scope": "country"}, "/scope"),
        ({"key": "emergency.hours", "value": 6, "scope": f"structure:{'-' * 36}"}, "/scope"),
        ({"key": "emergency.hours", "value": 6, "scope": f"structure:{uuid7()}"}, "/scope"),
        ({"key": "second_factor.infirmier", "value": True, "scope": "model:ehpad"}, "/scope"),
        ({"key": "erasure.notice_days", "value": 60, "scope": "model:ehpad"}, "/scope"),
    ],
)
def test_what_is_wrong_is_named(world: World, said: dict[str, object], where: str):
    answer = world.post("helene", PATH, said)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)


@pytest.mark.parametrize("start", STARTS)
def test_what_starts_a_delay_is_one_of_the_events_there_are(world: World, start: str):
    key = "retention.judicial.starts"
    assert world.get("sonia", f"{PATH}/structures/{world.ids['ime']}").json()[key]["among"] == STARTS
    made = world.post("helene", PATH, {"scope": "model:ime", "key": key, "value": start})
    assert made.status_code == 201, made.text
    refused = world.patch("helene", made.headers["location"], {"value": "sortie"}, 1)
    [error] = refused.json()["errors"]
    assert (refused.status_code, error["where"], error["code"]) == (422, "/value", "setting.value")
    assert all(f"{word} ({said})" in error["message"] for word, said in STARTS.items())
    world.delete("helene", made.headers["location"], 1)


def test_a_house_of_another_organisation_is_not_set(world: World):
    said = {"scope": f"structure:{world.ids['other']}", "key": "emergency.hours", "value": 6}
    answer = world.post("helene", PATH, said)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/scope")


def test_changed_by_the_direction_only_and_never_twice(world: World):
    said = {"key": "calendar.horizon_months", "value": 12}
    assert world.post("marc", PATH, said).status_code == 403
    place = world.post("helene", PATH, said).headers["location"]
    assert world.post("helene", PATH, said).status_code == 409
    assert world.patch("helene", place, {"value": 24}, 1).json()["value"] == "24"
    assert world.get("marc", place).json()["by"] == str(world.ids["helene"])
    assert place.rpartition("/")[2] in {s["id"] for s in world.get("marc", PATH).json()["items"]}
    assert world.delete("helene", place, 2).status_code == 204


def test_shipped_values_are_of_their_kind_and_models_tune_known_keys():
    assert all(type(s.value) is s.kind for s in SHIPPED.values())
    assert all(s.value in s.among for s in SHIPPED.values() if s.among)
    assert {key for tuned in MODELS.values() for key in tuned} <= set(SHIPPED)


class TestBeforeARealPerson:
    def start(self, world: World, demo: bool) -> None:
        key_file = world.folder / "real.json"
        if not key_file.exists():  # the same keys, said to be real: others would not open this base
            told = json.loads((world.folder / "keys.json").read_text())
            write_secret(key_file, json.dumps({**told, "demo": False}))
        config = Settings(database_url=world.database.app_url, key_file=key_file, demo=demo, data=world.folder)

        async def run() -> None:
            app = main.create_app(config)
            async with main.lifespan(app):
                pass

        asyncio.run(run())

    @pytest.mark.threat("fault-unanswered")
    def test_the_server_does_not_start_until_the_six_are_answered(self, world: World):
        with pytest.raises(UnsafeStart, match="héberge"):
            self.start(world, demo=False)
        self.start(world, demo=True)
        for key in QUESTIONS:
            world.rows(
                "INSERT INTO setting (organisation_id, id, scope, key, value, since, version, recorded_at, updated_at)"
                " VALUES ($1, $2, 'server', $3, 'oui', now(), 1, now(), now())",
                NIL,
                uuid7(),
                key,
            )
        self.start(world, demo=False)

    @pytest.mark.threat("fault-role-too-strong")
    def test_a_role_that_could_go_round_row_security_is_refused(self, world: World):
        config = Settings(database_url=world.database.owner_url, key_file=world.folder / "keys.json", demo=True)

        async def run() -> None:
            async with main.lifespan(main.create_app(config)):
                pass

        with pytest.raises(UnsafeStart, match="contourne"):
            asyncio.run(run())

    @pytest.mark.threat("fault-role-too-strong")
    @pytest.mark.parametrize(
        "grant",
        ["GRANT dui_owner TO dui_app", "ALTER ROLE dui_app CREATEROLE", "GRANT strong TO dui_app"],
        ids=["member of the owner", "may make roles", "member of one that goes round"],
    )
    def test_a_role_that_could_become_such_is_refused(self, world: World, grant: str):
        url = world.database.superuser_url
        ask(url, "CREATE ROLE strong BYPASSRLS", grant)
        try:
            with pytest.raises(UnsafeStart, match="membre d'un autre"):
                self.start(world, demo=True)
        finally:
            ask(url, "REVOKE dui_owner FROM dui_app", "ALTER ROLE dui_app NOCREATEROLE", "DROP ROLE strong")
        self.start(world, demo=True)

    @pytest.mark.threat("fault-unanswered")
    def test_an_answer_of_spaces_or_of_another_organisation_is_none(self, world: World):
        world.rows("DELETE FROM setting WHERE key LIKE 'deployment.%'")
        put = "INSERT INTO setting (organisation_id, id, scope, key, value, since, version, recorded_at, updated_at)"
        for key in QUESTIONS:
            world.rows(f"{put} VALUES ($1, $2, 'server', $3, ' ', now(), 1, now(), now())", NIL, uuid7(), key)
            place = (world.organisation, uuid7(), key)
            world.rows(f"{put} VALUES ($1, $2, 'organisation', $3, 'oui', now(), 1, now(), now())", *place)
        with pytest.raises(UnsafeStart, match="héberge"):
            self.start(world, demo=False)

    @pytest.mark.threat("fault-demo-keys")
    def test_demo_keys_are_refused_outside_the_demo(self, world: World):
        config = Settings(database_url=world.database.app_url, key_file=world.folder / "keys.json", demo=False)

        async def run() -> None:
            async with main.lifespan(main.create_app(config)):
                pass

        with pytest.raises(UnsafeStart, match="démonstration"):
            asyncio.run(run())
