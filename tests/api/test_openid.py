"""Staff entering by an identity provider, through HTTP: a real one, in front of which anyone may stand."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
import time_machine

from app.access.models import Membership
from app.kernel.clock import now, today
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.security import accounts, identities, oidc, throttle
from app.security.outbound import Outbound
from tests.api.desk import APPLICATION, AUTHORIZE, BACK, COOKIE, HERE, READ, TOKEN, VERIFIER, Desk, opened
from tests.api.house import as_owner
from tests.security import keys
from tests.security.conftest import PASSWORD, House
from tests.security.provider import CLIENT, SECRET, Idp, query
from tests.world import World


def refused(desk: Desk, answer: Any, status: int = 400, words: str = "") -> None:
    """A page in French, nothing told back, no cookie to stay, and a line of nobody."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text
    assert words in answer.text
    assert "location" not in answer.headers
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    [line] = desk.world.traces(request_id=answer.headers["x-request-id"])
    assert (line["organisation_id"].int, line["action"], line["outcome"]) == (0, "login", "refused")


def denied(answer: Any, error: str = "invalid_grant") -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text


def forged(
    desk: Desk, header: dict[str, Any] | None = None, key: Any = None, alg: str | None = None, **claims: Any
) -> Any:
    """The answer to someone who comes back once the provider signed this instead."""

    def forge(good_header: dict[str, Any], good: dict[str, Any]) -> str:
        said = {name: value for name, value in (good | claims).items() if value is not None}
        top = {name: value for name, value in (good_header | (header or {})).items() if value is not None}
        return keys.token(top, said, key or desk.idp.key, alg)

    desk.idp.forge = forge
    return desk.back(desk.proved())


class TestEntering:
    def test_who_is_linked_works_as_by_password(self, desk: Desk, linked: House):
        told = desk.enter()
        assert (told.json()["role"], told.json()["membership"]) == ("educateur", str(linked.membership))
        assert told.headers["cache-control"] == "no-store"
        assert desk.reads(told) == 200

    def test_the_session_is_the_one_a_password_gives(self, desk: Desk, own: House):
        desk.enter()
        by_password = {"grant_type": "password", "username": own.login, "password": PASSWORD}
        desk.client.post(TOKEN, data=by_password)
        rows = desk.world.rows(
            """SELECT s.expires_at - s.created_at AS lasts, f.expires_at - s.created_at AS renewed, s.kind, s.door, s.amr
            FROM session s JOIN refresh_family f ON f.session_id = s.id WHERE account_id = $1 ORDER BY s.created_at""",
            own.account,
        )
        mine, other = (tuple(round(row[n].total_seconds(), -1) for n in ("lasts", "renewed")) for row in rows)
        assert mine == other == (900, 43200)
        assert [(row["kind"], row["door"], row["amr"]) for row in rows] == [
            ("staff", "api", ["oidc"]),
            ("staff", "api", ["pwd"]),
        ]

    def test_it_is_renewed_listed_and_ended_like_another(self, desk: Desk, own: House):
        told = desk.enter().json()
        form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
        fresh = desk.client.post(TOKEN, data=form)
        headers = {"Authorization": f"Bearer {fresh.json()['access_token']}"}
        [one] = desk.client.get("/api/v1/access/sessions", headers=headers).json()["items"]
        assert one["current"] is True
        desk.client.delete(f"/api/v1/access/sessions/{one['id']}", headers=headers)
        assert desk.reads(fresh) == 401

    def test_it_leaves_the_line_of_a_login_in_the_house(self, desk: Desk, linked: House):
        told = desk.enter()
        [line] = desk.world.traces(request_id=told.headers["x-request-id"])
        assert (line["organisation_id"], line["action"], line["principal_id"], line["outcome"]) == (
            linked.id,
            "login",
            linked.sonia,
            "success",
        )

    def test_the_application_gets_back_what_it_said(self, desk: Desk, linked: House):
        there = desk.back(desk.proved()).headers["location"]
        assert there.startswith(f"{APPLICATION}&")
        assert query(there)["state"] == "à l'application"
        assert set(query(there)) == {"ecran", "code", "state"}

    def test_an_application_may_say_nothing(self, desk: Desk, linked: House):
        address = desk.idp.visit(desk.away(state=None)).removeprefix(HERE)
        assert set(query(desk.back(address).headers["location"])) == {"ecran", "code"}

    def test_one_that_waits_on_this_machine_or_under_its_own_name_is_sent_back_to(self, desk: Desk, linked: House):
        mine = ("http://127.0.0.1:7000/fin", "fr.association.equipe:/fin")
        with opened(desk.world, desk.idp, oidc_applications=", ".join(mine)) as client:
            there = replace(desk, client=client)
            for application in mine:
                address = desk.idp.visit(there.away(redirect_uri=application)).removeprefix(HERE)
                assert there.back(address).headers["location"].startswith(f"{application}?code=")

    def test_the_provider_hears_what_it_must_and_no_more(self, desk: Desk):
        asked = query(desk.away())
        assert asked.pop("state")
        assert asked.pop("nonce")
        assert asked.pop("code_challenge") != oidc.challenge_of(VERIFIER)
        assert asked == {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": f"{HERE}{BACK}",
            "scope": "openid",
            "code_challenge_method": "S256",
            "acr_values": "eidas1",
        }

    def test_nothing_else_is_asked_of_the_provider(self, desk: Desk, linked: House):
        desk.idp.asked.clear()
        desk.enter()
        assert set(desk.idp.asked) <= {"/authorize", "/token", "/.well-known/openid-configuration", "/jwks"}

    def test_by_a_key_of_ours_instead_of_a_secret(self, desk: Desk, linked: House, tmp_path: Path):
        pem = tmp_path / "client.pem"
        pem.write_text(keys.private_pem(keys.rsa_key(2048, which=52)))
        desk.idp.client_key = keys.rsa_key(2048, which=52)
        try:
            with opened(desk.world, desk.idp, oidc_secret_file=None, oidc_private_key_file=pem) as client:
                assert replace(desk, client=client).enter().json()["role"] == "educateur"
        finally:
            desk.idp.client_key = None

    def test_an_address_of_authorization_may_have_a_query(self, desk: Desk, linked: House):
        desk.idp.metadata = {"authorization_endpoint": f"{desk.idp.origin}/authorize?kc_idp_hint=cps"}
        with opened(desk.world, desk.idp) as client:
            assert query(replace(desk, client=client).away())["kc_idp_hint"] == "cps"


class TestSeveralFunctions:
    @pytest.fixture
    def second(self, desk: Desk, own: House) -> UUID:
        id = uuid7()
        night = Membership(id=id, professional_id=own.sonia, role="veilleur", starts=today(), organisation_id=own.id)
        desk.world.add(night)
        return id

    def test_the_session_names_one_of_them(self, desk: Desk, own: House, second: UUID):
        code = desk.code()
        which = desk.redeem(code)
        denied(which, "invalid_request")
        assert {m["role"] for m in which.json()["memberships"]} == {"educateur", "veilleur"}
        assert desk.redeem(code, membership=str(second)).json()["role"] == "veilleur"

    @pytest.mark.threat("login-function-borrowed")
    def test_anothers_cannot_be_named(self, desk: Desk, own: House, second: UUID):
        [theirs] = desk.world.rows("SELECT id FROM membership WHERE professional_id = $1", desk.world.ids["marc"])
        denied(desk.redeem(desk.code(), membership=str(theirs["id"])), "invalid_request")


class TestWhoMayNot:
    @pytest.mark.threat("oidc-unlinked")
    def test_an_identity_that_nobody_linked(self, desk: Desk, house: House):
        refused(
            desk, desk.back(desk.proved()), 403, "Votre compte Pro Santé Connect n&#39;est relié à aucun compte ici"
        )

    @pytest.mark.threat("oidc-takeover-by-email")
    def test_one_that_bears_the_login_the_mail_the_name_or_the_number_of_a_colleague(self, desk: Desk, house: House):
        desk.world.rows("UPDATE professional SET rpps = '10000000012' WHERE id = $1", house.sonia)
        desk.world.rows(
            "UPDATE account SET login = $2 WHERE id = $1", house.account, mail := f"{uuid4()}@tilleuls.test"
        )
        desk.idp.user |= {
            "email": mail,
            "email_verified": True,
            "preferred_username": mail,
            "name": "Sonia Test",
            "SubjectNameID": "10000000012",
        }
        refused(desk, desk.back(desk.proved()), 403, "relié à aucun compte")

    @pytest.mark.threat("oidc-subject-of-another")
    @pytest.mark.parametrize("subject", ["upper", "other-issuer"])
    def test_one_that_looks_like_a_colleagues(self, desk: Desk, house: House, subject: str):
        if subject == "upper":
            desk.link(house.account, desk.idp.user["sub"].upper())
        else:
            kept = identities.kept(desk.world.keyring, "https://autre.test", desk.idp.user["sub"])
            desk.world.rows(
                "INSERT INTO account_credential (account_id, kind, secret, changed_at) VALUES ($1, 'oidc', $2, now())",
                house.account,
                kept,
            )
        refused(desk, desk.back(desk.proved()), 403, "relié à aucun compte")

    @pytest.mark.threat("token-account-disabled")
    def test_an_account_that_was_closed(self, desk: Desk, own: House):
        code = desk.code()
        desk.world.rows("UPDATE account SET disabled_at = now() WHERE id = $1", own.account)
        denied(desk.redeem(code))
        refused(desk, desk.back(desk.proved()), 403, "relié à aucun compte")

    @pytest.mark.threat("token-membership-ended")
    def test_someone_whose_functions_are_over(self, desk: Desk, own: House):
        code = desk.code()
        desk.world.rows("UPDATE membership SET ends = $2 WHERE id = $1", own.membership, today())
        denied(desk.redeem(code))
        refused(desk, desk.back(desk.proved()), 403, "pas de fonction en cours")

    @pytest.mark.threat("oidc-unlinked")
    def test_an_identity_unlinked_since(self, desk: Desk, own: House):
        told, code = desk.enter(), desk.code()

        async def unlink(owner: Database) -> None:
            async with owner.session(None) as session:
                await identities.unlink(session, own.account)
                await session.commit()

        as_owner(desk.world, unlink)
        denied(desk.redeem(code))
        assert desk.reads(told) == 401
        refused(desk, desk.back(desk.proved()), 403)


class TestTheIdToken:
    """Whatever is wrong with it, one answer."""

    @pytest.mark.threat("oidc-alg-none")
    @pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
    def test_without_a_signature(self, desk: Desk, linked: House, alg: str):
        def forge(header: dict[str, Any], claims: dict[str, Any]) -> str:
            return keys.token(header | {"alg": alg}, claims, None)

        desk.idp.forge = forge
        refused(desk, desk.back(desk.proved()))

    @pytest.mark.threat("oidc-hs256-secret")
    def test_signed_by_our_own_secret(self, desk: Desk, linked: House):
        refused(desk, forged(desk, {"alg": "HS256"}, SECRET.encode(), "HS256"))

    @pytest.mark.threat("oidc-hs256-secret")
    def test_signed_by_its_public_key_as_a_secret(self, desk: Desk, linked: House):
        refused(desk, forged(desk, {"alg": "HS256"}, keys.private_pem(desk.idp.key).encode(), "HS256"))

    @pytest.mark.threat("oidc-other-key")
    @pytest.mark.parametrize("header", [{}, {"kid": "another"}, {"kid": None}, {"kid": "enc"}])
    def test_signed_by_another_key(self, desk: Desk, linked: House, header: dict[str, Any]):
        refused(desk, forged(desk, header, keys.rsa_key(2048, which=51)))

    @pytest.mark.threat("oidc-other-key")
    @pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit"])
    def test_that_brings_its_own_key(self, desk: Desk, linked: House, name: str):
        refused(desk, forged(desk, {name: [f"{desk.idp.origin}/evil"]}))
        assert "/evil" not in desk.idp.asked

    @pytest.mark.threat("oidc-other-issuer")
    @pytest.mark.parametrize("issuer", ["https://autre.test", None, ["x"], "", "/"])
    def test_of_another_issuer(self, desk: Desk, linked: House, issuer: Any):
        refused(desk, forged(desk, iss=desk.idp.origin + "/" if issuer == "/" else issuer))

    @pytest.mark.threat("oidc-other-audience")
    @pytest.mark.parametrize("audience", ["another", None, [], [CLIENT, "another"], {CLIENT: 1}, HERE])
    def test_for_another_client(self, desk: Desk, linked: House, audience: Any):
        refused(desk, forged(desk, aud=audience))

    @pytest.mark.threat("oidc-other-audience")
    def test_given_to_another_client(self, desk: Desk, linked: House):
        refused(desk, forged(desk, azp="another"))

    @pytest.mark.threat("oidc-nonce")
    @pytest.mark.parametrize("nonce", ["of another login", None, "", 1])
    def test_of_another_login(self, desk: Desk, linked: House, nonce: Any):
        refused(desk, forged(desk, nonce=nonce))

    @pytest.mark.threat("oidc-expired")
    @pytest.mark.parametrize(
        "claims",
        [
            {"exp": time.time() - 60},
            {"exp": None},
            {"exp": str(time.time() + 60)},
            {"exp": 1e300},
            {"iat": None},
            {"iat": time.time() - 3600},
            {"iat": time.time() + 3600},
        ],
    )
    def test_of_another_time(self, desk: Desk, linked: House, claims: dict[str, Any]):
        refused(desk, forged(desk, **claims))

    @pytest.mark.threat("oidc-acr-below")
    @pytest.mark.parametrize("acr", ["eidas0", None, "", "EIDAS1", "eidas1 eidas2", ["eidas1"], 1])
    def test_of_a_level_that_is_not_accepted(self, desk: Desk, linked: House, acr: Any):
        refused(desk, forged(desk, acr=acr))

    @pytest.mark.threat("oidc-subject-of-another")
    @pytest.mark.parametrize("subject", [None, "", 12, ["x"], "x" * 256, "a\nb", "é"])
    def test_of_nobody(self, desk: Desk, linked: House, subject: Any):
        refused(desk, forged(desk, sub=subject))

    @pytest.mark.threat("oidc-other-kind")
    @pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "", 1])
    def test_that_is_another_kind_of_token(self, desk: Desk, linked: House, typ: Any):
        refused(desk, forged(desk, {"typ": typ}))

    @pytest.mark.threat("oidc-other-kind")
    def test_is_a_bearer_at_no_door(self, desk: Desk, linked: House):
        token = desk.idp.id_token("x")
        for path in (READ, "/api/v1/me/session", "/fhir/Patient"):
            assert desk.client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code in (401, 405)

    @pytest.mark.parametrize("typ", ["JWT", None])
    def test_may_leave_its_kind_out(self, desk: Desk, linked: House, typ: str | None):
        assert forged(desk, {"typ": typ}).status_code == 303

    def test_may_name_no_session(self, desk: Desk, linked: House):
        assert forged(desk, sid=None).status_code == 303

    @pytest.mark.threat("privacy-canary-login")
    def test_nothing_of_it_is_told_back(self, desk: Desk, house: House):
        desk.idp.user |= {"sub": "184127645108946", "name": "184127645108946"}
        answer = desk.back(desk.proved())
        refused(desk, answer, 403)
        assert "1841276" not in answer.text


class TestComingBack:
    @pytest.mark.threat("oidc-state-missing")
    @pytest.mark.parametrize("state", [None, "", "x", "é"])
    def test_without_the_state(self, desk: Desk, linked: House, state: str | None):
        said = query(desk.proved())
        changed = {"code": said["code"]} | ({"state": state} if state is not None else {})
        refused(desk, desk.back(f"{BACK}?{urlencode(changed)}"), words="Recommencez")
        assert desk.back(f"{BACK}?{urlencode(said)}").status_code == 303  # and the right one still serves

    @pytest.mark.threat("oidc-state-replayed")
    def test_twice(self, desk: Desk, linked: House):
        address = desk.proved()
        ticket = desk.client.cookies[COOKIE]
        assert desk.back(address).status_code == 303
        refused(desk, desk.back(address))
        desk.client.cookies.set(COOKIE, ticket, domain="dui.test")
        refused(desk, desk.back(address), words="déjà servi")

    @pytest.mark.threat("oidc-state-replayed")
    def test_with_another_code(self, desk: Desk, linked: House):
        address = desk.proved()
        ticket = desk.client.cookies[COOKIE]
        desk.back(address)
        desk.client.cookies.set(COOKIE, ticket, domain="dui.test")
        state = query(address)["state"]
        more = query(desk.proved())["code"]
        desk.client.cookies.set(COOKIE, ticket, domain="dui.test")
        refused(desk, desk.back(f"{BACK}?{urlencode({'state': state, 'code': more})}"), words="déjà servi")

    @pytest.mark.threat("oidc-state-replayed")
    def test_four_times_at_once(self, desk: Desk, linked: House):
        address = desk.proved()
        headers = {"cookie": f"{COOKIE}={desk.client.cookies[COOKIE]}"}
        desk.client.cookies.clear()
        with ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(
                    lambda _: desk.client.get(address, headers=headers, follow_redirects=False).status_code, range(4)
                )
            )
        assert sorted(answers) == [303, 400, 400, 400]

    @pytest.mark.threat("oidc-state-other-browser")
    def test_in_a_browser_that_never_left(self, desk: Desk, linked: House):
        address = desk.proved()
        desk.client.cookies.clear()
        refused(desk, desk.back(address))

    @pytest.mark.threat("oidc-state-other-browser", "session-fixation")
    def test_in_the_browser_of_someone_who_left_for_another_login(self, desk: Desk, linked: House):
        """The attacker's own way back, followed by the victim: they would work in the attacker's account."""
        address = desk.proved()
        desk.client.cookies.clear()
        desk.away()
        refused(desk, desk.back(address))

    @pytest.mark.threat("session-fixation")
    @pytest.mark.parametrize("name", ["dui-openid", "__Secure-dui-openid", "__host-dui-openid"])
    def test_with_a_cookie_that_a_neighbour_could_plant(self, desk: Desk, linked: House, name: str):
        address = desk.proved()
        ticket = desk.client.cookies[COOKIE]
        desk.client.cookies.clear()
        desk.client.cookies.set(name, ticket, domain="dui.test")
        refused(desk, desk.back(address))

    @pytest.mark.threat("session-fixation")
    def test_a_login_gives_a_session_of_its_own_whatever_was_shown(self, desk: Desk, own: House):
        before = desk.enter().json()
        headers = {"Authorization": f"Bearer {before['access_token']}"}
        address = desk.idp.visit(desk.away()).removeprefix(HERE)
        answer = desk.client.get(address, headers=headers, follow_redirects=False)
        after = desk.redeem(query(answer.headers["location"])["code"]).json()
        rows = desk.world.rows("SELECT 1 FROM session WHERE account_id = $1", own.account)
        assert len(rows) == 2
        assert before["refresh_token"] != after["refresh_token"]

    @pytest.mark.threat("oidc-ticket-forged")
    @pytest.mark.parametrize("ticket", ["", "x", "é", "A" * 400, "%00", "RDE" + "A" * 80])
    def test_with_a_cookie_made_up(self, desk: Desk, linked: House, ticket: str):
        address = desk.proved()
        desk.client.cookies.clear()
        headers = {"cookie": f"{COOKIE}={ticket}".encode()}
        refused(desk, desk.client.get(address, headers=headers, follow_redirects=False))

    @pytest.mark.threat("oidc-ticket-forged")
    def test_with_a_code_of_ours_as_cookie(self, desk: Desk, linked: House):
        code = desk.code()
        address = desk.proved()
        desk.client.cookies.clear()
        desk.client.cookies.set(COOKIE, code, domain="dui.test")
        refused(desk, desk.back(address))

    @pytest.mark.threat("oidc-state-replayed")
    def test_too_late(self, desk: Desk, linked: House):
        address, cookie = desk.proved(), f"{COOKIE}={desk.client.cookies[COOKIE]}"
        with time_machine.travel(now().timestamp() + 601, tick=False):
            refused(desk, desk.client.get(address, headers={"cookie": cookie}, follow_redirects=False))

    @pytest.mark.threat("oidc-mix-up")
    def test_from_another_provider(self, desk: Desk, linked: House):
        said = query(desk.proved()) | {"iss": "https://autre.test"}
        refused(desk, desk.back(f"{BACK}?{urlencode(said)}"))

    def test_from_one_that_does_not_say_who_it_is(self, desk: Desk, linked: House):
        said = query(desk.proved())
        del said["iss"]
        assert desk.back(f"{BACK}?{urlencode(said)}").status_code == 303

    def test_when_one_gave_up_there(self, desk: Desk, linked: House):
        said = {"state": query(desk.away())["state"], "error": "access_denied", "error_description": "<b>184127</b>"}
        answer = desk.back(f"{BACK}?{urlencode(said)}")
        refused(desk, answer, words="interrompue")
        assert "184127" not in answer.text

    @pytest.mark.threat("login-form-smuggled")
    def test_with_a_parameter_said_twice(self, desk: Desk, linked: House):
        address = desk.proved()
        refused(desk, desk.back(f"{address}&state=x"), words="deux fois")

    @pytest.mark.threat("oidc-ticket-forged")
    def test_another_instance_takes_over_and_remembers(self, desk: Desk, linked: House):
        """State is in no memory: it survives a restart, and serves once between workers."""
        address, ticket = desk.proved(), desk.client.cookies[COOKIE]
        with opened(desk.world, desk.idp) as client:
            client.cookies.set(COOKIE, ticket, domain="dui.test")
            assert client.get(address, follow_redirects=False).status_code == 303
        refused(desk, desk.back(address))

    def test_the_cookie_is_of_this_host_only_for_ten_minutes_and_leaves(self, desk: Desk, linked: House):
        answer = desk.ask()
        [said] = answer.headers.get_list("set-cookie")
        kept = {part.strip().lower() for part in said.split(";")[1:]}
        assert said.startswith(f"{COOKIE}=")
        assert kept == {"httponly", "max-age=600", "path=/", "samesite=lax", "secure"}
        desk.back(desk.idp.visit(answer.headers["location"]).removeprefix(HERE))
        assert COOKIE not in desk.client.cookies

    def test_in_the_demo_on_this_machine_it_needs_no_tls(self, desk: Desk, linked: House):
        """What `make run` allows for the page's own cookie."""
        here = {"host": "127.0.0.1:8000"}
        asked = f"{AUTHORIZE}?" + desk.ask().request.url.query.decode()
        answer = desk.client.get(asked, headers=here, follow_redirects=False)
        assert answer.headers["set-cookie"].startswith("dui-openid=")
        assert query(answer.headers["location"])["redirect_uri"] == f"http://127.0.0.1:8000{BACK}"

    def test_nowhere_else(self, desk: Desk):
        asked = f"{AUTHORIZE}?" + desk.ask().request.url.query.decode()
        answer = desk.client.get(asked, headers={"host": "dui.interne"}, follow_redirects=False)
        refused(desk, answer, words="ne garde rien de sûr")


class TestTheCodeOfTheProvider:
    @pytest.mark.threat("oidc-code-injected")
    @pytest.mark.parametrize("pkce", [True, False])
    def test_of_another_login_is_refused(self, desk: Desk, linked: House, pkce: bool):
        """By PKCE; by the nonce when the provider does not hold to PKCE."""
        desk.idp.holds_to_pkce = pkce
        stolen = query(desk.proved())["code"]
        mine = query(desk.proved()) | {"code": stolen}
        refused(desk, desk.back(f"{BACK}?{urlencode(mine)}"))

    @pytest.mark.threat("oidc-code-reused")
    def test_shown_again_is_refused(self, desk: Desk, linked: House):
        address = desk.proved()
        used = query(address)["code"]
        desk.back(address)
        again = query(desk.proved()) | {"code": used}
        refused(desk, desk.back(f"{BACK}?{urlencode(again)}"))

    @pytest.mark.threat("oidc-code-injected")
    @pytest.mark.parametrize("code", ["", "x", "&grant_type=password", "é\x00"])
    def test_made_up_is_refused(self, desk: Desk, linked: House, code: str):
        said = query(desk.proved()) | {"code": code}
        refused(desk, desk.back(f"{BACK}?{urlencode(said)}"))

    @pytest.mark.threat("oidc-provider-hammered")
    def test_many_that_fail_wait_and_others_still_enter(
        self, desk: Desk, linked: House, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("app.api.oauth.openid.FREE_PER_ADDRESS", 1)

        def took(code: str | None) -> tuple[int, float]:
            address = desk.proved()
            said = query(address) | ({"code": code} if code else {})
            began = time.perf_counter()
            status = desk.back(f"{BACK}?{urlencode(said)}").status_code
            return status, time.perf_counter() - began

        quick, slow, slower = took("x"), took("x"), took("x")
        assert (quick[0], slow[0], slower[0]) == (400, 400, 400)
        assert (slow[1] >= throttle.STEP, slower[1] >= 2 * throttle.STEP) == (True, True)
        right = took(None)
        assert (right[0], right[1] < 2 * throttle.STEP) == (303, True)


class TestOurCode:
    @pytest.mark.threat("oidc-handed-code-stolen")
    @pytest.mark.parametrize(
        "changes",
        [
            {"code_verifier": "un autre"},
            {"code_verifier": oidc.challenge_of(VERIFIER)},
            {"redirect_uri": "https://equipe.test/retour"},
        ],
    )
    def test_is_of_no_use_to_another(self, desk: Desk, linked: House, changes: dict[str, str]):
        code = desk.code()
        denied(desk.redeem(code, **changes))
        assert desk.redeem(code).status_code == 200

    @pytest.mark.threat("oidc-handed-code-stolen")
    @pytest.mark.parametrize("missing", ["code", "code_verifier", "redirect_uri"])
    def test_needs_its_whole_proof(self, desk: Desk, linked: House, missing: str):
        denied(desk.redeem(desk.code(), **{missing: ""}), "invalid_request")

    @pytest.mark.threat("oidc-handed-code-reused")
    @pytest.mark.parametrize("again", ["{}", "{}=", "{}\u00e9", " {}", "{}=="])
    def test_serves_once_however_it_is_written(self, desk: Desk, linked: House, again: str):
        code = desk.code()
        assert desk.redeem(code).status_code == 200
        denied(desk.redeem(again.format(code)))

    @pytest.mark.threat("oidc-handed-code-reused")
    def test_four_at_once_open_one_session(self, desk: Desk, own: House):
        code = desk.code()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: desk.redeem(code).status_code, range(4)))
        assert sorted(answers) == [200, 400, 400, 400]
        assert len(desk.world.rows("SELECT 1 FROM session WHERE account_id = $1", own.account)) == 1

    @pytest.mark.threat("oidc-handed-code-reused")
    def test_is_over_in_a_minute(self, desk: Desk, linked: House):
        code = desk.code()
        with time_machine.travel(now().timestamp() + 61, tick=False):
            denied(desk.redeem(code))

    @pytest.mark.threat("oidc-ticket-forged")
    @pytest.mark.parametrize("code", ["x", "A" * 400, "é"])
    def test_made_up_opens_nothing(self, desk: Desk, code: str):
        answer = desk.redeem(code)
        denied(answer)
        [line] = desk.world.traces(request_id=answer.headers["x-request-id"])
        assert (line["organisation_id"].int, line["action"], line["outcome"]) == (0, "login", "refused")

    @pytest.mark.threat("oidc-ticket-forged")
    def test_is_not_what_the_browser_carried(self, desk: Desk, linked: House):
        desk.away()
        denied(desk.redeem(desk.client.cookies[COOKIE]))


class TestWhereItGoes:
    @pytest.mark.threat("login-open-redirect")
    @pytest.mark.parametrize(
        "there",
        [
            None,
            "",
            "https://evil.test/retour",
            "//evil.test",
            "javascript:alert(1)",
            APPLICATION + "/",
            APPLICATION + "#x",
            APPLICATION.upper(),
            APPLICATION.replace("https", "http"),
            APPLICATION.replace("equipe.test", "equipe.test@evil.test"),
            HERE,
            "/retour",
        ],
    )
    def test_to_an_application_of_the_house_only(self, desk: Desk, there: str | None):
        refused(desk, desk.ask(redirect_uri=there), words="pas connue de ce serveur")

    @pytest.mark.threat("search-forged-host")
    def test_back_to_an_origin_of_ours_whatever_host_is_said(self, desk: Desk):
        asked = f"{AUTHORIZE}?" + desk.ask().request.url.query.decode()
        answer = desk.client.get(asked, headers={"host": "evil.test"}, follow_redirects=False)
        assert (answer.status_code, "location" in answer.headers) == (400, False)

    @pytest.mark.threat("oidc-weak-request")
    @pytest.mark.parametrize(
        "changes",
        [
            {"response_type": "token"},
            {"response_type": None},
            {"code_challenge_method": "plain"},
            {"code_challenge_method": None},
            {"code_challenge": None},
            {"code_challenge": VERIFIER},
            {"state": "x" * 501},
        ],
    )
    def test_never_by_a_weaker_way(self, desk: Desk, changes: dict[str, str | None]):
        refused(desk, desk.ask(**changes))


class TestTheProvider:
    @pytest.mark.threat("oidc-metadata-lies")
    @pytest.mark.parametrize(
        "metadata",
        [
            {"issuer": "https://autre.test"},
            {"authorization_endpoint": "http://localhost/authorize"},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"token_endpoint": "http://localhost/token"},
            {"jwks_uri": None},
            {"jwks_uri": "https://localhost:1/jwks"},
        ],
    )
    def test_that_lies_about_itself_is_gone_to_by_nobody(self, desk: Desk, metadata: dict[str, Any]):
        desk.idp.metadata = metadata
        with opened(desk.world, desk.idp) as client:
            answer = replace(desk, client=client).ask()
        refused(desk, answer, 503, "ne répond pas")
        assert answer.headers["retry-after"] == "2"

    @pytest.mark.threat("outbound-private-address")
    def test_on_our_own_network_is_never_reached(self, desk: Desk):
        desk.idp.asked.clear()
        with opened(desk.world, desk.idp) as client:
            client.app.state.outbound = Outbound(tls=desk.idp.tls)  # type: ignore[attr-defined]
            refused(desk, replace(desk, client=client).ask(), 503)
        assert desk.idp.asked == []

    @pytest.mark.threat("oidc-provider-hammered")
    def test_that_does_not_answer_is_left_alone_a_while(self, desk: Desk):
        desk.idp.metadata = {"issuer": "https://autre.test"}
        with opened(desk.world, desk.idp) as client:
            there = replace(desk, client=client)
            there.ask()
            desk.idp.asked.clear()
            refused(desk, there.ask(), 503)
            assert desk.idp.asked == []
            desk.idp.metadata = {}
            with time_machine.travel(now().timestamp() + 11, tick=False):
                assert there.ask().status_code == 303

    def test_is_read_again_each_hour_and_not_at_each_login(self, desk: Desk):
        with opened(desk.world, desk.idp) as client:
            there, known = replace(desk, client=client), "/.well-known/openid-configuration"
            desk.idp.asked.clear()
            there.ask()
            there.ask()
            assert desk.idp.asked.count(known) == 1
            with time_machine.travel(now().timestamp() + 3601, tick=False):
                there.ask()
            assert desk.idp.asked.count(known) == 2

    @pytest.mark.threat("oidc-provider-hammered")
    def test_keys_are_read_again_for_an_unknown_one_once_a_minute(self, desk: Desk, linked: House):
        with opened(desk.world, desk.idp) as client:
            there = replace(desk, client=client)
            there.ask()
            desk.idp.asked.clear()
            with time_machine.travel(now().timestamp() + 61, tick=False):
                for _ in range(3):
                    client.post("/oauth/openid/logout", data={"logout_token": desk.idp.sign({}, kid="unknown")})
            assert desk.idp.asked.count("/jwks") == 1

    def test_a_new_key_serves_without_a_restart(self, desk: Desk, linked: House, monkeypatch: pytest.MonkeyPatch):
        with opened(desk.world, desk.idp) as client:
            there = replace(desk, client=client)
            there.enter()
            fresh = keys.public_jwk(keys.ec_key("P-256", which=53), "idp-2")
            monkeypatch.setattr(Idp, "jwk", lambda _: fresh)
            desk.idp.forge = lambda _, claims: keys.token(
                {"alg": "ES256", "kid": "idp-2"}, claims, keys.ec_key("P-256", which=53)
            )
            with time_machine.travel(now().timestamp() + 61, tick=True):
                assert there.enter().status_code == 200


class TestAnInvitation:
    def link(self, desk: Desk) -> tuple[str, UUID]:
        who = {"given_name": "Nadia", "family_name": "Roche", "template": "infirmier"}
        body = {"structure_ids": [str(desk.world.ids["ehpad"])], **who}
        told = desk.world.post("helene", "/api/v1/professionals/invitations", body).json()
        return "/invitation/" + told["link"].rpartition("/")[2], UUID(told["professional_id"])

    def accept(self, desk: Desk, path: str) -> Any:
        away = desk.client.get(f"{path}/openid", follow_redirects=False)
        assert away.status_code == 303, away.text
        return desk.back(desk.idp.visit(away.headers["location"]).removeprefix(HERE))

    def test_its_page_offers_the_provider(self, desk: Desk):
        path, _ = self.link(desk)
        assert f'href="{path}/openid">Entrer avec Pro Santé Connect' in desk.client.get(path).text
        assert "Pro Santé Connect" not in desk.world.client.get(path).text

    def test_opens_an_account_without_a_password_linked_from_then_on(self, desk: Desk):
        path, professional = self.link(desk)
        answer = self.accept(desk, path)
        assert (answer.status_code, "Votre compte est prêt" in answer.text) == (200, True)
        assert desk.enter().json()["role"] == "infirmier"
        [row] = desk.world.rows(
            """SELECT a.id, a.login, array_agg(c.kind) AS kinds FROM professional p JOIN account a ON a.id = p.account_id
            JOIN account_credential c ON c.account_id = a.id WHERE p.id = $1 GROUP BY a.id""",
            professional,
        )
        assert (row["kinds"], row["login"].startswith("nadia-roche-")) == (["oidc"], True)
        [line] = desk.world.traces(request_id=answer.headers["x-request-id"])
        assert (line["organisation_id"], line["action"]) == (desk.world.organisation, "accept_invitation")

    @pytest.mark.threat("login-enumeration")
    def test_that_account_has_no_password_to_guess(self, desk: Desk):
        path, professional = self.link(desk)
        self.accept(desk, path)
        [row] = desk.world.rows(
            "SELECT login FROM professional p JOIN account a ON a.id = p.account_id WHERE p.id = $1", professional
        )
        for password in ("", " ", "None"):
            form = {"grant_type": "password", "username": row["login"], "password": password}
            assert desk.client.post(TOKEN, data=form).status_code == 400

    def test_brings_an_account_linked_already(self, desk: Desk, own: House):
        path, _ = self.link(desk)
        assert self.accept(desk, path).status_code == 200
        roles = {m["role"] for m in desk.redeem(desk.code()).json()["memberships"]}
        assert roles == {"educateur", "infirmier"}

    @pytest.mark.threat("invitation-replayed")
    def test_serves_once(self, desk: Desk):
        path, _ = self.link(desk)
        self.accept(desk, path)
        desk.idp.user["sub"] = str(uuid4())
        again = desk.client.get(f"{path}/openid", follow_redirects=False)
        assert (again.status_code, "ne sert plus" in again.text) == (400, True)

    @pytest.mark.threat("invitation-replayed")
    def test_taken_back_while_one_was_away_opens_nothing(self, desk: Desk):
        path, professional = self.link(desk)
        away = desk.client.get(f"{path}/openid", follow_redirects=False).headers["location"]
        desk.world.rows("UPDATE invitation SET revoked_at = now() WHERE professional_id = $1", professional)
        accounts_before = len(desk.world.rows("SELECT 1 FROM account"))
        refused(desk, desk.back(desk.idp.visit(away).removeprefix(HERE)), words="ne sert plus")
        assert len(desk.world.rows("SELECT 1 FROM account")) == accounts_before

    @pytest.mark.threat("oidc-subject-of-another")
    def test_an_identity_whose_account_was_closed_opens_no_second_one(self, desk: Desk, own: House):
        desk.world.rows("UPDATE account SET disabled_at = now() WHERE id = $1", own.account)
        path, _ = self.link(desk)
        refused(desk, self.accept(desk, path), 409, "déjà reliée")

    @pytest.mark.threat("invitation-takes-account")
    def test_a_login_is_drawn_and_nobodys(self, desk: Desk):
        drawn = {accounts.drawn_login("Nadia  Roche <b>\n") for _ in range(3)}
        assert len(drawn) == 3
        assert all(login.startswith("nadia--roche--b-") and login.isprintable() for login in drawn)

    def test_without_a_provider_there_is_no_such_way(self, desk: Desk):
        path, _ = self.link(desk)
        assert desk.world.client.get(f"{path}/openid").status_code == 404


class TestOff:
    """The server of all the other tests: no provider is configured."""

    def test_its_routes_are_unknown(self, world: World):
        for answer in (
            world.client.get(AUTHORIZE),
            world.client.get(BACK),
            world.client.post("/oauth/openid/logout", data={"logout_token": "x"}),
        ):
            told = answer.json()
            unknown = world.client.get("/oauth/nothing").json()
            assert (answer.status_code, told | {"request_id": ""}) == (404, unknown | {"request_id": ""})

    @pytest.mark.threat("login-other-grant")
    def test_its_grant_is_unknown(self, world: World):
        answer = world.client.post(TOKEN, data={"grant_type": "authorization_code", "code": "x"})
        denied(answer, "unsupported_grant_type")
        assert "authorization_code" not in answer.json()["error_description"]
