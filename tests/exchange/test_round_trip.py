"""Import → export → import elsewhere gives an equal dossier: what is modelled, what is not, and what leads nowhere."""

import json
import re
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from app.fhir.verbs.transaction import OUTSIDE
from app.security.principal import Role
from tests.exchange.sending import sent
from tests.features.projects.exchanged import own_bundle
from tests.features.projects.test_exchange import sendable
from tests.fhir import official
from tests.world import ORIGIN, World

Json = dict[str, Any]
OWN = ("versionId", "lastUpdated", "source")
NAME = re.compile(r'"((?:[A-Z][A-Za-z]+)/[0-9a-f]{8}-[0-9a-f-]{27})"')


def taken(world: World, body: Json, who: str) -> str:
    """The id given to the person of the bundle."""
    answer = sent(world, body, who)
    assert answer.status_code == 200, answer.text
    places = [e["response"]["location"].split("/") for e in answer.json()["entry"]]
    return next(place[1] for place in places if place[0] == "Patient")


def pushed(world: World, usager: str, to: str) -> Json:
    """The dossier as a nurse sends it to that partner."""
    world.accompany("idec", UUID(usager), "ime")
    body = {"usager_id": usager, "structure_id": str(world.ids["ime"]), "partner_id": str(world.ids[to])}
    answer = world.post("idec", "/api/v1/exchanges/sent", {**body, "ground": "loi", "article": "CASF L241-10"})
    assert answer.status_code == 201, answer.text
    told: Json = world.get("idec", answer.headers["location"] + "/bundle").json()
    return told


def canonical(told: Json) -> list[str]:
    """Each resource without what a server says of its own, its references by the order in which all are first named."""
    return sorted(canonical_of(told).values())


def canonical_of(told: Json) -> dict[str, str]:
    """The same, by the place of each in its server."""
    resources = []
    for each in told["entry"]:
        resource = {k: v for k, v in each["resource"].items() if k != "id"}
        resource["meta"] = {k: v for k, v in resource["meta"].items() if k not in OWN}
        resources.append((each["fullUrl"].removeprefix(f"{ORIGIN}/fhir/"), resource))
    shape = {name: NAME.sub('"…"', json.dumps(r, sort_keys=True)) for name, r in resources}
    order = sorted(shape, key=lambda name: (shape[name], name))
    named = {name: f"{name.partition('/')[0]}/{n}" for n, name in enumerate(order)}
    whole = {name: json.dumps(r, sort_keys=True) for name, r in resources}
    return {name: NAME.sub(lambda m: f'"{named.get(m[1], m[1])}"', whole[name]) for name in order}


@pytest.fixture(scope="module", autouse=True)
def nurse(world: World) -> None:
    """Who coordinates care reads all that a partner may send."""
    world.hire("idec", Role.IDEC, "ime")


SOURCES = pytest.mark.parametrize("name", ["own", *official.BUNDLES])


def body_of(name: str) -> Json:
    return sendable(own_bundle() if name == "own" else official.bundle(name))


@SOURCES
def test_an_imported_dossier_exports_equal_after_a_second_journey(world: World, name: str):
    once = pushed(world, taken(world, body_of(name), "chu"), "mdph")
    twice = pushed(world, taken(world, once, "mdph"), "chu")
    assert canonical(twice) == canonical(once)
    assert len(once["entry"]) == len(twice["entry"])


@SOURCES
def test_nothing_of_what_came_is_missing_from_what_leaves(world: World, name: str):
    body = body_of(name)
    told = pushed(world, taken(world, body, "chu"), "mdph")
    text = json.dumps(body)
    named = [r for r in (e["resource"] for e in body["entry"]) if r["resourceType"] not in OUTSIDE or tail(r) in text]
    came, left = (
        Counter(r["resourceType"] for r in named),
        Counter(e["resource"]["resourceType"] for e in told["entry"]),
    )
    assert came - left == {}


def tail(resource: Json) -> str:
    """How a reference to it ends: who is named by no row belongs to no dossier."""
    return f'{resource["resourceType"]}/{resource["id"]}"}}'
