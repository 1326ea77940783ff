"""`dui account`: who may knock, opened and closed by whoever runs the server."""

import asyncio
import re
from uuid import UUID

import pytest
from click.testing import Result

from app.access.models import Professional
from app.config import settings
from app.features.structures.models import Organisation, Structure
from app.kernel.crypto import Keyring
from app.kernel.db import NIL, Database
from app.kernel.errors import Unauthenticated
from app.kernel.ids import uuid7
from app.security import accounts, identities, sessions
from app.security.models import LiveSession
from tests.cli.conftest import typed
from tests.postgres import TestDatabase, ask

PASSWORD = "le lac au printemps"
WHO = ("--given-name", "Hélène", "--family-name", "Garnier", "--role", "direction")
LINES = """SELECT string_agg(concat_ws(' ', organisation_id, principal_kind, action, kind, outcome, door), ';' ORDER BY at)
    FROM audit_entry"""


@pytest.fixture
def house(fresh_database: TestDatabase) -> UUID:
    """One organisation of two structures; another that has an IME too."""
    here = uuid7()

    async def build() -> None:
        owner = Database(fresh_database.owner_url, 1)
        async with owner.session(None) as session:
            for organisation in (here, uuid7()):
                session.add(Organisation(organisation_id=organisation, name="Les Tilleuls", finess=None))
                await session.flush()
                session.add(Structure(organisation_id=organisation, id=uuid7(), name="IME", model="ime"))
            session.add(Structure(organisation_id=here, id=uuid7(), name="EHPAD", model="ehpad", finess="010000016"))
            await session.commit()
        await owner.close()

    asyncio.run(build())
    return here


def opened(*more: str, login: str = "helene", structure: str = "010000016", said: str | None = None) -> Result:
    return typed("account", "add", login, *WHO, "--structure", structure, *more, said=said)


def drawn(told: Result) -> str:
    [password] = re.findall(r"dit cette seule fois : (\S+)\n", told.output)
    return str(password)


def enters(base: TestDatabase, password: str, login: str = "helene") -> bool:
    async def main() -> bool:
        app, keyring = Database(base.app_url, 1), Keyring({}, b"", b"x" * 32)
        try:
            await accounts.authenticate(app, keyring, login, password, accounts.Caller("192.0.2.1"))
        except Unauthenticated:
            return False
        finally:
            await app.close()
        return True

    return asyncio.run(main())


class TestAdd:
    def test_draws_a_password_that_opens(self, house: UUID, fresh_database: TestDatabase):
        told = opened()
        assert told.exit_code == 0, told.output
        assert enters(fresh_database, drawn(told))

    def test_gives_the_role_in_the_structure_named(self, house: UUID, fresh_database: TestDatabase):
        opened()
        held = """SELECT concat_ws(' ', m.organisation_id, m.role, s.name) FROM membership m
            JOIN membership_structure i ON i.membership_id = m.id JOIN structure s ON s.id = i.structure_id"""
        assert ask(fresh_database.owner_url, held) == f"{house} direction EHPAD"

    def test_until_the_day_said(self, house: UUID, fresh_database: TestDatabase):
        assert opened("--ends", "2999-12-31").exit_code == 0
        assert ask(fresh_database.owner_url, "SELECT ends::text FROM membership") == "2999-12-31"

    def test_leaves_a_line_in_the_house(self, house: UUID, fresh_database: TestDatabase):
        opened()
        assert ask(fresh_database.owner_url, LINES) == f"{house} system create account success system"

    @pytest.mark.threat("account-password-told")
    def test_a_password_read_on_stdin_is_told_nowhere(self, house: UUID, fresh_database: TestDatabase):
        told = opened("--password-stdin", said=f"{PASSWORD}\n")
        assert (told.exit_code, PASSWORD in told.output) == (0, False)
        assert enters(fresh_database, PASSWORD)

    @pytest.mark.threat("account-password-told")
    def test_no_option_takes_a_password(self, house: UUID):
        assert opened("--password", PASSWORD).exit_code == 2

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"structure": "Nulle part"}, "n'existe pas"),
            ({"structure": "ime"}, "Plusieurs structures"),
            ({"login": "a b"}, "identifiant"),
        ],
    )
    def test_what_to_mend_is_said_and_nothing_is_written(
        self, house: UUID, fresh_database: TestDatabase, more: dict[str, str], words: str
    ):
        told = opened(**more)
        assert (told.exit_code, words in told.output) == (1, True)
        assert ask(fresh_database.owner_url, "SELECT count(*) FROM account") == 0

    def test_a_short_password_is_refused_in_words(self, house: UUID):
        told = opened("--password-stdin", said="court\n")
        assert (told.exit_code, "12 à 256" in told.output, "court" in told.output) == (1, True, False)

    def test_a_day_gone_by_is_refused(self, house: UUID):
        assert opened("--ends", "2020-01-01").exit_code == 1

    def test_an_empty_name_is_refused(self, house: UUID):
        assert opened("--given-name", " ").exit_code == 1

    def test_two_organisations_are_refused(self, house: UUID, fresh_database: TestDatabase):
        elsewhere = ask(fresh_database.owner_url, f"SELECT id::text FROM structure WHERE organisation_id <> '{house}'")
        assert opened("--structure", str(elsewhere)).exit_code == 1


class TestLater:
    @pytest.fixture
    def password(self, house: UUID) -> str:
        return drawn(opened())

    def test_the_list_says_who_as_what_and_no_secret(self, password: str, fresh_database: TestDatabase):
        secret = ask(fresh_database.owner_url, "SELECT secret FROM account_credential WHERE kind = 'password'")
        told = typed("account", "list").output
        assert told == "helene · Hélène Garnier · ouvert · mot de passe seul · direction\n"
        assert str(secret) not in told

    def test_a_closed_account_enters_no_more_and_the_list_says_since_when(
        self, password: str, fresh_database: TestDatabase
    ):
        assert typed("account", "disable", "HELENE").exit_code == 0
        assert not enters(fresh_database, password)
        assert "fermé le " in typed("account", "list").output

    def test_opened_again_it_enters(self, password: str, fresh_database: TestDatabase):
        typed("account", "disable", "helene")
        assert typed("account", "enable", "helene").exit_code == 0
        assert enters(fresh_database, password)

    def test_a_new_password_replaces_the_old_one(self, password: str, fresh_database: TestDatabase):
        told = typed("account", "reset-password", "helene")
        assert (enters(fresh_database, drawn(told)), enters(fresh_database, password)) == (True, False)

    def test_a_telephone_lost_is_forgotten_with_its_codes(self, password: str, fresh_database: TestDatabase):
        enrol = """INSERT INTO account_credential (account_id, kind, secret, sealed, changed_at)
            SELECT id, k, CASE WHEN k <> 'totp' THEN 'x' END, CASE WHEN k = 'totp' THEN '\\x00'::bytea END, now()
            FROM account, unnest(ARRAY['totp', 'recovery_0']) k"""
        ask(fresh_database.owner_url, enrol)
        assert "· second facteur ·" in typed("account", "list").output
        assert typed("account", "reset-second-factor", "helene").exit_code == 0
        assert ask(fresh_database.owner_url, "SELECT string_agg(kind, ',') FROM account_credential") == "password"

    @pytest.fixture
    def issuer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DUI_OIDC_ISSUER", "https://idp.test")
        settings.cache_clear()

    def test_an_identity_is_linked_by_hand_and_kept_as_a_hash(
        self, password: str, issuer: None, fresh_database: TestDatabase
    ):
        assert typed("account", "link", "Helene", "f:1:899700000001").exit_code == 0
        assert "· identité reliée ·" in typed("account", "list").output
        kept = identities.kept(Keyring.load(settings().key_file), "https://idp.test", "f:1:899700000001")
        assert ask(fresh_database.owner_url, "SELECT secret FROM account_credential WHERE kind = 'oidc'") == kept
        lines = str(ask(fresh_database.owner_url, LINES))
        assert "system link_identity account success system" in lines
        assert "8997" not in lines

    @pytest.mark.threat("oidc-subject-of-another")
    def test_one_identity_is_of_one_account(self, password: str, issuer: None, fresh_database: TestDatabase):
        opened(login="marc")
        typed("account", "link", "helene", "s-1")
        for login, subject in (("marc", "s-1"), ("helene", "s-2"), ("helene", "s-1")):
            told = typed("account", "link", login, subject)
            assert (told.exit_code, identities.TAKEN in told.output) == (1, True)
        assert ask(fresh_database.owner_url, "SELECT count(*) FROM account_credential WHERE kind = 'oidc'") == 1

    def test_unlinked_it_is_forgotten_and_another_may_be_linked(
        self, password: str, issuer: None, fresh_database: TestDatabase
    ):
        typed("account", "link", "helene", "s-1")
        assert typed("account", "unlink", "helene").exit_code == 0
        assert ask(fresh_database.owner_url, "SELECT count(*) FROM account_credential WHERE kind = 'oidc'") == 0
        assert "unlink_identity" in str(ask(fresh_database.owner_url, LINES))
        assert typed("account", "link", "helene", "s-2").exit_code == 0

    def test_a_telephone_lost_does_not_take_the_identity_with_it(
        self, password: str, issuer: None, fresh_database: TestDatabase
    ):
        typed("account", "link", "helene", "s-1")
        typed("account", "reset-second-factor", "helene")
        assert ask(fresh_database.owner_url, "SELECT count(*) FROM account_credential WHERE kind = 'oidc'") == 1

    def test_without_a_provider_there_is_nothing_to_link(self, password: str):
        told = typed("account", "link", "helene", "s-1")
        assert (told.exit_code, "DUI_OIDC_ISSUER" in told.output) == (1, True)

    def test_of_an_unknown_account_it_is_said(self, house: UUID, issuer: None):
        assert [typed("account", *words).exit_code for words in (("link", "x", "s"), ("unlink", "x"))] == [1, 1]

    @pytest.mark.parametrize("act", ["disable", "reset-password", "reset-second-factor"])
    def test_whoever_was_in_is_out(self, password: str, fresh_database: TestDatabase, act: str):
        async def enter() -> UUID:
            owner = Database(fresh_database.owner_url, 1)
            async with owner.session(None) as session:
                account = await accounts.named(session, "helene")
                [place] = await sessions.places(session, account.id)
                row = LiveSession(
                    kind="staff",
                    door="api",
                    organisation_id=place.organisation_id,
                    subject_id=place.professional_id,
                    account_id=account.id,
                    expires_at=account.created_at,
                )
                session.add(row)
                await session.commit()
            await owner.close()
            return row.id

        id = asyncio.run(enter())
        typed("account", act, "helene")
        assert ask(fresh_database.owner_url, f"SELECT revoked_at IS NOT NULL FROM session WHERE id = '{id}'") is True

    def test_each_act_leaves_its_line(self, house: UUID, password: str, fresh_database: TestDatabase):
        for act in ("disable", "enable", "reset-password", "reset-second-factor"):
            typed("account", act, "helene")
        said = f"{house} system {{}} account success system"
        acts = ("create", "disable", "enable", "reset_password", "reset_second_factor")
        assert ask(fresh_database.owner_url, LINES) == ";".join(map(said.format, acts))

    def test_of_someone_who_works_nowhere_the_line_is_of_no_house(self, password: str, fresh_database: TestDatabase):
        ask(fresh_database.owner_url, f"UPDATE {Professional.__tablename__} SET account_id = NULL")
        typed("account", "disable", "helene")
        last = "SELECT organisation_id::text FROM audit_entry ORDER BY at DESC LIMIT 1"
        assert ask(fresh_database.owner_url, last) == str(NIL)

    @pytest.mark.parametrize("act", ["disable", "enable", "reset-password", "reset-second-factor"])
    def test_an_unknown_login_is_said(self, act: str):
        told = typed("account", act, "personne")
        assert (told.exit_code, "Aucun compte" in told.output) == (1, True)
