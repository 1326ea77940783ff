"""The shape of every page: one heading, labelled fields, forms that post with their secret, nothing that runs."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from app.portal.frame import Screen
from app.portal.pages import HEADERS, STATIC_DIR, Reading, asset, headers, render
from app.portal.views import Bye, Door, Inside, Stop, StopKind
from tests.portal.cast import JEANNE, everything, home
from tests.portal.html import Node, read

CSRF = "b1946ac92492d2347c6235b4d2611184"
PAGES = everything()
INSIDE = [name for name, view in PAGES.items() if isinstance(view, Inside)]
BUDGET = 60_000  # field.md §7: usable on a thin line


def page(name: str) -> Node:
    return read(render(PAGES[name], csrf=CSRF))


@pytest.fixture(params=PAGES)
def tree(request: pytest.FixtureRequest) -> Node:
    return page(request.param)


@pytest.fixture(params=INSIDE)
def inside(request: pytest.FixtureRequest) -> Node:
    return page(request.param)


def test_has_one_first_heading_and_skips_no_level(tree: Node) -> None:
    levels = [int(node.tag[1]) for node in tree.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_is_in_french_with_a_title_and_a_main_part(tree: Node) -> None:
    (root,) = tree.all("html")
    (title,) = tree.all("title")
    (main,) = tree.all("main")
    (skip,) = [node for node in tree.all("a") if node.has_class("skip")]
    assert root.attrs["lang"] == "fr"
    assert title.text
    assert skip.attrs["href"] == f"#{main.attrs['id']}"


def test_nothing_runs_and_nothing_is_styled_in_line(tree: Node) -> None:
    assert not tree.all("script", "style", "iframe", "object", "embed", "img")
    assert not [name for node in tree.walk() for name in node.attrs if name == "style" or name.startswith("on")]


def test_every_address_is_ours(tree: Node) -> None:
    links = [node.attrs[name] for node in tree.walk() for name in ("href", "action", "src") if name in node.attrs]
    assert links
    assert not [link for link in links if not re.match(r"/mon-dossier(/|$)|/vos-donnees$|/static/|#|tel:\+?\d", link)]


def test_every_form_posts_with_the_secret_given(tree: Node) -> None:
    for form in tree.all("form"):
        assert form.attrs["method"] == "post"
        if form.has_class("door"):  # nobody is known yet: no session to bind it to
            continue
        assert [field.attrs["value"] for field in form.all("input", name="csrf")] == [CSRF]


def test_ids_are_unique_and_references_exist(tree: Node) -> None:
    ids = [node.attrs["id"] for node in tree.walk() if "id" in node.attrs]
    told = [name for node in tree.walk() for name in node.attrs.get("aria-describedby", "").split()]
    assert len(ids) == len(set(ids))
    assert set(told) <= set(ids)


def test_every_field_has_a_label(tree: Node) -> None:
    wrapped = {id(field) for label in tree.all("label") for field in label.all("input", "textarea")}
    named = {label.attrs.get("for") for label in tree.all("label")}
    fields = [field for field in tree.all("input", "textarea") if field.attrs.get("type") != "hidden"]
    assert not [field for field in fields if id(field) not in wrapped and field.attrs.get("id") not in named]


def test_an_icon_is_never_alone(tree: Node) -> None:
    assert not [node for node in tree.all("a", "button", "summary", "h1") if not node.text]
    assert not [svg for svg in tree.all("svg") if svg.attrs.get("aria-hidden") != "true"]


def test_two_buttons_of_one_name_do_one_thing(tree: Node) -> None:
    does: dict[str, set[tuple[str, str, str]]] = {}
    for form in tree.all("form"):
        for button in form.all("button"):
            act = (form.attrs.get("action", ""), button.attrs.get("name", ""), button.attrs.get("value", ""))
            does.setdefault(button.text, set()).add(act)
    assert not {name: acts for name, acts in does.items() if len(acts) > 1}


@pytest.mark.parametrize("name", PAGES)
def test_weighs_less_than_60_kb_with_all_it_needs(name: str) -> None:
    files = sum(path.stat().st_size for path in STATIC_DIR.rglob("*") if path.suffix in {".css", ".woff2", ".svg"})
    assert len(render(PAGES[name], csrf=CSRF)) + files <= BUDGET


def test_each_screen_of_a_record_can_be_left(inside: Node) -> None:
    (leave,) = inside.all("form", action="/mon-dossier/quitter")
    assert leave.text == "Quitter"


def test_each_screen_of_a_record_says_whom_to_call(inside: Node) -> None:
    (foot,) = inside.all("footer")
    assert re.search(r"Appel(?:ez|le) Sonia, éducatrice\.", foot.text)
    assert [link.attrs["href"] for link in foot.all("a")] == ["tel:0400000000", "/vos-donnees"]


def test_the_home_links_every_screen() -> None:
    links = {link.attrs["href"] for link in page("home-jeanne").all("a")}
    assert {screen.path for screen in Screen} <= links


def test_every_other_screen_goes_back_to_the_home() -> None:
    for name in INSIDE:
        back = [link for link in page(name).all("a") if link.text == "← Retour à l'accueil"]
        assert len(back) == (0 if "home" in name else 1), name


def test_the_door_asks_one_code_and_names_nobody() -> None:
    door = page("door")
    assert [field.attrs["name"] for field in door.all("input", type="text")] == ["code"]
    assert door.all("h1")[0].text == "Bonjour"
    assert door.all("legend")[0].text == "Sur quel appareil êtes-vous\u202f?"
    assert not door.all("footer")
    assert not [word for word in ("Jeanne", "Foyer", "Sonia") if word in door.text]


def test_a_shared_device_is_the_careful_default() -> None:
    (chosen,) = [field for field in page("door").all("input", type="radio") if "checked" in field.attrs]
    assert chosen.attrs["value"] == "shared"


def test_a_wrong_code_is_told_beside_the_field() -> None:
    door = page("door-wrong")
    (told,) = door.all("div", role="alert")
    (code,) = door.all("input", name="code")
    assert "Ce code ne marche pas." in told.text
    assert told.attrs["id"] in code.attrs["aria-describedby"].split()
    assert code.attrs["aria-invalid"] == "true"


@pytest.mark.parametrize("kind", StopKind)
def test_every_refusal_has_its_own_words(kind: StopKind) -> None:
    stop = read(render(Stop(kind=kind), csrf=""))
    assert stop.all("h1")[0].text
    assert not stop.all("form")


def test_a_refusal_inside_a_record_keeps_the_way_out() -> None:
    stop = page("stop-inside")
    assert stop.all("form", action="/mon-dossier/quitter")
    assert [link for link in stop.all("a") if "Retour" in link.text]


def test_a_kept_answer_is_told() -> None:
    assert page("saved").all("p", role="status")[0].text == "C'est noté."


@pytest.mark.threat("page-framing", "page-referer")
def test_headers_forbid_what_a_page_does_not_need() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert HEADERS["Referrer-Policy"] == "no-referrer"
    assert HEADERS["Cache-Control"] == "no-store"
    assert HEADERS["X-Content-Type-Options"] == "nosniff"
    assert HEADERS["X-Robots-Tag"] == "noindex, nofollow"
    assert HEADERS["Content-Type"] == "text/html; charset=utf-8"


def test_leaving_empties_what_the_browser_kept() -> None:
    assert headers(Bye())["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in headers(Door())


def test_the_way_of_reading_is_set_before_the_first_paint() -> None:
    (root,) = read(render(home(), csrf=CSRF, reading=Reading(size="largest", contrast="strong"))).all("html")
    assert (root.attrs["data-size"], root.attrs["data-contrast"]) == ("largest", "strong")


def test_a_static_address_changes_with_its_bytes() -> None:
    assert re.fullmatch(r"/static/dui\.css\?v=[0-9a-f]{10}", asset("dui.css"))
    assert asset("dui.css")[-10:] != asset("icon.svg")[-10:]


def test_the_style_sheet_asks_only_for_our_own_files() -> None:
    for name in re.findall(r'url\("([^"]+)"\)', (STATIC_DIR / "dui.css").read_text()):
        assert (STATIC_DIR / name).is_file()


def test_the_font_comes_with_its_licence() -> None:
    assert "SIL OPEN FONT LICENSE" in (STATIC_DIR / "fonts" / "LICENSE").read_text()


def test_nothing_prints_as_absent() -> None:
    broken = replace(home(), frame=replace(JEANNE, human=replace(JEANNE.human, name=None)))
    with pytest.raises(TypeError):
        render(broken, csrf=CSRF)
