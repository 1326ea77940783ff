"""`dui audit`: the chain checked here, or far from here with a file, signed heads and public keys."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from app.audit import sealer
from app.config import settings
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, ask

LINE = """INSERT INTO audit_entry (organisation_id, principal_kind, action, kind, entry_ids, outcome, door, request_id)
    VALUES ('00000000-0000-0000-0000-000000000000', 'unknown', 'read', 'usager', '{}', 'refused', 'api', 'x')"""
CHANGED = "UPDATE audit_entry SET outcome = 'success'"


async def _seal(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return await sealer.seal_all(connection)
    finally:
        await connection.close()


@pytest.fixture
def sealed(fresh_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestDatabase:
    monkeypatch.setenv("DUI_DATA", str(tmp_path))
    settings.cache_clear()
    ask(fresh_database.owner_url, LINE)
    assert asyncio.run(_seal(fresh_database.sealer_url)) == 1
    return fresh_database


def test_a_chain_that_holds_gives_its_head(sealed: TestDatabase):
    told = typed("audit", "verify")
    assert (told.exit_code, "tient (1 maillon, 1 ligne," in told.output, "tête" in told.output) == (0, True, True)
    assert told.output.startswith("Hors de toute organisation")


def test_a_broken_chain_is_told_and_fails_the_command(sealed: TestDatabase):
    ask(sealed.owner_url, CHANGED)
    told = typed("audit", "verify")
    assert (told.exit_code, "ROMPUE au maillon 1" in told.output) == (1, True)
    assert "prévenez la direction et le DPO" in told.output


def test_without_a_head_to_compare_what_would_not_be_seen_is_said(sealed: TestDatabase, tmp_path: Path):
    assert "Aucune tête signée n'a été comparée" in typed("audit", "verify").output
    (tmp_path / "heads").mkdir()
    (tmp_path / "heads" / "20261122T08Z.json").write_text(typed("audit", "head").output)
    assert "Aucune tête" not in typed("audit", "verify").output


def test_a_trail_without_a_line_is_said_to_be_so(environment: TestDatabase, tmp_path: Path):
    (tmp_path / "none").mkdir()
    told = typed("audit", "verify", "--heads", str(tmp_path / "none"))
    assert (told.exit_code, "encore aucune ligne" in told.output) == (0, True)


def test_a_clock_gone_back_is_told_and_fails_nothing(sealed: TestDatabase):
    ask(
        sealed.owner_url,
        "ALTER TABLE audit_entry ALTER at SET DEFAULT clock_timestamp() - interval '2 days'",
        LINE,
    )
    assert asyncio.run(_seal(sealed.sealer_url)) == 1
    told = typed("audit", "verify")
    assert (told.exit_code, "l'horloge du serveur a reculé : voyez les lignes du maillon 2" in told.output) == (0, True)


def test_the_heads_put_aside_are_looked_for_by_default(sealed: TestDatabase, tmp_path: Path):
    (tmp_path / "heads").mkdir()
    (tmp_path / "heads" / "20261122T08Z.json").write_text(typed("audit", "head").output)
    assert "1 tête retrouvée)" in typed("audit", "verify").output
    ask(sealed.owner_url, "DELETE FROM audit_seal", "DELETE FROM audit_entry")
    told = typed("audit", "verify")
    assert (told.exit_code, "la fin de la chaîne manque" in told.output) == (1, True)


def test_far_from_the_server_a_file_heads_and_keys_are_enough(
    sealed: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    trail, head, keys = (str(tmp_path / name) for name in ("trail.gz", "head.json", "keys-public.json"))
    assert typed("audit", "export", trail).output.startswith("2 lignes.")
    Path(head).write_text(typed("audit", "head").output)
    Path(keys).write_text(typed("audit", "keys").output)
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "SEALER_DATABASE_URL"):
        monkeypatch.delenv(f"DUI_{name}")
    monkeypatch.setenv("DUI_KEY_FILE", "/nowhere")
    settings.cache_clear()
    told = typed("audit", "verify", "--export", trail, "--heads", head, "--keys", keys)
    assert (told.exit_code, "tient (1 maillon, 1 ligne, 1 pas encore scellée, 1 tête" in told.output) == (0, True)
    told = typed("audit", "verify", "--export", trail, "--heads", head)
    assert (told.exit_code, "fichier de clés" in told.output) == (2, True)


def test_an_export_never_replaces_a_file(sealed: TestDatabase, tmp_path: Path):
    (tmp_path / "there").write_text("mine")
    told = typed("audit", "export", str(tmp_path / "there"))
    assert (told.exit_code, (tmp_path / "there").read_text()) == (2, "mine")


@pytest.mark.parametrize("words", [("--export",), ("--heads",)])
def test_another_file_is_refused_in_words(sealed: TestDatabase, tmp_path: Path, words: tuple[str, ...]):
    (tmp_path / "other").write_text("bonjour")
    told = typed("audit", "verify", *words, str(tmp_path / "other"))
    assert (told.exit_code, "illisible" in told.output) == (2, True)


def test_no_head_is_signed_in_a_cluster_the_base_does_not_know(sealed: TestDatabase):
    ask(sealed.owner_url, "UPDATE cluster_epoch SET cluster = 'elsewhere'")
    told = typed("audit", "head")
    assert (told.exit_code, "dui migrate" in told.output) == (2, True)


def test_the_public_keys_hold_nothing_private(sealed: TestDatabase):
    [key] = json.loads(typed("audit", "keys").output)["keys"]
    assert set(key) == {"kty", "crv", "kid", "use", "alg", "x", "y"}
