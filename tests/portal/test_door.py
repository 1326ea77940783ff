"""The door of the page, over HTTP: what a link shows, what a code opens, what leaving closes."""

from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.kernel.clock import now
from app.main import create_app
from app.portal.pages import HEADERS
from app.security import throttle
from tests.portal.html import read
from tests.portal.visitor import Visitor, cookie_of, visit
from tests.world import World

HOME, LEAVE = "/mon-dossier", "/mon-dossier/quitter"
HTTPS = "https://dossier.example"


@pytest.fixture
def anyone(world: World) -> Visitor:
    return Visitor(world)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def title(answer: Any) -> str:
    return read(answer.content).all("h1")[0].text


@pytest.mark.threat("page-link-preview")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_a_link_uses_nothing_up(world: World, anyone: Visitor, method: str) -> None:
    link, code = world.card("jeanne")
    with world.statements() as sql:
        for _ in range(throttle.GUESSES.tries + 1):
            assert world.client.request(method, f"/p/{link}").status_code == 200
    assert len(sql) == 0
    assert anyone.post(f"/p/{link}", code=code).status_code == 303


@pytest.mark.threat("card-enumeration")
def test_a_link_that_never_was_looks_like_any_other(world: World, anyone: Visitor) -> None:
    link, _ = world.card("jeanne")
    told, never = anyone.get(f"/p/{link}"), anyone.get("/p/AAAAAAAAAAAAAAAAAAAAAA")
    assert (told.status_code, told.content) == (never.status_code, never.content)


@pytest.mark.threat("page-framing", "page-referer")
def test_the_door_is_kept_found_and_followed_by_nobody(anyone: Visitor) -> None:
    answer = anyone.get("/p/AAAAAAAAAAAAAAAAAAAAAA")
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert "set-cookie" not in answer.headers


def test_link_and_code_lead_inside(world: World, anyone: Visitor) -> None:
    link, code = world.card("jeanne")
    answer = anyone.post(f"/p/{link}", code=code)
    assert (answer.status_code, answer.headers["location"]) == (303, HOME)
    assert answer.headers["cache-control"] == "no-store"


def test_the_code_may_be_pasted_with_spaces_around(world: World, anyone: Visitor) -> None:
    link, code = world.card("jeanne")
    assert anyone.post(f"/p/{link}", code=f" {code} ").status_code == 303


@pytest.mark.threat("page-cookie-stolen-by-script")
def test_the_cookie_of_the_demo_stays_on_this_machine(world: World, anyone: Visitor) -> None:
    link, code = world.card("jeanne")
    told = SimpleCookie(anyone.post(f"/p/{link}", code=code, device="shared").headers["set-cookie"])
    cookie = told["dui"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
    assert (cookie["secure"], cookie["max-age"], cookie["domain"]) == ("", "", "")


@pytest.mark.parametrize(
    ("device", "least", "most"), [("shared", 14, 15), ("own", 7 * 24 * 60 - 1, 7 * 24 * 60), ("other", 14, 15)]
)
def test_a_session_lasts_as_its_device_allows(
    world: World, anyone: Visitor, device: str, least: int, most: int
) -> None:
    link, code = world.card("karim")
    anyone.post(f"/p/{link}", code=code, device=device)
    [row] = world.rows(
        "SELECT expires_at - now() AS left FROM session WHERE door = 'page' ORDER BY created_at DESC LIMIT 1"
    )
    assert timedelta(minutes=least) < row["left"] <= timedelta(minutes=most)


def test_ones_own_device_remembers(world: World, anyone: Visitor) -> None:
    link, code = world.card("karim")
    told = SimpleCookie(anyone.post(f"/p/{link}", code=code, device="own").headers["set-cookie"])
    assert int(told["dui"]["max-age"]) == pytest.approx(7 * 24 * 3600, abs=60)


@pytest.mark.parametrize(("device", "lasts"), [("shared", timedelta(minutes=10)), ("own", timedelta(days=7))])
def test_a_house_may_be_narrower_than_the_country(world: World, anyone: Visitor, device: str, lasts: timedelta) -> None:
    """Inès lives in a house of the model « mecs »."""
    assert entered(world, anyone, "ines", device) == pytest.approx(lasts, abs=timedelta(minutes=1))


@pytest.mark.parametrize(
    ("device", "key", "value", "lasts"),
    [
        ("shared", "page.shared_device_minutes", 30, timedelta(minutes=30)),
        ("own", "page.own_device_days", 2, timedelta(days=2)),
    ],
)
def test_a_session_lasts_as_the_house_says(
    world: World, anyone: Visitor, device: str, key: str, value: int, lasts: timedelta
) -> None:
    here = {"scope": f"structure:{world.ids['ehpad']}", "key": key, "value": value}
    place = world.post("helene", "/api/v1/settings", here).headers["location"]
    assert entered(world, anyone, "jeanne", device) == pytest.approx(lasts, abs=timedelta(minutes=1))
    assert entered(world, anyone, "karim", device) != pytest.approx(lasts, abs=timedelta(minutes=1))
    world.delete("helene", place, 1)


def entered(world: World, anyone: Visitor, usager: str, device: str) -> timedelta:
    """How long the session that this card has just opened lasts."""
    link, code = world.card(usager)
    assert anyone.post(f"/p/{link}", code=code, device=device).status_code == 303
    [row] = world.rows("SELECT expires_at - now() AS left FROM session WHERE door = 'page' ORDER BY id DESC LIMIT 1")
    left: timedelta = row["left"]
    return left


@pytest.mark.threat("card-outside-its-dates")
def test_no_session_outlives_its_card(world: World, anyone: Visitor) -> None:
    link, code = world.card("karim", ends=now() + timedelta(minutes=3))
    anyone.post(f"/p/{link}", code=code, device="own")
    [row] = world.rows(
        "SELECT expires_at - now() AS left FROM session WHERE door = 'page' ORDER BY created_at DESC LIMIT 1"
    )
    assert row["left"] <= timedelta(minutes=3)


@pytest.mark.threat("card-enumeration")
def test_whatever_is_wrong_is_told_alike(world: World, anyone: Visitor) -> None:
    link, code = world.card("jeanne")
    ended, its_code = world.card("jeanne", ends=now() - timedelta(days=1))
    answers = [
        anyone.post(f"/p/{link}", code=wrong(code)),
        anyone.post(f"/p/{link}", code=""),
        anyone.post(f"/p/{link}", device="shared"),
        anyone.post("/p/AAAAAAAAAAAAAAAAAAAAAA", code=code),
        anyone.post(f"/p/{ended}", code=its_code),
    ]
    assert {(a.status_code, a.content) for a in answers} == {(401, answers[0].content)}
    assert "set-cookie" not in answers[0].headers
    assert "www-authenticate" not in answers[0].headers
    (alert,) = read(answers[0].content).all(role="alert")
    assert alert.all("h2")[0].text == "Ce code ne marche pas."


@pytest.mark.threat("card-code-guessed")
def test_the_sixth_try_waits(world: World, anyone: Visitor) -> None:
    link, code = world.card("lucas")
    for _ in range(throttle.GUESSES.tries):
        assert anyone.post(f"/p/{link}", code=wrong(code)).status_code == 401
    answer = anyone.post(f"/p/{link}", code=code)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert title(answer) == "Trop d'essais."


@pytest.mark.threat("trail-login-untraced")
def test_each_refusal_is_traced(world: World, anyone: Visitor) -> None:
    link, code = world.card("jeanne")
    for tried in (wrong(code),) * (throttle.GUESSES.tries + 1):
        answer = anyone.post(f"/p/{link}", code=tried)
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["kind"], line["outcome"], line["door"]) == ("login", "session", "refused", "page")
        assert (line["organisation_id"], line["principal_id"]) == (UUID(int=0), None)


def test_each_opening_is_traced(world: World, anyone: Visitor) -> None:
    link, code = world.card("jeanne")
    answer = anyone.post(f"/p/{link}", code=code)
    [line] = world.traces(request_id=answer.headers["x-request-id"])
    assert (line["action"], line["outcome"], line["usager_id"]) == ("login", "success", world.ids["jeanne"])
    assert (line["principal_kind"], line["principal_id"]) == ("usager", world.ids["jeanne"])


@pytest.mark.threat("search-forged-host")
@pytest.mark.parametrize("path", ["/p/AAAAAAAAAAAAAAAAAAAAAA", HOME, LEAVE])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:9", "localhost:8000"])
def test_another_host_is_refused(world: World, anyone: Visitor, path: str, host: str) -> None:
    method = "POST" if path == LEAVE else "GET"
    answer = world.client.request(method, path, headers={"Host": host})
    assert (answer.status_code, title(answer)) == (400, "Cette adresse n'est pas la bonne.")


@pytest.mark.threat("login-csrf")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
def test_nobody_is_led_in_by_another_site(world: World, anyone: Visitor, headers: dict[str, str]) -> None:
    link, code = world.card("jeanne")
    answer = world.client.post(f"/p/{link}", data={"code": code}, headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_browser_that_hides_where_it_comes_from_enters(world: World, anyone: Visitor) -> None:
    """Our own pages ask for no referrer, so their forms say `Origin: null`."""
    link, code = world.card("jeanne")
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    answer = world.client.post(f"/p/{link}", data={"code": code}, headers=headers, follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.threat("page-form-smuggled")
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"code": "123456"}', "application/json", 415),
        (b"code=123456", "multipart/form-data; boundary=x", 415),
        (b"code=1&code=2", "application/x-www-form-urlencoded", 400),
        (b"code=%ff", "application/x-www-form-urlencoded", 400),
        (b"code=" + b"1" * 65_536, "application/x-www-form-urlencoded", 413),
    ],
)
def test_only_a_small_form_is_read(world: World, body: bytes, kind: str, status: int) -> None:
    answer = world.client.post("/p/AAAAAAAAAAAAAAAAAAAAAA", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.threat("page-leaving-undone")
def test_leaving_ends_the_session_and_clears_the_browser(world: World) -> None:
    visitor = visit(world, "jeanne")
    secret = visitor.secret(HOME)
    answer = visitor.post(LEAVE, csrf=secret)
    assert (answer.status_code, title(answer)) == (200, "Au revoir")
    cookie = SimpleCookie(answer.headers["set-cookie"])["dui"]
    assert (cookie.value, cookie["max-age"]) == ("", "0")
    assert "cache" in answer.headers["clear-site-data"]
    [row] = world.rows("SELECT revoked_at FROM session WHERE door = 'page' ORDER BY revoked_at DESC NULLS LAST LIMIT 1")
    assert row["revoked_at"] is not None


@pytest.mark.threat("page-back-button")
def test_the_back_button_shows_nothing_after_leaving(world: World) -> None:
    visitor = visit(world, "jeanne")
    assert visitor.get(HOME).headers["cache-control"] == "no-store"
    visitor.post(LEAVE, csrf=visitor.secret(HOME))
    again = visitor.get(HOME)
    assert (again.status_code, title(again)) == (401, "Votre page s'est fermée.")
    assert "Jeanne" not in again.text


@pytest.mark.threat("page-csrf")
@pytest.mark.parametrize("secret", ["", "0", "é", "f" * 64])
def test_leaving_needs_the_secret_of_the_page(world: World, secret: str) -> None:
    visitor = visit(world, "jeanne")
    answer = visitor.post(LEAVE, csrf=secret)
    assert (answer.status_code, title(answer)) == (403, "Cette page est trop ancienne.")
    assert visitor.get(HOME).status_code == 200


@pytest.mark.threat("page-csrf")
def test_the_secret_of_another_session_is_no_use(world: World) -> None:
    one, other = visit(world, "jeanne"), visit(world, "jeanne")
    assert one.post(LEAVE, csrf=other.secret(HOME)).status_code == 403


@pytest.mark.threat("page-cross-site")
def test_leaving_is_not_done_by_another_site(world: World) -> None:
    visitor = visit(world, "jeanne")
    headers = {"Cookie": visitor.cookie, "Sec-Fetch-Site": "cross-site"}
    answer = world.client.post(LEAVE, data={"csrf": visitor.secret(HOME)}, headers=headers)
    assert answer.status_code == 403


def test_a_card_taken_back_closes_the_page(world: World) -> None:
    visitor = visit(world, "jeanne")
    assert visitor.get(HOME).status_code == 200
    world.rows("UPDATE session SET revoked_at = now() WHERE door = 'page' RETURNING id")
    answer = visitor.get(HOME)
    assert (answer.status_code, title(answer)) == (401, "Votre page s'est fermée.")


def test_an_old_session_says_so_in_words(world: World) -> None:
    visitor = visit(world, "jeanne")
    world.rows("UPDATE session SET expires_at = now() - interval '1 minute' WHERE door = 'page' RETURNING id")
    answer = visitor.get(HOME)
    assert (answer.status_code, title(answer)) == (401, "Votre page s'est fermée.")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("cookie", ["", "dui=", "dui=abc", "dui=a.b.c", "__Host-dui=abc"])
def test_without_a_session_every_screen_says_how_to_come_back(world: World, cookie: str) -> None:
    answer = Visitor(world, cookie).get(HOME)
    assert (answer.status_code, title(answer)) == (401, "Votre page s'est fermée.")


@pytest.mark.threat("token-bearer-as-cookie")
def test_the_token_of_an_application_opens_no_page(world: World) -> None:
    token = world.bearers["jeanne"]["Authorization"].removeprefix("Bearer ")
    assert Visitor(world, f"dui={token}").get(HOME).status_code == 401
    assert world.client.get(HOME, headers=world.bearers["jeanne"]).status_code == 401


@pytest.mark.threat("token-cookie-as-bearer")
def test_the_cookie_is_a_bearer_nowhere(world: World) -> None:
    _, token = visit(world, "jeanne").cookie.split("=")
    for path in ("/api/v1/me/project", "/api/v1/transmissions", "/fhir/Patient"):
        assert world.client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code in (401, 404)


@pytest.mark.parametrize(
    ("method", "path", "status", "heading"),
    [
        ("GET", "/mon-dossier/ailleurs", 404, "Cette page n'existe pas."),
        ("DELETE", "/mon-dossier/quitter", 405, "Ce geste n'est pas possible ici."),
        ("GET", "/p/AAAAAAAAAAAAAAAAAAAAAA/plus", 404, "Cette page n'existe pas."),
    ],
)
def test_a_refusal_is_a_page_in_french(world: World, method: str, path: str, status: int, heading: str) -> None:
    answer = world.client.request(method, path)
    assert (answer.status_code, title(answer)) == (status, heading)
    assert answer.headers["cache-control"] == "no-store"


def test_what_the_page_needs_is_kept_by_the_browser(world: World, anyone: Visitor) -> None:
    door = read(anyone.get("/p/AAAAAAAAAAAAAAAAAAAAAA").content)
    for link in door.all("link"):
        answer = world.client.get(link.attrs["href"])
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert world.client.get("/static/dui.css").headers["cache-control"] == "public, max-age=86400"


@pytest.fixture(scope="module")
def https(world: World) -> Iterator[TestClient]:
    """The same base, served under a public name."""
    config = Settings(
        database_url=world.database.app_url,
        owner_database_url=world.database.owner_url,
        key_file=world.folder / "keys.json",
        data=world.folder,
        public_origins=f"{HTTPS}, http://127.0.0.1:8000",
        demo=True,
        pool_size=2,
    )
    with TestClient(create_app(config), base_url=HTTPS) as client:
        yield client


@pytest.mark.threat("page-cookie-stolen-by-script")
def test_over_https_the_cookie_is_locked_to_its_host(world: World, https: TestClient) -> None:
    link, code = world.card("ines")
    answer = https.post(f"/p/{link}", data={"code": code, "device": "own"}, follow_redirects=False)
    cookie = SimpleCookie(answer.headers["set-cookie"])["__Host-dui"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert https.get(HOME, headers={"Cookie": cookie_of(answer)}).status_code == 200


@pytest.mark.threat("token-cookie-other-name")
def test_over_https_the_cookie_of_the_demo_is_not_read(world: World, https: TestClient) -> None:
    link, code = world.card("ines")
    answer = https.post(f"/p/{link}", data={"code": code}, follow_redirects=False)
    _, token = cookie_of(answer).split("=")
    https.cookies.clear()
    assert https.get(HOME, headers={"Cookie": f"dui={token}"}).status_code == 401


@pytest.mark.threat("page-guess-after-restart")
def test_tries_are_counted_by_another_server_of_the_same_base(world: World, anyone: Visitor, https: TestClient) -> None:
    link, code = world.card("ines")
    for _ in range(throttle.GUESSES.tries):
        assert anyone.post(f"/p/{link}", code=wrong(code)).status_code == 401
    answer = https.post(f"/p/{link}", data={"code": code}, follow_redirects=False)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")


@pytest.mark.threat("session-fixation")
def test_a_cookie_chosen_before_the_code_opens_nothing(world: World) -> None:
    link, code = world.card("jeanne")
    planted = Visitor(world, f"dui={'A' * 43}")
    answer = planted.post(f"/p/{link}", code=code)
    assert answer.status_code == 303
    assert cookie_of(answer) != planted.cookie
    assert planted.get(HOME).status_code == 401


@pytest.mark.threat("login-open-redirect")
@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_nobody_is_led_elsewhere_once_inside(world: World, anyone: Visitor, to: str) -> None:
    link, code = world.card("jeanne")
    answer = anyone.post(f"/p/{link}?next={to}", code=code, next=to)
    assert answer.headers.get("location", HOME) == HOME
    assert "evil" not in str(answer.headers)


@pytest.mark.threat("page-link-in-log")
def test_no_link_nor_code_is_written_in_the_log(
    world: World, anyone: Visitor, capsys: pytest.CaptureFixture[str]
) -> None:
    link, code = world.card("jeanne")
    capsys.readouterr()
    anyone.get(f"/p/{link}")
    visitor = Visitor(world, cookie_of(anyone.post(f"/p/{link}", code=code)))
    visitor.get(HOME)
    told = "".join(capsys.readouterr())
    assert told.count("\n") == 3
    assert not [secret for secret in (link, code, visitor.cookie.split("=")[1]) if secret in told]


@pytest.mark.threat("input-path-traversal")
@pytest.mark.parametrize("path", ["../app.py", "..%2f..%2fconfig.py", "%2e%2e/%2e%2e/config.py", "/etc/passwd", "a%00"])
def test_no_file_is_read_outside_of_ours(world: World, path: str) -> None:
    assert world.client.get(f"/static/{path}").status_code in (400, 404)
