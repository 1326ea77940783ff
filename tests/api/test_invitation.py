"""The page where someone hired opens their account: by a link good once, with a password of their own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine

from app.access import inviting
from app.kernel.clock import PARIS, today
from app.kernel.db import Database
from app.kernel.errors import Unauthenticated
from app.security import invitations
from tests.api.test_own_account import enrolled
from tests.security.conftest import PASSWORD, House
from tests.world import ORIGIN, World

INVITE = "/api/v1/professionals/invitations"
READ = "/api/v1/transmissions"
WHOSE = "SELECT account_id FROM professional WHERE id = $1"
PHRASE = "un cheval sous la pluie"


def link(world: World, **changes: object) -> tuple[str, str]:
    """The path of the link, and whose it is."""
    body = {"given_name": "Nadia", "family_name": "Roche", "template": "infirmier", **changes}
    told = world.post("helene", INVITE, {"structure_ids": [str(world.ids["ehpad"])], **body})
    assert told.status_code == 201, told.text
    return told.json()["link"].removeprefix(ORIGIN), told.json()["professional_id"]


def accepted(world: World, path: str, login: str, password: str = PHRASE, **form: str) -> Any:
    return world.client.post(path, data={"username": login, "password": password, "again": password} | form)


def entered(world: World, login: str, password: str = PHRASE, **form: str) -> Any:
    said = {"grant_type": "password", "username": login, "password": password}
    return world.client.post("/oauth/token", data=said | form)


@pytest.fixture
def login() -> str:
    return f"nadia-{uuid4().hex[:8]}"


class TestThePage:
    def test_greets_whom_it_was_made_for(self, world: World):
        path, _ = link(world)
        answer = world.client.get(path)
        assert (answer.status_code, "Bonjour Nadia Roche" in answer.text) == (200, True)

    def test_looking_uses_nothing_up(self, world: World, login: str):
        path, _ = link(world)
        for _ in range(3):
            world.client.get(path)
        assert accepted(world, path, login).status_code == 200

    @pytest.mark.threat("invitation-leaked")
    def test_is_stored_nowhere_and_told_to_no_other_site(self, world: World):
        headers = world.client.get(link(world)[0]).headers
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert "default-src 'none'" in headers["content-security-policy"]

    @pytest.mark.threat("invitation-guessed")
    @pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "a.b"])
    def test_a_link_that_never_was_says_no_name(self, world: World, token: str):
        answer = world.client.get(f"/invitation/{token}")
        assert (answer.status_code in (400, 404), "Bonjour" in answer.text) == (True, False)

    @pytest.mark.threat("invitation-guessed")
    def test_many_guesses_from_one_address_wait(self, world: World):
        try:
            answers = [world.client.get(f"/invitation/{n}").status_code for n in range(31)]
            assert answers[-1] == 429
        finally:
            world.rows("DELETE FROM code_attempt")


class TestAccepting:
    def test_opens_an_account_that_works_there(self, world: World, login: str):
        path, professional = link(world)
        answer = accepted(world, path, login)
        assert (answer.status_code, login in answer.text) == (200, True)
        told = entered(world, login).json()
        assert told["role"] == "infirmier"
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        assert world.client.get(READ, headers=headers).status_code == 200
        [row] = world.rows("SELECT account_id, version FROM professional WHERE id = $1", UUID(professional))
        assert (row["account_id"] is not None, row["version"]) == (True, 2)

    def test_leaves_a_line_in_the_house(self, world: World, login: str):
        path, professional = link(world)
        [line] = world.traces(request_id=accepted(world, path, login).headers["x-request-id"])
        assert (line["organisation_id"], line["action"], str(line["principal_id"])) == (
            world.organisation,
            "accept_invitation",
            professional,
        )

    def test_before_the_first_day_too(self, world: World, login: str):
        path, _ = link(world, starts=str(today() + timedelta(days=10)))
        answer = accepted(world, path, login)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (answer.status_code, line["organisation_id"]) == (200, world.organisation)
        assert entered(world, login).json()["error"] == "invalid_grant"

    @pytest.mark.threat("otp-missing")
    def test_a_role_that_asks_a_second_factor_enrols_first(self, world: World, login: str):
        path, _ = link(world, template="direction")
        accepted(world, path, login)
        assert entered(world, login).json()["error"] == "mfa_enrolment_required"

    @pytest.mark.threat("invitation-replayed")
    def test_a_link_serves_once(self, world: World, login: str):
        path, _ = link(world)
        accepted(world, path, login)
        again = accepted(world, path, f"{login}-2")
        assert (again.status_code, "ne sert plus" in again.text) == (400, True)
        assert entered(world, f"{login}-2").status_code == 400

    @pytest.mark.threat("invitation-replayed")
    def test_four_at_once_open_one_account(self, world: World, login: str):
        path, _ = link(world)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda n: accepted(world, path, f"{login}-{n}").status_code, range(4)))
        assert sorted(answers) == [200, 400, 400, 400]
        assert len(world.rows("SELECT 1 FROM account WHERE login LIKE $1", f"{login}-%")) == 1

    @pytest.mark.threat("invitation-replayed")
    async def test_whoever_was_faster_has_it(self, world: World):
        """Two found it waiting: the second to serve it finds that it has served."""
        path, _ = link(world)
        base = Database(world.database.app_url, 1)
        async with base.session(None) as session:
            invited = await invitations.found(session, path.rpartition("/")[2])
        async with base.session(invited.organisation_id) as session:
            await invitations.serve(session, invited)
            with pytest.raises(Unauthenticated):
                await invitations.serve(session, invited)
        await base.close()

    @pytest.mark.threat("invitation-replayed")
    @pytest.mark.parametrize("how", ["expires_at = now()", "revoked_at = now()"])
    def test_a_week_at_most_and_never_once_taken_back(self, world: World, login: str, how: str):
        path, professional = link(world)
        world.rows(f"UPDATE invitation SET {how} WHERE professional_id = $1", UUID(professional))
        answer = accepted(world, path, login)
        assert (answer.status_code, invitations.OVER in answer.text) == (400, True)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["organisation_id"].int, line["outcome"]) == (0, "refused")

    @pytest.mark.threat("invitation-replayed")
    @pytest.mark.parametrize("what", ["account_id = gen_random_uuid()", "deleted_at = now()"])
    async def test_who_got_an_account_or_left_since_it_was_looked_at_keeps_theirs(self, world: World, what: str):
        path, professional = link(world)
        base = Database(world.database.app_url, 1)
        async with base.session(None) as session:
            invited = await invitations.found(session, path.rpartition("/")[2])
        await asyncio.to_thread(world.rows, f"UPDATE professional SET {what} WHERE id = $1", UUID(professional))
        [before] = await asyncio.to_thread(world.rows, WHOSE, UUID(professional))
        async with base.session(None) as session:
            with pytest.raises(Unauthenticated):
                await inviting.accept(session, invited, uuid4())
        await base.close()
        assert await asyncio.to_thread(world.rows, WHOSE, UUID(professional)) == [before]

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"password": "court", "again": "court"}, "12 à 256"),
            ({"again": "autre chose"}, "pas les mêmes"),
            ({"username": "a b"}, "identifiant"),
            ({"username": ""}, "username"),
        ],
    )
    def test_what_to_mend_is_said_and_the_link_still_serves(
        self, world: World, login: str, form: dict[str, str], words: str
    ):
        path, _ = link(world)
        answer = accepted(world, path, login, **form)
        assert (answer.status_code in (400, 422), words in answer.text) == (True, True)
        assert accepted(world, path, login).status_code == 200

    @pytest.mark.threat("privacy-canary-login")
    def test_nothing_received_is_repeated(self, world: World):
        path, _ = link(world)
        nir = "1 84 12 76 451 089 46"
        answer = accepted(world, path, nir, nir, otp=nir)
        assert "84 12 76" not in answer.text


class TestAnAccountThatExists:
    def test_its_own_password_brings_it_here(self, world: World, house: House):
        path, _ = link(world)
        assert accepted(world, path, house.login, PASSWORD).status_code == 200
        roles = {m["role"] for m in entered(world, house.login, PASSWORD).json()["memberships"]}
        assert roles == {"educateur", "infirmier"}

    @pytest.mark.threat("invitation-takes-account")
    def test_another_password_does_not(self, world: World, house: House):
        path, _ = link(world)
        assert accepted(world, path, house.login).status_code == 400
        assert entered(world, house.login, PASSWORD).json()["role"] == "educateur"

    @pytest.mark.threat("invitation-takes-account", "otp-missing")
    def test_nor_the_password_alone_when_it_has_a_second_factor(self, world: World, house: House):
        phone, _ = enrolled(world, house)
        path, _ = link(world)
        assert accepted(world, path, house.login, PASSWORD).status_code == 400
        assert accepted(world, path, house.login, PASSWORD, otp="000000").status_code == 400
        assert accepted(world, path, house.login, PASSWORD, otp=phone.next()).status_code == 200

    @pytest.mark.threat("invitation-to-oneself")
    def test_nobody_gives_themselves_another_function(self, world: World, login: str):
        path, professional = link(world, template="infirmier")
        accepted(world, path, login)
        second, _ = link(world, template="medecin")
        row = "UPDATE invitation SET invited_by = $1 WHERE used_at IS NULL"
        world.rows(row, UUID(professional))
        assert accepted(world, second, login).status_code == 403

    def test_one_account_is_one_person_of_the_house(self, world: World, login: str):
        accepted(world, link(world)[0], login)
        assert accepted(world, link(world)[0], login).status_code == 409


class TestTheEnd:
    @pytest.mark.threat("token-membership-ended")
    def test_access_ends_the_minute_the_function_does(self, world: World, login: str):
        """At midnight in Paris, on a token that still runs."""
        tomorrow = today() + timedelta(days=1)
        path, _ = link(world, template="remplacant_infirmier", ends=str(tomorrow))
        accepted(world, path, login)
        midnight = datetime.combine(tomorrow, time(), PARIS)
        with time_machine.travel(midnight - timedelta(minutes=5), tick=False):
            headers = {"Authorization": f"Bearer {entered(world, login).json()['access_token']}"}
        seen = [_colleagues(world, headers, midnight + timedelta(seconds=n)) for n in (-1, 0)]
        assert (seen[0] > 0, seen[1]) == (True, 0)

    @pytest.mark.threat("token-membership-ended")
    def test_and_is_renewed_no_more(self, world: World, login: str):
        path, professional = link(world)
        accepted(world, path, login)
        refresh = entered(world, login).json()["refresh_token"]
        world.rows("UPDATE membership SET ends = $2 WHERE professional_id = $1", UUID(professional), today())
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        assert world.client.post("/oauth/token", data=form).status_code == 400


def _colleagues(world: World, headers: dict[str, str], at: datetime) -> int:
    """How many are seen in the directory: what any function, and nothing else, opens."""
    with time_machine.travel(at, tick=False):
        answer = world.client.get("/api/v1/professionals", headers=headers)
    assert answer.status_code == 200
    return len(answer.json()["items"])
