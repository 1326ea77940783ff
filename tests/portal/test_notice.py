"""The notice d'information: shown at the first opening with a card, noted once read, reachable ever after."""

from uuid import UUID

import pytest

from app.features.access_cards.notice import NOTICE
from app.portal.frame import Screen
from tests.features.copies.test_rest import represented
from tests.portal.visitor import Visitor, visit
from tests.world import World

HOME, READ = Screen.HOME.path, "/mon-dossier/vos-donnees"
TITLES = {part.title for part in NOTICE}


def shown(visitor: Visitor) -> bool:
    return {heading.text for heading in visitor.see(HOME).all("h3")} >= TITLES


def noted(world: World, usager: str = "jeanne") -> int:
    asked = "SELECT 1 FROM personal_access WHERE usager_id = $1 AND notice_at > now() - interval '1 minute'"
    return len(world.rows(asked, world.ids[usager]))


@pytest.fixture(autouse=True)
def none_noted(world: World) -> None:
    world.rows("UPDATE personal_access SET notice_at = '2020-01-01'")


def test_it_is_shown_at_the_first_opening_with_everything_else(world: World) -> None:
    visitor = visit(world, "jeanne", first=True)
    assert shown(visitor)
    links = {link.attrs["href"] for link in visitor.see(HOME).all("a")}
    assert {screen.path for screen in Screen} <= links


def test_looking_notes_nothing(world: World) -> None:
    visitor = visit(world, "jeanne", first=True)
    visitor.see(HOME)
    assert (noted(world), shown(visitor)) == (0, True)


def test_once_read_it_is_noted_and_no_longer_shown(world: World) -> None:
    visitor = visit(world, "jeanne", first=True)
    answer = visitor.answer(HOME, READ)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HOME}?note=1")
    assert (noted(world), shown(visitor)) == (1, False)


def test_it_is_a_line_of_the_trail_and_a_page_opened_to_the_person(world: World) -> None:
    visitor = visit(world, "karim", first=True)
    visitor.answer(HOME, READ)
    [line] = world.traces(action="read_notice", usager_id=world.ids["karim"])
    assert (line["kind"], line["principal_kind"], line["door"]) == ("card", "usager", "page")
    told = visitor.see(Screen.ACCESS.path).text
    assert ("Page ouverte" in told, "Écrit" in told) == (True, False)


def test_each_card_has_its_own(world: World) -> None:
    """Who represents the person reads it too; reading it for oneself notes nothing for the other."""
    represented(world, "notice_claire", "lucas", kind="autorite_parentale")
    child = visit(world, "lucas", first=True)
    parent = visit(world, "lucas", world.ids["notice_claire"], first=True)
    parent.answer(HOME, READ)
    assert (noted(world, "lucas"), shown(child), shown(parent)) == (1, True, False)


def test_twice_is_once(world: World) -> None:
    visitor = visit(world, "ines", first=True)
    secret = visitor.secret(HOME)
    for _ in "ab":
        assert visitor.post(READ, csrf=secret).status_code == 303
    assert len(world.traces(action="read_notice", usager_id=world.ids["ines"])) == 1


@pytest.mark.threat("page-csrf")
def test_nobody_reads_it_for_them(world: World) -> None:
    visitor = visit(world, "jeanne", first=True)
    assert (visitor.post(READ, csrf="x").status_code, noted(world)) == (403, 0)


def test_a_session_that_ended_notes_nothing(world: World) -> None:
    visitor = visit(world, "jeanne", first=True)
    secret = visitor.secret(HOME)
    world.rows("UPDATE session SET revoked_at = now() WHERE door = 'page'")
    assert (visitor.post(READ, csrf=secret).status_code, noted(world)) == (401, 0)


@pytest.mark.parametrize("screen", Screen)
def test_it_stays_at_the_foot_of_each_screen(world: World, screen: Screen) -> None:
    visitor = visit(world, "jeanne")
    assert "/vos-donnees" in {link.attrs["href"] for link in visitor.see(screen.path).all("a")}
    assert {heading.text for heading in visitor.see("/vos-donnees").all("h2")} == TITLES


def test_the_first_home_costs_no_statement_more(world: World) -> None:
    visitor = visit(world, "jeanne", first=True)
    visitor.see(HOME)
    with world.statements() as sql:
        visitor.see(HOME)
    assert len(sql) <= 3


def test_an_application_of_the_person_is_told_and_notes_it(world: World) -> None:
    link, code = world.card("jeanne")
    answer = world.client.post("/api/v1/me/session", json={"link": link, "code": code})
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    due = [world.client.get("/api/v1/me", headers=bearer).json()["notice_due"]]
    assert world.client.post("/api/v1/me/notice", headers=bearer).status_code == 204
    due.append(world.client.get("/api/v1/me", headers=bearer).json()["notice_due"])
    assert (due, noted(world)) == ([True, False], 1)


def test_who_came_without_a_card_has_none_to_read(world: World) -> None:
    """A session that an older version opened: nothing is asked of it."""
    assert world.get("jeanne", "/api/v1/me").json()["notice_due"] is False
    assert world.client.post("/api/v1/me/notice", headers=world.bearers["jeanne"]).status_code == 204


def test_the_team_sees_the_day(world: World) -> None:
    visit(world, "jeanne", first=True).answer(HOME, READ)
    cards = world.get("sonia", "/api/v1/access/cards", params={"usager": str(world.ids["jeanne"])}).json()["items"]
    assert cards[0]["notice_at"] is not None


class TestPrinted:
    PATH, PAPER = "/api/v1/access/cards", {"Accept": "text/html"}

    def test_two_slips_and_the_notice(self, world: World) -> None:
        world.rows("UPDATE structure SET phone = '04 11 22 33 44' WHERE id = $1", world.ids["ehpad"])
        answer = world.post("sonia", self.PATH, {"usager_id": str(world.ids["jeanne"])}, headers=self.PAPER)
        assert (answer.status_code, answer.headers["content-type"]) == (201, "text/html; charset=utf-8")
        link, code = answer.text.split("<section>")[1:]
        assert ("/p/" in link, "/p/" in code) == (True, False)
        assert ("04 11 22 33 44" in link, "Mes affaires" in code) == (True, True)
        assert [title for title in TITLES if title.replace("'", "&#x27;") not in answer.text] == []

    def test_no_slip_names_the_person_or_the_house(self, world: World) -> None:
        answer = world.post("sonia", self.PATH, {"usager_id": str(world.ids["jeanne"])}, headers=self.PAPER)
        slips = answer.text.split("<main>")[0]
        assert [word for word in ("Jeanne", "MOREAU", "EHPAD", "Tilleuls") if word in slips] == []

    def test_the_card_that_is_printed_opens_the_page(self, world: World) -> None:
        answer = world.post("sonia", self.PATH, {"usager_id": str(world.ids["jeanne"])}, headers=self.PAPER)
        strong = [part.partition("</strong>")[0] for part in answer.text.split("<strong>")[1:]]
        door = world.client.post(f"/p/{strong[0].rpartition('/')[2]}", data={"code": strong[1]}, follow_redirects=False)
        assert door.status_code == 303
        assert UUID(answer.headers["location"].rpartition("/")[2])

    @pytest.mark.threat("card-shown-again")
    def test_printed_again_under_its_key_it_tells_neither(self, world: World) -> None:
        headers = {**self.PAPER, "Idempotency-Key": "impression-1"}
        for expected in (True, False):
            answer = world.post("sonia", self.PATH, {"usager_id": str(world.ids["jeanne"])}, headers=headers)
            assert (answer.status_code, "Mon code :" in answer.text) == (201, expected)
