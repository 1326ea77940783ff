"""An entry that reads answers what the route of its address would: same status, same words, same reach, for each caller."""

from typing import Any
from uuid import uuid4

import pytest

from app.api.resources import REGISTRY
from app.fhir.mapping import Json
from app.security.principal import Role
from tests.exchange.bundles import bundle
from tests.exchange.sending import sent
from tests.exchange.test_acts import change
from tests.fhir.test_read import consented, written
from tests.world import ORIGIN, World

__all__ = ["consented"]


@pytest.fixture(scope="module")
def note(world: World) -> str:
    world.hire("dora", Role.DPO, "ehpad")
    return written(world)


def forms(declared: Json, world: World, note: str) -> list[str]:
    """Every way of GET that the CapabilityStatement tells, of a note of Lucas's."""
    [rest] = declared["rest"]
    person = f"Patient/{world.ids['lucas']}"
    found = ["_history?_count=5", "?_type=Task,Goal", "?_type=Task,Goal&_count=0", f"{person}/*?_count=3"]
    for each in rest["resource"]:
        name, codes = each["type"], {one["code"] for one in each["interaction"]}
        said = "?date=2026" if name == "AuditEvent" else "?_count=2"
        found += [f"{name}{said}"] * ("search-type" in codes) + [f"{name}/{uuid4()}"]
        found += [f"{name}/_history?_count=1"] * ("history-type" in codes)
        if {one["name"] for one in each.get("searchParam", ())} & {"patient", "subject"}:
            found += [f"{person}/{name}?_count=1"]
    place = f"DocumentReference/{note}"
    found += [place, f"{place}/_history", f"{place}/_history/1", f"{place}/_history/9", f"{place}/$validate"]
    found += [f"{ORIGIN}/fhir/{place}", f"{place}?_elements=status", f"{place}?banana=1", f"{place}/_history/1/x"]
    found += [
        f"{person}/$everything?_count=4",
        f"{person}/$tddui-export",
        person,
        f"{person}/$banana",
        f"Binary/{note}",
    ]
    return [*found, "DocumentReference?banana=1", "DocumentReference?_count=-1", "DocumentReference?_format=xml"]


def steady(told: Any) -> Any:
    """Without what changes at each request: its hour, its sealed links, its own trace, the id of what is handed over."""
    if isinstance(told, dict) and told.get("resourceType") == "Bundle":
        told = {name: value for name, value in told.items() if name not in ("timestamp", "link", "id")}
        trail = any(e.get("resource", {}).get("resourceType") == "AuditEvent" for e in told.get("entry", ()))
        return told["type"] if trail else told
    return told


@pytest.mark.threat("search-batch")
@pytest.mark.parametrize("who", ["sonia", "chu", "yann", "lucas", "dora"])
def test_each_form_of_get_is_answered_as_by_its_route(world: World, note: str, consented: None, who: str):
    asked = forms(world.client.get("/fhir/metadata").json(), world, note)
    assert {each.partition("?")[0].partition("/")[0] for each in asked} >= {
        *REGISTRY.types,
        "AuditEvent",
        "Questionnaire",
    }
    for start in range(0, len(asked), 50):
        some = asked[start : start + 50]
        body = {**bundle(*(change("GET", each) for each in some)), "type": "batch"}
        answer = sent(world, body, who=who)
        assert answer.status_code == 200, answer.text
        for each, told in zip(some, answer.json()["entry"], strict=True):
            path = each.removeprefix(f"{ORIGIN}/fhir/")
            alone = world.get(
                who, f"/fhir/{path}".replace("/fhir/?", "/fhir?"), headers={"Accept": "application/fhir+json"}
            )
            status = told["response"]["status"].partition(" ")[0]
            there = told.get("resource") or told["response"].get("outcome")
            assert (status, steady(there)) == (str(alone.status_code), steady(alone.json())), each


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_an_entry_that_reads_says_which_version(world: World, note: str, consented: None, kind: str):
    """As the header of the same address does; a list is of none."""
    asked = [f"DocumentReference/{note}", f"DocumentReference/{note}/_history/1", "DocumentReference"]
    answer = sent(world, {**bundle(*(change("GET", each) for each in asked)), "type": kind}, who="chu")
    assert answer.status_code == 200, answer.text
    said = [each["response"] for each in answer.json()["entry"]]
    alone = [world.get("chu", f"/fhir/{each}") for each in asked]
    assert (
        [each.get("etag") for each in said] == [each.headers.get("etag") for each in alone] == ['W/"1"', 'W/"1"', None]
    )
    times = [each.get("lastModified") for each in said]
    assert times == [*(each.json()["meta"]["lastUpdated"] for each in alone[:2]), None]


def test_an_entry_is_as_lenient_as_its_bundle(world: World):
    body = {**bundle(change("GET", "Task?banana=1")), "type": "batch"}
    [strict] = sent(world, body, who="sonia").json()["entry"]
    [lenient] = sent(world, body, who="sonia", Prefer="handling=lenient").json()["entry"]
    assert strict["response"]["status"][:3] == "400"
    assert lenient["resource"]["entry"][-1]["search"]["mode"] == "outcome"


def test_since_an_instant_of_fhir(world: World, note: str):
    place = f"DocumentReference/{note}"
    at = world.get("sonia", f"/fhir/{place}").json()["meta"]["lastUpdated"]
    asked = [change("GET", place, ifModifiedSince=when) for when in (at, "2020-01-01T00:00:00+01:00")]
    answer = sent(world, {**bundle(*asked), "type": "batch"}, who="sonia")
    assert [each["response"]["status"][:3] for each in answer.json()["entry"]] == ["304", "200"]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_dossier_is_handed_over_in_no_transaction(world: World, consented: None, kind: str):
    """It is a sending, with its own line of the journal."""
    body = {**bundle(change("GET", f"Patient/{world.ids['lucas']}/$tddui-export?manifest=true")), "type": kind}
    answer = sent(world, body)
    told = answer.json() if kind == "transaction" else answer.json()["entry"][0]["resource"]
    assert (answer.status_code, told["resourceType"]) == (
        (405, "OperationOutcome") if kind == "transaction" else (200, "Parameters")
    )


@pytest.mark.threat("search-batch")
@pytest.mark.parametrize("asked", ["?_type=Task,Goal", "Patient/{lucas}/Goal", "Patient/{lucas}/*?_type=Goal"])
def test_a_transaction_reads_several_types_and_one_person(world: World, consented: None, asked: str):
    answer = sent(world, bundle(change("GET", asked.format(**world.ids))))
    assert answer.status_code == 200, answer.text
    assert answer.json()["entry"][0]["resource"]["type"] == "searchset"
