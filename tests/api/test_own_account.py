"""One's own account through HTTP: the second factor at the door, a telephone inscribed, another password."""

import base64
import time
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from app.access.models import Membership
from app.api.oauth.staff import NO_FUNCTION
from app.features.settings.models import Setting
from app.kernel.ids import uuid7
from app.security.principal import Role
from app.security.second_factor import WRONG
from tests.api.test_oauth import READ, bearer, login, refused, traced
from tests.security.conftest import PASSWORD, House
from tests.world import World

BEGIN, CONFIRM, CHANGE = "/oauth/second-factor", "/oauth/second-factor/confirmation", "/oauth/password"
NEW = "une tout autre phrase"


class Phone:
    """Its codes in order, from one step ago to the next one; each is good once."""

    def __init__(self, told: Any) -> None:
        assert told.status_code == 200, told.text
        self.secret, self.step = base64.b32decode(told.json()["secret"]), 0

    def next(self) -> str:
        if (left := 30 - time.time() % 30) < 4:  # it would be another step when it is heard
            time.sleep(left)
        self.step = max(self.step + 1, int(time.time()) // 30 - 1)
        return TOTP(self.secret, 6, SHA1(), 30).generate(self.step * 30).decode()  # noqa: S303


def said(world: World, house: House, path: str, **form: str) -> Any:
    return world.client.post(path, data={"username": house.login, "password": PASSWORD} | form)


def enrolled(world: World, house: House) -> tuple[Phone, list[str]]:
    phone = Phone(said(world, house, BEGIN))
    confirmed = said(world, house, CONFIRM, otp=phone.next())
    assert confirmed.status_code == 200, confirmed.text
    return phone, confirmed.json()["recovery_codes"]


def renewed(world: World, before: Any) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": before.json()["refresh_token"]}
    return world.client.post("/oauth/token", data=form)


def works_as(world: World, house: House, role: Role) -> None:
    world.rows("UPDATE membership SET role = $2 WHERE id = $1", house.membership, role.value)


def works_too(world: World, house: House, role: Role) -> UUID:
    second = uuid7()
    world.add(
        Membership(
            organisation_id=house.id, id=second, professional_id=house.sonia, role=role.value, starts=date(2020, 1, 1)
        )
    )
    return second


class TestAtTheDoor:
    def test_a_session_says_how_it_was_proved(self, world: World, house: House):
        login(world, house)
        phone, codes = enrolled(world, house)
        login(world, house, otp=phone.next())
        login(world, house, otp=codes[0])
        rows = world.rows("SELECT amr FROM session WHERE account_id = $1 ORDER BY created_at", house.account)
        assert [row["amr"] for row in rows] == [["pwd"], ["pwd", "otp", "mfa"], ["pwd", "mfa"]]

    @pytest.mark.threat("otp-missing")
    def test_once_enrolled_the_password_is_not_enough(self, world: World, house: House):
        enrolled(world, house)
        answer = login(world, house)
        refused(answer, 400, "mfa_required")
        assert traced(world, answer) == ("login", "unknown", "refused")

    @pytest.mark.threat("otp-missing", "login-enumeration")
    def test_but_who_does_not_have_the_password_hears_nothing_of_it(self, world: World, house: House):
        enrolled(world, house)
        wrong = login(world, house, password="pas celui-là du tout")
        unknown = login(world, house, username="nobody-here")
        refused(wrong, 400, "invalid_grant")
        assert wrong.json() == unknown.json()

    def test_a_wrong_code_opens_nothing(self, world: World, house: House):
        enrolled(world, house)
        refused(login(world, house, otp="000000"), 400, "invalid_grant")

    @pytest.mark.threat("otp-guessed")
    def test_a_sixth_code_waits(self, world: World, house: House):
        phone, _ = enrolled(world, house)
        for _ in range(5):
            login(world, house, otp="000000")
        refused(login(world, house, otp=phone.next()), 429, "temporarily_unavailable")

    @pytest.mark.threat("otp-lockout-weapon")
    def test_not_on_a_device_that_already_entered(self, world: World, house: House):
        phone, _ = enrolled(world, house)
        device = login(world, house, otp=phone.next()).json()["device"]
        for _ in range(5):
            login(world, house, otp="000000")
        assert login(world, house, otp=phone.next(), device=device).json()["device"] == device

    @pytest.mark.threat("login-lockout-weapon")
    def test_a_colleague_of_the_same_house_closes_nothing_to_it(self, world: World, house: House):
        device = login(world, house).json()["device"]
        for _ in range(6):
            login(world, house, password="pas celui-là du tout")
        refused(login(world, house), 429, "temporarily_unavailable")
        assert login(world, house, device=device).status_code == 200

    def test_a_device_is_no_bearer(self, world: World, house: House):
        device = login(world, house).json()["device"]
        assert world.client.get(READ, headers={"Authorization": f"Bearer {device}"}).status_code == 401

    @pytest.mark.threat("otp-missing")
    @pytest.mark.parametrize("role", [Role.DIRECTION, Role.ADMIN, Role.DPO])
    def test_some_roles_enrol_first(self, world: World, house: House, role: Role):
        works_as(world, house, role)
        refused(login(world, house), 400, "mfa_enrolment_required")
        phone, _ = enrolled(world, house)
        assert login(world, house, otp=phone.next()).json()["role"] == role.value

    @pytest.mark.threat("otp-missing")
    def test_a_house_may_ask_it_of_others_and_not_of_these(self, world: World, house: House):
        def tuned(role: Role, value: str) -> Setting:
            key = f"second_factor.{role}"
            return Setting(organisation_id=house.id, scope="organisation", key=key, value=value)

        world.add(tuned(Role.EDUCATEUR, "true"), tuned(Role.DIRECTION, "false"))
        refused(login(world, house), 400, "mfa_enrolment_required")
        works_as(world, house, Role.DIRECTION)
        assert login(world, house).status_code == 200

    @pytest.mark.threat("otp-missing", "login-functions-told-early")
    @pytest.mark.parametrize("named", [{}, {"membership": "another"}])
    def test_which_functions_there_are_is_told_once_the_code_is_right(
        self, world: World, house: House, named: dict[str, str]
    ):
        second = works_too(world, house, Role.COORDINATEUR)
        phone, _ = enrolled(world, house)
        for wrong, error in (({}, "mfa_required"), ({"otp": "000000"}, "invalid_grant")):
            answer = login(world, house, **wrong, **named)
            refused(answer, 400, error)
            assert set(answer.json()) == {"error", "error_description"}
            assert not any(str(told) in answer.text for told in (second, house.membership, house.id, "coordinateur"))
        code = phone.next()
        told = login(world, house, otp=code, **named)
        refused(told, 400, "invalid_request")
        assert str(second) in {place["membership"] for place in told.json()["memberships"]}
        assert login(world, house, otp=code, membership=str(second)).status_code == 200
        refused(login(world, house, otp=code, membership=str(second)), 400, "invalid_grant")

    @pytest.mark.threat("login-functions-told-early")
    def test_nor_that_none_runs_any_more(self, world: World, house: House):
        phone, _ = enrolled(world, house)
        world.rows("UPDATE membership SET ends = '2020-01-02' WHERE id = $1", house.membership)
        wrong, right = login(world, house, otp="000000"), login(world, house, otp=phone.next())
        assert [answer.json()["error_description"] for answer in (wrong, right)] == [WRONG, NO_FUNCTION]

    @pytest.mark.threat("login-functions-told-early")
    def test_nor_before_a_telephone_when_one_of_them_asks_for_it(self, world: World, house: House):
        second = works_too(world, house, Role.DIRECTION)
        for named in ({}, {"membership": "another"}, {"membership": str(second)}):
            answer = login(world, house, **named)
            refused(answer, 400, "mfa_enrolment_required")
            assert "memberships" not in answer.json()
        assert login(world, house, membership=str(house.membership)).status_code == 200

    @pytest.mark.threat("otp-missing-at-renewal")
    @pytest.mark.parametrize("since", ["house", "role", "telephone"])
    def test_asked_since_it_is_proved_at_the_next_renewal(self, world: World, house: House, since: str):
        inside = login(world, house)
        if since == "house":
            key = f"second_factor.{Role.EDUCATEUR}"
            world.add(Setting(organisation_id=house.id, scope="organisation", key=key, value="true"))
        elif since == "role":
            works_as(world, house, Role.DIRECTION)
        else:  # a login that crossed the confirmation
            enrolled(world, house)
            world.rows("UPDATE session SET revoked_at = NULL WHERE account_id = $1", house.account)
            world.rows("UPDATE refresh_family f SET revoked_at = NULL FROM session s WHERE s.family_id = f.id")
        answer = renewed(world, inside)
        refused(answer, 400, "invalid_grant")
        assert world.client.get(READ, headers=bearer(inside)).status_code == 401
        refused(renewed(world, inside), 400, "invalid_grant")

    @pytest.mark.threat("otp-missing-at-renewal")
    def test_who_proved_it_goes_on(self, world: World, house: House):
        phone, _ = enrolled(world, house)
        inside = login(world, house, otp=phone.next())
        works_as(world, house, Role.DIRECTION)
        assert renewed(world, inside).status_code == 200

    def test_where_none_is_asked_the_password_goes_on(self, world: World, house: House):
        assert renewed(world, login(world, house)).status_code == 200


class TestATelephone:
    def test_each_step_leaves_a_line_in_the_house(self, world: World, house: House):
        begun = said(world, house, BEGIN)
        confirmed = said(world, house, CONFIRM, otp=Phone(begun).next())
        for answer, action in ((begun, "begin_second_factor"), (confirmed, "confirm_second_factor")):
            [line] = world.traces(request_id=answer.headers["x-request-id"])
            told = (line["organisation_id"], line["action"], line["kind"], line["principal_id"], line["role"])
            assert told == (house.id, action, "account", house.sonia, "educateur")
            assert line["entry_ids"] == [house.account]

    def test_confirmed_what_was_open_closes(self, world: World, house: House):
        before = login(world, house)
        enrolled(world, house)
        assert world.client.get(READ, headers=bearer(before)).status_code == 401

    @pytest.mark.threat("otp-enrolment-taken")
    def test_another_takes_its_place_by_the_code_of_the_first(self, world: World, house: House):
        phone, _ = enrolled(world, house)
        refused(said(world, house, BEGIN), 400, "mfa_required")
        refused(said(world, house, BEGIN, otp="000000"), 400, "invalid_grant")
        other = Phone(said(world, house, BEGIN, otp=phone.next()))
        assert said(world, house, CONFIRM, otp=other.next()).status_code == 200
        assert login(world, house, otp=other.next()).status_code == 200

    @pytest.mark.threat("otp-enrolment-taken")
    def test_its_first_code_is_guessed_five_times_at_most(self, world: World, house: House):
        phone = Phone(said(world, house, BEGIN))
        for _ in range(5):
            refused(said(world, house, CONFIRM, otp="000000"), 400, "invalid_grant")
        refused(said(world, house, CONFIRM, otp=phone.next()), 429, "temporarily_unavailable")

    def test_without_one_begun_there_is_nothing_to_confirm(self, world: World, house: House):
        refused(said(world, house, CONFIRM, otp="123456"), 409, "invalid_request")

    @pytest.mark.threat("otp-enrolment-taken")
    @pytest.mark.parametrize("path", [BEGIN, CONFIRM, CHANGE])
    def test_nothing_without_the_password(self, world: World, house: House, path: str):
        answer = said(world, house, path, password="pas celui-là du tout", otp="123456", new_password=NEW)
        refused(answer, 400, "invalid_grant")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["organisation_id"].int, line["outcome"]) == (0, "refused")

    @pytest.mark.threat("token-wrong-door")
    @pytest.mark.parametrize("path", [BEGIN, CONFIRM, CHANGE])
    def test_no_bearer_takes_the_place_of_the_password(self, world: World, house: House, path: str):
        answer = world.client.post(path, data={"otp": "123456", "new_password": NEW}, headers=world.bearers["sonia"])
        refused(answer, 400, "invalid_request")


class TestThePassword:
    @pytest.mark.threat("token-password-changed")
    def test_another_replaces_it_and_what_was_open_closes(self, world: World, house: House):
        before = login(world, house)
        answer = said(world, house, CHANGE, new_password=NEW)
        assert (answer.status_code, answer.json()) == (200, {})
        assert world.client.get(READ, headers=bearer(before)).status_code == 401
        refused(login(world, house), 400, "invalid_grant")
        assert login(world, house, password=NEW).status_code == 200

    def test_leaves_a_line_in_the_house(self, world: World, house: House):
        assert traced(world, said(world, house, CHANGE, new_password=NEW)) == (
            "change_password",
            "professional",
            "success",
        )

    @pytest.mark.threat("otp-missing")
    def test_once_enrolled_the_code_is_asked_too(self, world: World, house: House):
        phone, _ = enrolled(world, house)
        refused(said(world, house, CHANGE, new_password=NEW), 400, "mfa_required")
        assert said(world, house, CHANGE, new_password=NEW, otp=phone.next()).status_code == 200

    @pytest.mark.parametrize("new", ["court", "x" * 300])
    def test_one_we_do_not_take_changes_nothing(self, world: World, house: House, new: str):
        refused(said(world, house, CHANGE, new_password=new), 422, "invalid_request")
        assert login(world, house).status_code == 200

    @pytest.mark.threat("privacy-canary-login")
    def test_nothing_received_is_repeated(self, world: World, house: House):
        nir = "1 84 12 76 451 089 46"
        for path in (BEGIN, CONFIRM, CHANGE):
            for form in ({"username": nir}, {"otp": nir, "new_password": nir}, {"device": nir}):
                assert "84 12 76" not in said(world, house, path, **form).text


def test_of_who_works_nowhere_the_line_is_of_no_house(world: World, house: House):
    world.rows("UPDATE membership SET ends = '2020-01-02' WHERE id = $1", house.membership)
    answer = said(world, house, CHANGE, new_password=NEW)
    [line] = world.traces(request_id=answer.headers["x-request-id"])
    assert (line["organisation_id"].int, line["action"], line["entry_ids"]) == (0, "change_password", [house.account])
