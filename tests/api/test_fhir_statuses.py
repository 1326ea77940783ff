"""Each FHIR route of the OpenAPI document, asked for what takes a scope, a type, a version or a row of one's own."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.fhir.mapping import Json
from app.kernel.db import Database
from app.security import sessions
from tests.api.walk.document import Route
from tests.api.walk.house import ABSENT, every
from tests.exchange.bundles import project
from tests.exchange.sending import FHIR, sent
from tests.world import LONG, ORIGIN, World

pytestmark = pytest.mark.once
PATCH, FORM = "application/json-patch+json", "application/x-www-form-urlencoded"
BESIDE = ("AuditEvent", "Questionnaire", "Binary", "Device")  # which are read, and no more
TOUCHED = [{"op": "add", "path": "/language", "value": "fr"}]
OF_ONE, OF_TYPE = "/fhir/{type_name}/{id}", "/fhir/{type_name}"


@pytest.fixture(scope="module")
def sender(world: World) -> World:
    """The CHU sent a person and goals; its other token opens nothing of it."""
    assert sent(world, project("statuses", goals=3)).status_code == 200

    async def narrow() -> str:
        base = Database(world.database.owner_url, 1)
        async with base.session(None) as session:
            who, place = (world.organisation, world.ids["chu"]), world.ids["ime"]
            opened = await sessions.open_partner(
                session, world.keyring, ORIGIN, who, place, frozenset({"Observation.r"}), ttl=LONG
            )
            await session.commit()
        await base.close()
        return opened.token

    world.bearers["narrow"] = {"Authorization": f"Bearer {asyncio.run(narrow())}"}
    return world


# What takes a story, told in the tests of the verb: `tests/statuses.py` hears it there.
STORIES = {
    "403": {"GET /fhir/Patient/{id}/$tddui-export"},
    "404": {"POST /fhir", "POST /fhir/{type_name}/$validate"},
    "412": {"POST /fhir"},
}


def goals(world: World) -> list[Json]:
    return [each["resource"] for each in world.get("chu", "/fhir/Goal").json()["entry"]]


def named(one: Json) -> str:
    """The condition that only this one meets."""
    return f"?identifier={one['identifier'][0]['system']}|{one['identifier'][0]['value']}"


def asked(
    world: World,
    route: Route,
    who: str = "chu",
    type_name: str = "Goal",
    id: str = "",
    version: str = "1",
    **headers: str,
) -> int:
    """What it answers, its body the one that stands there."""
    one = goals(world)[0]
    path = route.path.replace("{type_name}", type_name).replace("{version}", version)
    someone = one["subject"]["reference"].partition("/")[2]
    path = path.replace("{id}", id or (someone if "/Patient/" in path else one["id"]))
    conditional = route.path == OF_TYPE and route.verb in ("put", "patch", "delete")
    media, content = _body(route, one)
    told = {**world.bearers[who], **({"Content-Type": media} if media else {}), **headers}
    query = named(one) if conditional else "?_type=Goal" if (route.path, route.verb) == ("/fhir", "get") else ""
    return int(world.client.request(route.verb.upper(), path + query, headers=told, content=content).status_code)


def _body(route: Route, one: Json) -> tuple[str | None, bytes | None]:
    media = route.media
    if media == FORM:
        return media, b"_type=Goal" if "type_name" not in route.path else b""
    if media == PATCH:
        return media, json.dumps(TOUCHED).encode()
    body: Any = project("refused") if route.path == "/fhir" else one
    return media, json.dumps(body).encode() if media else None


def telling(status: str) -> Iterator[Route]:
    yield from (r for r in every() if r.is_fhir and status in r.statuses and r.name not in STORIES.get(status, ()))


def test_beyond_the_scopes_of_a_token_it_is_403(sender: World):
    wrong = [(r.name, said) for r in telling("403") if (said := asked(sender, r, "narrow")) != 403]
    assert wrong == []


def test_of_what_is_not_there_it_is_404(sender: World):
    found = {r.name: {asked(sender, r, type_name="Inconnu"), asked(sender, r, id=ABSENT)} for r in telling("404")}
    assert {name: said for name, said in found.items() if 404 not in said} == {}


def test_of_a_type_that_is_only_read_it_is_405(sender: World):
    of_a_type = [r for r in telling("405") if "{type_name}" in r.path]
    found = {r.name: {asked(sender, r, type_name=name) for name in BESIDE} for r in of_a_type}
    assert {name: said for name, said in found.items() if 405 not in said} == {}


def test_of_a_version_that_is_past_it_is_412(sender: World):
    stale = {"If-Match": 'W/"99"'}
    asks = {r.name: asked(sender, r, **stale) for r in telling("412") if r.takes("If-Match")}
    assert {*asks.values()} == {412}, asks


def test_changed_by_a_condition_it_is_200(sender: World):
    [route] = [r for r in telling("200") if (r.path, r.verb) == (OF_TYPE, "patch")]
    assert asked(sender, route) == 200


def written(world: World, verb: str, where: str, said: Any, **headers: str) -> int:
    media = PATCH if verb == "PATCH" else FHIR
    told = {**world.bearers["chu"], "Content-Type": media, **headers}
    return int(world.client.request(verb, f"/fhir/Goal{where}", headers=told, content=json.dumps(said)).status_code)


def test_moved_to_someone_else_it_is_409(sender: World):
    assert sent(sender, project("another", goals=1)).status_code == 200
    one = goals(sender)[0]
    whole = {**next(g for g in goals(sender) if g["subject"] != one["subject"]), "subject": one["subject"]}
    patch = [{"op": "replace", "path": "/subject", "value": one["subject"]}]
    for where in (f"/{whole['id']}", named(whole)):
        assert written(sender, "PUT", where, whole) == 409
        assert written(sender, "PATCH", where, patch) == 409


def test_against_a_rule_it_is_422(sender: World):
    one = {**goals(sender)[0], "meta": {"profile": ["https://nulle.part/profil"]}}
    for where in (f"/{one['id']}", named(one)):
        assert written(sender, "PUT", where, one, Prefer="handling=strict") == 422
        assert written(sender, "PATCH", where, [{"op": "test", "path": "/language", "value": "xx"}]) == 422


def test_what_was_deleted_says_so_then_it_is_410(sender: World):
    one = goals(sender)[0]
    for where in (f"/{one['id']}", named(goals(sender)[1])):
        assert written(sender, "DELETE", where, None, Prefer="return=OperationOutcome") == 200
    found = {r.name: {asked(sender, r, id=one["id"], version=n) for n in ("1", "2")} for r in telling("410")}
    assert {name: said for name, said in found.items() if 410 not in said} == {}
