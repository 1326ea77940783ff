"""The token endpoint, through HTTP: what each kind of caller is given, and everything it is not."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.models import Membership
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.security import access_cards, accounts, jose, throttle
from app.security.outbound import Outbound
from tests.api.house import as_owner
from tests.security import keys
from tests.security.conftest import PASSWORD, House
from tests.security.publisher import Publisher, publishing
from tests.world import ORIGIN, World

TOKEN, REVOKE, INTROSPECT, MINE = "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/api/v1/me/session"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
READ = "/api/v1/transmissions"


def ask(world: World, **form: str) -> Any:
    return world.client.post(TOKEN, data=form)


def login(world: World, house: House, **form: str) -> Any:
    return ask(world, **{"grant_type": "password", "username": house.login, "password": PASSWORD} | form)


def proof(house: House, key: Any = None, **claims: object) -> str:
    said = {"iss": house.client_id, "sub": house.client_id, "aud": ORIGIN + TOKEN} | claims
    return keys.assertion(key or keys.ec_key(), **said)


def partner(world: World, house: House, assertion: str | None = None, **form: str) -> Any:
    said = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion or proof(house),
    }
    return ask(world, **said | form)


def refused(answer: Any, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"


def bearer(answer: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def traced(world: World, answer: Any) -> tuple[str, str, str]:
    [line] = world.traces(request_id=answer.headers["x-request-id"])
    return str(line["action"]), str(line["principal_kind"]), str(line["outcome"])


def given(world: World, house: House, contact: UUID | None = None) -> tuple[str, str]:
    async def act(owner: Database) -> tuple[str, str]:
        async with owner.session(house.id) as session:
            card = await access_cards.give(session, world.keyring, house.id, house.jeanne, contact)
            await session.commit()
        return card

    return as_owner(world, act)


class TestStaff:
    def test_get_a_token_that_opens_their_door(self, world: World, house: House):
        answer = login(world, house)
        assert answer.status_code == 200
        told = answer.json()
        assert (told["token_type"], told["role"], told["membership"]) == ("Bearer", "educateur", str(house.membership))
        assert 890 < told["expires_in"] <= 900
        assert answer.headers["cache-control"] == "no-store"
        assert world.client.get(READ, headers=bearer(answer)).status_code == 200

    def test_opening_leaves_a_line(self, world: World, house: House):
        assert traced(world, login(world, house)) == ("login", "professional", "success")

    @pytest.mark.threat("login-enumeration")
    def test_a_wrong_password_is_told_like_an_unknown_login(self, world: World, house: House):
        wrong = login(world, house, password="pas celui-là du tout")
        unknown = login(world, house, username=f"nobody-{uuid4().hex}")
        refused(wrong, 400, "invalid_grant")
        assert wrong.json() == unknown.json()

    @pytest.mark.threat("trail-login-untraced")
    def test_a_failed_login_leaves_a_line_of_nobody(self, world: World, house: House):
        answer = login(world, house, password="pas celui-là du tout")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["organisation_id"].int, line["principal_kind"], line["outcome"]) == (0, "unknown", "refused")
        assert house.login not in str(dict(line))

    @pytest.mark.threat("login-guessing")
    def test_after_five_wrong_tries_even_the_right_one_waits(self, world: World, house: House):
        for _ in range(5):
            login(world, house, password="pas celui-là du tout")
        answer = login(world, house)
        refused(answer, 429, "temporarily_unavailable")
        assert answer.headers["retry-after"] == "900"
        assert answer.json()["error_description"] == throttle.TOO_MANY

    def test_with_two_functions_choose_one(self, world: World, house: House):
        second = uuid7()
        row = Membership(
            organisation_id=house.id,
            id=second,
            professional_id=house.sonia,
            role="coordinateur",
            starts=date(2020, 1, 1),
        )
        world.add(row)
        answer = login(world, house)
        refused(answer, 400, "invalid_request")
        assert {(m["membership"], m["role"]) for m in answer.json()["memberships"]} == {
            (str(house.membership), "educateur"),
            (str(second), "coordinateur"),
        }
        assert login(world, house, membership=str(second)).json()["role"] == "coordinateur"

    @pytest.mark.threat("login-function-borrowed")
    def test_another_s_function_cannot_be_chosen(self, world: World, house: House):
        refused(login(world, house, membership=str(world.ids["marc_membership"])), 400, "invalid_request")

    @pytest.mark.threat("login-function-borrowed")
    def test_without_a_running_function_nobody_enters(self, world: World, house: House):
        world.rows("UPDATE membership SET ends = '2020-01-02' WHERE id = $1", house.membership)
        refused(login(world, house), 400, "invalid_grant")

    def test_renew_without_the_password(self, world: World, house: House):
        first = login(world, house).json()
        second = ask(world, grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert second.status_code == 200
        assert second.json()["refresh_token"] != first["refresh_token"]
        assert world.client.get(READ, headers=bearer(second)).status_code == 200

    @pytest.mark.threat("token-refresh-reused")
    def test_a_refresh_token_shown_again_ends_everything(self, world: World, house: House):
        first = login(world, house)
        given = first.json()["refresh_token"]
        second = ask(world, grant_type="refresh_token", refresh_token=given)
        refused(ask(world, grant_type="refresh_token", refresh_token=given), 400, "invalid_grant")
        refused(
            ask(world, grant_type="refresh_token", refresh_token=second.json()["refresh_token"]), 400, "invalid_grant"
        )
        for answer in (first, second):
            assert world.client.get(READ, headers=bearer(answer)).status_code == 401

    @pytest.mark.threat("token-refresh-as-access")
    def test_a_refresh_token_is_no_bearer(self, world: World, house: House):
        given = login(world, house).json()["refresh_token"]
        assert world.client.get(READ, headers={"Authorization": f"Bearer {given}"}).status_code == 401

    @pytest.mark.threat("token-given-back-reused")
    @pytest.mark.parametrize("which", ["access_token", "refresh_token"])
    def test_giving_a_token_back_ends_the_session_at_once(self, world: World, house: House, which: str):
        answer = login(world, house)
        assert world.client.get(READ, headers=bearer(answer)).status_code == 200
        given = world.client.post(REVOKE, data={"token": answer.json()[which]})
        assert (given.status_code, given.content) == (200, b"")
        assert world.client.get(READ, headers=bearer(answer)).status_code == 401

    @pytest.mark.threat("trail-security-act-untraced")
    @pytest.mark.parametrize("which", ["access_token", "refresh_token"])
    def test_giving_back_leaves_the_line_of_who_held_it(self, world: World, house: House, which: str):
        held = login(world, house).json()[which]
        answer = world.client.post(REVOKE, data={"token": held})
        [session] = world.rows("SELECT id FROM session WHERE account_id = $1", house.account)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["organisation_id"], line["action"], line["entry_ids"]) == (
            house.id,
            "end_session",
            [session["id"]],
        )
        assert (line["principal_id"], line["role"]) == (house.sonia, "educateur")

    @pytest.mark.threat("trail-security-act-untraced")
    def test_what_gives_nothing_back_is_a_line_of_nobody(self, world: World):
        answer = world.client.post(REVOKE, data={"token": "nothing of ours"})
        assert traced(world, answer) == ("end_session", "unknown", "refused")

    @pytest.mark.threat("trail-security-act-untraced", "token-refresh-reused")
    def test_what_a_token_shown_again_ends_is_a_line_of_the_house_by_nobody_known(self, world: World, house: House):
        given = login(world, house).json()["refresh_token"]
        for _ in range(2):
            answer = ask(world, grant_type="refresh_token", refresh_token=given)
        [line] = world.traces(request_id=answer.headers["x-request-id"], organisation_id=house.id)
        assert (line["action"], line["principal_kind"], line["outcome"]) == ("end_session", "unknown", "success")

    @pytest.mark.threat("token-account-disabled")
    def test_a_disabled_account_is_out_at_the_next_request(self, world: World, house: House):
        answer = login(world, house)
        assert world.client.get(READ, headers=bearer(answer)).status_code == 200

        async def act(owner: Database) -> None:
            async with owner.session(None) as session:
                await accounts.disable(session, house.account)
                await session.commit()

        as_owner(world, act)
        assert world.client.get(READ, headers=bearer(answer)).status_code == 401
        refused(login(world, house), 400, "invalid_grant")

    @pytest.mark.threat("login-form-other-type")
    @pytest.mark.parametrize("given", ["", "nothing of ours"])
    def test_a_form_of_another_kind_gives_nothing_back(self, world: World, given: str):
        refused(world.client.post(REVOKE, json={"token": given}), 415, "invalid_request")


class TestPartners:
    def test_get_what_they_asked_of_what_they_were_given(self, world: World, house: House):
        answer = partner(world, house, scope="system/CarePlan.rs system/Goal.read")
        assert answer.status_code == 200
        told = answer.json()
        assert (told["token_type"], told["scope"]) == ("Bearer", "system/CarePlan.rs system/Goal.rs")
        assert 0 < told["expires_in"] <= 300
        assert "refresh_token" not in told

    def test_without_asking_get_all_they_were_given(self, world: World, house: House):
        assert partner(world, house).json()["scope"] == "system/*.cruds"

    def test_opening_leaves_a_line(self, world: World, house: House):
        assert traced(world, partner(world, house)) == ("login", "partner", "success")

    @pytest.mark.threat("partner-scope-unreadable")
    @pytest.mark.parametrize(
        "scope",
        ["", "user/*.rs", "system/Goal.sr", "openid", "x" * 5000, "system/Goals.r", "system/Goal.r system/Foo.r"],
    )
    def test_a_right_nobody_can_read_is_refused(self, world: World, house: House, scope: str):
        refused(partner(world, house, scope=scope), 400, "invalid_scope")

    def test_a_token_is_for_the_default_structure(self, world: World, house: House):
        claims = jose.read_access(world.keyring, partner(world, house).json()["access_token"], ORIGIN)
        assert claims["str"] == str(house.ime)

    def test_or_for_another_that_accepted_it(self, world: World, house: House):
        told = partner(world, house, structure=str(house.ehpad).upper()).json()
        assert jose.read_access(world.keyring, told["access_token"], ORIGIN)["str"] == str(house.ehpad)

    @pytest.mark.threat("partner-structure-borrowed")
    @pytest.mark.parametrize("structure", ["x", "", "00000000-0000-7000-8000-000000000001"])
    def test_but_not_for_one_that_did_not(self, world: World, house: House, structure: str):
        refused(partner(world, house, structure=structure), 400, "invalid_request")

    @pytest.mark.threat("partner-assertion-replay")
    def test_a_proof_is_good_once(self, world: World, house: House):
        said = proof(house)
        assert partner(world, house, said).status_code == 200
        again = partner(world, house, said)
        refused(again, 401, "invalid_client")
        assert traced(world, again) == ("login", "unknown", "refused")

    @pytest.mark.threat("partner-enumeration")
    def test_an_unknown_client_is_told_like_a_forged_proof(self, world: World, house: House):
        unknown = partner(world, house, proof(house, iss="nobody", sub="nobody"))
        forged = partner(world, house, proof(house, key=keys.ec_key(which=8)))
        refused(unknown, 401, "invalid_client")
        assert unknown.json() == forged.json()

    @pytest.mark.threat("partner-other-audience")
    def test_a_proof_for_another_server_is_refused(self, world: World, house: House):
        refused(partner(world, house, proof(house, aud="https://other.test/oauth/token")), 401, "invalid_client")

    @pytest.mark.threat("partner-client-id-mismatch")
    def test_a_name_beside_the_proof_must_be_the_same(self, world: World, house: House):
        refused(partner(world, house, client_id="mdph-test"), 401, "invalid_client")
        assert partner(world, house, client_id=house.client_id).status_code == 200

    @pytest.mark.threat("partner-other-proof-kind")
    @pytest.mark.parametrize("kind", ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"])
    def test_there_is_one_kind_of_proof(self, world: World, house: House, kind: str):
        refused(partner(world, house, client_assertion_type=kind), 400, "invalid_request")

    @pytest.mark.threat("token-access-as-assertion")
    def test_an_access_token_is_no_proof(self, world: World, house: House):
        given = partner(world, house).json()["access_token"]
        refused(partner(world, house, given), 401, "invalid_client")

    @pytest.mark.threat("token-assertion-as-access")
    def test_a_proof_is_no_bearer(self, world: World, house: House):
        headers = {"Authorization": f"Bearer {proof(house)}"}
        assert world.client.get(READ, headers=headers).status_code == 401


class TestIntrospection:
    def introspect(self, world: World, house: House, token: str, assertion: str | None = None, **form: str) -> Any:
        said = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion or proof(house), "token": token}
        return world.client.post(INTROSPECT, data=said | form)

    def test_a_partner_hears_what_its_token_is_worth(self, world: World, house: House):
        given = partner(world, house, scope="system/CarePlan.rs").json()
        told = self.introspect(world, house, given["access_token"]).json()
        assert 0 < told.pop("exp") - time.time() <= 300
        assert told == {
            "active": True,
            "client_id": house.client_id,
            "scope": "system/CarePlan.rs",
            "token_type": "Bearer",
            "sub": str(house.chu),
            "iss": ORIGIN,
            "aud": ORIGIN,
        }

    def test_asking_leaves_a_line(self, world: World, house: House):
        answer = self.introspect(world, house, partner(world, house).json()["access_token"])
        assert traced(world, answer) == ("introspect", "partner", "success")

    def test_a_proof_made_for_this_address_will_do(self, world: World, house: House):
        given = partner(world, house).json()["access_token"]
        assert self.introspect(world, house, given, proof(house, aud=ORIGIN + INTROSPECT)).json()["active"]

    @pytest.mark.threat("token-revoked-replayed")
    def test_a_token_given_back_is_worth_nothing(self, world: World, house: House):
        given = partner(world, house).json()["access_token"]
        world.client.post(REVOKE, data={"token": given})
        answer = self.introspect(world, house, given)
        assert (answer.status_code, answer.json()) == (200, {"active": False})
        assert traced(world, answer) == ("introspect", "unknown", "refused")

    @pytest.mark.threat("partner-introspection-of-others")
    @pytest.mark.parametrize("whose", ["another partner", "staff", "person", "refresh", "nothing"])
    def test_of_anyone_else_s_token_nothing_is_said(self, world: World, house: House, whose: str):
        token = {
            "another partner": lambda: world.bearers["chu"]["Authorization"].removeprefix("Bearer "),
            "staff": lambda: login(world, house).json()["access_token"],
            "refresh": lambda: login(world, house).json()["refresh_token"],
            "person": lambda: world.bearers["jeanne"]["Authorization"].removeprefix("Bearer "),
            "nothing": lambda: "nothing of ours",
        }[whose]()
        assert self.introspect(world, house, token).json() == {"active": False}

    @pytest.mark.threat("partner-introspection-unproved")
    def test_who_asks_is_proved_first(self, world: World, house: House):
        given = partner(world, house).json()["access_token"]
        for form in ({"client_assertion": proof(house, keys.ec_key(which=8))}, {"client_id": "mdph-test"}):
            answer = self.introspect(world, house, given, **form)
            refused(answer, 401, "invalid_client")
            assert traced(world, answer) == ("introspect", "unknown", "refused")

    @pytest.mark.threat("partner-introspection-unproved")
    def test_no_bearer_proves_it(self, world: World, house: House):
        answer = partner(world, house)
        said = world.client.post(INTROSPECT, data={"token": answer.json()["access_token"]}, headers=bearer(answer))
        refused(said, 400, "invalid_request")

    @pytest.mark.threat("partner-assertion-replay")
    def test_a_proof_that_gave_a_token_asks_nothing_more(self, world: World, house: House):
        said = proof(house)
        given = partner(world, house, said).json()["access_token"]
        refused(self.introspect(world, house, given, said), 401, "invalid_client")

    def test_the_token_is_named(self, world: World, house: House):
        refused(self.introspect(world, house, ""), 400, "invalid_request")


class TestPublishedKeys:
    @pytest.fixture
    def publisher(self, world: World, house: House, tmp_path: Path) -> Iterator[Publisher]:
        """The CHU of this house publishes its key; this machine may be read, for this test."""
        with publishing(tmp_path) as made:
            made.keys = [keys.public_jwk(keys.ec_key(which=31), "published")]
            world.rows("UPDATE partner SET jwks = '[]', jwks_url = $2 WHERE id = $1", house.chu, made.url)
            rules, world.client.app.state.outbound = world.client.app.state.outbound, made.outbound
            yield made
            world.client.app.state.outbound = rules

    def test_are_read_at_the_first_proof(self, world: World, house: House, publisher: Publisher):
        said = keys.assertion(
            keys.ec_key(which=31), "published", iss=house.client_id, sub=house.client_id, aud=ORIGIN + TOKEN
        )
        assert partner(world, house, said).status_code == 200

    @pytest.mark.threat("outbound-private-address")
    def test_the_server_as_it_is_shipped_reads_no_machine_of_ours(
        self, world: World, house: House, publisher: Publisher
    ):
        world.client.app.state.outbound = Outbound(tls=publisher.outbound.tls)
        said = keys.assertion(
            keys.ec_key(which=31), "published", iss=house.client_id, sub=house.client_id, aud=ORIGIN + TOKEN
        )
        refused(partner(world, house, said), 401, "invalid_client")
        assert publisher.asked == []


class TestForms:
    @pytest.mark.threat("login-other-grant")
    @pytest.mark.parametrize("grant", ["", "authorization_code", "implicit", "PASSWORD"])
    def test_another_way_of_asking_is_refused(self, world: World, grant: str):
        refused(ask(world, grant_type=grant), 400, "unsupported_grant_type")

    @pytest.mark.threat("login-form-smuggled")
    @pytest.mark.parametrize(
        "body",
        [
            "grant_type=password&grant_type=client_credentials",
            "grant_type=password&username=a&username=b&password=c",
            "grant_type",
            "grant_type=password&username=%ff&password=x",
            "grant_type=password&username=%00&password=x",
            "grant_type=password&username=a%0d%0aSet-Cookie:x&password=x",
            "grant_type=é",
            "&".join(f"a{n}=1" for n in range(30)),
            "{}",
        ],
    )
    def test_a_form_is_read_strictly(self, world: World, body: str):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        refused(world.client.post(TOKEN, content=body.encode(), headers=headers), 400, "invalid_request")

    @pytest.mark.threat("login-form-other-type")
    @pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
    def test_only_a_form_is_read(self, world: World, kind: str):
        answer = world.client.post(TOKEN, content=b"grant_type=password", headers={"content-type": kind})
        refused(answer, 415, "invalid_request")

    def test_an_empty_form_asks_nothing(self, world: World):
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        refused(world.client.post(TOKEN, content=b"", headers=headers), 400, "unsupported_grant_type")

    @pytest.mark.parametrize(
        "form",
        [
            {"grant_type": "password", "username": "a"},
            {"grant_type": "password", "password": "a"},
            {"grant_type": "refresh_token"},
            {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER},
        ],
    )
    def test_what_is_missing_is_named(self, world: World, form: dict[str, str]):
        answer = ask(world, **form)
        refused(answer, 400, "invalid_request")
        assert "Il manque" in answer.json()["error_description"]

    @pytest.mark.threat("login-form-large")
    def test_a_large_form_is_not_read(self, world: World):
        assert ask(world, grant_type="password", username="x" * 70_000, password="x").status_code == 413

    @pytest.mark.threat("privacy-canary-login")
    def test_nothing_received_is_repeated(self, world: World):
        nir = "1 84 12 76 451 089 46"
        for form, status in (
            ({"grant_type": nir}, 400),
            ({"grant_type": "password", "username": nir, "password": nir, "membership": nir}, 400),
            ({"grant_type": "refresh_token", "refresh_token": nir}, 400),
            ({"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER, "client_assertion": nir}, 401),
        ):
            answer = ask(world, **form)
            assert (answer.status_code, "84 12 76" in answer.text) == (status, False)

    @pytest.mark.threat("token-revoke-others")
    @pytest.mark.parametrize("given", ["", "nothing of ours", "a.b.c", "A" * 64])
    def test_giving_back_what_is_no_token_changes_nothing(self, world: World, given: str):
        answer = world.client.post(REVOKE, data={"token": given})
        assert answer.status_code == (200 if given else 400)


class TestThePerson:
    @pytest.fixture
    def card(self, world: World, house: House) -> tuple[str, str]:
        return given(world, house)

    def test_link_and_code_give_a_token_of_their_door(self, world: World, house: House, card: tuple[str, str]):
        answer = world.client.post(MINE, json={"link": card[0], "code": card[1]})
        assert answer.status_code == 201
        told = answer.json()
        assert (told["kind"], told["usager_id"], told["token_type"]) == ("usager", str(house.jeanne), "Bearer")
        assert world.client.get(READ, headers=bearer(answer)).status_code == 401
        assert world.client.delete(MINE, headers=bearer(answer)).status_code == 204

    def test_the_whole_address_will_do(self, world: World, card: tuple[str, str]):
        said = {"link": f"{ORIGIN}/p/{card[0]}", "code": card[1]}
        assert world.client.post(MINE, json=said).status_code == 201

    def test_opening_leaves_a_line_about_the_person(self, world: World, house: House, card: tuple[str, str]):
        answer = world.client.post(MINE, json={"link": card[0], "code": card[1]})
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["usager_id"], line["principal_kind"]) == ("login", house.jeanne, "usager")

    def test_who_represents_them_is_said(self, world: World, house: House):
        link, code = given(world, house, uuid7())
        told = world.client.post(MINE, json={"link": link, "code": code}).json()
        assert (told["kind"], told["usager_id"]) == ("representative", str(house.jeanne))

    @pytest.mark.threat("trail-login-untraced")
    def test_a_wrong_code_is_told_like_a_wrong_link_and_leaves_a_line(self, world: World, card: tuple[str, str]):
        wrong = world.client.post(MINE, json={"link": card[0], "code": "x"})
        unknown = world.client.post(MINE, json={"link": "A" * 22, "code": card[1]})
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}
        assert traced(world, wrong) == traced(world, unknown) == ("login", "unknown", "refused")

    @pytest.mark.threat("card-code-guessed")
    def test_five_wrong_codes_close_the_link_a_while(self, world: World, card: tuple[str, str]):
        for _ in range(5):
            world.client.post(MINE, json={"link": card[0], "code": "x"})
        answer = world.client.post(MINE, json={"link": card[0], "code": card[1]})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")

    @pytest.mark.threat("card-link-as-bearer")
    def test_the_link_itself_is_a_bearer_nowhere(self, world: World, card: tuple[str, str]):
        for path in (READ, MINE):
            headers = {"Authorization": f"Bearer {card[0]}"}
            assert world.client.request("DELETE" if path == MINE else "GET", path, headers=headers).status_code == 401

    @pytest.mark.threat("page-leaving-undone")
    def test_leaving_ends_the_token_everywhere(self, world: World, card: tuple[str, str]):
        answer = world.client.post(MINE, json={"link": card[0], "code": card[1]})
        assert world.client.delete(MINE, headers=bearer(answer)).status_code == 204
        world.client.app.state.tokens = type(world.client.app.state.tokens)()  # another worker, which never saw it
        assert world.client.delete(MINE, headers=bearer(answer)).status_code == 401

    @pytest.mark.parametrize("body", [{}, {"link": "x"}, {"link": "", "code": "1"}, {"link": "x", "code": "1", "x": 1}])
    def test_a_card_is_a_link_and_a_code(self, world: World, body: dict[str, object]):
        assert world.client.post(MINE, json=body).status_code == 422


class TestTheAnnouncement:
    @pytest.mark.parametrize("path", ["/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration"])
    def test_says_where_and_how(self, world: World, path: str):
        told = world.client.get(path).json()
        assert told["token_endpoint"] == ORIGIN + TOKEN
        assert (told["introspection_endpoint"], told["revocation_endpoint"]) == (ORIGIN + INTROSPECT, ORIGIN + REVOKE)
        assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        assert set(told["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}

    @pytest.mark.threat("search-forged-host")
    def test_keeps_our_origin_whatever_the_host(self, world: World):
        headers = {"host": "evil.test"}
        answer = world.client.get("/.well-known/smart-configuration", headers=headers)
        assert "evil.test" not in answer.text


@pytest.mark.threat("partner-assertion-replay-parallel")
def test_six_replays_at_once_pass_once(world: World, house: House) -> None:
    said = proof(house)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: partner(world, house, said).status_code, range(6)))
    assert sorted(answers) == [200, 401, 401, 401, 401, 401]
