"""A house narrows what the law allows, and widens it back no further; each kind of house starts narrower."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.access.permissions import STAFF, Category, Kind
from app.features.narrowing.houses import FOREIGN, starts
from app.features.structures.schemas import Model
from app.features.transmissions.models import Transmission
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.world import World

PATH = "/api/v1/access/narrowings"


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    world.hire("idec", Role.IDEC, "ehpad")
    world.hire("nuit", Role.VEILLEUR, "ehpad", "ime")
    world.hire("alex", Role.ADMIN, "ehpad")
    world.accompany("nuit", world.ids["jeanne"], "ehpad")
    world.accompany("nuit", world.ids["lucas"], "ime")


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in ("narrowing", "transmission", "emergency_access", "on_call"):
        world.rows(f"DELETE FROM {table}")


def note(world: World, usager: str = "jeanne", category: str = "support", **more: Any) -> str:
    id = uuid7()
    at = {"usager_id": world.ids[usager], "structure_id": world.ids["ehpad" if usager == "jeanne" else "ime"]}
    row = Transmission(id=id, thread_id=id, kind="narrative", text="?", author_id=world.ids["marc"], **at, **more)
    row.category = category
    world.add(row)
    return f"/api/v1/transmissions/{id}"


def narrowed(world: World, who: str = "helene", **said: Any) -> Any:
    body = {"structure_id": str(world.ids["ehpad"]), "role": "veilleur", "category": "support", "to": "none"}
    return world.post(who, PATH, {**body, **said})


def status(world: World, who: str, path: str) -> int:
    return int(world.get(who, path).status_code)


class TestNarrow:
    @pytest.mark.threat("narrowed-role-reads")
    def test_acts_at_the_next_request_there_and_for_that_role_only(self, world: World) -> None:
        here, there = note(world), note(world, "lucas")
        assert [status(world, who, here) for who in ("nuit", "sonia")] == [200, 200]
        assert narrowed(world).status_code == 201
        assert [status(world, "nuit", place) for place in (here, there)] == [404, 200]
        assert status(world, "sonia", here) == 200
        assert world.get("nuit", f"/api/v1/transmissions?usager={world.ids['jeanne']}").json()["items"] == []

    def test_of_one_kind_only(self, world: World) -> None:
        here = note(world)
        narrowed(world, of_kind="event")
        assert status(world, "nuit", here) == 200
        narrowed(world, of_kind="transmission")
        assert status(world, "nuit", here) == 404

    @pytest.mark.parametrize("kind", [None, "transmission"])
    @pytest.mark.parametrize("to", ["none", "team"])
    def test_a_cell_once(self, world: World, kind: str | None, to: str) -> None:
        assert narrowed(world, of_kind=kind).status_code == 201
        again = narrowed(world, of_kind=kind, to=to)
        [error] = again.json()["errors"]
        assert (again.status_code, error["code"]) == (409, "narrowing.again")
        assert narrowed(world, of_kind="event").status_code == 201

    def test_again_once_it_was_widened(self, world: World) -> None:
        assert world.delete("helene", narrowed(world).headers["location"], 1).status_code == 204
        assert narrowed(world).status_code == 201

    def test_to_those_it_accompanies(self, world: World) -> None:
        here = note(world, category="care")
        narrowed(world, role="idec", category="care", to="team")
        assert status(world, "idec", here) == 404
        world.accompany("idec", world.ids["jeanne"], "ehpad")
        assert status(world, "idec", here) == 200
        world.rows("UPDATE team_member SET deleted_at = now() WHERE professional_id = $1", world.ids["idec"])

    def test_the_identity_too(self, world: World) -> None:
        """Common to every house of the person, it is narrowed by the house it stands in."""
        place = f"/api/v1/usagers/{world.ids['jeanne']}"
        assert status(world, "marc", place) == 200
        narrowed(world, role="chef_de_service", category="administrative", to="team")
        assert status(world, "marc", place) == 404

    def test_writes_neither(self, world: World) -> None:
        narrowed(world)
        body = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": "?"}
        assert world.post("nuit", "/api/v1/transmissions", body).status_code == 403

    def test_an_emergency_still_opens_the_consignes(self, world: World) -> None:
        consigne = note(world, consigne=True)
        narrowed(world, category="administrative")
        narrowed(world)
        body = {
            "usager_id": str(world.ids["jeanne"]),
            "structure_id": str(world.ids["ehpad"]),
            "reason": "Seule, la nuit.",
        }
        assert status(world, "nuit", consigne) == 404
        assert world.post("nuit", "/api/v1/access/emergency", body).status_code == 201
        assert status(world, "nuit", consigne) == 200


class TestWiden:
    def test_back_to_the_law(self, world: World) -> None:
        here, made = note(world), narrowed(world)
        assert world.delete("helene", made.headers["location"], 1).status_code == 204
        assert status(world, "nuit", here) == 200

    def test_from_nobody_to_the_team(self, world: World) -> None:
        here, made = note(world), narrowed(world)
        assert world.patch("alex", made.headers["location"], {"to": "team"}, 1).json()["to"] == "team"
        assert status(world, "nuit", here) == 200

    def test_nothing_widens_the_law(self, world: World) -> None:
        """No row of it opens anything: a judicial row stays closed to a night watcher whatever a house says."""
        here = note(world, category="judicial")
        assert narrowed(world, category="judicial").status_code == 422
        world.rows(
            """INSERT INTO narrowing (organisation_id, id, structure_id, role, category, "to", version, recorded_at,
            updated_at) VALUES ($1, $2, $3, 'veilleur', 'judicial', 'team', 1, now(), now())""",
            world.organisation,
            uuid7(),
            world.ids["ehpad"],
        )
        assert status(world, "nuit", here) == 404


@pytest.mark.parametrize("who", ["marc", "odile", "sonia", "nuit"])
def test_is_for_who_directs_or_administers(world: World, who: str) -> None:
    assert narrowed(world, who).status_code == 403


def test_everyone_there_may_see_what_is_narrowed(world: World) -> None:
    made = narrowed(world)
    listed = world.get("nuit", f"{PATH}?structure={world.ids['ehpad']}").json()["items"]
    assert listed == [world.get("sonia", made.headers["location"]).json()]


def test_nothing_to_narrow_is_told(world: World) -> None:
    answer = narrowed(world, category="support", of_kind=Kind.ALERT.value)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/category")


class TestHouses:
    def test_every_kind_of_house_starts_somewhere(self) -> None:
        assert set(FOREIGN) == set(Model.__args__)  # type: ignore[attr-defined]

    @pytest.mark.parametrize("model", FOREIGN)
    def test_narrower_than_the_law_and_never_wider(self, model: str) -> None:
        told = starts(model)
        assert told
        assert len({(role, category) for role, category, _ in told}) == len(told)
        assert Category.ALERT not in {category for _, category, _ in told}
        assert [role for role, _, _ in told if role not in STAFF] == []

    def test_a_new_house_starts_from_its_kind(self, world: World) -> None:
        made = world.post("helene", "/api/v1/structures", {"name": "Les Lilas", "model": "savs"})
        assert made.status_code == 201, made.text
        with world.statements() as sql:
            listed = world.get("helene", f"{PATH}?structure={made.json()['id']}&limit=200").json()["items"]
        assert len(sql) <= 2
        told = {(one["role"], one["category"], one["to"]) for one in listed}
        assert told == {(role.value, category.value, to.value) for role, category, to in starts("savs")}
