"""One file that holds everything, consistent, whole or absent, and that opens only as it was written."""

import asyncio
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.kernel import migrations, revisions
from app.kernel.crypto import KeyFault, Keyring
from app.main import create_app
from app.vault import backup, check, restore, sealed
from app.vault.backup import Saved
from app.vault.sealed import BackupFault
from tests.postgres import TestDatabase, ask
from tests.vault.conftest import save, seal, written
from tests.world import ORIGIN, World


def load(world: World, empty: TestDatabase, path: Path, folder: Path, **how: object) -> Saved:
    return restore.load(empty.owner_url, path, world.keyring, folder, **how)  # type: ignore[arg-type]


def test_every_table_is_saved(lived: World, saved: tuple[Path, Saved]) -> None:
    known = lived.rows(
        """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
           AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'"""
    )
    assert set(saved[1].tables) == {row["relname"] for row in known}


def test_the_manifest_counts_what_sql_counts(lived: World, saved: tuple[Path, Saved]) -> None:
    for table in ("usager", "transmission", "entry_version", "usager_key", "audit_seal"):
        [(count,)] = lived.rows(f"SELECT count(*) FROM {table}")
        assert saved[1].tables[table]["rows"] == count


@pytest.mark.threat("backup-read-in-clear")
def test_nothing_is_in_clear_in_the_file(saved: tuple[Path, Saved]) -> None:
    raw = saved[0].read_bytes()
    assert [word for word in (b"Canari", b"MOREAU", b"transmission", b"livret") if word in raw] == []
    assert saved[0].stat().st_mode & 0o777 == 0o600


def test_a_file_of_that_name_is_not_overwritten(lived: World, saved: tuple[Path, Saved]) -> None:
    with pytest.raises(BackupFault, match="existe déjà"):
        save(lived, saved[0])


@pytest.mark.threat("backup-half-written")
def test_a_backup_that_fails_leaves_no_file(lived: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "files_into", full)
    with pytest.raises(OSError, match="No space"):
        save(lived, tmp_path / "dui.backup")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.threat("backup-rows-hidden")
def test_a_role_that_does_not_see_every_row_is_refused(lived: World, tmp_path: Path) -> None:
    """Else the file would look whole and hold nothing."""
    app = lived.database.app_url
    with pytest.raises(BackupFault, match="propriétaire"):
        asyncio.run(backup.save(app, tmp_path / "dui.backup", lived.keyring, lived.folder))


@pytest.mark.threat("backup-torn")
def test_is_one_instant_while_writing_goes_on(lived: World, empty: TestDatabase, tmp_path: Path) -> None:
    """Each note has its version and its trace in the same transaction: a file of two instants would miss one."""
    stop, done = threading.Event(), []

    def writing() -> None:
        while not stop.is_set():
            done.append(written(lived))

    writer = threading.Thread(target=writing)
    writer.start()
    try:
        before = len(done)
        save(lived, tmp_path / "dui.backup")
        after = len(done)
    finally:
        stop.set()
        writer.join()
    assert after > before, "nothing was written meanwhile: the trial proves nothing"
    load(lived, empty, tmp_path / "dui.backup", tmp_path / "data")
    orphans = """SELECT count(*) FROM transmission t WHERE NOT EXISTS (SELECT FROM entry_version v WHERE v.entry_id = t.id)
        OR NOT EXISTS (SELECT FROM audit_entry a WHERE t.id = ANY(a.entry_ids) AND a.action = 'create')"""
    alone = "SELECT count(*) FROM entry_version v WHERE kind = 'transmission' AND NOT EXISTS (SELECT FROM transmission t WHERE t.id = v.entry_id)"
    assert (ask(empty.owner_url, orphans), ask(empty.owner_url, alone)) == (0, 0)


def test_sealing_goes_on_while_it_saves(lived: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction with a number of its own would hold the chain back until the end of the backup."""
    sealed_meanwhile = []
    files = backup.files_into

    def meanwhile(*args: object) -> object:
        def other() -> None:
            written(lived)
            sealed_meanwhile.append(seal(lived.database))

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return files(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(backup, "files_into", meanwhile)
    save(lived, tmp_path / "dui.backup")
    assert sealed_meanwhile[0] >= 1


class TestRestore:
    def test_gives_back_every_row_and_file(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        load(lived, empty, saved[0], tmp_path)
        assert (tmp_path / "documents" / "2026" / "livret.pdf").read_bytes() == b"%PDF-1.7 livret" * 1000
        assert ask(empty.owner_url, "SELECT count(*) FROM transmission") == saved[1].tables["transmission"]["rows"]

    @pytest.mark.threat("restore-revives-a-session")
    def test_no_session_comes_back(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        restore.restore(empty.owner_url, saved[0], lived.keyring, tmp_path)
        assert ask(empty.owner_url, "SELECT count(*) FROM session") > 0
        assert ask(empty.owner_url, "SELECT count(*) FROM session WHERE revoked_at IS NULL") == 0

    def test_opens_a_new_epoch_that_names_the_old_head(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        done = restore.restore(empty.owner_url, saved[0], lived.keyring, tmp_path)
        assert done.epoch == ask(empty.owner_url, "SELECT max(epoch) FROM cluster_epoch")
        ask(
            empty.owner_url,
            f"""INSERT INTO audit_entry (organisation_id, principal_kind, action, kind, entry_ids, outcome, door, request_id)
            VALUES ('{lived.organisation}', 'unknown', 'read', 'usager', '{{}}', 'refused', 'api', 'x')""",
        )
        assert seal(empty) == 1
        links = ask(
            empty.owner_url,
            f"SELECT array_agg(epoch ORDER BY number) FROM audit_seal WHERE organisation_id = '{lived.organisation}'",
        )
        assert links == sorted(links)
        assert links[-1] == done.epoch

    def test_the_application_starts_on_it(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        restore.restore(empty.owner_url, saved[0], lived.keyring, tmp_path)
        config = Settings(database_url=empty.app_url, key_file=lived.folder / "keys.json", demo=True, pool_size=1)
        with TestClient(create_app(config), base_url=ORIGIN) as client:
            assert client.get("/readyz").status_code == 200
            assert client.get("/api/v1/usagers", headers=lived.bearers["sonia"]).status_code == 401

    @pytest.mark.threat("restore-over-a-life")
    def test_refuses_a_base_that_is_not_empty(self, lived: World, saved: tuple[Path, Saved], tmp_path: Path) -> None:
        before = lived.rows("SELECT count(*) FROM transmission")
        with pytest.raises(BackupFault, match="n'est pas vide"):
            restore.restore(lived.database.owner_url, saved[0], lived.keyring, tmp_path)
        assert lived.rows("SELECT count(*) FROM transmission") == before

    def test_a_base_migrated_and_empty_is_empty(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        migrations.upgrade(empty.owner_url)
        restore.restore(empty.owner_url, saved[0], lived.keyring, tmp_path)
        assert ask(empty.owner_url, "SELECT count(*) FROM usager") == 4


class TestRefused:
    """In plain French, and the base stays without a row."""

    def refused(self, world: World, empty: TestDatabase, path: Path, folder: Path, why: str, **how: object) -> None:
        with pytest.raises(BackupFault, match=why):
            load(world, empty, path, folder, **how)
        if ask(empty.owner_url, "SELECT to_regclass('usager')::text"):
            assert ask(empty.owner_url, "SELECT (SELECT count(*) FROM usager) + (SELECT count(*) FROM account)") == 0
        assert [p for p in folder.rglob("documents/**/*") if p.is_file()] == []

    @pytest.mark.threat("backup-altered")
    @pytest.mark.parametrize("where", [0.0, 0.002, 0.1, 0.5, 0.9, 0.9999])
    def test_a_byte_flipped_anywhere(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path, where: float
    ) -> None:
        raw = bytearray(saved[0].read_bytes())
        raw[int(len(raw) * where)] ^= 1
        (tmp_path / "x.backup").write_bytes(raw)
        self.refused(lived, empty, tmp_path / "x.backup", tmp_path, "altéré|incomplet|pas une sauvegarde|version|clé")

    @pytest.mark.threat("backup-truncated")
    @pytest.mark.parametrize("kept", [0, 5, 40, -1, -300])
    def test_a_file_cut_short(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path, kept: int
    ) -> None:
        raw = saved[0].read_bytes()
        (tmp_path / "x.backup").write_bytes(raw[:kept])
        self.refused(lived, empty, tmp_path / "x.backup", tmp_path, "incomplet|pas une sauvegarde")

    @pytest.mark.threat("backup-truncated")
    def test_more_after_the_end(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        (tmp_path / "x.backup").write_bytes(saved[0].read_bytes() + b"\0")
        self.refused(lived, empty, tmp_path / "x.backup", tmp_path, "altéré")

    @pytest.mark.threat("backup-wrong-key")
    def test_another_key_file(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        other = Keyring.create(tmp_path / "other.json")
        with pytest.raises(BackupFault, match="clé absente de votre fichier de clés"):
            restore.load(empty.owner_url, saved[0], other, tmp_path)

    @pytest.mark.threat("backup-wrong-key")
    def test_another_passphrase_or_none(self, lived: World, empty: TestDatabase, tmp_path: Path) -> None:
        save(lived, tmp_path / "x.backup", "une phrase assez longue")
        self.refused(lived, empty, tmp_path / "x.backup", tmp_path, "phrase secrète : donnez-la")
        self.refused(
            lived, empty, tmp_path / "x.backup", tmp_path, "pas la phrase", passphrase="une autre phrase longue"
        )
        assert load(lived, empty, tmp_path / "x.backup", tmp_path, passphrase="une phrase assez longue").rows

    def test_a_short_passphrase(self, lived: World, tmp_path: Path) -> None:
        with pytest.raises(BackupFault, match="12 caractères"):
            save(lived, tmp_path / "x.backup", "court")

    def test_a_later_version(
        self,
        lived: World,
        saved: tuple[Path, Saved],
        empty: TestDatabase,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        older = [one for one in revisions.known() if one != saved[1].revision]
        monkeypatch.setattr(revisions, "known", lambda: older)
        self.refused(lived, empty, saved[0], tmp_path, "version plus récente .dui-serveur .*installez cette version")

    def test_another_format(
        self, lived: World, empty: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(sealed, "FORMAT", 2)
            save(lived, tmp_path / "x.backup")
        self.refused(lived, empty, tmp_path / "x.backup", tmp_path, "autre version .* restaurez-la avec celle-là")


@pytest.mark.once
class TestCheck:
    def proved(self, world: World, database: TestDatabase, path: Path, folder: Path, *damage: str) -> check.Report:
        """Loaded, then damaged by a superuser, then proved."""
        told = load(world, database, path, folder)
        if damage:
            ask(database.superuser_url, *damage)
        return check.prove(database.owner_url, database.app_url, path, told, world.keyring, folder / "documents")

    def test_a_good_backup_holds(self, lived: World, saved: tuple[Path, Saved]) -> None:
        told = check.check(saved[0], lived.keyring)
        assert (told.wrong, told.rows, told.files) == ([], saved[1].rows, 1)
        assert told.links >= 1
        assert told.questions >= 200

    @pytest.mark.threat("restore-row-altered")
    def test_a_row_altered_in_the_scratch_is_found(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        told = self.proved(lived, empty, saved[0], tmp_path, "UPDATE usager SET birth_family_name = 'AUTRE'")
        assert told.wrong == ["table usager : une ligne est différente"]

    @pytest.mark.threat("restore-row-altered")
    @pytest.mark.parametrize(
        ("damage", "told"),
        [
            (
                "DELETE FROM team_member WHERE id = (SELECT min(id::text)::uuid FROM team_member)",
                "table team_member : 4 lignes",
            ),
            (
                "DELETE FROM audit_seal WHERE (organisation_id, number) IN (SELECT organisation_id, max(number) FROM audit_seal GROUP BY 1)",
                "chaîne ",
            ),
        ],
        ids=["a row", "the last link"],
    )
    def test_what_is_missing_is_counted(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path, damage: str, told: str
    ) -> None:
        found = self.proved(lived, empty, saved[0], tmp_path, damage).wrong
        assert [w for w in found if w.startswith(told)], found

    @pytest.mark.threat("restore-rights-lost")
    @pytest.mark.parametrize(
        ("damage", "who"),
        [
            ("UPDATE team_member SET ends = '2000-01-02'", "educateur"),
            ("UPDATE membership SET ends = '2000-01-02' WHERE role = 'secretariat'", "secretariat"),
            ("UPDATE transmission SET category = 'care'", "educateur"),
            ("UPDATE usager SET visibility = 'withheld', withheld_reason = 'procedure'", "usager"),
        ],
        ids=["a team", "a function", "a category", "a page"],
    )
    def test_each_caller_of_the_sample_reads_what_they_read(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path, damage: str, who: str
    ) -> None:
        found = self.proved(lived, empty, saved[0], tmp_path, damage).wrong
        assert [w for w in found if w.startswith(f"accès de {who} à ")], found

    @pytest.mark.threat("restore-row-altered")
    @pytest.mark.parametrize("damage", ["head", "document", "key"])
    def test_a_head_a_document_or_a_key_that_is_another_is_found(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path, damage: str
    ) -> None:
        told, keyring = load(lived, empty, saved[0], tmp_path), lived.keyring
        match damage:
            case "head":
                told = replace(told, heads={id: {**head, "hash": "00" * 32} for id, head in told.heads.items()})
            case "document":
                (tmp_path / "documents" / "2026" / "livret.pdf").unlink()
            case _:
                keyring = Keyring.create(tmp_path / "other.json", demo=True)
        found = check.prove(empty.owner_url, empty.app_url, saved[0], told, keyring, tmp_path / "documents").wrong
        words = {"head": "la tête n'est pas celle", "document": "livret.pdf : différent", "key": "clés : "}
        assert [w for w in found if words[damage] in w], found

    @pytest.mark.threat("restore-row-altered")
    def test_a_trace_altered_is_found_by_the_table_and_by_the_chain(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        told = self.proved(lived, empty, saved[0], tmp_path, "UPDATE audit_entry SET role = 'direction'")
        assert [w for w in told.wrong if "chaîne" in w and "rompue" in w]
        assert "table audit_entry : une ligne est différente" in told.wrong

    @pytest.mark.threat("restore-rights-lost")
    @pytest.mark.parametrize(
        ("damage", "told"),
        [
            ("DROP POLICY tenant ON transmission", "accès de educateur à transmission : 0 lignes"),
            ("REVOKE SELECT ON session FROM dui_app", "accès : l'application ne peut pas lire"),
        ],
        ids=["closed to all", "no grant"],
    )
    def test_rights_that_are_no_longer_the_same_are_found(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path, damage: str, told: str
    ) -> None:
        assert [w for w in self.proved(lived, empty, saved[0], tmp_path, damage).wrong if w.startswith(told)]

    def test_a_document_altered_is_found(
        self, lived: World, saved: tuple[Path, Saved], empty: TestDatabase, tmp_path: Path
    ) -> None:
        told = load(lived, empty, saved[0], tmp_path)
        (tmp_path / "documents" / "2026" / "livret.pdf").write_bytes(b"")
        found = check.prove(empty.owner_url, empty.app_url, saved[0], told, lived.keyring, tmp_path / "documents")
        assert found.wrong == ["document 2026/livret.pdf : différent"]

    @pytest.mark.threat("restore-report-forged")
    def test_the_report_is_signed(self, lived: World, saved: tuple[Path, Saved], tmp_path: Path) -> None:
        report = check.Report("f", "00", "", "", "", "", 1, 1, 0, 0, 0, 0, 0, ["table usager : différente"])
        told = check.signed(report, lived.keyring)
        assert check.read_signed(told, lived.keyring)["wrong"] == ["table usager : différente"]

        with pytest.raises(KeyFault):
            check.read_signed(told.replace("différente", "pareille"), lived.keyring)


def test_memory_stays_bounded(lived: World, empty: TestDatabase, tmp_path: Path) -> None:
    """A document ten times larger than what the writer keeps goes through pieces."""
    folder = tmp_path / "data"
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "film.bin").write_bytes(os.urandom(10 * sealed.PIECE))
    seen = []
    original = sealed.Writer._piece  # noqa: SLF001  the one place where a piece leaves

    def piece(self: sealed.Writer, data: bytes, *, last: bool) -> None:
        seen.append((len(data), len(self._waiting)))
        original(self, data, last=last)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed.Writer, "_piece", piece)
        asyncio.run(backup.save(lived.database.owner_url, tmp_path / "x.backup", lived.keyring, folder))
    assert len(seen) > 10
    assert max(size for size, _ in seen) == sealed.PIECE
    assert max(waiting for _, waiting in seen) < backup.BLOCK + 2 * sealed.PIECE


@pytest.mark.threat("backup-altered")
def test_every_byte_of_a_file_is_proven(tmp_path: Path) -> None:
    keyring, path = Keyring.create(tmp_path / "keys.json"), tmp_path / "x.backup"
    with sealed.written(path, {"made_by": "essai"}, keyring, None) as out:
        backup.frame(out, backup.MANIFEST, {"tables": {}})
    raw, found = path.read_bytes(), 0
    for place in range(len(raw)):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x20]) + raw[place + 1 :])
        with pytest.raises(BackupFault), sealed.opened(path, keyring, None) as source:
            source.read(5)
            source.end()
        found += 1
    assert found == len(raw) > 200


@pytest.mark.threat("backup-pieces-moved")
def test_pieces_neither_move_nor_come_twice(tmp_path: Path) -> None:
    keyring, path = Keyring.create(tmp_path / "keys.json"), tmp_path / "x.backup"
    with sealed.written(path, {"made_by": "essai"}, keyring, None) as out:
        out.write(os.urandom(3 * sealed.PIECE))
    raw = path.read_bytes()
    start = len(sealed.MAGIC) + 4 + int.from_bytes(raw[len(sealed.MAGIC) : len(sealed.MAGIC) + 4])
    size = 4 + sealed.PIECE + sealed.TAG
    head, first, second, rest = raw[:start], raw[start:][:size], raw[start + size :][:size], raw[start + 2 * size :]
    for pieces in ((second, first, rest), (first, first, second, rest), (first, rest)):
        path.write_bytes(head + b"".join(pieces))
        with pytest.raises(BackupFault), sealed.opened(path, keyring, None) as source:
            source.read(3 * sealed.PIECE)
            source.end()
