"""`dui erasure`: the list, its signature at the keyboard, what is done of it."""

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.kernel import clock
from app.kernel.ids import uuid7
from tests.cli.conftest import typed
from tests.cli.test_account import PASSWORD, house  # noqa: F401  the fixture
from tests.postgres import TestDatabase, ask

DIRECTION = ("--given-name", "Hélène", "--family-name", "Garnier", "--role", "direction", "--structure", "010000016")
DPO = ("--given-name", "Ada", "--family-name", "Roy", "--role", "dpo", "--structure", "010000016")
DAY = date(2027, 5, 4)  # after the accounts opened today


@pytest.fixture
def listed(fresh_database: TestDatabase, house: UUID, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: F811
    """Someone on the list, as `propose` leaves it."""
    for login, who in (("helene", DIRECTION), ("dpo", DPO)):
        assert typed("account", "add", login, *who, "--password-stdin", said=PASSWORD).exit_code == 0
    id = str(uuid7())
    ask(
        fresh_database.owner_url,
        "INSERT INTO erasure (organisation_id, id, usager_id, state, rules, due_on, proposed_at) VALUES "
        f"""('{house}', '{id}', '{uuid7()}', 'proposed', '[{{"model": "ehpad", "category": "care", "months": 240,
             "starts": "exit", "source": "CSP R1112-7"}}]', '2026-01-01', now())""",
    )
    monkeypatch.setattr(clock, "today", lambda: DAY)
    return id


def test_the_list_says_why(listed: str):
    told = typed("erasure", "list").output
    assert (listed in told, "ehpad, care : 240 mois (CSP R1112-7)" in told) == (True, True)


def test_the_direction_signs_by_its_password(listed: str):
    told = typed("erasure", "sign", listed, "--by", "helene", "--copy", "given", said=PASSWORD + "\n")
    assert (told.exit_code, f"{DAY + timedelta(days=30):%d/%m/%Y}" in told.output) == (0, True)


@pytest.mark.threat("erasure-unsigned")
@pytest.mark.parametrize(("by", "said"), [("helene", "un autre mot de passe"), ("dpo", PASSWORD), ("helene", "")])
def test_nobody_else_does(listed: str, fresh_database: TestDatabase, by: str, said: str):
    assert typed("erasure", "sign", listed, "--by", by, "--copy", "given", said=said + "\n").exit_code == 1
    assert ask(fresh_database.owner_url, "SELECT state FROM erasure") == "proposed"


def test_what_is_stopped_leaves_the_list(listed: str, tmp_path: Path):
    assert typed("erasure", "stop", listed, "--why", "Contentieux.").exit_code == 0
    assert "0 effacée(s)" in typed("erasure", "run", "--certificates", str(tmp_path)).output


def test_a_forged_certificate_is_refused(tmp_path: Path):
    (tmp_path / "x.json").write_text('{"said": "{}", "kid": "x", "signature": ""}')
    assert typed("erasure", "again", str(tmp_path / "x.json")).exit_code == 1


def test_proposing_on_a_house_without_rules_lists_nobody():
    assert typed("erasure", "propose").output.startswith("0 personne(s)")
