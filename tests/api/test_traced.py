"""What opens, renews or ends an access leaves its line, in the same transaction: with no trail there is no such act.

A route that changes who may enter, and is in no line of `ACTS`, fails the first test.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.desk import Desk
from tests.api.test_invitation import accepted, link
from tests.api.test_oauth import INTROSPECT, JWT_BEARER, MINE, REVOKE, ask, given, login, partner, proof
from tests.api.test_openid_logout import said as logged_out
from tests.api.test_own_account import BEGIN, CHANGE, CONFIRM, NEW, Phone, said
from tests.audit.test_fail_closed import FAULTS
from tests.portal.visitor import secret, visit
from tests.security.conftest import House
from tests.world import World

ABOUT_ENTERING = re.compile(
    r"^/oauth/|/sessions?\b|/invitations?\b|^/invitation/|^/p/|/quitter$|/fermer$|/access/cards\b"
)
SAFE = {"GET", "HEAD"}
KEPT = ("account", "account_credential", "session", "refresh_family", "invitation", "professional", "personal_access")
CHANGED = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t"


@dataclass(frozen=True)
class Scene:
    world: World
    house: House
    desk: Desk


Act = Callable[[], Any]
ACTS: dict[tuple[str, str], Callable[[Scene], Act]] = {}


def act(route: str, name: str) -> Callable[[Callable[[Scene], Act]], Callable[[Scene], Act]]:
    """What is ready before the act, and the act."""

    def kept(prepare: Callable[[Scene], Act]) -> Callable[[Scene], Act]:
        ACTS[route, name] = prepare
        return prepare

    return kept


def delete(s: Scene, who: str, path: str) -> Act:
    return lambda: s.world.client.delete(path, headers=s.world.bearers[who])


def renewing(s: Scene, times: int) -> Act:
    """The last of so many renewals by one refresh token."""
    shown = login(s.world, s.house).json()["refresh_token"]

    def renew() -> Any:
        return ask(s.world, grant_type="refresh_token", refresh_token=shown)

    for _ in range(times - 1):
        assert renew().status_code == 200
    return renew


def opened(s: Scene) -> dict[str, str]:
    """The bearer of Jeanne, just entered."""
    shown = dict(zip(("link", "code"), given(s.world, s.house), strict=True))
    return {"Authorization": f"Bearer {s.world.client.post(MINE, json=shown).json()['access_token']}"}


def giving_back(s: Scene, token: str) -> Act:
    return lambda: s.world.client.post(REVOKE, data={"token": token})


act("POST /oauth/token", "password")(lambda s: lambda: login(s.world, s.house))
act("POST /oauth/token", "partner")(lambda s: lambda: partner(s.world, s.house))
act("POST /oauth/token", "renewal")(lambda s: renewing(s, 1))
act("POST /oauth/token", "a refresh token shown again")(lambda s: renewing(s, 2))


@act("POST /oauth/token", "a proof no longer enough")
def _(s: Scene) -> Act:
    renew = renewing(s, 1)
    s.world.rows("UPDATE membership SET role = 'direction' WHERE id = $1", s.house.membership)
    return renew


@act("POST /oauth/token", "identity provider")
def _(s: Scene) -> Act:
    s.desk.link(s.house.account)
    code = s.desk.code()
    return lambda: s.desk.redeem(code)


@act("POST /oauth/openid/logout", "of someone")
def _(s: Scene) -> Act:
    s.desk.link(s.house.account)
    s.desk.enter()
    token = s.desk.idp.logout_token()
    return lambda: logged_out(s.desk, token)


act("POST /oauth/openid/logout", "of nobody")(lambda s: lambda: logged_out(s.desk, s.desk.idp.logout_token()))
for which in ("access_token", "refresh_token"):
    act("POST /oauth/revoke", which)(lambda s, which=which: giving_back(s, login(s.world, s.house).json()[which]))  # type: ignore[misc]
act("POST /oauth/revoke", "a partner's")(lambda s: giving_back(s, partner(s.world, s.house).json()["access_token"]))
act("POST /oauth/revoke", "the person's")(lambda s: giving_back(s, opened(s)["Authorization"].removeprefix("Bearer ")))
act("POST /oauth/revoke", "nobody's")(lambda s: giving_back(s, "nothing of ours"))


@act("POST /oauth/introspect", "a partner's")
def _(s: Scene) -> Act:
    token = partner(s.world, s.house).json()["access_token"]
    form = {"client_assertion_type": JWT_BEARER, "client_assertion": proof(s.house), "token": token}
    return lambda: s.world.client.post(INTROSPECT, data=form)


act("POST /oauth/second-factor", "a telephone")(lambda s: lambda: said(s.world, s.house, BEGIN))
act("POST /oauth/password", "another")(lambda s: lambda: said(s.world, s.house, CHANGE, new_password=NEW))


@act("POST /oauth/second-factor/confirmation", "a telephone")
def _(s: Scene) -> Act:
    code = Phone(said(s.world, s.house, BEGIN)).next()
    return lambda: said(s.world, s.house, CONFIRM, otp=code)


@act("POST /api/v1/me/session", "a card")
def _(s: Scene) -> Act:
    shown = dict(zip(("link", "code"), given(s.world, s.house), strict=True))
    return lambda: s.world.client.post(MINE, json=shown)


@act("DELETE /api/v1/me/session", "leaving")
def _(s: Scene) -> Act:
    bearer = opened(s)
    return lambda: s.world.client.delete(MINE, headers=bearer)


@act("POST /p/{link}", "a card")
def _(s: Scene) -> Act:
    shown, code = given(s.world, s.house)
    return lambda: s.world.client.post(f"/p/{shown}", data={"code": code, "device": "shared"}, follow_redirects=False)


@act("POST /mon-dossier/quitter", "leaving")
def _(s: Scene) -> Act:
    visitor = visit(s.world, "jeanne")
    csrf = visitor.secret("/mon-dossier")
    return lambda: visitor.post("/mon-dossier/quitter", csrf=csrf)


@act("POST /mon-dossier/acces/fermer", "the person's other ones")
def _(s: Scene) -> Act:
    visit(s.world, "jeanne")
    visitor = visit(s.world, "jeanne")
    [form] = visitor.see("/mon-dossier/acces").all("form", action="/mon-dossier/acces/fermer")
    return lambda: visitor.post("/mon-dossier/acces/fermer", csrf=secret(form))


@act("DELETE /api/v1/me/sessions", "the person's")
def _(s: Scene) -> Act:
    bearer = opened(s)
    opened(s)
    return lambda: s.world.client.delete("/api/v1/me/sessions", headers=bearer)


@act("DELETE /api/v1/me/sessions/{session_id}", "the person's")
def _(s: Scene) -> Act:
    bearer = opened(s)
    [mine] = s.world.client.get("/api/v1/me/sessions", headers=bearer).json()["items"]
    return lambda: s.world.client.delete(f"/api/v1/me/sessions/{mine['id']}", headers=bearer)


def inside(s: Scene) -> dict[str, str]:
    return {"Authorization": f"Bearer {login(s.world, s.house).json()['access_token']}"}


@act("DELETE /api/v1/access/sessions", "one's own")
def _(s: Scene) -> Act:
    inside(s)
    bearer = inside(s)
    return lambda: s.world.client.delete("/api/v1/access/sessions", headers=bearer)


@act("DELETE /api/v1/access/sessions/{session_id}", "one's own")
def _(s: Scene) -> Act:
    bearer = inside(s)
    [mine] = s.world.client.get("/api/v1/access/sessions", headers=bearer).json()["items"]
    return lambda: s.world.client.delete(f"/api/v1/access/sessions/{mine['id']}", headers=bearer)


@act("DELETE /api/v1/professionals/{professional_id}/sessions", "a colleague's")
def _(s: Scene) -> Act:
    s.world.rows("UPDATE membership SET role = 'admin' WHERE id = $1", s.house.membership)
    phone = Phone(said(s.world, s.house, BEGIN))
    said(s.world, s.house, CONFIRM, otp=phone.next())
    told = login(s.world, s.house, otp=phone.next()).json()
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    return lambda: s.world.client.delete(f"/api/v1/professionals/{s.house.sonia}/sessions", headers=bearer)


@act("POST /api/v1/professionals/invitations", "someone hired")
def _(s: Scene) -> Act:
    body = {"given_name": "Nadia", "family_name": "Roche", "template": "infirmier"}
    where = {"structure_ids": [str(s.world.ids["ehpad"])]}
    return lambda: s.world.post("helene", "/api/v1/professionals/invitations", body | where)


@act("POST /api/v1/professionals/{professional_id}/invitation", "again")
def _(s: Scene) -> Act:
    _, who = link(s.world)
    return lambda: s.world.post("helene", f"/api/v1/professionals/{who}/invitation", {})


@act("DELETE /api/v1/professionals/{professional_id}/invitation", "taken back")
def _(s: Scene) -> Act:
    _, who = link(s.world)
    return delete(s, "helene", f"/api/v1/professionals/{who}/invitation")


@act("POST /invitation/{token}", "accepted")
def _(s: Scene) -> Act:
    path, who = link(s.world)
    return lambda: accepted(s.world, path, f"nadia-{who[-8:]}")


@act("POST /api/v1/access/cards", "to the person")
def _(s: Scene) -> Act:
    return lambda: s.world.post("odile", "/api/v1/access/cards", {"usager_id": str(s.world.ids["jeanne"])})


@act("DELETE /api/v1/access/cards/{card_id}", "the person's")
def _(s: Scene) -> Act:
    card = s.world.post("odile", "/api/v1/access/cards", {"usager_id": str(s.world.ids["jeanne"])})
    return delete(s, "odile", f"/api/v1/access/cards/{card.json()['id']}")


def test_each_route_about_entering_is_tried(desk: Desk) -> None:
    found = {
        f"{method} {route.path}"
        for whole in desk.client.app.routes  # type: ignore[attr-defined]
        for route in getattr(whole, "effective_route_contexts", lambda whole=whole: [whole])()
        for method in (getattr(route, "methods", None) or set()) - SAFE
        if ABOUT_ENTERING.search(route.path)
    }
    assert found == {route for route, _ in ACTS}


@pytest.fixture
def scene(world: World, house: House, desk: Desk) -> Scene:
    return Scene(world, house, desk)


@pytest.mark.threat("trail-security-act-untraced")
@pytest.mark.parametrize(("route", "name"), ACTS)
def test_the_act_leaves_its_line(scene: Scene, route: str, name: str) -> None:
    answer = ACTS[route, name](scene)()
    assert answer.status_code < 500, answer.text
    assert scene.world.traces(request_id=answer.headers["x-request-id"])


@pytest.mark.threat("trail-security-act-untraced")
@pytest.mark.parametrize(("route", "name"), ACTS)
def test_without_its_line_nothing_is_done(scene: Scene, route: str, name: str) -> None:
    do = ACTS[route, name](scene)
    before = kept(scene.world)
    with no_trail(scene):
        answer = do()
    assert (answer.status_code, kept(scene.world)) == (500, before), answer.text


def kept(world: World) -> dict[str, str]:
    return {table: world.rows(CHANGED.format(table))[0][0] for table in KEPT}


@contextmanager
def no_trail(scene: Scene) -> Iterator[None]:
    make, mend, _ = FAULTS["right taken away"]
    clients: tuple[TestClient, ...] = (scene.world.client, scene.desk.client)
    for client in clients:
        vars(client)["_transport"].raise_server_exceptions = False
    for sql in make:
        scene.world.rows(sql)
    try:
        yield
    finally:
        for sql in mend:
            scene.world.rows(sql)
        for client in clients:
            vars(client)["_transport"].raise_server_exceptions = True
