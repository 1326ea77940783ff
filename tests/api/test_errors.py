"""Refusals of the framework and faults of the base, each told in our words."""

import json
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.api import errors
from tests.world import World

NOTES = "/api/v1/transmissions"


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415])
def test_a_status_we_know_is_kept(status: int):
    assert told(HTTPException(status, "147720425367430")).status_code == status


def test_a_status_we_do_not_know_is_told_as_not_supported():
    assert json.loads(told(HTTPException(418, "147720425367430")).body)["code"] == "not_supported"


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415, 418])
def test_what_the_framework_says_is_not_repeated(status: int):
    assert b"1477" not in told(HTTPException(status, "147720425367430")).body


def told(error: HTTPException) -> Any:
    scope = {"type": "http", "path": NOTES, "headers": [], "state": {"request_id": "1"}}
    return errors.render_http(Request(scope), error)


def test_a_gesture_that_is_not_one_says_which_are(world: World):
    answer = world.client.put(f"{NOTES}/line", headers=world.bearers["sonia"])
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_body_over_the_cap_is_413_whatever_it_is(world: World, kind: str):
    headers = {**world.bearers["sonia"], "Content-Type": kind}
    assert world.client.post(NOTES, content=b"x" * (1024 * 1024 + 1), headers=headers).status_code == 413


class TestUnknownParameters:
    """Passed over, a filter misspelt would tell everything."""

    def test_names_what_the_address_knows_and_nothing_received(self, world: World):
        answer = world.get("sonia", f"{NOTES}?usagr=147720425367430&limit=2")
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")
        assert "limit, " in answer.text
        assert "usagr" not in answer.text
        assert "1477" not in answer.text

    def test_a_field_of_a_model_is_known(self, world: World):
        day = {"usager": str(world.ids["lucas"]), "since": "2026-01-01"}
        assert world.get("sonia", "/api/v1/access/trail", params=day).status_code == 403

    def test_an_address_without_any_says_so(self, world: World):
        answer = world.get("ines", "/api/v1/me?a=1")
        assert (answer.status_code, "ne prend pas de paramètre" in answer.text) == (400, True)


class TestTheBase:
    @pytest.mark.parametrize(("lost", "status"), [(True, 503), (False, 500)])
    def test_that_is_away_says_when_to_come_back_but_its_other_faults_are_ours(
        self, world: World, monkeypatch: pytest.MonkeyPatch, lost: bool, status: int
    ):
        async def broken(*_: object, **__: object) -> None:
            raise DBAPIError("SELECT 1", {}, Exception("147720425367430"), connection_invalidated=lost)

        monkeypatch.setattr("app.features.transmissions.router.page", broken)
        monkeypatch.setattr(vars(world.client)["_transport"], "raise_server_exceptions", False)
        answer = world.get("sonia", NOTES)
        assert (answer.status_code, "retry-after" in answer.headers, "1477" in answer.text) == (status, lost, False)


class TestAList:
    def test_says_what_it_holds_and_not_what_it_got(self, world: World):
        said = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["ime"]), "text": "A bien dormi."}
        answer = world.post("sonia", NOTES, said | {"visibility": "147720425367430"})
        [told] = answer.json()["errors"]
        assert (told["where"], told["code"], "1477" in answer.text) == ("/visibility", "unknown_code", False)
        assert told["message"].endswith("permise : not_shared, shared.")

    def test_that_is_long_is_read_elsewhere(self):
        listed = ", ".join(f"'word{n}'" for n in range(100))
        told = errors.fault({"type": "enum", "loc": ("body", "role"), "ctx": {"expected": listed}})
        assert told.message.endswith("Voyez /docs.")
