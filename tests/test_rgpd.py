"""What docs/rgpd says of this server, compared with what it does."""

import html
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.main import get_command

from app.cli import main
from app.features.settings.shipped import PARTS, SHIPPED, STARTS
from app.portal.notice import VIEW
from app.portal.pages import render
from app.vault import erasure, retention
from tests.world import World

ROOT = Path(__file__).parents[1]
PAGES = {path.stem: path.read_text() for path in (ROOT / "docs" / "rgpd").glob("*.md")}


def said(text: str) -> list[str]:
    """Its sentences, in order, whatever they are written with."""
    plain = re.sub(r"[\u202f\u00a0]", " ", html.unescape(re.sub(r"<[^>]+>", "", text)))
    return [line.strip("#- \t") for line in plain.splitlines() if line.strip("#- \t")]


def test_the_page_and_the_paper_say_the_same() -> None:
    main = re.search(r"<main.*</main>", render(VIEW, csrf="").decode(), re.DOTALL)
    assert main
    assert said(main[0]) == said(PAGES["notice"])


def test_the_notice_is_read_without_a_card(world: World) -> None:
    client: TestClient = world.client
    answer = client.get("/vos-donnees")
    assert (answer.status_code, "Vos droits" in answer.text) == (200, True)
    assert "/vos-donnees" in client.get("/p/nobody").text


def test_its_durations_are_those_of_the_page() -> None:
    shared, own = SHIPPED["page.shared_device_minutes"].value, SHIPPED["page.own_device_days"].value
    assert f"Il reste {shared} minutes sur un appareil partagé, {own} jours sur le vôtre." in PAGES["notice"]


def test_nothing_is_erased_before_a_setting_as_they_all_say() -> None:
    assert [SHIPPED[f"retention.{part}.months"].value for part in PARTS] == [0] * len(PARTS)
    assert "Rien n'est effacé avant." in PAGES["notice"]
    assert "rien n'est effacé sans réglage" in PAGES["registre"]


def test_the_thirty_days_and_the_copy_are_those_of_the_code() -> None:
    assert (SHIPPED[erasure.NOTICE].value, SHIPPED[erasure.NOTICE].least) == (30, 30)
    assert "trente jours après l'avis au DPO" in PAGES["aipd"]
    assert "Avant d'effacer, elle vous propose une copie." in PAGES["notice"]
    assert erasure.COPIES[0] == "given"


def test_the_nights_of_backup_are_those_of_compose() -> None:
    kept = re.search(r"DUI_BACKUPS_KEPT:-(\d+)", (ROOT / "compose.yaml").read_text())
    assert kept
    assert f"gardées {kept[1]} nuits" in PAGES["registre"]


def test_the_starts_of_a_delay_are_told() -> None:
    told = re.search(r"`\.starts` \(([^)]+)\)", PAGES["conservation"])
    assert told
    assert set(told[1].split(", ")) == set(STARTS)
    assert retention.STARTS is STARTS


def test_no_reference_of_the_cnil_is_told_as_sure() -> None:
    rows = [line for line in PAGES["conservation"].splitlines() if "CNIL," in line]
    assert rows
    assert [row for row in rows if row.count("CNIL,") > row.count("(à vérifier)")] == []


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_link_and_command_is_there(page: str) -> None:
    links = re.findall(r"\]\(([\w.]+)\)", PAGES[page])
    assert [link for link in links if not (ROOT / "docs" / "rgpd" / link).exists()] == []
    commands = get_command(main).commands  # type: ignore[attr-defined]
    assert [name for name in re.findall(r"`dui (\w+)", PAGES[page]) if name not in commands] == []
