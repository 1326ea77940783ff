"""Each route of the OpenAPI document, asked in each way that it says it refuses: nobody's token, too fast, unreadable, for
what is not there, stale, too large… What is told is walked from the document, so that a new route is walked as it comes.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from app.api import middleware
from app.kernel.idempotency import Claim, Idempotency
from app.security.rates import Rates
from tests.api.walk.document import Route
from tests.api.walk.house import ABSENT, PERSONS, STAFF, Asked, House, every
from tests.postgres import ask
from tests.world import World

pytestmark = pytest.mark.once
Way = Callable[[Route], Iterator[Asked]]
KEY, TRIES = "la-meme-cle", 12


@pytest.fixture(scope="module")
def house(world: World) -> House:
    return House(world)


# What takes a story, told in the tests of the feature: `tests/statuses.py` hears it there.
STORIES = {
    "200": {
        "GET /api/v1/access/explain",
        "GET /api/v1/access/trail",
        "GET /api/v1/access/copies/{copy_id}/page",
        "GET /api/v1/access/copies/{copy_id}/data",
        "GET /api/v1/me/copies/{copy_id}/page",
        "GET /api/v1/me/copies/{copy_id}/data",
        "GET /api/v1/documents/{document_id}/content",
        "GET /api/v1/me/project",
        "GET /api/v1/me/project/position/{part_id}",
    },
    "403": {
        "POST /api/v1/me/project/opinion",
        "POST /api/v1/me/events/{event_id}/answer",
        "POST /api/v1/me/copies",
        "POST /api/v1/me/consents/{consent_id}/answer",
        "DELETE /api/v1/me/documents/{document_id}",
        "PATCH /api/v1/alerts/{alert_id}",
    },
}


def walked(house: House, status: str, way: Way, *others: str, each: bool = False) -> int:
    """How many requests were made: each route answers one of its own by this status if it tells it, and none else.
    `others`: what may be answered as well; `each`: all of its own are answered so.
    """
    wrong, count = [], 0
    for route in every():
        heard: list[str] = []
        for asked in way(route):
            heard.append(str(house.send(asked).status_code))
            count += 1
            if heard[-1] == status and not each:
                break
        if route.name in STORIES.get(status, ()):
            continue
        wanted = {status} >= {*heard} if each else status in heard
        if heard and wanted != (status in route.statuses) and not {*heard} <= {*others}:
            told = "told" if status in route.statuses else "not told"
            wrong.append(f"{route.name}: {', '.join(heard)}; {status} is {told}")
    assert not wrong, "\n".join(["", *wrong])
    return count


def test_asked_for_what_one_may_read_it_is_200(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if route.verb == "get" and route.path.startswith("/api") and ABSENT not in house.path(route):
            for who in house.callers(route):
                yield house.good(route, who)

    assert walked(house, "200", way) > 100


@pytest.mark.threat("token-every-route")
@pytest.mark.parametrize("said", [None, "Bearer rien", "Bearer eyJhbGciOiJub25lIn0.e30.", "Basic bWFyYzptYXJj"])
def test_without_a_token_of_ours_it_is_401(house: House, said: str | None):
    def way(route: Route) -> Iterator[Asked]:
        if not route.is_open:
            yield house.good(route).but(Authorization=said)

    assert walked(house, "401", way) > 300


@pytest.mark.threat("token-every-route")
def test_with_the_token_of_another_door_it_is_401(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if route.path.startswith("/api/v1") and not route.is_open:
            yield house.good(route, "marc" if route.path.startswith("/api/v1/me") else "person")

    assert walked(house, "401", way) > 300


@pytest.mark.threat("rate-every-route")
def test_faster_than_one_may_it_is_429(house: House):
    state = house.world.client.app.state
    shipped, state.rates = state.rates, Rates(1, clock=lambda: 0.0)
    for who in {who for route in every() for who in house.callers(route) if who != "nobody"}:
        state.rates.spend(house.world.ids[who], 10)

    def way(route: Route) -> Iterator[Asked]:
        if not route.is_open:
            yield house.good(route)

    try:
        assert walked(house, "429", way) > 300
    finally:
        state.rates = shipped


def test_proved_wrongly_too_often_it_is_429(house: House):
    """Of one's own account: the token's form has its tests in `tests/api/test_limits.py`."""
    found = {}
    for route in (each for each in every() if each.is_open and "username" in each.schema.get("required", ())):
        asked = house.good(route)
        found[route.name] = {house.send(asked).status_code for _ in range(TRIES)}
    assert {name: 429 in said for name, said in found.items()} == dict.fromkeys(found, True)
    assert len(found) == 3


def test_under_a_name_that_is_not_ours_it_is_400(house: House):
    def way(route: Route) -> Iterator[Asked]:
        yield house.good(route).but(Host="ailleurs.test")

    assert walked(house, "400", way) > 300


def test_unreadable_it_is_400(house: House):
    def way(route: Route) -> Iterator[Asked]:
        good = house.good(route)
        if route.media and "json" in route.media:
            yield replace(good, content=b"{")
        if not route.is_fhir and "If-Match" in good.headers:
            yield good.but(If_Match="ma version")
        if not route.is_fhir and route.takes("Idempotency-Key"):
            yield good.but(Idempotency_Key="x" * 201)
        for parameter in route.parameters("query"):
            if parameter["schema"].get("type") in ("integer", "boolean"):
                yield replace(good, query=(*good.query, (parameter["name"], "é")))

    assert walked(house, "400", way, each=True) > 300


def test_in_a_form_that_is_not_served_it_is_406(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if route.is_fhir:
            yield house.good(route).but(Accept="image/png")

    walked(house, "406", way)


def test_too_large_it_is_413(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(middleware, "CAPS", (("/", 10),))

    def way(route: Route) -> Iterator[Asked]:
        if route.media:
            yield replace(house.good(route), content=b"{" + b" " * 20)

    walked(house, "413", way)


def test_sent_as_something_else_it_is_415(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if route.media:
            yield house.good(route).but(Content_Type="text/csv")

    walked(house, "415", way)


def test_with_a_field_that_is_not_one_it_is_422(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if route.media and route.path.startswith("/api"):
            yield replace(house.good(route), content=b'{"inconnu": 1}')

    walked(house, "422", way)


def test_without_the_version_read_it_is_428(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if not route.is_fhir and route.takes("If-Match"):
            yield house.good(route).but(If_Match=None)

    walked(house, "428", way)


def test_of_a_version_that_is_past_it_is_412(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if not route.is_fhir and route.takes("If-Match"):
            for who in house.callers(route):
                yield house.good(route, who).but(If_Match='W/"99"')

    walked(house, "412", way)


@pytest.mark.parametrize("last", [ABSENT, "x"])
def test_of_what_is_not_there_it_is_404(house: House, last: str):
    def way(route: Route) -> Iterator[Asked]:
        if "{" in route.path and not route.is_fhir:
            for who in house.callers(route):
                yield house.good(route, who, last)

    walked(house, "404", way, *(["200"] if last == ABSENT else []))


def test_of_someone_who_is_not_there_it_is_404(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if "{" not in route.path and route.path.startswith("/api") and route.media:
            for who in house.callers(route):
                good = house.good(route, who)
                content = good.content
                for id in (house.named[name] for name in ("usager_id", "project_id", "contact_id", "entry_id")):
                    content = content and content.replace(id.encode(), ABSENT.encode())
                yield replace(good, content=content)

    walked(house, "404", way)


@pytest.fixture
def in_flight(house: House) -> Iterator[None]:
    """The same key, held by another transaction of each caller's."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(house.world.database.owner_url))
    for lock in (f"{c.organisation_id}{c.principal_id}{c.key_sha256.hex()}" for c in claims(house)):
        loop.run_until_complete(connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 7))", lock))
    yield
    loop.run_until_complete(connection.close())
    loop.close()


def claims(house: House) -> list[Claim]:
    ids = house.world.ids
    return [
        Claim.of(house.world.organisation, ids[who], KEY, "POST /ailleurs", b"") for who in (*STAFF, *PERSONS, "chu")
    ]


def under_the_same_key(house: House) -> Way:
    def way(route: Route) -> Iterator[Asked]:
        if route.takes("Idempotency-Key"):
            for who in house.callers(route):
                yield house.good(route, who).but(Idempotency_Key=KEY)

    return way


def test_while_the_same_is_under_way_it_is_409(house: House, in_flight: None):
    assert walked(house, "409", under_the_same_key(house)) > 60


def test_under_a_key_that_served_elsewhere_it_is_422(house: House):
    house.world.add(*(Idempotency(**vars_of(claim)) for claim in claims(house)))
    assert walked(house, "422", under_the_same_key(house)) > 60


def vars_of(claim: Claim) -> dict[str, object]:
    return {name: getattr(claim, name) for name in Claim.__slots__}


def test_what_was_deleted_is_410(house: House):
    house.anew()
    house.world.rows(
        "UPDATE mandate SET ends = '2026-01-06', confirmed_at = NULL, author_id = NULL"
    )  # no one's: it may go
    wrong = [f"DELETE {path}" for path in deletable() if not deleted(house, path)]
    assert not wrong, "\n".join(["", *wrong])

    def way(route: Route) -> Iterator[Asked]:
        staff_s = route.path.replace("/me/", "/")
        if any(path in (route.path, staff_s) or staff_s.startswith(f"{path}/") for path in deletable()):
            for who in house.callers(route):
                yield house.good(route, who)

    walked(house, "410", way)


def deletable() -> list[str]:
    """What is deleted as one version of it, parts before their whole."""
    paths = [r.path for r in every() if r.verb == "delete" and r.takes("If-Match") and not r.is_fhir]
    return sorted(paths, key=len, reverse=True)


def deleted(house: House, path: str) -> bool:
    route = next(route for route in every() if (route.verb, route.path) == ("delete", path))
    return any(removed(house, route, who) == 204 for who in house.callers(route))


def removed(house: House, route: Route, who: str) -> int:
    good = house.good(route, who)
    version = house.send(replace(good, verb="GET", headers=house.world.bearers[who])).headers.get("etag")
    return int(house.send(good.but(If_Match=version)).status_code)


def test_in_a_project_that_ended_it_is_409(house: House):
    house.anew()
    house.world.rows("UPDATE project SET status = 'completed' WHERE id = $1", UUID(house.named["project_id"]))

    def way(route: Route) -> Iterator[Asked]:
        if route.path.startswith("/api/v1/projects/{project_id}/") and route.verb in ("patch", "delete"):
            for who in house.callers(route):
                yield house.good(route, who)

    assert walked(house, "409", way) > 10


def test_beyond_one_s_right_it_is_403(house: House):
    house.anew()

    def way(route: Route) -> Iterator[Asked]:
        if route.path.startswith("/api"):
            callers = house.callers(route) if "403" in route.statuses else house.callers(route)[-1:]
            for who in reversed(callers):
                yield house.good(route, who)

    walked(house, "403", way)


@contextmanager
def away(world: World) -> Iterator[None]:
    """Postgres takes no one in any more, and lets go of who was there."""
    name = world.database.name
    let_go = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    ask(world.database.superuser_url, f"ALTER DATABASE {name} CONNECTION LIMIT 0", let_go)
    try:
        yield
    finally:
        ask(world.database.superuser_url, f"ALTER DATABASE {name} CONNECTION LIMIT -1")


def test_while_the_base_is_away_it_is_503(house: House):
    def way(route: Route) -> Iterator[Asked]:
        if route.path.startswith(("/api", "/fhir")):
            yield house.good(route)

    with away(house.world):
        assert walked(house, "503", way) > 300
