"""Emergency access: what it opens, what it never opens, who closes it, and what the trail says of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.features.transmissions.models import Transmission
from app.kernel.clock import now
from app.security.principal import Role
from tests.world import World

PATH = "/api/v1/access/emergency"
WHY = "Malaise dans le couloir, personne de l'équipe joignable."


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    world.hire("nuit", Role.VEILLEUR, "ehpad")
    world.hire("ide", Role.INFIRMIER, "ehpad")


@pytest.fixture(autouse=True)
def clean(world: World):
    yield
    world.rows("DELETE FROM emergency_access")


def asked(world: World, who: str = "nuit", usager: str = "jeanne", **changes: object) -> Any:
    body = {"usager_id": str(world.ids[usager]), "structure_id": str(world.ids["ehpad"]), "reason": WHY, **changes}
    return world.post(who, PATH, body)


def note(world: World, category: str = "support", *, consigne: bool = False, usager: str = "jeanne") -> str:
    row = Transmission(
        usager_id=world.ids[usager],
        structure_id=world.ids["ehpad"],
        thread_id=uuid4(),
        kind="narrative",
        text="Ce qui s'est passé.",
        category=category,
        consigne=consigne,
        author_id=world.ids["marc"],
    )
    world.add(row)
    return f"/api/v1/transmissions/{row.id}"


class TestOpen:
    def test_opens_the_dossier_for_twelve_hours(self, world: World):
        place = note(world)
        assert world.get("nuit", place).status_code == 404
        made = asked(world)
        assert made.status_code == 201, made.text
        assert world.get("nuit", place).status_code == 200
        [row] = world.rows("SELECT ends_at - starts_at AS lasts, professional_id, reason FROM emergency_access")
        assert (row["lasts"], row["professional_id"], row["reason"]) == (timedelta(hours=12), world.ids["nuit"], WHY)

    def test_lasts_as_long_as_the_house_says(self, world: World):
        tuned = {"scope": f"structure:{world.ids['ehpad']}", "key": "emergency.hours", "value": 4}
        assert world.post("helene", "/api/v1/settings", tuned).status_code == 201
        asked(world)
        [row] = world.rows("SELECT ends_at - starts_at AS lasts FROM emergency_access")
        assert row["lasts"] == timedelta(hours=4)
        world.rows("DELETE FROM setting")

    @pytest.mark.threat("trail-emergency-untold")
    def test_each_reading_under_it_says_so(self, world: World):
        place = note(world)
        asked(world)
        read = world.get("nuit", place)
        listed = world.get("nuit", f"/api/v1/transmissions?usager={world.ids['jeanne']}")
        for answer in (read, listed):
            lines = world.traces(request_id=answer.headers["x-request-id"])
            assert {line["ground"] for line in lines} == {"urgence"}

    @pytest.mark.threat("emergency-too-wide")
    @pytest.mark.parametrize(
        ("category", "consigne", "who", "status"),
        [
            ("support", False, "nuit", 200),
            ("care", False, "nuit", 404),
            ("care", True, "nuit", 200),
            ("care", False, "ide", 200),
            ("judicial", False, "ide", 404),
            ("judicial", True, "ide", 404),
            ("alert", True, "ide", 404),
        ],
    )
    def test_opens_the_roles_own_reading_and_the_consignes_only(
        self, world: World, category: str, consigne: bool, who: str, status: int
    ):
        place = note(world, category, consigne=consigne)
        asked(world, who)
        assert world.get(who, place).status_code == status

    @pytest.mark.threat("emergency-too-wide")
    def test_opens_no_other_person(self, world: World):
        place = note(world, usager="karim")
        asked(world)
        assert world.get("nuit", place).status_code == 404
        assert world.get("nuit", f"/api/v1/transmissions?usager={world.ids['karim']}").json()["items"] == []

    @pytest.mark.threat("emergency-too-wide")
    def test_writes_nothing(self, world: World):
        asked(world)
        body = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": "A."}
        assert world.post("nuit", "/api/v1/transmissions", body).status_code == 403

    def test_of_a_dossier_already_open_is_refused(self, world: World):
        refused = asked(world, "sonia")
        assert (refused.status_code, refused.json()["code"]) == (409, "emergency.open")

    def test_twice_is_refused(self, world: World):
        assert [asked(world).status_code for _ in "ab"] == [201, 409]

    @pytest.mark.threat("emergency-not-a-carer")
    @pytest.mark.parametrize(("who", "status"), [("odile", 403), ("helene", 403), ("marc", 403), ("yann", 404)])
    def test_by_role(self, world: World, who: str, status: int):
        assert asked(world, who).status_code == status

    @pytest.mark.threat("emergency-not-a-carer")
    def test_in_a_structure_where_one_does_not_work_is_refused(self, world: World):
        assert asked(world, structure_id=str(world.ids["mecs"])).status_code == 404

    def test_for_someone_who_never_was_is_not_found(self, world: World):
        assert asked(world, usager_id=str(uuid4())).status_code == 404

    @pytest.mark.threat("emergency-without-reason")
    @pytest.mark.parametrize("reason", ["", "urgence", None])
    def test_without_a_reason_is_refused(self, world: World, reason: str | None):
        refused = asked(world, reason=reason)
        assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "/reason")

    @pytest.mark.threat("emergency-over-opposition")
    def test_does_not_pass_an_opposition(self, world: World):
        against = {"professional_id": str(world.ids["ide"])}
        made = world.post("jeanne", "/api/v1/me/consents/oppositions", against)
        assert made.status_code == 201
        assert asked(world, "ide").status_code == 404
        world.rows("DELETE FROM opposition")

    def test_the_person_sees_that_it_was(self, world: World):
        id = asked(world).json()["id"]
        [row] = world.rows("SELECT visibility FROM emergency_access WHERE id = $1", UUID(id))
        assert row["visibility"] == "shared"

    def test_leaves_its_line(self, world: World):
        made = asked(world)
        [line] = [t for t in world.traces(request_id=made.headers["x-request-id"]) if t["action"] == "create"]
        assert (line["kind"], line["usager_id"], line["role"]) == ("emergency_access", world.ids["jeanne"], "veilleur")


class TestEnd:
    @pytest.mark.parametrize(
        ("who", "status"), [("marc", 200), ("helene", 200), ("nuit", 403), ("sonia", 403), ("odile", 403)]
    )
    def test_is_closed_by_a_chief_or_the_direction(self, world: World, who: str, status: int):
        place = note(world)
        id = asked(world).json()["id"]
        assert world.post(who, f"{PATH}/{id}/close", None).status_code == status
        assert world.get("nuit", place).status_code == (404 if status == 200 else 200)

    def test_says_who_closed_it(self, world: World):
        id = asked(world).json()["id"]
        told = world.post("marc", f"{PATH}/{id}/close", None).json()
        assert (told["closed_by"], told["version"]) == (str(world.ids["marc"]), 2)

    def test_twice_is_refused(self, world: World):
        id = asked(world).json()["id"]
        assert [world.post("marc", f"{PATH}/{id}/close", None).status_code for _ in "ab"] == [200, 409]

    @pytest.mark.threat("emergency-outlived")
    def test_after_its_time_opens_nothing(self, world: World):
        place = note(world)
        id = asked(world).json()["id"]
        world.rows("UPDATE emergency_access SET ends_at = $1", now() - timedelta(seconds=1))
        assert world.get("nuit", place).status_code == 404
        assert world.post("marc", f"{PATH}/{id}/close", None).status_code == 409

    def test_elsewhere_is_not_found(self, world: World):
        world.hire("elsa", Role.CHEF_DE_SERVICE, "other")
        world.hire("noam", Role.CHEF_DE_SERVICE, "mecs")
        id = asked(world).json()["id"]
        assert [world.post(who, f"{PATH}/{id}/close", None).status_code for who in ("elsa", "noam")] == [404, 404]


class TestList:
    def test_is_for_the_chief(self, world: World):
        id = asked(world).json()["id"]
        for who in ("marc", "helene"):
            assert [i["id"] for i in world.get(who, f"{PATH}?running=true").json()["items"]] == [id]
            assert world.get(who, f"{PATH}/{id}").json()["reason"] == WHY

    def test_keeps_those_that_ended_unless_told_otherwise(self, world: World):
        id = asked(world).json()["id"]
        world.post("marc", f"{PATH}/{id}/close", None)
        assert world.get("marc", f"{PATH}?running=true").json()["items"] == []
        assert [i["id"] for i in world.get("marc", f"{PATH}?usager={world.ids['jeanne']}").json()["items"]] == [id]

    def test_of_another_organisation_is_empty(self, world: World):
        asked(world)
        assert world.get("yann", PATH).json()["items"] == []

    def test_costs_one_statement(self, world: World):
        asked(world)
        world.get("marc", PATH)
        with world.statements() as counted:
            world.get("marc", PATH)
        assert len(counted) == 1, counted.sql


class TestReview:
    @pytest.fixture
    def over(self, world: World) -> str:
        made = asked(world).json()
        assert world.post("marc", f"{PATH}/{made['id']}/close", None).status_code == 200
        return f"{PATH}/{made['id']}"

    def test_who_answers_for_it_says_what_they_think_of_it_once(self, world: World, over: str):
        queue = world.get("marc", f"{PATH}?to_review=true").json()["items"]
        answer = world.post("marc", f"{over}/review", {"review": "to_discuss"})
        assert (answer.status_code, answer.json()["reviewed_by"]) == (200, str(world.ids["marc"]))
        assert [one["id"] for one in queue] == [answer.json()["id"]]
        assert world.get("marc", f"{PATH}?to_review=true").json()["items"] == []
        assert world.post("helene", f"{over}/review", {"review": "justified"}).status_code == 409

    def test_the_answer_lost_is_asked_again_with_its_key(self, world: World, over: str):
        how = {"headers": {"idempotency-key": uuid4().hex}}
        first, again = (world.post("marc", f"{over}/review", {"review": "justified"}, **how) for _ in range(2))
        assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())

    def test_the_queue_of_one_person_is_theirs(self, world: World, over: str):
        mine, hers = (
            world.get("marc", f"{PATH}?to_review=true&usager={world.ids[who]}").json()["items"]
            for who in ("karim", "jeanne")
        )
        assert (mine, [one["id"] for one in hers]) == ([], [over.rpartition("/")[2]])

    def test_not_while_it_runs(self, world: World):
        made = asked(world).json()
        assert world.get("marc", f"{PATH}?to_review=true").json()["items"] == []
        assert world.post("marc", f"{PATH}/{made['id']}/review", {"review": "justified"}).status_code == 409

    @pytest.mark.threat("emergency-reviewed-by-oneself")
    def test_never_by_who_opened_it(self, world: World, over: str):
        assert world.post("nuit", f"{over}/review", {"review": "justified"}).status_code == 403
        world.rows("UPDATE emergency_access SET professional_id = $1", world.ids["marc"])
        assert world.post("marc", f"{over}/review", {"review": "justified"}).status_code == 403

    def test_the_digest_of_the_day_says_who_why_and_how_much(self, world: World):
        world.hire("dora", Role.DPO, "ehpad")
        place = note(world)
        asked(world)
        for _ in range(2):
            assert world.get("nuit", place).status_code == 200
        for who in ("marc", "dora"):
            [one] = world.get(who, f"{PATH}/digest").json()["items"]
            assert (one["professional_id"], one["reason"], one["readings"]) == (str(world.ids["nuit"]), WHY, 2)
        assert world.get("marc", f"{PATH}/digest?day=2020-01-01").json()["items"] == []

    def test_the_dpo_reads_the_digest_and_never_the_notes(self, world: World):
        world.hire("dina", Role.DPO, "ehpad")
        asked(world)
        assert world.get("dina", note(world)).status_code == 404
