"""`dui …` against a base of one's own: what is typed, what is told, what the base holds then."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from app.config import settings
from app.features.settings.shipped import QUESTIONS
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, ask


class TestMigrate:
    def test_says_the_version_and_prepares_the_months_ahead(self, fresh_database: TestDatabase):
        told = typed("migrate")
        assert (told.exit_code, told.output.startswith("Base à jour (version ")) == (0, True)
        months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass"
        assert ask(fresh_database.owner_url, months) == 14

    def test_twice_changes_nothing(self):
        assert typed("migrate").output == typed("migrate").output


class TestSettings:
    def test_an_answer_is_noted(self, fresh_database: TestDatabase):
        assert typed("settings", "answer", "tls", " Oui, par notre prestataire. ").exit_code == 0
        noted = ask(fresh_database.owner_url, "SELECT value FROM setting WHERE key = 'deployment.tls'")
        assert noted == "Oui, par notre prestataire."

    def test_an_answer_leaves_its_line_in_the_trail(self, fresh_database: TestDatabase):
        typed("settings", "answer", "tls", "Oui")
        line = "SELECT concat_ws(' ', action, kind, principal_kind, door) FROM audit_entry"
        assert ask(fresh_database.owner_url, line) == "update setting system system"

    def test_the_last_answer_stands(self, fresh_database: TestDatabase):
        for answer in ("Non", "Oui"):
            typed("settings", "answer", "backup", answer)
        noted = ask(fresh_database.owner_url, "SELECT string_agg(value || version, ',') FROM setting")
        assert noted == "Oui2"

    def test_the_six_and_what_is_missing_are_shown(self):
        first = typed("settings", "show")
        assert (first.exit_code, first.output.count("PAS DE RÉPONSE")) == (1, 6)
        for key in QUESTIONS:
            typed("settings", "answer", key.removeprefix("deployment."), "Fait.")
        told = typed("settings", "show")
        assert (told.exit_code, told.output.count("Fait. (le "), "PAS DE" in told.output) == (0, 6, False)

    @pytest.mark.parametrize("words", [("weather", "Beau"), ("tls", "  ")])
    def test_another_question_or_nothing_is_refused_naming_the_six(self, words: tuple[str, str]):
        told = typed("settings", "answer", *words)
        assert (told.exit_code, [key for key in QUESTIONS if key.removeprefix("deployment.") not in told.output]) == (
            2,
            [],
        )


class TestSeed:
    COUNTS = """SELECT concat_ws(' ', (SELECT count(*) FROM usager), (SELECT count(*) FROM stay),
        (SELECT count(*) FROM transmission), (SELECT count(*) FROM structure),
        (SELECT count(DISTINCT usager_id) FROM team_member))"""
    NAMED = "SELECT string_agg(concat_ws(' ', id, birth_family_name, birth_given_names), ';' ORDER BY id) FROM usager"

    def test_makes_so_many_persons_each_in_a_house_and_a_team(self, fresh_database: TestDatabase):
        told = typed("seed", "--usagers", "61")
        assert (told.exit_code, told.output) == (0, "61 personnes, 3660 transmissions, 2 maisons.\n")
        assert ask(fresh_database.owner_url, self.COUNTS) == "61 61 3660 2 61"

    def test_keeps_the_first_version_of_every_row(self, fresh_database: TestDatabase):
        typed("seed", "--usagers", "2")
        versions = "SELECT count(*) = 2 * (3 + 60) AND bool_and(version = 1) FROM entry_version"
        assert ask(fresh_database.owner_url, versions) is True

    def test_the_same_seed_gives_the_same_persons(self, fresh_database: TestDatabase):
        made: list[Any] = []
        for _ in "ab":
            typed("seed", "--usagers", "3", "--seed", "7")
            made.append(ask(fresh_database.owner_url, self.NAMED))
            ask(
                fresh_database.superuser_url,
                "TRUNCATE organisation, usager, usager_key, professional, structure CASCADE",
            )
        assert made[0] == made[1]

    def test_the_same_seed_twice_in_one_base_is_refused_in_words(self):
        typed("seed", "--usagers", "1", "--seed", "7")
        told = typed("seed", "--usagers", "1", "--seed", "7")
        assert (told.exit_code, "Prenez-en une autre" in told.output) == (1, True)

    def test_two_seeds_live_side_by_side(self, fresh_database: TestDatabase):
        for number in "12":
            assert typed("seed", "--usagers", "1", "--seed", number).exit_code == 0
        assert ask(fresh_database.owner_url, "SELECT count(DISTINCT organisation_id) FROM usager") == 2


def test_remap_says_how_many_moved():
    assert typed("exchange", "remap").output == (
        "0 ressource(s) rangée(s), 0 gardée(s) telles quelles.\n"
        "0 intervenant(s) et 0 date(s) dites en partie relus, pour être cherchés.\n"
    )


def test_a_base_of_the_house_is_never_emptied(fresh_database: TestDatabase, tmp_path: Path):
    told = typed("demo", "--reset", "--database-url", fresh_database.owner_url, "--data", str(tmp_path))
    assert (told.exit_code, (tmp_path / "keys.json").exists()) == (1, True)


class TestSigning:
    def test_a_new_key_is_first_and_the_old_one_stays_a_while(self, tmp_path: Path):
        before = json.loads((tmp_path / "keys.json").read_text())["signing"][0]["kid"]
        told = typed("keys", "sign")
        new, old = json.loads((tmp_path / "keys.json").read_text())["signing"]
        assert (told.exit_code, new["kid"] in told.output, old["kid"]) == (0, True, before)
        assert old["until"] > time.time()

    def test_a_file_that_is_no_key_file_is_said(self, tmp_path: Path):
        (tmp_path / "keys.json").write_text("{")
        assert (typed("keys", "sign").exit_code, (tmp_path / "keys.json").read_text()) == (1, "{")


class TestWhichBase:
    def told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: TestDatabase) -> None:
        """As the demo leaves its folder, in an environment that names no base."""
        urls = {"app_url": database.app_url, "owner_url": database.owner_url, "sealer_url": database.sealer_url}
        (tmp_path / "demo.json").write_text(json.dumps({"base_url": "http://127.0.0.1:8123", "database": urls}))
        for name in (
            "DUI_DATABASE_URL", "DUI_OWNER_DATABASE_URL", "DUI_SEALER_DATABASE_URL", "DUI_DEMO",
            "DUI_PUBLIC_ORIGINS", "DUI_KEY_FILE",
        ):  # fmt: skip
            monkeypatch.setenv(name, "")  # given back at the end, whatever the command sets
            monkeypatch.delenv(name)
        monkeypatch.setenv("DUI_DATA", str(tmp_path))
        settings.cache_clear()

    def test_that_of_the_demo_when_none_is_named(
        self, fresh_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        self.told(tmp_path, monkeypatch, fresh_database)
        done = typed("settings", "show")
        assert ("Base de la démonstration" in done.stderr, "hosting" in done.stdout) == (True, True), done.output
        assert "Base de la démonstration" not in done.stdout
        assert settings().origins[0] == "http://127.0.0.1:8123"

    def test_never_when_one_is_named(
        self, fresh_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        self.told(tmp_path, monkeypatch, fresh_database)
        monkeypatch.setenv("DUI_OWNER_DATABASE_URL", fresh_database.owner_url)
        settings.cache_clear()
        assert "démonstration (" not in typed("settings", "show").output

    def test_nor_by_what_makes_a_base(
        self, fresh_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        self.told(tmp_path, monkeypatch, fresh_database)
        assert typed("seed", "--usagers", "1").exit_code == 1
        assert ask(fresh_database.owner_url, "SELECT count(*) FROM usager") == 0
