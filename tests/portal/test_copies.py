"""« Lire mon dossier », on real rows: asked by a button, the day of the answer, the copy read where it was asked."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from app.kernel.clock import today
from app.portal import french
from app.portal.frame import Screen
from tests.features.copies.test_rest import STAFF, later, prepare, represented, sign
from tests.portal.html import read
from tests.portal.visitor import Visitor, visit
from tests.world import World

COPIES = Screen.COPIES.path


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in ("copy_file", "copy_request"):
        world.rows(f"DELETE FROM {table}")


def plain(visitor: Visitor) -> str:
    return visitor.see(COPIES).text.replace("\u202f", " ").replace("\u00a0", " ")


def waiting(world: World) -> dict[str, UUID]:
    rows = world.rows("SELECT part, id FROM copy_request WHERE answer IS NULL")
    return {row["part"]: row["id"] for row in rows}


@pytest.mark.parametrize(
    ("wanted", "parts"), [("all", {"care", "old_care", "rest"}), ("care", {"care", "old_care"}), ("rest", {"rest"})]
)
def test_one_button_asks_for_what_it_says(world: World, wanted: str, parts: set[str]) -> None:
    visitor = visit(world, "jeanne")
    answer = visitor.answer(COPIES, COPIES, wanted=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{COPIES}?note=1")
    assert set(waiting(world)) == parts


def test_the_page_says_before_which_day(world: World) -> None:
    visitor = visit(world, "jeanne")
    visitor.answer(COPIES, COPIES, wanted="care")
    day = french.on_day(today() + timedelta(days=8), today())
    assert f"Vous aurez une réponse avant {day}." in plain(visitor)


def test_what_waits_is_not_offered_again(world: World) -> None:
    visitor = visit(world, "jeanne")
    visitor.answer(COPIES, COPIES, wanted="care")
    buttons = [button.attrs["value"] for button in visitor.see(COPIES).all("button", name="wanted")]
    assert buttons == ["rest"]


def test_asked_again_from_an_older_page_it_is_asked_once(world: World) -> None:
    visitor = visit(world, "jeanne")
    secret = visitor.secret(COPIES)
    for _ in "ab":
        assert visitor.post(COPIES, csrf=secret, wanted="all").status_code == 303
    assert len(waiting(world)) == 3


def test_a_word_out_of_the_list_is_refused(world: World) -> None:
    visitor = visit(world, "jeanne")
    assert visitor.answer(COPIES, COPIES, wanted="everything").status_code == 400


@pytest.mark.threat("page-csrf")
def test_a_form_without_its_secret_asks_nothing(world: World) -> None:
    visitor = visit(world, "jeanne")
    assert (visitor.post(COPIES, csrf="x", wanted="all").status_code, waiting(world)) == (403, {})


def test_the_copy_is_read_where_it_was_asked(world: World) -> None:
    visitor = visit(world, "jeanne")
    visitor.answer(COPIES, COPIES, wanted="care")
    copy = str(waiting(world)["care"])
    assert visitor.get(f"{COPIES}/{copy}").status_code == 404
    sign(world, copy)
    later(world, copy)
    assert prepare(world, copy).status_code == 200
    [link] = [link.attrs["href"] for link in visitor.see(COPIES).all("a") if copy in link.attrs["href"]]
    answer = visitor.get(link)
    assert (answer.status_code, read(answer.content).all("h1")[0].text) == (200, "Copie de votre dossier")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.threat("copy-read-by-others")
def test_nobody_else_reads_it_there(world: World) -> None:
    represented(world, "page_claire", "lucas", kind="autorite_parentale")
    child = visit(world, "lucas")
    child.answer(COPIES, COPIES, wanted="rest")
    copy = str(waiting(world)["rest"])
    assert prepare(world, copy).status_code == 200
    parent = visit(world, "lucas", world.ids["page_claire"])
    assert (child.get(f"{COPIES}/{copy}").status_code, parent.get(f"{COPIES}/{copy}").status_code) == (200, 404)
    assert copy not in parent.get(COPIES).text


def test_a_refusal_is_told_with_its_words(world: World) -> None:
    visitor = visit(world, "jeanne")
    visitor.answer(COPIES, COPIES, wanted="rest")
    said = {"answer": "refused", "words": "Déjà remise le 3 mars."}
    world.post("helene", f"{STAFF}/{waiting(world)['rest']}/answer", said)
    assert ("La réponse est non" in plain(visitor), "Déjà remise le 3 mars." in plain(visitor)) == (True, True)


@pytest.mark.threat("copy-asked-by-another")
def test_who_only_assists_is_offered_nothing(world: World) -> None:
    terms = {"kind": "curatelle_renforcee", "effect": "assistance", "person_agreed": True}
    represented(world, "page_blanc", "karim", **terms)
    visitor = visit(world, "karim", world.ids["page_blanc"])
    assert visitor.see(COPIES).all("button", name="wanted") == []
    secret = visitor.secret(Screen.HOME.path)
    assert visitor.post(COPIES, csrf=secret, wanted="all").status_code == 403
    assert waiting(world) == {}


def test_the_screen_costs_three_statements_at_most(world: World) -> None:
    visitor = visit(world, "jeanne")
    visitor.see(COPIES)
    with world.statements() as sql:
        visitor.see(COPIES)
    assert len(sql) <= 3
