"""A project comes in by a partner's bundle, the team continues it, its sender reads it back: through the doors only."""

import json
from typing import Any

import orjson
import pytest

from tests.features.projects.exchanged import bare, own_bundle
from tests.fhir import official
from tests.world import World

FHIR = "application/fhir+json"
OURS = ("CarePlan", "Consent", "Goal", "ServiceRequest", "Task")


def sendable(bundle: dict[str, Any]) -> dict[str, Any]:
    """With the `request` a transaction asks for, and the names R4 asks of a document."""
    for each in bundle["entry"]:
        each.setdefault("request", {"method": "POST", "url": each["resource"]["resourceType"]})
        if each["resource"]["resourceType"] == "DocumentReference":
            each["resource"] |= {"status": "current", "content": [{"attachment": {"title": "Une lettre"}}]}
        if each["resource"]["resourceType"] == "QuestionnaireResponse":
            each["resource"] |= {"status": "completed"}
        if each["resource"]["resourceType"] == "RelatedPerson":
            each["resource"] |= {"patient": {"reference": "Patient/noe"}}
    return bundle


def bundle_of(name: str) -> dict[str, Any]:
    return sendable(own_bundle() if name == "own" else official.bundle(name))


def taken(world: World, bundle: dict[str, Any]) -> list[str]:
    headers = {**world.bearers["chu"], "Content-Type": FHIR}
    answer = world.client.post("/fhir", content=orjson.dumps(bundle), headers=headers)
    assert answer.status_code == 200, answer.text
    return [e["response"]["location"].partition("/_history")[0] for e in answer.json()["entry"]]


def place_of(places: list[str], type_name: str) -> str:
    return next(place for place in places if place.startswith(f"{type_name}/"))


NAMES = pytest.mark.parametrize("name", ["own", official.BUNDLES[0]])


@NAMES
def test_its_sender_reads_it_back_equal(world: World, name: str):
    bundle = bundle_of(name)
    places = taken(world, bundle)
    names = {"/".join(e["fullUrl"].split("/")[-2:]): place for e, place in zip(bundle["entry"], places, strict=True)}
    for each, place in zip(bundle["entry"], places, strict=True):
        if place.partition("/")[0] in OURS:
            back = bare(world.get("chu", f"/fhir/{place}").json())
            back["meta"].pop("tag")
            text = json.dumps(bare(each["resource"]))
            for old, new in names.items():
                text = text.replace(f'"{old}"', f'"{new}"')
            assert back == json.loads(text)


@NAMES
def test_the_chief_reads_it_by_rest_at_once(world: World, name: str):
    bundle = bundle_of(name)
    places = taken(world, bundle)
    told = world.get("marc", f"/api/v1/projects/{place_of(places, 'CarePlan').partition('/')[2]}").json()
    sent = [e["resource"] for e in bundle["entry"]]
    assert told["title"] == next(r["title"] for r in sent if r["resourceType"] == "CarePlan")
    parts = ("expectations", "needs", "goals", "actions", "services", "means", "reviews", "agreements")
    assert sum(len(told[room]) for room in parts) == sum(r["resourceType"] in OURS[1:] for r in sent)


def test_is_found_by_the_name_its_sender_gave_it(world: World):
    taken(world, bundle_of("own"))
    name = "https://identifiant-medicosocial-objectif.esante.gouv.fr|3690012345/4711-OBJE-3"
    found = {
        who: world.get(who, f"/fhir/Goal?identifier={name}").json().get("total") for who in ("chu", "marc", "mdph")
    }
    assert found == {"chu": 1, "marc": 1, "mdph": 0}


def test_sent_again_it_is_a_new_version_of_the_same_rows(world: World):
    bundle = bundle_of("own")
    first = taken(world, bundle)
    plan = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "CarePlan")
    plan["title"] = "Projet de Noé, suite"
    assert taken(world, bundle) == first
    id = place_of(first, "CarePlan").partition("/")[2]
    told = world.get("marc", f"/api/v1/projects/{id}").json()
    assert (told["title"], told["version"]) == ("Projet de Noé, suite", 2)
    assert len(told["agreements"]) == 2


def test_a_signature_that_no_project_cites_is_kept_whole(world: World):
    bundle = json.loads(json.dumps(bundle_of("own")).replace("ailleurs", "encore-ailleurs").replace("4711", "4712"))
    for each in bundle["entry"]:
        each["resource"].pop("supportingInfo", None)
    place = place_of(taken(world, bundle), "Consent")
    assert world.get("chu", f"/fhir/{place}").json()["dateTime"] == "2026-01-12T10:30:00+01:00"
    assert world.rows("SELECT 1 FROM kept_resource WHERE id = $1", place.partition("/")[2])
