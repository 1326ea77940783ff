"""Papers of justice: filed by one, confirmed by another; what they ask is read by all who meet the person."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.kernel.clock import today
from app.security.principal import Role
from tests.features.consents.people import represent
from tests.world import World

PATH, CONSIGNES = "/api/v1/judicial", "/api/v1/consignes"
TEXT = "Ordonnance : Zorglub ne peut pas venir chercher l'enfant."
CONSIGNE = {"fetch": "La mère seulement", "in_doubt": "Le chef de service : 01 02 03 04 05"}


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    world.hire("nuit", Role.VEILLEUR, "ime")
    world.hire("maitresse", Role.ENSEIGNANT, "ime")
    world.hire("ass", Role.ASSISTANT_SOCIAL, "ime")
    world.hire("nora", Role.CHEF_DE_SERVICE, "ime")
    world.hire("remplacante", Role.VEILLEUR, "ime")
    for who in ("nuit", "maitresse", "ass"):
        world.accompany(who, world.ids["lucas"], "ime")


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in ("consigne", "judicial_decision", "emergency_access"):
        world.rows(f"DELETE FROM {table}")


def filed(world: World, who: str = "odile", **more: Any) -> Any:
    said = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["ime"]), "nature": "notified"}
    paper = {"title": "Jugement du 3 mars", "text": TEXT, "decided_on": "2026-03-03", "consigne": CONSIGNE}
    return world.post(who, PATH, {**said, **paper, **more})


def places(answer: Any) -> tuple[str, str]:
    assert answer.status_code == 201, answer.text
    return f"{PATH}/{answer.json()['id']}", f"{CONSIGNES}/{answer.json()['consigne_id']}"


def restricting(world: World, contact: UUID, **more: Any) -> tuple[str, str]:
    world.rows(
        """INSERT INTO contact (organisation_id, id, usager_id, structure_id, category, visibility, author_kind,
        occurred_at, held, consigne, minor_secret, recorded_at, updated_at, version, family_name, address_protected,
        call_order) VALUES ($1, $2, $3, $4, 'administrative', 'shared', 'professional', now(), false, false, false,
        now(), now(), 1, 'MARTIN', false, 1) ON CONFLICT DO NOTHING""",
        world.organisation,
        contact,
        world.ids["lucas"],
        world.ids["ime"],
    )
    return places(filed(world, consigne={**CONSIGNE, "contact_id": str(contact), "closes_access": True, **more}))


def confirmed(world: World, who: str, decision: str, version: int) -> int:
    headers = {**world.bearers[who], "If-Match": f'W/"{version}"'}
    said = {"copy_seen_on": str(today())}
    return int(world.client.post(f"{decision}/confirm", json=said, headers=headers).status_code)


def status(world: World, who: str, path: str) -> int:
    return int(world.get(who, path).status_code)


class TestFiling:
    def test_who_files_does_not_read_back_but_reads_what_it_asks(self, world: World) -> None:
        decision, consigne = places(filed(world))
        assert (status(world, "odile", decision), status(world, "odile", consigne)) == (404, 200)

    def test_the_same_again_with_its_key(self, world: World) -> None:
        body = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["ime"]), "nature": "notified"}
        said = {**body, "title": "Jugement", "consigne": CONSIGNE}
        first, again = (world.post("odile", PATH, said, headers={"Idempotency-Key": "j1"}) for _ in range(2))
        assert first.json() == again.json()
        assert len(world.rows("SELECT 1 FROM judicial_decision")) == 1

    def test_its_words_are_sealed_and_come_back_whole(self, world: World) -> None:
        decision, _ = places(filed(world))
        read = world.get("marc", decision).json()
        assert (read["title"], read["text"]) == ("Jugement du 3 mars", TEXT)
        [row] = world.rows("SELECT to_jsonb(d)::text AS told FROM judicial_decision d")
        assert b"Zorglub".hex() not in row["told"]

    @pytest.mark.parametrize(
        ("more", "where"),
        [
            ({"consigne": None}, "/consigne"),
            ({"nature": "for_judge"}, "/consigne"),
            ({"consigne": {**CONSIGNE, "closes_access": True}}, "/consigne/contact_id"),
            ({"consigne": {**CONSIGNE, "starts": "2026-03-03", "ends": "2026-03-03"}}, "/consigne/ends"),
        ],
    )
    def test_a_contradiction_is_named(self, world: World, more: dict[str, Any], where: str) -> None:
        answer = filed(world, **more)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)
        assert world.rows("SELECT 1 FROM judicial_decision") == []

    def test_a_contact_of_another_person_is_refused(self, world: World) -> None:
        contact = uuid4()
        restricting(world, contact)
        said = {"usager_id": str(world.ids["karim"]), "structure_id": str(world.ids["mas_fam"])}
        answer = filed(world, **said, consigne={**CONSIGNE, "contact_id": str(contact)})
        assert answer.json()["errors"][0]["where"] == "/consigne/contact_id"


class TestConfirming:
    def test_by_a_chief_with_the_paper_in_hand(self, world: World) -> None:
        decision, consigne = places(filed(world))
        answer = world.client.post(
            f"{decision}/confirm",
            json={"copy_seen_on": str(today())},
            headers={**world.bearers["marc"], "If-Match": 'W/"1"'},
        )
        assert answer.status_code == 200, answer.text
        assert (answer.json()["confirmed_by"], answer.json()["text"]) == (str(world.ids["marc"]), TEXT)
        assert world.get("nuit", consigne).json()["confirmed_at"] is not None

    @pytest.mark.parametrize(("filer", "who", "expected"), [("marc", "marc", 403), ("odile", "ass", 403)])
    def test_never_by_who_filed_it_nor_without_the_act(self, world: World, filer: str, who: str, expected: int) -> None:
        decision, _ = places(filed(world, filer))
        headers = {**world.bearers[who], "If-Match": 'W/"1"'}
        answer = world.client.post(f"{decision}/confirm", json={"copy_seen_on": str(today())}, headers=headers)
        assert answer.status_code == expected

    def test_once(self, world: World) -> None:
        decision, _ = places(filed(world))
        said = {"json": {"copy_seen_on": str(today())}, "headers": {**world.bearers["marc"], "If-Match": 'W/"1"'}}
        assert world.client.post(f"{decision}/confirm", **said).status_code == 200
        said["headers"]["If-Match"] = 'W/"2"'
        assert world.client.post(f"{decision}/confirm", **said).status_code == 409

    def test_again_once_its_terms_change_and_by_another_than_who_changed_them(self, world: World) -> None:
        decision, _ = places(filed(world))
        assert confirmed(world, "marc", decision, 1) == 200
        assert world.patch("marc", decision, {"title": "Jugement du 4 mars"}, 2).json()["confirmed_at"] is None
        assert (confirmed(world, "marc", decision, 3), confirmed(world, "nora", decision, 3)) == (403, 200)

    def test_stays_when_only_what_is_shown_changes(self, world: World) -> None:
        decision, _ = places(filed(world))
        confirmed(world, "marc", decision, 1)
        assert world.patch("marc", decision, {"visibility": "shared"}, 2).json()["confirmed_at"] is not None

    def test_again_once_what_it_asks_changes_and_by_another_than_who_changed_it(self, world: World) -> None:
        decision, consigne = places(filed(world))
        confirmed(world, "marc", decision, 1)
        changed = world.patch("marc", consigne, {"fetch": "Personne"}, 2)
        assert (changed.status_code, changed.json()["confirmed_at"]) == (200, None)
        assert (confirmed(world, "marc", decision, 2), confirmed(world, "nora", decision, 2)) == (403, 200)
        assert world.get("nuit", consigne).json()["confirmed_at"] is not None

    def test_not_seen_tomorrow(self, world: World) -> None:
        decision, _ = places(filed(world))
        headers = {**world.bearers["marc"], "If-Match": 'W/"1"'}
        answer = world.client.post(f"{decision}/confirm", json={"copy_seen_on": "2100-01-01"}, headers=headers)
        assert answer.json()["errors"][0]["where"] == "/copy_seen_on"


class TestReading:
    def test_every_role_that_meets_the_person_reads_the_consigne(self, world: World) -> None:
        decision, consigne = places(filed(world))
        meet = ("sonia", "marc", "odile", "helene", "nuit", "maitresse", "ass")
        assert {who: status(world, who, consigne) for who in meet} == dict.fromkeys(meet, 200)
        assert {who for who in meet if status(world, who, decision) == 200} == {"sonia", "marc", "ass"}

    @pytest.mark.threat("consigne-tells-the-decision")
    def test_the_consigne_never_tells_the_decision(self, world: World) -> None:
        _, consigne = places(filed(world))
        told = world.get("nuit", consigne).text + world.get("nuit", CONSIGNES).text
        assert "Zorglub" not in told
        assert "Jugement" not in told

    def test_an_emergency_opens_the_consigne_and_not_the_decision(self, world: World) -> None:
        decision, consigne = places(filed(world))
        assert status(world, "remplacante", consigne) == 404
        body = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["ime"]), "reason": "Seule de nuit."}
        assert world.post("remplacante", "/api/v1/access/emergency", body).status_code == 201
        assert (status(world, "remplacante", consigne), status(world, "remplacante", decision)) == (200, 404)

    def test_what_was_made_for_the_judge_is_never_shown(self, world: World) -> None:
        answer = filed(world, nature="for_judge", consigne=None)
        place = f"{PATH}/{answer.json()['id']}"
        assert world.patch("marc", place, {"visibility": "shared"}, 1).status_code == 409

    def test_a_decision_of_which_the_person_was_notified_may_be(self, world: World) -> None:
        decision, _ = places(filed(world))
        assert world.patch("marc", decision, {"visibility": "shared"}, 1).json()["visibility"] == "shared"

    def test_correcting_keeps_what_is_not_said(self, world: World) -> None:
        decision, consigne = places(filed(world))
        assert world.patch("marc", decision, {"title": "Ordonnance"}, 1).json()["text"] == TEXT
        assert world.patch("marc", consigne, {"call": "Personne"}, 1).json()["fetch"] == CONSIGNE["fetch"]
        assert world.patch("marc", consigne, {"ends": "2020-01-01"}, 2).status_code == 422

    def test_lists(self, world: World) -> None:
        decision, consigne = places(filed(world))
        for path, place in ((PATH, decision), (CONSIGNES, consigne)):
            one = world.get("marc", f"{path}?usager={world.ids['lucas']}").json()["items"]
            assert one == world.get("marc", path).json()["items"] == [world.get("marc", place).json()]


@pytest.mark.threat("restricted-relative-reads")
class TestRestriction:
    MINE = "/api/v1/me"

    def test_closes_the_access_of_whom_it_concerns_at_the_next_request(self, world: World) -> None:
        father = represent(world, "father", "lucas", "autorite_parentale")
        before = world.get("father", "/api/v1/me/events").status_code
        project = world.get("father", self.MINE).status_code
        restricting(world, father)
        assert (before, project) == (200, 200)
        assert world.get("father", self.MINE).status_code == 404

    def test_of_whom_it_concerns_only(self, world: World) -> None:
        mother = represent(world, "mother", "lucas", "autorite_parentale")
        restricting(world, represent(world, "father", "lucas", "autorite_parentale"))
        assert world.get("mother", self.MINE).status_code == 200
        assert mother

    @pytest.mark.parametrize("when", [{"starts": "2100-01-01"}, {"starts": "2020-01-01", "ends": "2020-02-01"}])
    def test_within_its_dates(self, world: World, when: dict[str, str]) -> None:
        restricting(world, represent(world, "father", "lucas", "autorite_parentale"), **when)
        assert world.get("father", self.MINE).status_code == 200

    @pytest.mark.parametrize(("who", "answer"), [("marc", 200), ("helene", 200), ("odile", 403), ("nuit", 403)])
    def test_is_lifted_by_a_chief_or_the_direction(self, world: World, who: str, answer: int) -> None:
        _, consigne = restricting(world, represent(world, "father", "lucas", "autorite_parentale"))
        assert world.post(who, f"{consigne}/lift", None).status_code == answer
        assert world.get("father", self.MINE).status_code == (200 if answer == 200 else 404)
        running = world.get("nuit", CONSIGNES).json()["items"]
        assert bool(running) is (answer != 200)

    def test_the_same_again_with_its_key(self, world: World) -> None:
        place, key = restricting(world, uuid4())[1], {"idempotency-key": uuid4().hex}
        first, again = (world.post("marc", f"{place}/lift", None, headers=key) for _ in range(2))
        assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())

    def test_once(self, world: World) -> None:
        _, consigne = restricting(world, uuid4())
        assert world.post("marc", f"{consigne}/lift", None).status_code == 200
        assert world.post("marc", f"{consigne}/lift", None).status_code == 409
