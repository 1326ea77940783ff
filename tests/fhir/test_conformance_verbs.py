"""Verb × type, computed from behaviour: what a partner does to a resource it sent, held against what is declared."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest

from tests.exchange.sending import read_back, sent
from tests.fhir.test_conformance import SOURCES
from tests.world import World

Json = dict[str, Any]
VERBS = ("read", "vread", "history-instance", "history-type", "search-type", "create", "update", "patch", "delete")
JSON, PATCH = "application/fhir+json", "application/json-patch+json"


SUBJECT = {"Consent": "patient", "QuestionnaireResponse": "subject"}  # that TDDUI lets say nobody


def answers(world: World, type_name: str, id: str, back: Json, person: str) -> set[str]:
    """The verbs that did something to a resource which this partner sent."""
    one, all_ = f"/fhir/{type_name}/{id}", f"/fhir/{type_name}"
    test = [{"op": "test", "path": "/resourceType", "value": type_name}]
    anew = {k: v for k, v in back.items() if k not in ("id", "identifier")}
    if type_name in SUBJECT:
        anew[SUBJECT[type_name]] = {"reference": person}
    asked: dict[str, tuple[str, str, object, str]] = {
        "read": ("GET", one, None, ""),
        "vread": ("GET", f"{one}/_history/{back['meta']['versionId']}", None, ""),
        "history-instance": ("GET", f"{one}/_history", None, ""),
        "history-type": ("GET", f"{all_}/_history?_count=1", None, ""),
        "search-type": ("GET", f"{all_}?_id={id}", None, ""),
        "update": ("PUT", one, back, JSON),
        "patch": ("PATCH", one, test, PATCH),
        "create": ("POST", all_, anew, JSON),
        "delete": ("DELETE", one, None, ""),
    }
    done = set()
    for verb, (method, path, body, kind) in asked.items():
        headers = {**world.bearers["chu"], **({"Content-Type": kind} if kind else {})}
        content = None if body is None else orjson.dumps(body)
        if world.client.request(method, path, content=content, headers=headers).is_success:
            done.add(verb)
    return done


@pytest.mark.once
def test_each_verb_answers_on_each_type_as_it_is_declared(world: World, figure: Callable[[str], None]):
    promised = world.client.get("/fhir/metadata").json()["rest"][0]["resource"]
    declared = {r["type"]: {i["code"] for i in r["interaction"]} & set(VERBS) for r in promised}
    places: dict[str, tuple[str, str]] = {}
    for name, source in SOURCES.items():
        if not name.endswith(".json"):
            answer = sent(world, source())
            assert answer.status_code == 200, (name, answer.text)
            there = [each["response"]["location"].split("/")[:2] for each in answer.json()["entry"]]
            person = next(f"Patient/{id}" for type_name, id in there if type_name == "Patient")
            for type_name, id in there:
                places.setdefault(type_name, (id, person))
    wrong = {}
    for type_name, (id, person) in sorted(places.items()):
        back = read_back(world, type_name, UUID(id))
        back["meta"].pop("tag", None)
        seen = answers(world, type_name, id, back, person)
        figure(f"verbs {type_name:24} {' '.join(verb if verb in seen else '—' for verb in VERBS)}")
        if seen != declared[type_name]:
            wrong[type_name] = (sorted(seen - declared[type_name]), sorted(declared[type_name] - seen))
    assert wrong == {}
