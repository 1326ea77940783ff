"""`dui doctor`: each thing that must hold, taken away in its turn."""

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from app.audit import sealer
from app.cli.doctor import LOOKS
from app.config import settings
from app.features.settings.shipped import QUESTIONS
from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.vault import check
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, ask

TRIED = check.Report(
    file="dui.backup",
    sha256="",
    saved_at="",
    checked_at="",
    checked_by="",
    revision="",
    tables=0,
    rows=0,
    files=0,
    chains=0,
    links=0,
    callers=0,
    questions=0,
    wrong=[],
)


@pytest.fixture
def backups(environment: TestDatabase, tmp_path: Path) -> Path:
    """All that must hold holds: months ahead, the six answers, a backup that was tried."""
    typed("migrate")
    for question in QUESTIONS:
        typed("settings", "answer", question.removeprefix("deployment."), "Fait.")
    folder = tmp_path / "backups"
    folder.mkdir()
    tried(folder)
    return folder


def tried(folder: Path, hours: int = 1, wrong: list[str] | None = None) -> None:
    saved = (now() - timedelta(hours=hours)).isoformat()
    told = replace(TRIED, saved_at=saved, wrong=wrong or [])
    report = check.signed(told, Keyring.load(Path(os.environ["DUI_KEY_FILE"])))
    (folder / "dui.backup").write_text("")
    (folder / "dui.backup.report.json").write_text(report)


def amiss(backups: Path | None) -> dict[str, str]:
    """What does not hold, by name."""
    told = typed("doctor", *(["--backups", str(backups)] if backups else []))
    lines = [line.split(maxsplit=2) for line in told.output.splitlines()]
    assert [name for _, name, _ in lines] == list(LOOKS)
    found = {name: said for mark, name, said in lines if mark == "✗"}
    assert told.exit_code == (1 if found else 0)
    return found


def changed(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    settings.cache_clear()


def test_where_all_holds_nothing_is_asked(backups: Path):
    assert amiss(backups) == {}


class TestKeys:
    def test_of_another_base(self, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        typed("doctor")  # the first look seals what says which keys are this base's
        Keyring.create(tmp_path / "others.json")
        changed(monkeypatch, "DUI_KEY_FILE", str(tmp_path / "others.json"))
        assert "n'ouvre pas" in amiss(backups)["Clés"]

    def test_of_the_demonstration(self, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        Keyring.create(tmp_path / "demo.json", demo=True)
        changed(monkeypatch, "DUI_KEY_FILE", str(tmp_path / "demo.json"))
        assert "dui keys create" in amiss(backups)["Clés"]


class TestTheBase:
    def test_a_role_too_strong(self, backups: Path, environment: TestDatabase, monkeypatch: pytest.MonkeyPatch):
        changed(monkeypatch, "DUI_DATABASE_URL", environment.owner_url)
        assert "contourne" in amiss(backups)["Application"]

    def test_a_schema_of_another_version(self, backups: Path, environment: TestDatabase):
        ask(environment.owner_url, "UPDATE alembic_version SET version_num = '0001'")
        assert list(amiss(backups)) == ["Schéma"]

    def test_a_month_that_nobody_made(self, backups: Path, environment: TestDatabase):
        partitions = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass"
        latest = f"SELECT string_agg(p, ',') FROM ({partitions} ORDER BY 1 OFFSET 1) AS t(p)"
        for table in str(ask(environment.owner_url, latest)).split(","):
            if not table.endswith("default"):
                ask(environment.owner_url, f"DROP TABLE {table}")
        assert "dui migrate" in amiss(backups)["Mois"]

    def test_an_address_that_does_not_answer_is_named(self, backups: Path, monkeypatch: pytest.MonkeyPatch):
        changed(monkeypatch, "DUI_SEALER_DATABASE_URL", "postgresql://dui_sealer:secret@127.0.0.1:1/dui")
        said = amiss(backups)["Sceau"]
        assert ("DUI_SEALER_DATABASE_URL" in said, "secret" in said) == (True, False)


class TestTheTrail:
    def test_a_line_that_waits_for_its_seal(self, backups: Path, environment: TestDatabase):
        typed("organisation", "add", "Les Tilleuls")
        assert amiss(backups) == {}
        ask(environment.superuser_url, "UPDATE audit_entry SET at = at - interval '10 minutes'")
        assert "attend son sceau depuis 10 min" in amiss(backups)["Sceau"]

        async def seal() -> None:
            connection = await asyncpg.connect(environment.sealer_url)
            await sealer.seal_all(connection)
            await connection.close()

        asyncio.run(seal())
        assert amiss(backups) == {}

    def test_nobody_who_seals(self, backups: Path, monkeypatch: pytest.MonkeyPatch):
        changed(monkeypatch, "DUI_SEALER_DATABASE_URL", "")
        assert list(amiss(backups)) == ["Sceau"]

    def test_a_base_that_came_from_another_server(self, backups: Path, environment: TestDatabase):
        ask(environment.superuser_url, "UPDATE cluster_epoch SET cluster = '1'")
        assert "dui migrate" in amiss(backups)["Sceau"]


class TestTheHouse:
    def test_a_question_without_its_answer(self, backups: Path, environment: TestDatabase):
        ask(environment.owner_url, "DELETE FROM setting WHERE key = 'deployment.tls'")
        said = amiss(backups)["Questions"]
        assert ("dui settings answer" in said, "dui settings show" in said) == (True, True)

    def test_the_demonstration_is_not_asked_them(
        self, backups: Path, environment: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ):
        ask(environment.owner_url, "DELETE FROM setting")
        changed(monkeypatch, "DUI_DEMO", "1")
        assert amiss(backups) == {}

    @pytest.mark.parametrize("said", ["", "http://dui.example.fr", "https://dui.example.fr,http://dui.example.fr"])
    def test_an_address_without_tls(self, backups: Path, monkeypatch: pytest.MonkeyPatch, said: str):
        changed(monkeypatch, "DUI_PUBLIC_ORIGINS", said)
        assert list(amiss(backups)) == ["Adresse"]

    def test_an_address_with_tls_holds(self, backups: Path, monkeypatch: pytest.MonkeyPatch):
        changed(monkeypatch, "DUI_PUBLIC_ORIGINS", "https://dui.example.fr")
        assert amiss(backups) == {}


class TestTheBackup:
    def test_that_nobody_pointed_at(self, backups: Path):
        assert "--backups" in amiss(None)["Sauvegarde"]

    def test_that_was_never_tried(self, backups: Path, tmp_path: Path):
        (tmp_path / "none").mkdir()
        assert "dui restore --check" in amiss(tmp_path / "none")["Sauvegarde"]
        assert "n'existe pas" in amiss(tmp_path / "nowhere")["Sauvegarde"]

    def test_that_is_old(self, backups: Path):
        tried(backups, hours=40)
        assert "date du" in amiss(backups)["Sauvegarde"]

    def test_that_is_no_longer_there(self, backups: Path):
        (backups / "dui.backup").unlink()
        assert "n'est plus dans ce dossier" in amiss(backups)["Sauvegarde"]

    def test_that_does_not_restore(self, backups: Path):
        tried(backups, wrong=["table usager : une ligne manque"])
        assert "ne se restaure pas" in amiss(backups)["Sauvegarde"]

    @pytest.mark.parametrize("said", ["{}", "pas du JSON", '{"report": "{}", "kid": "x", "signature": "00"}'])
    def test_whose_report_is_not_ours(self, backups: Path, said: str):
        (backups / "z.report.json").write_text(said)
        assert "n'est pas signé" in amiss(backups)["Sauvegarde"]
