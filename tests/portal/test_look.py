"""The pages as a browser draws them, with JavaScript off: sizes, widths, colours, the way in and out.

Each rule caught something once that reading the source did not (portal.md §3.6).
"""

import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.portal.pages import Reading
from app.portal.views import Inside
from tests.portal.cast import everything
from tests.portal.house import CODE, DOOR, House, open_house

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NARROW, PHONE = 320, 390
PAGES = everything()
SHOWN = [name for name in PAGES if not name.startswith("empty") or name.endswith("-ines")]
COLOURED = [name for name in SHOWN if name.endswith(("-jeanne", "-lucas", "door", "door-wrong", "saved", "busy"))]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which(CHROMIUM) is None, reason="Debian's Chromium is not installed"),
]

FACTS = """async () => {
  await document.fonts.ready;
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  const shown = e => e.getClientRects().length && !e.closest('.unseen, .skip');
  const name = e => e.tagName.toLowerCase() + '.' + e.className + ' ' + (e.textContent || '').trim().slice(0, 40);
  const channels = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => {
    const [r, g, b] = channels(c).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor, told = channels(c);
      if (told.length < 4 || told[3] > 0) return c;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !shown(e)) continue;
    const style = getComputedStyle(e), a = light(style.color), b = light(ground(e));
    texts.push({
      name: name(e), size: parseFloat(style.fontSize), font: style.fontFamily,
      body: !e.closest('.small, footer, dt, .kind, .hint, .words, figcaption, .leave'),
      contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
    });
  }
  const box = e => { const r = e.getBoundingClientRect(); return {name: name(e), width: r.width, height: r.height}; };
  return {
    texts,
    targets: [...document.querySelectorAll('a, button, summary, label.choice, input[type=text], input[type=file], textarea')].filter(shown).map(box),
    drawings: [...document.querySelectorAll('svg')].filter(shown).map(box),
    width: document.documentElement.scrollWidth,
    answers: [...document.querySelectorAll('.answers')].filter(shown).map(g => [...g.children].map(box)),
    fonts: [...document.fonts].filter(f => f.status === 'loaded').length,
  };
}"""
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
    p { margin-bottom: 2em !important }`);
  document.adoptedStyleSheets = [sheet];
}"""

FAULTS = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`main { min-width: 900px } button { font-size: 13px; min-height: 10px; padding: 0 }
    svg { width: 200px } .small { color: #bbb } .answers button:first-child { width: 60px }`);
  document.adoptedStyleSheets = [sheet];
}"""

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGS)
        yield browser
        browser.close()


def phone(browser: Browser, width: int, scheme: Any = "light") -> BrowserContext:
    return browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=False, locale="fr-FR"
    )


def seen(
    context: BrowserContext, house: House, names: Sequence[str], reading: Reading | None = None
) -> dict[str, Facts]:
    """What is drawn, page by page."""
    page = context.new_page()
    told = {}
    for name in names:
        page.goto(house.see(name, reading))
        told[name] = page.evaluate(FACTS)
    context.close()
    return told


@pytest.fixture(scope="module")
def narrow(browser: Browser, house: House) -> dict[str, Facts]:
    return seen(phone(browser, NARROW), house, SHOWN)


@pytest.fixture(scope="module")
def plain(browser: Browser, house: House) -> dict[str, Facts]:
    return seen(phone(browser, PHONE), house, SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_scrolls_sideways_at_320_px(narrow: dict[str, Facts], name: str) -> None:
    assert narrow[name]["width"] <= NARROW


@pytest.mark.parametrize("name", SHOWN)
def test_text_to_read_is_20_px_and_second_text_18_px(plain: dict[str, Facts], name: str) -> None:
    small = [text for text in plain[name]["texts"] if text["size"] < (20 if text["body"] else 18)]
    assert plain[name]["texts"]
    assert not small


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_touched_is_48_px(narrow: dict[str, Facts], name: str) -> None:
    assert not [box for box in narrow[name]["targets"] if min(box["width"], box["height"]) < 48]


@pytest.mark.parametrize("name", SHOWN)
def test_no_drawing_is_wider_than_130_px(narrow: dict[str, Facts], name: str) -> None:
    assert not [box for box in narrow[name]["drawings"] if box["width"] > 130]


@pytest.mark.parametrize("name", SHOWN)
def test_answers_of_one_question_have_one_size(plain: dict[str, Facts], name: str) -> None:
    for group in plain[name]["answers"]:
        assert len({(round(box["width"]), round(box["height"])) for box in group}) == 1


@pytest.mark.parametrize(
    ("scheme", "reading"),
    [
        ("light", Reading()),
        ("dark", Reading()),
        ("light", Reading(contrast="strong")),
        ("dark", Reading(contrast="strong")),
    ],
    ids=["light", "dark", "strong", "strong-dark"],
)
def test_text_stands_out_in_every_colour_scheme(browser: Browser, house: House, scheme: str, reading: Reading) -> None:
    """WCAG 2.2 1.4.3; we ask 7:1 of the strong contrast."""
    least = 7 if reading.contrast == "strong" else 4.5
    pages = seen(phone(browser, PHONE, scheme), house, COLOURED, reading)
    assert not [(name, text) for name, told in pages.items() for text in told["texts"] if text["contrast"] < least]


@pytest.mark.parametrize("lost", [None, "**/*.woff2"], ids=["our-font", "another-font"])
def test_the_largest_text_still_fits_320_px(browser: Browser, house: House, lost: str | None) -> None:
    context = phone(browser, NARROW)
    if lost:
        context.route(lost, lambda route: route.abort())
    pages = seen(context, house, SHOWN, Reading(size="largest"))
    assert not {name: told["width"] for name, told in pages.items() if told["width"] > NARROW}


def test_spaced_text_still_fits_320_px(browser: Browser, house: House) -> None:
    """WCAG 2.2 1.4.12."""
    context = phone(browser, NARROW)
    page = context.new_page()
    wide = {}
    for name in SHOWN:
        page.goto(house.see(name))
        page.evaluate("document.fonts.ready.then(() => true)")
        page.evaluate(SPACED)
        if (width := page.evaluate("document.documentElement.scrollWidth")) > NARROW:
            wide[name] = width
    context.close()
    assert not wide


def test_our_font_is_the_one_drawn(plain: dict[str, Facts]) -> None:
    assert plain["home-jeanne"]["fonts"] == 2
    assert all(text["font"].startswith('"Atkinson Hyperlegible Next"') for text in plain["home-jeanne"]["texts"])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = phone(browser, PHONE)
    yield context.new_page()
    context.close()


def test_the_browser_refuses_nothing_of_ours(page: Page, house: House) -> None:
    """Our own security policy blocks no style, font or drawing."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: told.append(request.url))
    for name in ("door", "home-jeanne", "project-jeanne", "bye"):
        page.goto(house.see(name), wait_until="networkidle")
    assert not told


@pytest.mark.parametrize(
    ("name", "control"),
    [
        ("home-jeanne", "a.tile"),
        ("agreements-jeanne", ".answers button"),
        ("agenda-jeanne", "summary"),
        ("door", "#code"),
        ("door", "input[type=radio]:checked"),
    ],
)
def test_the_focus_is_seen(page: Page, house: House, name: str, control: str) -> None:
    page.goto(house.see(name))
    page.keyboard.press("Tab")
    one = page.locator(control).first
    one.focus()
    focused = page.screenshot(caret="hide")
    one.blur()
    assert page.screenshot(caret="hide") != focused


def test_the_measures_see_planted_faults(page: Page, house: House) -> None:
    page.goto(house.see("agreements-jeanne"))
    page.evaluate(FAULTS)
    told = page.evaluate(FACTS)
    assert told["width"] > PHONE
    assert [text for text in told["texts"] if text["size"] < 18]
    assert [text for text in told["texts"] if text["contrast"] < 4.5]
    assert [box for box in told["targets"] if box["height"] < 48]
    assert [box for box in told["drawings"] if box["width"] > 130]
    assert [group for group in told["answers"] if len({round(box["width"]) for box in group}) > 1]


def test_the_skip_link_is_the_first_stop(page: Page, house: House) -> None:
    page.goto(house.see("project-jeanne"))
    page.keyboard.press("Tab")
    assert page.locator("a.skip:focus").inner_text() == "Aller au contenu"


def test_from_the_card_to_a_no_without_a_script(page: Page, house: House) -> None:
    house.posts.clear()
    page.goto(house.address + DOOR)
    page.get_by_label("Mon code").fill(CODE)
    page.get_by_role("button", name="Ouvrir mon dossier").click()
    page.get_by_role("link", name="Mes accords").click()
    page.get_by_role("button", name="Je dis non : Est-ce que le CHU peut lire mon projet").click()
    assert page.url == f"{house.address}/mon-dossier/accords"
    assert house.posts == [
        (DOOR, {"code": CODE, "device": "shared"}),
        ("/mon-dossier/accords/q1", {"csrf": "s3cret", "answer": "no"}),
    ]


def test_a_wrong_code_is_told_without_a_script(page: Page, house: House) -> None:
    page.goto(house.address + DOOR)
    page.get_by_label("Mon code").fill("000000")
    page.get_by_role("button", name="Ouvrir mon dossier").click()
    assert page.get_by_role("alert").get_by_role("heading").inner_text() == "Ce code ne marche pas."


@pytest.mark.parametrize("name", [name for name in SHOWN if isinstance(PAGES[name], Inside)])
def test_every_page_can_be_left_in_one_touch(page: Page, house: House, name: str) -> None:
    page.goto(house.see(name))
    page.get_by_role("button", name="Quitter").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Au revoir"


def test_paper_shows_the_words_and_no_button(page: Page, house: House) -> None:
    page.emulate_media(media="print")
    page.goto(house.see("project-jeanne"))
    assert page.get_by_text("Je veux aller au marché").is_visible()
    assert not page.locator("button:visible").count()
