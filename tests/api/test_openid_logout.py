"""The provider tells, from its server to ours, that it ended a session: what it opened here ends. Nobody else can."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.api.desk import TOKEN, Desk
from tests.security import keys
from tests.security.conftest import PASSWORD, House
from tests.security.provider import CLIENT, SECRET, Idp

LOGOUT, EVENT = "/oauth/openid/logout", "http://schemas.openid.net/event/backchannel-logout"


def said(desk: Desk, token: str) -> Any:
    return desk.client.post(LOGOUT, data={"logout_token": token})


def refused(desk: Desk, answer: Any, told: Any, status: int = 400) -> None:
    """Refused in OAuth's words, traced as nobody's, and who was in stays in."""
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    [line] = desk.world.traces(request_id=answer.headers["x-request-id"])
    assert (line["organisation_id"].int, line["action"], line["outcome"]) == (0, "logout", "refused")
    assert desk.reads(told) == 200


class TestAnEnd:
    @pytest.mark.parametrize("named", [{"sub": None}, {"sid": None}, {}])
    def test_closes_what_that_session_opened(self, desk: Desk, linked: House, named: dict[str, None]):
        told = desk.enter()
        answer = said(desk, desk.idp.logout_token(**named))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert desk.reads(told) == 401
        form = {"grant_type": "refresh_token", "refresh_token": told.json()["refresh_token"]}
        assert desk.client.post(TOKEN, data=form).status_code == 400

    def test_leaves_a_line_in_the_house(self, desk: Desk, own: House):
        told = desk.enter()
        said(desk, desk.idp.logout_token())
        [session] = desk.world.rows("SELECT id FROM session WHERE account_id = $1", own.account)
        [line] = desk.world.traces(organisation_id=own.id, action="logout")
        assert (line["kind"], line["entry_ids"], line["principal_kind"]) == ("session", [session["id"]], "system")
        assert desk.reads(told) == 401

    def test_of_one_session_leaves_the_others(self, desk: Desk, linked: House):
        first = desk.enter()
        token = desk.idp.logout_token()
        desk.idp.user["sid"] = str(uuid4())
        other = desk.enter()
        said(desk, token)
        assert (desk.reads(first), desk.reads(other)) == (401, 200)

    def test_of_the_person_closes_all_the_provider_opened_and_not_what_a_password_did(self, desk: Desk, linked: House):
        form = {"grant_type": "password", "username": linked.login, "password": PASSWORD}
        by_password = desk.client.post(TOKEN, data=form)
        first = desk.enter()
        desk.idp.user["sid"] = str(uuid4())
        second = desk.enter()
        said(desk, desk.idp.logout_token(sid=None))
        assert (desk.reads(first), desk.reads(second), desk.reads(by_password)) == (401, 401, 200)

    def test_of_nobody_here_is_heard_all_the_same(self, desk: Desk, linked: House):
        told = desk.enter()
        assert said(desk, desk.idp.logout_token(sub=str(uuid4()), sid=None)).status_code == 200
        assert desk.reads(told) == 200

    def test_may_come_under_the_older_name(self, desk: Desk, linked: House):
        desk.idp.forge = lambda header, claims: keys.token(header | {"typ": "JWT"}, claims, desk.idp.key)
        assert said(desk, desk.idp.logout_token()).status_code == 200


class TestACodeOnItsWay:
    @pytest.mark.threat("oidc-handed-code-after-logout")
    @pytest.mark.parametrize("named", [{"sub": None}, {"sid": None}, {}])
    def test_opens_nothing_more(self, desk: Desk, linked: House, named: dict[str, None]):
        code = desk.code()
        assert said(desk, desk.idp.logout_token(**named)).status_code == 200
        answer = desk.redeem(code)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    @pytest.mark.threat("oidc-handed-code-after-logout")
    def test_nor_when_the_end_was_told_twice(self, desk: Desk, linked: House):
        said(desk, desk.idp.logout_token(sid=None))
        code = desk.code()
        said(desk, desk.idp.logout_token(sid=None))
        assert desk.redeem(code).status_code == 400

    def test_of_another_session_or_of_somebody_else_serves(self, desk: Desk, linked: House):
        for other in ({"sid": str(uuid4())}, {"sid": str(uuid4()), "sub": None}, {"sid": None, "sub": str(uuid4())}):
            code = desk.code()
            assert said(desk, desk.idp.logout_token(**other)).status_code == 200
            assert desk.redeem(code).status_code == 200

    def test_given_since_serves(self, desk: Desk, linked: House):
        said(desk, desk.idp.logout_token(sid=None))
        assert desk.redeem(desk.code()).status_code == 200

    @pytest.mark.threat("oidc-handed-code-after-logout")
    @pytest.mark.parametrize("_", range(5))
    def test_used_at_the_same_moment_nobody_stays_in(self, desk: Desk, linked: House, _: int):
        code, token = desk.code(), desk.idp.logout_token()
        with ThreadPoolExecutor(2) as pool:
            ended, opened = pool.submit(said, desk, token), pool.submit(desk.redeem, code)
        assert ended.result().status_code == 200
        assert opened.result().status_code == 400 or desk.reads(opened.result()) == 401


class TestForged:
    @pytest.mark.threat("oidc-logout-forged")
    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://autre.test"},
            {"aud": "another"},
            {"aud": [CLIENT, "another"]},
            {"nonce": "n"},
            {"nonce": ""},
            {"events": None},
            {"events": {}},
            {"events": {EVENT: None}},
            {"events": [EVENT]},
            {"events": {"http://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}},
            {"sub": None, "sid": None},
            {"sub": 12},
            {"sid": ""},
            {"jti": None},
            {"jti": ""},
            {"exp": None},
            {"exp": time.time() - 60},
            {"exp": time.time() + 10 * 24 * 3600},
            {"iat": None},
            {"iat": time.time() - 3600},
        ],
    )
    def test_by_what_it_says(self, desk: Desk, linked: House, claims: dict[str, Any]):
        told = desk.enter()
        refused(desk, said(desk, desk.idp.logout_token(**claims)), told)

    @pytest.mark.threat("oidc-logout-forged")
    @pytest.mark.parametrize("how", ["none", "secret", "other key", "other typ", "unknown key"])
    def test_by_how_it_is_signed(self, desk: Desk, linked: House, how: str):
        told = desk.enter()
        desk.idp.forge = {
            "none": lambda header, claims: keys.token(header | {"alg": "none"}, claims, None),
            "secret": lambda header, claims: keys.token(header | {"alg": "HS256"}, claims, SECRET.encode()),
            "other key": lambda header, claims: keys.token(header, claims, keys.rsa_key(2048, which=51)),
            "other typ": lambda header, claims: keys.token(header | {"typ": "at+jwt"}, claims, desk.idp.key),
            "unknown key": lambda header, claims: keys.token(header | {"kid": "x"}, claims, keys.rsa_key(2048, 51)),
        }[how]
        refused(desk, said(desk, desk.idp.logout_token()), told)

    @pytest.mark.threat("oidc-other-kind")
    def test_by_an_id_token(self, desk: Desk, linked: House):
        told = desk.enter()
        refused(desk, said(desk, desk.idp.id_token("n")), told)

    @pytest.mark.threat("oidc-other-kind")
    def test_by_our_own_access_token(self, desk: Desk, linked: House):
        told = desk.enter()
        refused(desk, said(desk, told.json()["access_token"]), told)

    @pytest.mark.threat("oidc-logout-forged")
    @pytest.mark.parametrize("form", [{}, {"logout_token": ""}, {"logout_token": "x"}, {"logout_token": "a.b.c"}])
    def test_by_nothing(self, desk: Desk, linked: House, form: dict[str, str]):
        told = desk.enter()
        refused(desk, desk.client.post(LOGOUT, data=form or {"x": "y"}), told)

    @pytest.mark.threat("oidc-logout-replayed")
    def test_by_one_that_served(self, desk: Desk, linked: House):
        token = desk.idp.logout_token()
        assert said(desk, token).status_code == 200
        told = desk.enter()  # in again, in the same session of the provider
        refused(desk, said(desk, token), told)

    @pytest.mark.threat("oidc-logout-replayed")
    def test_four_at_once_are_heard_once(self, desk: Desk, linked: House):
        token = desk.idp.logout_token()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: said(desk, token).status_code, range(4)))
        assert sorted(answers) == [200, 400, 400, 400]


def test_the_provider_of_these_tests_signs_for_true(provider: Idp):
    """Else each refusal above would be for another reason."""
    assert provider.logout_token().count(".") == 2
