"""Erasing a person: signed, thirty days after the notice, whole or not at all; the chain still holds."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import verify
from app.kernel import clock
from app.kernel.crypto import KeyFault
from app.kernel.db import Base, Database
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.ids import uuid7
from app.kernel.postgres import Server
from app.security.principal import Role
from app.vault import erasure, forgetting, restore
from tests import postgres
from tests.exchange.bundles import project
from tests.exchange.sending import sent
from tests.postgres import TestDatabase
from tests.vault.conftest import save, seal
from tests.vault.leaving import CANARIES, SETTING, acted, dump, ruled, run, signed, someone_left
from tests.world import World
from tests.world import world as make_world


@pytest.fixture
def world(cluster: Server, template: str, tmp_path: Path) -> Iterator[World]:
    """Of one test: someone goes."""
    with postgres.clone(cluster, template) as database, make_world(database, tmp_path) as made:
        made.hire("dpo", Role.DPO, "ehpad")
        yield made


@pytest.fixture
def gone(world: World) -> UUID:
    return someone_left(world)


class TestSigned:
    DAY = date(2026, 5, 4)

    @pytest.fixture
    def proposed(self, world: World, gone: UUID, monkeypatch: pytest.MonkeyPatch) -> UUID:
        ruled(world)
        monkeypatch.setattr(clock, "today", lambda: self.DAY)
        [row] = acted(world, erasure.propose)
        return row.id

    def test_is_proposed_once_with_its_rules(self, world: World, proposed: UUID) -> None:
        assert acted(world, erasure.propose) == []
        [row] = world.rows("SELECT * FROM erasure")
        rules = orjson.loads(row["rules"])
        assert {"model": "ehpad", "category": "support", "months": 24} == {
            k: rules[-1][k] for k in ("model", "category", "months")
        }
        assert row["due_on"] == date(2022, 3, 15)

    @pytest.mark.threat("erasure-unsigned")
    def test_who_was_taken_off_the_staff_signs_nothing(self, world: World, proposed: UUID) -> None:
        world.hire("partie", Role.DIRECTION, "ehpad")
        world.rows("UPDATE professional SET deleted_at = now() WHERE id = $1", world.ids["partie"])
        with pytest.raises(Forbidden):
            acted(world, lambda s: erasure.sign(s, [proposed], world.ids["partie_account"], "given"))

    @pytest.mark.threat("erasure-unsigned")
    def test_nothing_unsigned_is_erased(
        self, world: World, gone: UUID, proposed: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "today", lambda: date(2150, 1, 1))
        assert run(world) == erasure.Done([], [])
        assert world.rows("SELECT 1 FROM usager WHERE id = $1", gone)

    @pytest.mark.threat("erasure-unsigned")
    @pytest.mark.parametrize("who", ["sonia", "odile", "yann", "dpo"])
    def test_only_the_direction_signs(self, world: World, proposed: UUID, who: str) -> None:
        with pytest.raises(Forbidden):
            acted(world, lambda s: erasure.sign(s, [proposed], world.ids[f"{who}_account"], "given"))

    @pytest.mark.threat("erasure-unsigned")
    def test_the_copy_is_proposed_first(self, world: World, proposed: UUID) -> None:
        with pytest.raises(Invalid):
            acted(world, lambda s: erasure.sign(s, [proposed], world.ids["helene_account"], ""))

    @pytest.mark.threat("erasure-unsigned")
    def test_without_a_dpo_nobody_could_oppose(self, world: World, proposed: UUID) -> None:
        world.rows("UPDATE membership SET ends = '2021-01-01' WHERE role = 'dpo'")
        with pytest.raises(Conflict, match="DPO"):
            acted(world, lambda s: erasure.sign(s, [proposed], world.ids["helene_account"], "given"))

    def test_the_dpo_is_told_by_the_trail(self, world: World, gone: UUID, proposed: UUID) -> None:
        acted(world, lambda s: erasure.sign(s, [proposed], world.ids["helene_account"], "given"))
        [line] = world.traces(action="erasure_notice")
        assert (line["usager_id"], line["entry_ids"], line["door"]) == (gone, [proposed], "system")

    @pytest.mark.threat("erasure-early", "erasure-late")
    @pytest.mark.parametrize(("later", "expected"), [(29, False), (30, True)])
    def test_waits_thirty_days_after_the_notice(
        self, world: World, gone: UUID, proposed: UUID, later: int, expected: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acted(world, lambda s: erasure.sign(s, [proposed], world.ids["helene_account"], "given"))
        monkeypatch.setattr(clock, "today", lambda: self.DAY + timedelta(days=later))
        assert (gone in run(world).erased) is expected

    @pytest.mark.threat("erasure-early")
    @pytest.mark.parametrize(("later", "expected"), [(59, False), (60, True)])
    def test_a_house_may_give_more_time_to_its_dpo(
        self, world: World, gone: UUID, proposed: UUID, later: int, expected: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.rows(SETTING, world.organisation, uuid7(), "organisation", "erasure.notice_days", "60")
        acted(world, lambda s: erasure.sign(s, [proposed], world.ids["helene_account"], "given"))
        monkeypatch.setattr(clock, "today", lambda: self.DAY + timedelta(days=later))
        assert (gone in run(world).erased) is expected

    def test_what_is_stopped_is_not_erased(
        self, world: World, gone: UUID, proposed: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acted(world, lambda s: erasure.sign(s, [proposed], world.ids["helene_account"], "given"))
        acted(world, lambda s: erasure.stop(s, [proposed], "Contentieux en cours."))
        monkeypatch.setattr(clock, "today", lambda: date(2150, 1, 1))
        assert run(world).erased == []

    @pytest.mark.threat("erasure-early")
    def test_someone_who_came_back_meanwhile_is_stopped(
        self, world: World, gone: UUID, proposed: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acted(world, lambda s: erasure.sign(s, [proposed], world.ids["helene_account"], "given"))
        world.rows("UPDATE stay SET ends = NULL WHERE usager_id = $1", gone)
        monkeypatch.setattr(clock, "today", lambda: date(2026, 8, 1))
        assert run(world) == erasure.Done([], [gone])
        assert world.rows("SELECT state FROM erasure")[0]["state"] == "stopped"


class TestErased:
    DAY = date(2026, 5, 4)

    @pytest.fixture
    def ready(self, world: World, gone: UUID, monkeypatch: pytest.MonkeyPatch) -> UUID:
        """Signed, the thirty days over; sealed so far."""
        ruled(world)
        id = signed(world, self.DAY, monkeypatch)
        seal(world.database)
        monkeypatch.setattr(clock, "today", lambda: self.DAY + timedelta(days=31))
        return id

    def test_the_canaries_were_there(self, world: World, ready: UUID) -> None:
        """Else the grep below would hold of nothing: those not sealed are seen."""
        told = dump(world.database)
        assert {c for c in CANARIES if c in told} >= {"CANARI-NOM", "Canariprenom", "Canari-4711", "canari@exemple.fr"}

    @pytest.mark.threat("erasure-leaves-a-value")
    def test_a_dump_holds_none_of_their_strings(self, world: World, gone: UUID, ready: UUID) -> None:
        name_key = world.rows("SELECT name_key FROM usager WHERE id = $1", gone)[0]["name_key"]
        blind = world.rows("SELECT encode(blind, 'hex') AS b FROM usager_identifier WHERE usager_id = $1", gone)[0]["b"]
        assert run(world).erased == [gone]
        told = dump(world.database).casefold()
        assert [c for c in (*CANARIES, name_key, blind) if c.casefold() in told] == []

    @pytest.mark.threat("erasure-leaves-a-value")
    def test_no_row_of_any_table_names_them_but_the_trail_and_the_certificate(
        self, world: World, gone: UUID, ready: UUID
    ) -> None:
        run(world)
        for table in Base.metadata.tables.values():
            columns = [c.name for c in table.columns if c.name in ("usager_id", "subject_id")]
            held = [c for c in columns if world.rows(f"SELECT 1 FROM {table.name} WHERE {c} = $1 LIMIT 1", gone)]
            assert held == ([] if table.name not in forgetting.STAYS else ["usager_id"]), table.name

    @pytest.mark.threat("erasure-leaves-a-value")
    def test_others_keep_everything(self, world: World, gone: UUID, ready: UUID) -> None:
        counted = """SELECT (SELECT count(*) FROM usager WHERE id <> $1), (SELECT count(*) FROM usager_key WHERE usager_id <> $1),
            (SELECT count(*) FROM entry_version WHERE usager_id <> $1), (SELECT count(*) FROM session WHERE kind = 'staff')"""
        before = world.rows(counted, gone)
        run(world)
        assert world.rows(counted, gone) == before

    @pytest.mark.threat("erasure-breaks-the-chain")
    def test_the_chain_still_verifies_and_says_it(self, world: World, gone: UUID, ready: UUID) -> None:
        run(world)
        seal(world.database)

        async def checked() -> list[Any]:
            connection = await asyncpg.connect(world.database.owner_url)
            try:
                return [v.broken async for v in verify.verify_all(connection)]
            finally:
                await connection.close()

        assert set(asyncio.run(checked())) == {None}
        assert len(world.traces(action="erase", usager_id=gone)) == 1

    def test_the_person_is_nowhere_at_the_doors(self, world: World, gone: UUID, ready: UUID) -> None:
        run(world)
        assert world.get("odile", f"/api/v1/usagers/{gone}").status_code == 404
        assert world.get("sonia", f"/fhir/Patient/{gone}").status_code == 404

    def test_the_certificate_says_what_went_and_holds_no_value(self, world: World, gone: UUID, ready: UUID) -> None:
        run(world)
        [row] = world.rows("SELECT certificate FROM erasure")
        told = erasure.read_certificate(row["certificate"], world.keyring)
        assert (told["usager_id"], told["copy"], told["rows"]["usager"], told["rows"]["usager_key"]) == (
            str(gone), "given", 1, 1,
        )  # fmt: skip
        assert [c for c in CANARIES if c in row["certificate"]] == []
        with pytest.raises(KeyFault):
            erasure.read_certificate(row["certificate"].replace('\\"usager\\": 1', '\\"usager\\": 2'), world.keyring)

    @pytest.mark.threat("erasure-twice")
    def test_done_is_not_done_again(self, world: World, gone: UUID, ready: UUID) -> None:
        assert run(world).erased == [gone]
        assert run(world) == erasure.Done([], [])

    @pytest.mark.threat("erasure-cut")
    def test_cut_after_any_statement_nothing_is_done_and_then_all(
        self, world: World, gone: UUID, ready: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps = len(forgetting.about_a_person()) + len(forgetting.AROUND) + len(forgetting.ALONE) + 3
        count = "SELECT (SELECT count(*) FROM transmission), (SELECT count(*) FROM usager), (SELECT count(*) FROM usager_key)"
        before, cut = world.rows(count), 0
        original = AsyncSession.execute
        for step in range(1, steps + 1, 3):
            seen = [0]

            async def dying(
                session: Any, statement: Any, *args: Any, at: int = step, n: Any = seen, **more: Any
            ) -> Any:
                if "DELETE" in str(statement) or "TRACE" in str(statement):
                    n[0] += 1
                    if n[0] == at:
                        await original(session, text("SELECT pg_terminate_backend(pg_backend_pid())"))
                return await original(session, statement, *args, **more)

            with monkeypatch.context() as patch:
                patch.setattr(AsyncSession, "execute", dying)
                try:
                    run(world)
                    break
                except (
                    DBAPIError,
                    asyncpg.PostgresError,
                    asyncpg.InterfaceError,
                ):  # the connection is gone, as the server's own end would leave it
                    cut += 1
            assert world.rows(count) == before
            assert world.rows("SELECT state FROM erasure")[0]["state"] == "signed"
        assert cut >= 5
        run(world)
        assert world.rows("SELECT state FROM erasure")[0]["state"] == "erased"

    @pytest.mark.threat("erasure-undone-by-a-restore")
    def test_a_certificate_erases_again_what_a_restore_brought_back(
        self, world: World, gone: UUID, ready: UUID, empty: TestDatabase, tmp_path: Path
    ) -> None:
        save(world, tmp_path / "before.backup")
        run(world)
        certificate = world.rows("SELECT certificate FROM erasure")[0]["certificate"]
        restore.restore(empty.owner_url, tmp_path / "before.backup", world.keyring, tmp_path / "other")

        async def again(url: str) -> dict[str, int]:
            base = Database(url, 1)
            try:
                return await erasure.again(base, certificate, world.keyring)
            finally:
                await base.close()

        assert "CANARI-NOM" in dump(empty)
        assert asyncio.run(again(empty.owner_url))["usager"] == 1
        assert "CANARI-NOM" not in dump(empty)
        assert asyncio.run(again(empty.owner_url)) == {}


@pytest.mark.threat("erasure-leaves-a-value")
def test_what_came_by_a_bundle_goes_with_its_raw_body_and_who_stood_in_it(world: World) -> None:
    assert sent(world, project()).status_code == 200
    [arrived] = world.rows("SELECT id FROM usager WHERE origin_partner_id IS NOT NULL")
    assert world.rows("SELECT 1 FROM exchange WHERE body IS NOT NULL AND body_key IS NOT NULL")
    assert world.rows("SELECT 1 FROM outside_party_mention")
    assert world.rows("SELECT 1 FROM external_id")
    acted(world, lambda s: forgetting.forget(s, world.organisation, arrived["id"]))
    assert world.rows("SELECT 1 FROM exchange WHERE body IS NOT NULL OR body_key IS NOT NULL") == []
    assert world.rows("SELECT 1 FROM outside_party_mention") == []
    assert world.rows("SELECT 1 FROM external_id WHERE usager_id = $1", arrived["id"]) == []


def test_every_table_is_erased_or_said_to_be_about_nobody() -> None:
    """A new table about a person without `usager_id` must find its place here, or in `forgetting`."""
    nobody = {
        "account", "account_credential", "refresh_family", "jti_seen", "code_attempt", "idempotency", "cluster_epoch",
        "organisation", "structure", "unit", "professional", "membership", "membership_structure", "unit_team", "on_call",
        "narrowing", "invitation",
        "resource", "setting", "partner", "partner_structure", "audit_seal", "key_check", "concept",
            "fhir_package", "fhir_definition",
    }  # fmt: skip
    around = {name for name, _ in (*forgetting.AROUND, *forgetting.ALONE)} | {"exchange", "outside_party_mention"}
    known = {*forgetting.about_a_person(), *forgetting.STAYS, *around}
    assert {name for name in Base.metadata.tables} - known - nobody == set()
    assert nobody & known == set()
