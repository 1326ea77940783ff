"""`dui partner`: a system let in by whoever runs the server, and the words it is sent."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result

from app.config import settings
from app.features.structures.models import Organisation, Structure
from app.kernel.db import Database
from app.kernel.ids import uuid7
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, ask
from tests.security import keys
from tests.security.publisher import Publisher, publishing

LINES = """SELECT string_agg(concat_ws(' ', organisation_id, principal_kind, action, kind, outcome, door), ';' ORDER BY at)
    FROM audit_entry"""
EC, RSA = keys.ec_key(which=21), keys.rsa_key(which=21)


@pytest.fixture
def house(fresh_database: TestDatabase) -> UUID:
    here = uuid7()

    async def build() -> None:
        owner = Database(fresh_database.owner_url, 1)
        async with owner.session(None) as session:
            session.add(Organisation(organisation_id=here, name="Les Tilleuls", finess=None))
            await session.flush()
            for name, finess in (("IME", "010000024"), ("EHPAD", "010000016")):
                session.add(Structure(organisation_id=here, id=uuid7(), name=name, model="ime", finess=finess))
            await session.commit()
        await owner.close()

    asyncio.run(build())
    return here


def jwks(folder: Path, *named: tuple[str, Any], file: str = "jwks.json") -> str:
    """A file of public keys, as a partner sends it."""
    path = folder / file
    path.write_text(json.dumps({"keys": [keys.public_jwk(key, kid) for kid, key in named]}))
    return str(path)


def added(given: str, *more: str, name: str = "CHU de la Plaine") -> Result:
    return typed("partner", "add", name, "--jwks", given, "--structure", "010000024", *more)


@pytest.fixture
def chu(house: UUID, tmp_path: Path) -> Result:
    return added(jwks(tmp_path, ("k1", EC)), "--structure", "EHPAD", "--accept")


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """This machine may be read, for this test."""
    with publishing(tmp_path) as made:
        monkeypatch.setattr("app.cli.partner.Outbound", lambda: made.outbound)
        yield made


class TestAdd:
    def test_tells_what_the_partner_needs(self, chu: Result):
        assert chu.exit_code == 0, chu.output
        for word in ("chu-de-la-plaine", "http://127.0.0.1:8000/oauth/token", "system/*.crus"):
            assert word in chu.output

    def test_the_first_structure_receives_and_all_accept(self, chu: Result, fresh_database: TestDatabase):
        held = """SELECT string_agg(concat_ws(' ', s.name, s.id = p.default_structure_id, i.accepts), ';' ORDER BY s.name)
            FROM partner p JOIN partner_structure i ON i.partner_id = p.id JOIN structure s ON s.id = i.structure_id"""
        assert ask(fresh_database.owner_url, held) == "EHPAD f t;IME t t"

    def test_without_accept_what_arrives_waits(self, house: UUID, tmp_path: Path, fresh_database: TestDatabase):
        added(jwks(tmp_path, ("k1", EC)))
        assert ask(fresh_database.owner_url, "SELECT bool_or(accepts) FROM partner_structure") is False

    def test_keeps_what_was_chosen(self, house: UUID, tmp_path: Path):
        told = added(jwks(tmp_path, ("k1", EC)), "--scopes", "system/CarePlan.rs", "--client-id", "le-chu")
        assert ("le-chu" in told.output, "system/CarePlan.rs" in told.output) == (True, True)

    @pytest.mark.parametrize(
        ("name", "more", "kind"),
        [("MDPH de l'Ain", (), "mdph"), ("Maison du 01", ("--kind", "mdph"), "mdph"), ("CHU", (), "other")],
    )
    def test_a_mdph_is_known_as_one(
        self, house: UUID, tmp_path: Path, fresh_database: TestDatabase, name: str, more: tuple[str, ...], kind: str
    ):
        assert added(jwks(tmp_path, ("k1", EC)), *more, name=name).exit_code == 0
        assert ask(fresh_database.owner_url, "SELECT kind FROM partner") == kind

    def test_keys_may_be_published(self, house: UUID, publisher: Publisher, fresh_database: TestDatabase):
        publisher.keys = [keys.public_jwk(EC, "k9")]
        assert added(publisher.url).exit_code == 0
        kept = "SELECT concat_ws(' ', jwks_url, jwks -> 0 ->> 'kid', jwks_read_at IS NOT NULL) FROM partner"
        assert ask(fresh_database.owner_url, kept) == f"{publisher.url} k9 t"

    def test_an_address_of_this_machine_is_refused(self, house: UUID):
        told = added("https://127.0.0.1:9/jwks.json")
        assert (told.exit_code, "ne sont pas lisibles" in told.output) == (1, True)

    @pytest.mark.parametrize("content", ["{", "[]", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}'])
    def test_a_file_that_holds_no_public_key_is_refused(
        self, house: UUID, tmp_path: Path, content: str, fresh_database: TestDatabase
    ):
        (tmp_path / "x.json").write_text(content)
        assert added(str(tmp_path / "x.json")).exit_code == 1
        assert ask(fresh_database.owner_url, "SELECT count(*) FROM partner") == 0

    def test_a_file_that_is_not_there_is_said(self, house: UUID, tmp_path: Path):
        assert "pas lisible" in added(str(tmp_path / "nowhere.json")).output

    def test_the_same_name_twice_asks_for_another_client_id(self, chu: Result, tmp_path: Path):
        told = added(jwks(tmp_path, ("k1", EC)))
        assert (told.exit_code, "--client-id" in told.output) == (1, True)

    def test_a_right_nobody_can_read_is_said(self, house: UUID, tmp_path: Path):
        assert "system/Type.cruds" in added(jwks(tmp_path, ("k1", EC)), "--scopes", "tout").output

    def test_a_type_that_fhir_does_not_have_is_said(self, house: UUID, tmp_path: Path):
        told = added(jwks(tmp_path, ("k1", EC)), "--scopes", "system/Goals.rs")
        assert (told.exit_code, "FHIR R4" in told.output) == (1, True)


class TestLater:
    def test_the_list_says_what_each_may_where_and_by_which_keys(self, chu: Result):
        assert typed("partner", "list").output == (
            "chu-de-la-plaine · CHU de la Plaine · ouvert · system/*.crus\n"
            "  structures : EHPAD (d'office), IME (d'office)\n"
            "  clés : k1 (EC)\n"
        )

    def test_and_where_they_are_published(self, house: UUID, publisher: Publisher):
        publisher.keys = [keys.public_jwk(EC, "k9")]
        added(publisher.url)
        assert f"(lues à {publisher.url})" in typed("partner", "list").output

    def test_a_closed_one_is_out_and_the_list_says_since_when(self, chu: Result, fresh_database: TestDatabase):
        assert typed("partner", "disable", "chu-de-la-plaine").exit_code == 0
        assert ask(fresh_database.owner_url, "SELECT count(*) FROM client_of('chu-de-la-plaine')") == 0
        assert "fermé le " in typed("partner", "list").output

    def test_new_keys_serve_beside_the_old_ones_a_while(self, chu: Result, tmp_path: Path):
        new = jwks(tmp_path, ("k2", RSA), file="new.json")
        told = typed("partner", "rotate", "chu-de-la-plaine", "--jwks", new)
        assert (told.exit_code, told.output) == (0, "Clés : k2 (RSA), k1 (EC, remplacée).\n")

    def test_or_at_once_when_one_leaked(self, chu: Result, tmp_path: Path):
        new = jwks(tmp_path, ("k2", RSA), file="new.json")
        told = typed("partner", "rotate", "chu-de-la-plaine", "--jwks", new, "--overlap-days", "0")
        assert told.output == "Clés : k2 (RSA).\n"

    def test_keys_given_become_keys_published(self, chu: Result, publisher: Publisher, fresh_database: TestDatabase):
        publisher.keys = [keys.public_jwk(RSA, "k2")]
        typed("partner", "rotate", "chu-de-la-plaine", "--jwks", publisher.url)
        assert ask(fresh_database.owner_url, "SELECT jwks_url FROM partner") == publisher.url

    @pytest.mark.parametrize("act", [("disable",), ("rotate", "--jwks", "x.json")])
    def test_an_unknown_client_is_said(self, house: UUID, act: tuple[str, ...]):
        told = typed("partner", act[0], "personne", *act[1:])
        assert (told.exit_code, "Aucun partenaire" in told.output) == (1, True)

    def test_each_act_leaves_its_line(self, house: UUID, chu: Result, tmp_path: Path, fresh_database: TestDatabase):
        typed("partner", "rotate", "chu-de-la-plaine", "--jwks", jwks(tmp_path, ("k2", RSA), file="new.json"))
        typed("partner", "disable", "chu-de-la-plaine")
        said = f"{house} system {{}} partner success system"
        assert ask(fresh_database.owner_url, LINES) == ";".join(map(said.format, ("create", "rotate", "disable")))


class TestTheCommandTold:
    @pytest.fixture
    def server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """The application itself, listening: what is told is typed by someone elsewhere."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        origin = f"http://127.0.0.1:{port}"
        monkeypatch.setenv("DUI_PUBLIC_ORIGINS", origin)
        monkeypatch.setenv("DUI_DEMO", "1")
        settings.cache_clear()
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
            try:
                _wait(f"{origin}/healthz", running)
                yield
            finally:
                running.terminate()

    @pytest.mark.parametrize("key", [EC, RSA], ids=["EC", "RSA"])
    def test_gives_a_token_to_who_holds_the_key(self, house: UUID, server: None, tmp_path: Path, key: Any):
        told = added(jwks(tmp_path, ("k1", key)), "--scopes", "system/CarePlan.rs")
        (tmp_path / "key.pem").write_text(keys.private_pem(key))
        shell = told.output[told.output.index("b64()") :]
        environment = {"PATH": os.environ["PATH"], "DUI_PARTNER_KEY": str(tmp_path / "key.pem")}
        ran = subprocess.run(
            ["bash", "-euc", shell], check=False, env=environment, capture_output=True, text=True, timeout=30
        )
        answer = json.loads(ran.stdout)
        assert (answer["token_type"], answer["scope"]) == ("Bearer", "system/CarePlan.rs"), ran


def _wait(url: str, running: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert running.poll() is None
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310  this machine
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)
