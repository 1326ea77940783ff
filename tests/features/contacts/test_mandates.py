"""A mandate is entered by one, confirmed by another, opens what its terms open and closes at once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.kernel.clock import today
from app.security.principal import Role
from tests.features.contacts.people import CURATELLE, TUTELLE, added, confirmed, entered
from tests.world import World

PARENT = {"kind": "autorite_parentale", "scope": "personne", "starts": "2017-03-09"}


@pytest.fixture
def blanc(world: World) -> str:
    return added(world, "karim", given_name="Paul")


class TestEnter:
    def test_opens_nothing_by_itself(self, world: World, blanc: str):
        told = world.get("odile", entered(world, blanc, **TUTELLE)).json()
        assert (told["effect"], told["confirmed_at"], told["entered_by"]) == (
            "representation",
            None,
            str(world.ids["odile"]),
        )

    @pytest.mark.parametrize(
        ("terms", "opened"),
        [
            (CURATELLE, []),
            (CURATELLE | {"person_agreed": True}, ["administrative", "support"]),
            (CURATELLE | {"scope": "biens", "person_agreed": True}, ["administrative"]),
            (TUTELLE, ["administrative", "support", "care"]),
            (TUTELLE | {"scope": "biens"}, ["administrative"]),
            (TUTELLE | {"kind": "subroge", "effect": "representation"}, []),
            (TUTELLE | {"kind": "administrateur_ad_hoc"}, ["administrative"]),
        ],
    )
    def test_what_it_opens_is_computed(self, world: World, blanc: str, terms: dict[str, object], opened: list[str]):
        assert world.get("odile", entered(world, blanc, **terms)).json()["opens"] == opened

    @pytest.mark.threat("object-mass-assignment-create")
    @pytest.mark.parametrize("more", [{"opens": ["care"]}, {"confirmed_at": "2026-01-01T00:00:00Z"}])
    def test_what_it_opens_is_never_said(self, world: World, blanc: str, more: dict[str, object]):
        assert world.post("odile", f"{blanc}/mandates", CURATELLE | more).status_code == 422

    @pytest.mark.parametrize(
        ("changes", "where"),
        [({"effect": "representation"}, "/effect"), ({"ends": "2024-01-01"}, "/ends"), ({"kind": "amitié"}, "/kind")],
    )
    def test_wrong_terms_are_named(self, world: World, blanc: str, changes: dict[str, object], where: str):
        answer = world.post("odile", f"{blanc}/mandates", CURATELLE | changes)
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (422, [where])

    @pytest.mark.threat("input-end-of-time")
    @pytest.mark.parametrize(("born", "status"), [("9999-12-31", 201), ("0001-01-01", 422)])
    def test_over_who_was_born_on_a_day_of_no_life(self, world: World, born: str, status: int):
        """Written before dates had bounds: it stands until it is put right."""
        parent = added(world, "lucas", given_name="Nadia")
        [was] = world.rows("SELECT birth_date FROM usager WHERE id = $1", world.ids["lucas"])
        try:
            world.rows(f"UPDATE usager SET birth_date = '{born}' WHERE id = $1", world.ids["lucas"])
            assert world.post("odile", f"{parent}/mandates", PARENT).status_code == status
            for path in (f"/api/v1/usagers/{world.ids['lucas']}", f"/fhir/Patient/{world.ids['lucas']}"):
                assert born in world.get("odile", path).text
        finally:
            world.rows("UPDATE usager SET birth_date = $1 WHERE id = $2", was[0], world.ids["lucas"])

    @pytest.mark.parametrize(
        ("who", "status"),
        [("odile", 201), ("marc", 201), ("sonia", 403), ("helene", 403), ("leila", 404), ("yann", 404)],
    )
    def test_by_role(self, world: World, blanc: str, who: str, status: int):
        assert world.post(who, f"{blanc}/mandates", TUTELLE).status_code == status

    def test_costs_four_statements(self, world: World, blanc: str):
        entered(world, blanc, **TUTELLE)
        with world.statements() as counted:
            entered(world, blanc, **TUTELLE)
        assert len(counted) == 4, counted.sql

    def test_the_same_key_enters_one(self, world: World, blanc: str):
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (world.post("odile", f"{blanc}/mandates", TUTELLE, headers=key) for _ in "ab")
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


class TestOfAMinor:
    @pytest.mark.threat("mandate-of-a-minor-kept")
    def test_ends_the_day_they_come_of_age(self, world: World):
        told = world.get("odile", entered(world, added(world, "lucas"), **PARENT)).json()
        assert (told["ends"], told["opens"]) == ("2035-03-09", ["administrative", "support"])

    @pytest.mark.threat("mandate-of-a-minor-kept")
    def test_over_someone_of_age_is_refused(self, world: World, blanc: str):
        answer = world.post("odile", f"{blanc}/mandates", PARENT | {"starts": "2024-01-01"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "mandate.of_age")

    def test_parents_who_live_apart_have_their_address_protected(self, world: World):
        contact = added(world, "lucas", phone="0611223344")
        entered(world, contact, **PARENT | {"kind": "autorite_parentale_separes"})
        told = world.get("odile", contact).json()
        assert (told["address_protected"], told["version"]) == (True, 2)
        entered(world, contact, **PARENT | {"kind": "autorite_parentale_separes"})
        assert world.get("odile", contact).json()["version"] == 2

    def test_parents_who_part_later_have_it_from_that_day(self, world: World):
        world.rows("UPDATE usager SET address_protected = false WHERE id = $1", world.ids["lucas"])
        contact = added(world, "lucas", phone="0611223344")
        mandate = entered(world, contact, **PARENT)
        assert world.get("odile", contact).json()["address_protected"] is False
        assert world.patch("odile", mandate, {"kind": "autorite_parentale_separes"}, 1).status_code == 200
        assert world.get("odile", contact).json()["address_protected"] is True
        [child] = world.rows("SELECT address_protected FROM usager WHERE id = $1", world.ids["lucas"])
        assert child["address_protected"]

    def test_a_birth_date_put_right_brings_the_end_forward(self, world: World):
        mandate = entered(world, added(world, "ines"), **PARENT | {"starts": "2020-01-01"})
        curatelle = entered(world, added(world, "ines"), **TUTELLE)
        assert world.get("odile", mandate).json()["ends"] == "2027-01-20"
        world.patch("odile", f"/api/v1/usagers/{world.ids['ines']}", {"birth_date": "2008-12-31"}, 1)
        assert world.get("odile", mandate).json()["ends"] == "2026-12-31"
        assert world.get("odile", curatelle).json()["ends"] is None


class TestConfirm:
    def test_by_a_chief_with_the_decision_in_hand(self, world: World, blanc: str):
        mandate = entered(world, blanc, **TUTELLE)
        told = confirmed(world, mandate).json()
        assert (told["confirmed_by"], told["copy_seen_on"]) == (str(world.ids["marc"]), "2024-04-02")
        again = confirmed(world, mandate, version=2)
        assert (again.status_code, again.json()["code"]) == (409, "mandate.confirmed")

    @pytest.mark.parametrize("who", ["odile", "sonia", "leila", "helene", "yann"])
    def test_by_nobody_else(self, world: World, blanc: str, who: str):
        refused = confirmed(world, entered(world, blanc, **TUTELLE), who)
        assert refused.status_code == 403
        [line] = world.traces(request_id=refused.headers["x-request-id"])
        assert (line["action"], line["outcome"]) == ("confirm_mandate", "refused")

    @pytest.mark.threat("mandate-self-confirmed")
    def test_by_another_than_who_entered_it(self, world: World, blanc: str):
        mandate = entered(world, blanc, "marc", **TUTELLE)
        refused = confirmed(world, mandate)
        assert (refused.status_code, refused.json()["code"]) == (403, "mandate.same_person")
        [line] = world.traces(request_id=refused.headers["x-request-id"])
        assert (line["outcome"], line["usager_id"]) == ("refused", world.ids["karim"])
        world.hire("chloe", Role.CHEF_DE_SERVICE, "mas_fam")
        assert confirmed(world, mandate, "chloe").status_code == 200

    @pytest.mark.threat("mandate-self-confirmed")
    def test_by_another_than_who_last_changed_its_terms(self, world: World, blanc: str):
        mandate = entered(world, blanc, **CURATELLE)
        world.patch("marc", mandate, {"person_agreed": True}, 1)
        assert confirmed(world, mandate, version=2).status_code == 403

    def test_on_a_day_to_come_is_refused(self, world: World, blanc: str):
        later = confirmed(world, entered(world, blanc, **TUTELLE), day=str(today() + timedelta(days=1)))
        assert (later.status_code, later.json()["errors"][0]["where"]) == (422, "/copy_seen_on")

    def test_needs_the_version_read(self, world: World, blanc: str):
        mandate = entered(world, blanc, **TUTELLE)
        assert world.post("marc", f"{mandate}/confirm", {"copy_seen_on": "2024-04-02"}).status_code == 428

    def test_the_same_key_confirms_once(self, world: World, blanc: str):
        mandate = entered(world, blanc, **TUTELLE)
        headers = {"If-Match": 'W/"1"', "Idempotency-Key": str(uuid4())}
        body = {"copy_seen_on": "2024-04-02"}
        answers = [world.post("marc", f"{mandate}/confirm", body, headers=headers) for _ in "ab"]
        assert [(a.status_code, a.json()["version"]) for a in answers] == [(200, 2), (200, 2)]


class TestChange:
    def test_its_end_keeps_the_confirmation(self, world: World, blanc: str):
        mandate = entered(world, blanc, **TUTELLE)
        confirmed(world, mandate)
        told = world.patch("odile", mandate, {"ends": str(today())}, 2).json()
        assert told["ends"] == str(today())
        assert told["confirmed_at"]

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "sauvegarde"},
            {"scope": "personne"},
            {"acts": "Tous"},
            {"starts": "2023-01-01"},
            {"ends": "2031-01-01"},
            {"ends": None},
        ],
    )
    def test_other_terms_wait_for_a_confirmation_again(self, world: World, blanc: str, change: dict[str, object]):
        mandate = entered(world, blanc, **TUTELLE | {"ends": "2030-01-01"})
        confirmed(world, mandate)
        told = world.patch("odile", mandate, change, 2).json()
        assert (told["confirmed_at"], told["confirmed_by"]) == (None, None)

    def test_the_persons_yes_waits_too_and_their_no_acts_at_once(self, world: World, blanc: str):
        mandate = entered(world, blanc, **CURATELLE | {"person_agreed": True})
        confirmed(world, mandate)
        no = world.patch("odile", mandate, {"person_agreed": False}, 2).json()
        assert (no["opens"], bool(no["confirmed_at"])) == ([], True)
        yes = world.patch("odile", mandate, {"person_agreed": True}, 3).json()
        assert (yes["opens"], yes["confirmed_at"]) == (["administrative", "support"], None)

    @pytest.mark.parametrize(("who", "status"), [("sonia", 403), ("helene", 403), ("leila", 404), ("yann", 404)])
    def test_by_role_is_refused(self, world: World, blanc: str, who: str, status: int):
        mandate = entered(world, blanc, **TUTELLE)
        assert world.patch(who, mandate, {"person_told": True}, 1).status_code == status

    @pytest.mark.parametrize("field", ["kind", "scope", "effect", "starts"])
    def test_what_must_be_said_is_not_emptied(self, world: World, blanc: str, field: str):
        mandate = entered(world, blanc, **TUTELLE)
        assert world.patch("odile", mandate, {field: None}, 1).status_code == 422


class TestRead:
    def test_of_a_contact_the_latest_first(self, world: World, blanc: str):
        for starts in ("2020-01-01", "2022-01-01"):
            entered(world, blanc, **TUTELLE | {"starts": starts, "ends": "2023-01-01"})
        told = world.get("sonia", f"{blanc}/mandates").json()
        assert ([i["starts"] for i in told["items"]], told["next"]) == (["2022-01-01", "2020-01-01"], None)
        assert world.get("yann", f"{blanc}/mandates").json()["items"] == []

    @pytest.mark.threat("object-path-confusion")
    def test_of_another_contact_than_the_path_says_is_not_found(self, world: World, blanc: str):
        mandate = entered(world, blanc, **TUTELLE)
        other = f"{added(world, 'karim')}/mandates/{mandate.rpartition('/')[2]}"
        assert world.get("odile", other).status_code == 404
        assert world.patch("odile", other, {"person_told": True}, 1).status_code == 404
        assert world.get("yann", mandate).status_code == 404
