"""A purpose stated: it opens one dossier to the direction, to who evaluates with a yes, to who inspects on mission."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.models import SharingConsent
from app.features.transmissions.models import Transmission
from app.kernel.clock import now, today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.portal.visitor import visit
from tests.world import World

PATH = "/api/v1/access/purposes"


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    world.hire("eva", Role.EVALUATEUR, "ehpad")


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in ("stated_purpose", "sharing_consent", "transmission"):
        world.rows(f"DELETE FROM {table}")


def note(world: World, usager: str = "jeanne", category: str = "support") -> str:
    id = uuid7()
    at = {"usager_id": world.ids[usager], "structure_id": world.ids["ehpad" if usager == "jeanne" else "ime"]}
    row = Transmission(id=id, thread_id=id, kind="narrative", text="?", author_id=world.ids["marc"], **at)
    row.category = category
    world.add(row)
    return f"/api/v1/transmissions/{id}"


def agreed(world: World, answer: str = "yes", **more: Any) -> UUID:
    id = uuid7()
    asked = {
        "kind": "autre",
        "about": "evaluation",
        "question": "Une évaluatrice peut-elle lire ?",
        "if_yes": "Oui.",
        "if_no": "Non.",
    }
    at = {"usager_id": world.ids["jeanne"], "structure_id": world.ids["ehpad"], "categories": [], "starts": today()}
    world.add(SharingConsent(id=id, answer=answer, **{**asked, **at, **more}))
    return id


def stated(world: World, who: str = "helene", **more: Any) -> Any:
    said = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "purpose": "reclamation"}
    return world.post(who, PATH, {**said, **more})


def mission(world: World, **more: Any) -> Any:
    until = (now() + timedelta(days=3)).isoformat()
    said = {"professional_id": str(world.ids["eva"]), "ends_at": until, "purpose": "inspection"}
    return stated(world, **{**said, **more})


def status(world: World, who: str, path: str) -> int:
    return int(world.get(who, path).status_code)


class TestDirection:
    def test_reads_the_support_of_this_person_only_once_it_said_why(self, world: World) -> None:
        hers, another, care = note(world), note(world, "lucas"), note(world, category="care")
        assert status(world, "helene", hers) == 404
        assert stated(world).status_code == 201
        assert [status(world, "helene", place) for place in (hers, another, care)] == [200, 404, 404]

    def test_for_the_hours_that_are_set(self, world: World) -> None:
        answer = stated(world).json()
        [row] = world.rows("SELECT ends_at - starts_at AS lasts FROM stated_purpose")
        assert row["lasts"] == timedelta(hours=12)
        world.rows("UPDATE stated_purpose SET ends_at = starts_at + interval '1 microsecond'")
        assert status(world, "helene", note(world)) == 404
        assert world.post("helene", f"{PATH}/{answer['id']}/close", None).status_code == 409

    def test_as_its_house_sets_them(self, world: World) -> None:
        here = {"scope": f"structure:{world.ids['ehpad']}", "key": "purpose.hours", "value": 3}
        place = world.post("helene", "/api/v1/settings", here).headers["location"]
        stated(world)
        [row] = world.rows("SELECT ends_at - starts_at AS lasts FROM stated_purpose")
        world.delete("helene", place, 1)
        assert row["lasts"] == timedelta(hours=3)

    def test_until_it_is_closed(self, world: World) -> None:
        place, hers = stated(world).headers["location"], note(world)
        assert status(world, "helene", hers) == 200
        assert world.post("helene", f"{place}/close", None).status_code == 200
        assert status(world, "helene", hers) == 404

    def test_one_that_was_withdrawn_is_gone(self, world: World) -> None:
        place = stated(world).headers["location"]
        world.rows("UPDATE stated_purpose SET deleted_at = now()")
        assert status(world, "helene", place) == 410

    @pytest.mark.threat("direction-reads-without-purpose")
    def test_each_reading_says_for_what(self, world: World) -> None:
        stated(world)
        answer = world.get("helene", note(world))
        assert {line["ground"] for line in world.traces(request_id=answer.headers["x-request-id"])} == {"motif"}

    def test_the_person_reads_why(self, world: World) -> None:
        stated(world)
        world.get("helene", note(world))
        visits = world.get("jeanne", "/api/v1/me/access").json()["items"]
        assert next((v["deed"], v["why"]) for v in visits if "why" in v) == ("read", "reclamation")
        page = visit(world, "jeanne").see("/mon-dossier/acces")
        assert "Pour répondre à une réclamation." in page.text

    @pytest.mark.parametrize("who", ["marc", "odile", "sonia", "eva"])
    def test_no_one_else_states_one(self, world: World, who: str) -> None:
        assert stated(world, who).status_code in (403, 404)
        assert world.rows("SELECT 1 FROM stated_purpose") == []

    def test_opens_no_writing(self, world: World) -> None:
        place = note(world)
        stated(world)
        assert world.patch("helene", place, {"text": "!"}, 1).status_code == 403

    def test_lists_say_who_read_for_what(self, world: World) -> None:
        made = stated(world).json()
        assert world.get("marc", PATH).json()["items"][0]["purpose"] == "reclamation"
        of_her = world.get("marc", f"{PATH}?usager={world.ids['jeanne']}").json()["items"]
        assert [one["id"] for one in of_her] == [made["id"]] == [world.get("marc", f"{PATH}/{made['id']}").json()["id"]]


class TestMission:
    def test_an_inspector_reads_on_mission_and_the_person_is_not_told(self, world: World) -> None:
        place = note(world)
        assert status(world, "eva", place) == 404
        assert mission(world).status_code == 201
        answer = world.get("eva", place)
        assert answer.status_code == 200
        assert {line["ground"] for line in world.traces(request_id=answer.headers["x-request-id"])} == {"loi"}
        assert "evaluateur" not in world.get("jeanne", "/api/v1/me/access").text

    def test_an_evaluator_reads_while_the_person_agrees(self, world: World) -> None:
        place, consent = note(world), agreed(world)
        assert mission(world, purpose="evaluation", consent_id=str(consent)).status_code == 201
        assert status(world, "eva", place) == 200
        world.rows("UPDATE sharing_consent SET withdrawn_at = now()")
        assert status(world, "eva", place) == 404

    @pytest.mark.threat("evaluator-without-yes")
    @pytest.mark.threat("of-age-consent-lapses")
    def test_no_longer_than_what_parents_could_allow(self, world: World) -> None:
        """She is 18: what they had agreed to is asked of her again, and opens nothing until she answers."""
        consent, hers = agreed(world), note(world)
        asked = {"purpose": "evaluation", "consent_id": str(consent)}
        assert mission(world, **asked).status_code == 201
        assert status(world, "eva", hers) == 200
        world.rows("UPDATE sharing_consent SET lapses_on = current_date")
        assert status(world, "eva", hers) == 404
        assert mission(world, **asked).json()["errors"][0]["where"] == "/consent_id"

    @pytest.mark.parametrize(
        ("more", "where"),
        [
            ({"purpose": "evaluation"}, "/consent_id"),
            ({"purpose": "evaluation", "consent": {"answer": "no"}}, "/consent_id"),
            ({"purpose": "evaluation", "consent": {"about": None}}, "/consent_id"),
            ({"consent": {}}, "/consent_id"),
            ({"ends_at": (now() + timedelta(days=40)).isoformat()}, "/ends_at"),
            ({"ends_at": None}, "/ends_at"),
            ({"professional_id": None}, "/professional_id"),
            ({"purpose": "controle"}, "/professional_id"),
            ({"purpose": "controle", "professional_id": None}, "/ends_at"),
        ],
    )
    def test_what_is_missing_is_named(self, world: World, more: dict[str, Any], where: str) -> None:
        said = {k: v for k, v in more.items() if k != "consent"}
        if "consent" in more:
            said["consent_id"] = str(agreed(world, **more["consent"]))
        answer = mission(world, **said)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)

    def test_a_consent_that_is_not_there(self, world: World) -> None:
        assert mission(world, purpose="evaluation", consent_id=str(uuid4())).status_code == 404

    @pytest.mark.threat("mission-to-oneself")
    @pytest.mark.parametrize("who", ["helene", "marc", "yann"])
    def test_is_for_who_has_that_function_here(self, world: World, who: str) -> None:
        answer = mission(world, professional_id=str(world.ids[who]))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/professional_id")
        assert world.rows("SELECT 1 FROM stated_purpose") == []

    @pytest.mark.threat("mission-to-oneself")
    def test_never_for_oneself_even_with_both_functions(self, world: World) -> None:
        world.appoint("helene_evaluating", "helene", Role.EVALUATEUR, "ehpad")
        assert mission(world, professional_id=str(world.ids["helene"])).status_code == 422
