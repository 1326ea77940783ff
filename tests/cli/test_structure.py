"""`dui organisation`, `dui structure`: the houses of the first day."""

from pathlib import Path

import pytest

from app.config import settings
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, ask

HOUSE = ("structure", "add", "EHPAD Les Tilleuls", "--model", "ehpad")


@pytest.fixture
def organisation() -> None:
    assert typed("organisation", "add", "Les Tilleuls", "--finess", "990000002").exit_code == 0


class TestOrganisation:
    def test_leaves_its_line_in_its_own_trail(self, organisation: None, environment: TestDatabase):
        line = ask(
            environment.owner_url,
            "SELECT concat_ws(' ', action, kind, outcome) FROM audit_entry a JOIN organisation o USING (organisation_id)",
        )
        assert line == "create organisation success"

    @pytest.mark.parametrize("same", [("les tilleuls",), ("Autre", "--finess", "990000002")])
    def test_of_a_name_or_finess_already_there_is_refused(
        self, organisation: None, environment: TestDatabase, same: tuple[str, ...]
    ):
        assert typed("organisation", "add", *same).exit_code == 1
        assert ask(environment.owner_url, "SELECT count(*) FROM organisation") == 1

    def test_two_without_finess_are_two(self, environment: TestDatabase):
        assert [typed("organisation", "add", name).exit_code for name in ("Une", "Deux")] == [0, 0]

    def test_a_finess_that_is_none_is_named_and_not_repeated(self):
        told = typed("organisation", "add", "Les Tilleuls", "--finess", "990000003")
        assert (told.exit_code, "--finess : Un numéro FINESS" in told.stderr, "990000003" in told.output) == (
            1,
            True,
            False,
        )


class TestStructure:
    def test_starts_from_what_its_kind_narrows(self, organisation: None, environment: TestDatabase):
        assert typed(*HOUSE).exit_code == 0
        assert ask(environment.owner_url, "SELECT count(*) FROM narrowing WHERE structure_id IS NOT NULL") > 0

    def test_leaves_its_line_in_the_trail(self, organisation: None, environment: TestDatabase):
        typed(*HOUSE)
        assert ask(environment.owner_url, "SELECT count(*) FROM audit_entry WHERE kind = 'structure'") == 1

    def test_before_any_organisation_says_where_to_begin(self):
        assert "dui organisation add" in typed(*HOUSE).stderr

    def test_of_two_organisations_must_say_which(self, organisation: None, environment: TestDatabase):
        typed("organisation", "add", "Du Large")
        assert "--organisation" in typed(*HOUSE).stderr
        assert typed(*HOUSE, "--organisation", "du large").exit_code == 0
        house = "SELECT o.name FROM structure JOIN organisation o USING (organisation_id)"
        assert ask(environment.owner_url, house) == "Du Large"

    def test_of_an_organisation_that_is_none_is_refused(self, organisation: None):
        assert "Aucune organisation" in typed(*HOUSE, "--organisation", "Inconnue").stderr

    def test_of_a_finess_taken_in_this_organisation_is_refused(self, organisation: None):
        typed(*HOUSE, "--finess", "990000010")
        assert "déjà ce FINESS" in typed(*HOUSE, "--finess", "990000010").stderr

    def test_each_option_to_mend_is_named(self, organisation: None):
        told = typed("structure", "add", " ", "--model", "ehpad", "--finess", "12")
        assert (told.exit_code, "NOM : " in told.stderr, "--finess : " in told.stderr) == (1, True, True)

    def test_the_list_says_each_house_and_an_organisation_that_has_none(self, organisation: None):
        typed("organisation", "add", "Du Large")
        typed(*HOUSE, "--organisation", "Les Tilleuls")
        large, tilleuls = typed("structure", "list").output.splitlines()
        assert "sans structure" in large
        assert "EHPAD Les Tilleuls · ehpad · sans FINESS" in tilleuls


def test_keys_are_created_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    place = tmp_path / "first.json"
    monkeypatch.setenv("DUI_KEY_FILE", str(place))
    settings.cache_clear()
    assert "sauvegardez-les" in typed("keys", "create").output
    held = place.read_text()
    assert "rien n'est changé" in typed("keys", "create").output
    assert (place.read_text() == held, place.stat().st_mode & 0o777) == (True, 0o600)
