"""« Donner un accès »: who may, for whom, what the card opens, and how it is taken back."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.kernel.clock import today
from tests.features.contacts.people import TUTELLE, added, confirmed, entered
from tests.features.usagers.people import opened as person_opened
from tests.world import ORIGIN, World

PATH = "/api/v1/access/cards"


def given(world: World, who: str = "sonia", usager: str = "jeanne", **said: object) -> Any:
    return world.post(who, PATH, {"usager_id": str(world.ids.get(usager, usager)), **said})


@pytest.fixture(scope="module")
def newcomer(world: World) -> str:
    """In a house of Sonia's, and in no team of hers."""
    return person_opened(world, birth_family_name="NOUVEAU").rpartition("/")[2]


def entered_by(world: World, card: Any) -> Any:
    """The page's door, by this card."""
    door = card["link"].removeprefix(ORIGIN)
    return world.client.post(door, data={"code": card["code"]}, follow_redirects=False)


def opened(world: World, card: Any) -> dict[str, str]:
    """A bearer of `/me`, by this card."""
    link = card["link"].rpartition("/")[2]
    answer = world.client.post("/api/v1/me/session", json={"link": link, "code": card["code"]})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def taken_back(world: World, who: str, card: Any) -> Any:
    return world.client.delete(f"{PATH}/{card['id']}", headers=world.bearers[who])


class TestGiving:
    @pytest.mark.threat("card-shown-again")
    def test_tells_link_and_code_once(self, world: World):
        card = given(world).json()
        assert card["link"].startswith(f"{ORIGIN}/p/")
        assert len(card["code"]) == 6
        listed = world.get("sonia", PATH, params={"usager": str(world.ids["jeanne"])})
        assert card["code"] not in listed.text
        assert card["link"].rpartition("/")[2] not in listed.text
        assert listed.json()["items"][0]["id"] == card["id"]

    def test_the_card_opens_the_page(self, world: World):
        assert entered_by(world, given(world).json()).headers["location"] == "/mon-dossier"

    @pytest.mark.parametrize("who", ["sonia", "marc", "odile"])
    def test_is_for_who_is_near_and_has_the_act(self, world: World, who: str):
        assert given(world, who).status_code == 201

    @pytest.mark.parametrize("who", ["leila", "helene"])
    def test_another_role_may_not(self, world: World, who: str):
        assert given(world, who).status_code == 403
        assert world.get(who, PATH, params={"usager": str(world.ids["jeanne"])}).status_code == 403

    @pytest.mark.threat("card-given-from-afar")
    def test_who_is_not_in_the_team_would_hold_the_code_and_is_refused(self, world: World, newcomer: str):
        beyond, never = given(world, "sonia", newcomer), world.post("sonia", PATH, {"usager_id": str(uuid4())})
        assert beyond.status_code == never.status_code == 404
        assert beyond.json()["detail"] == never.json()["detail"]

    def test_leaves_its_line(self, world: World):
        answer = given(world)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["kind"], line["usager_id"]) == (
            "give_personal_access",
            "card",
            world.ids["jeanne"],
        )
        assert [str(id) for id in line["entry_ids"]] == [answer.json()["id"]]

    def test_costs_four_statements(self, world: World):
        given(world)
        with world.statements() as counted:
            given(world)
        assert len(counted) <= 4, counted.sql

    @pytest.mark.threat("card-shown-again")
    def test_the_same_key_gives_one_card_and_tells_nothing_again(self, world: World):
        key = {"Idempotency-Key": str(uuid4())}
        body = {"usager_id": str(world.ids["jeanne"])}
        first, again = (world.post("sonia", PATH, body, headers=key) for _ in "ab")
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
        assert (again.json()["link"], again.json()["code"]) == (None, None)

    def test_a_day_gone_by_is_refused(self, world: World):
        answer = given(world, ends=str(today() - timedelta(days=1)))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/ends")

    def test_it_opens_until_the_last_day(self, world: World):
        card = given(world, ends=str(today())).json()
        assert entered_by(world, card).status_code == 303
        [row] = world.rows("SELECT ends FROM personal_access WHERE id = $1", card["id"])
        assert row["ends"].date() >= today()


class TestForWhoRepresents:
    @pytest.mark.threat("card-without-mandate")
    def test_a_contact_without_mandate_is_refused(self, world: World):
        contact = added(world).rpartition("/")[2]
        answer = given(world, contact_id=contact)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/contact_id")

    def test_a_confirmed_mandate_opens_the_page_to_them(self, world: World):
        contact = added(world)
        confirmed(world, entered(world, contact, **TUTELLE))
        id = contact.rpartition("/")[2]
        me = world.client.get("/api/v1/me", headers=opened(world, given(world, contact_id=id).json())).json()
        assert (me["kind"], me["usager_id"]) == ("representative", str(world.ids["jeanne"]))
        assert (me["representative"]["contact_id"], me["representative"]["mandate"]) == (id, "tutelle")

    @pytest.mark.threat("card-without-mandate")
    def test_of_another_person_it_is_refused(self, world: World):
        contact = added(world, "lucas")
        confirmed(world, entered(world, contact, **TUTELLE))
        answer = given(world, contact_id=contact.rpartition("/")[2])
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/contact_id")


class TestTakingBack:
    @pytest.mark.threat("card-taken-back")
    def test_closes_the_link_and_what_it_had_opened(self, world: World):
        card = given(world).json()
        bearer = opened(world, card)
        assert world.client.get("/api/v1/me", headers=bearer).status_code == 200
        assert taken_back(world, "marc", card).status_code == 204
        assert world.client.get("/api/v1/me/transmissions", headers=bearer).status_code == 401
        assert entered_by(world, card).status_code == 401

    def test_is_seen_in_the_list(self, world: World):
        card = given(world).json()
        taken_back(world, "sonia", card)
        listed = world.get("sonia", PATH, params={"usager": str(world.ids["jeanne"])}).json()["items"]
        [mine] = [each for each in listed if each["id"] == card["id"]]
        assert (mine["in_force"], mine["revoked_at"] is not None) == (False, True)

    def test_leaves_its_line(self, world: World):
        card = given(world).json()
        answer = taken_back(world, "sonia", card)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["usager_id"]) == ("take_back_access", world.ids["jeanne"])

    def test_another_role_may_not(self, world: World):
        card = given(world).json()
        assert taken_back(world, "leila", card).status_code == 403

    def test_of_someone_out_of_reach_is_not_found_and_told_in_the_trail(self, world: World, newcomer: str):
        card = given(world, "marc", newcomer).json()
        answer = taken_back(world, "sonia", card)
        assert answer.status_code == 404
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert line["outcome"] == "refused"
        assert entered_by(world, card).status_code == 303


class TestList:
    def test_of_someone_out_of_reach_is_empty_and_traced(self, world: World, newcomer: str):
        given(world, "marc", newcomer)
        answer = world.get("sonia", PATH, params={"usager": newcomer})
        assert answer.json() == {"items": []}
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["outcome"], line["usager_id"]) == ("empty", UUID(newcomer))

    def test_costs_two_statements(self, world: World):
        url = f"{PATH}?usager={world.ids['jeanne']}"
        world.get("sonia", url)
        with world.statements() as counted:
            world.get("sonia", url)
        assert len(counted) <= 2, counted.sql
