"""From the printed link to a given answer, in Debian's Chromium, on the server as `dui serve` runs it.

`DUI_SCREENSHOTS=folder` keeps a picture of each screen, at the width of a phone, to be looked at.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from app.config import Settings
from app.demo.run import prepare
from app.kernel.crypto import Keyring
from app.portal.frame import Screen
from tests.features.documents.papers import JPEG
from tests.portal.test_look import ARGS, CHROMIUM, FACTS, PHONE
from tests.postgres import TestDatabase, free_port

WIDTHS = {"width": PHONE, "height": 844}
READY_WITHIN = 60.0  # seconds, on a machine that does much else

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which(CHROMIUM) is None, reason="Debian's Chromium is not installed"),
]


@dataclass
class Served:
    origin: str
    told: dict[str, Any]


@pytest.fixture(scope="module")
def served(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo, on a port of its own."""
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    origin = f"http://127.0.0.1:{port}"
    Keyring.create(folder / "keys.json", demo=True)
    config = Settings(
        database_url=database.app_url,
        owner_database_url=database.owner_url,
        key_file=folder / "keys.json",
        data=folder,
        public_origins=origin,
        demo=True,
        pool_size=4,
    )
    told = asyncio.run(prepare(config, origin)).told
    names = ("database_url", "owner_database_url", "key_file", "data", "public_origins", "demo", "pool_size")
    environment = {**os.environ, **{f"DUI_{name.upper()}": str(getattr(config, name)) for name in names}}
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=Path(__file__).parents[2])
        try:
            _wait(server, f"{origin}/readyz", folder / "log")
            yield Served(origin, told)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    last = time.monotonic() + READY_WITHIN
    while time.monotonic() < last and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  this machine
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=WIDTHS, java_script_enabled=False, locale="fr-FR", device_scale_factor=2)
    yield context
    context.close()


def enter(context: BrowserContext, card: dict[str, str]) -> Page:
    """By the link as it is printed, and the code of the other slip."""
    page = context.new_page()
    page.goto(card["link"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Bonjour")
    page.get_by_label("Mon code").fill(card["code"])
    page.get_by_role("button", name="Ouvrir mon dossier").click()
    return page


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("DUI_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_from_the_printed_link_to_an_answer(served: Served, phone: BrowserContext) -> None:
    page = enter(phone, served.told["usagers"]["jeanne"])
    assert page.url == f"{served.origin}/mon-dossier"
    expect(page.get_by_role("heading", level=1)).to_have_text("Bonjour Jeanne")
    for screen in Screen:
        page.goto(f"{served.origin}{Screen.HOME.path}")
        if screen is not Screen.HOME:
            page.locator(f'a.tile[href="{screen.path}"]').click()
        assert page.url == f"{served.origin}{screen.path}"
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        facts = page.evaluate(FACTS)
        assert facts["width"] <= PHONE
        assert not [text for text in facts["texts"] if text["size"] < 18]
        assert not [box for box in facts["targets"] if box["height"] < 48]
        keep(page, f"jeanne-{screen}")
    page.goto(f"{served.origin}{Screen.AGREEMENTS.path}")
    question = page.locator("article", has_text="prendre en photo")
    question.get_by_role("button", name="Je dis oui").click()
    expect(page.get_by_role("status")).to_have_text("C'est noté.")
    expect(page.locator("article", has_text="prendre en photo").locator(".given")).to_contain_text("Oui")
    keep(page, "jeanne-accords-apres")


def test_a_paper_is_added_and_taken_back_without_a_script(served: Served, phone: BrowserContext) -> None:
    page = enter(phone, served.told["usagers"]["jeanne"])
    page.goto(f"{served.origin}{Screen.DOCUMENTS.path}")
    page.get_by_text("Ajouter un document").click()
    page.get_by_label("Ma photo ou mon papier").set_input_files(
        {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": JPEG}
    )
    page.get_by_label("Comment il s'appelle").fill("Ma carte de bus")
    page.get_by_role("button", name="Ajouter").click()
    expect(page.get_by_role("status")).to_have_text("C'est noté.")
    paper = page.locator("article", has_text="Ma carte de bus")
    with page.expect_download() as saved:
        paper.get_by_role("link", name="Ouvrir").click()
    assert Path(saved.value.path()).read_bytes() == JPEG
    assert saved.value.suggested_filename == "Ma carte de bus.jpg"
    paper.locator("summary").click()
    paper.get_by_role("button", name="Oui, je le retire").click()
    expect(page.locator("article", has_text="Ma carte de bus")).to_have_count(0)


def test_words_on_ones_life_are_kept_without_a_script(served: Served, phone: BrowserContext) -> None:
    page = enter(phone, served.told["usagers"]["ines"])
    page.goto(f"{served.origin}{Screen.LIFE.path}")
    page.get_by_text("Changer mes mots").click()
    page.get_by_label("Ce que je veux pour ma vie").fill("Je veux mon studio.\nEt deux chats.")
    page.get_by_role("button", name="Garder ces mots").click()
    expect(page.get_by_role("status")).to_have_text("C'est noté.")
    expect(page.locator("blockquote").first).to_contain_text("Et deux chats.")


def test_leaving_closes_the_door_behind(served: Served, phone: BrowserContext) -> None:
    page = enter(phone, served.told["usagers"]["jeanne"])
    page.get_by_role("button", name="Quitter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Au revoir")
    page.go_back()
    expect(page.get_by_text("Bonjour Jeanne")).to_have_count(0)
    page.goto(f"{served.origin}{Screen.PROJECT.path}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre page s'est fermée.")


@pytest.mark.parametrize(("kind", "who"), [("usagers", "karim"), ("usagers", "ines"), ("representatives", "claire")])
def test_no_screen_of_the_demo_is_empty(served: Served, phone: BrowserContext, kind: str, who: str) -> None:
    page = enter(phone, served.told[kind][who])
    for screen in Screen:
        page.goto(f"{served.origin}{screen.path}")
        expect(page.locator(".card, .visit").first).to_be_visible()
        assert page.evaluate(FACTS)["width"] <= PHONE
        keep(page, f"{who}-{screen}")
