"""What `:missing` says of each parameter is what R4's own expression finds in the resource, of one example of each profile."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fhirpathpy import compile as fhirpath
from fhirpathpy.models import models

from app.api.resources import REGISTRY
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.sending import fresh, sent
from tests.features.contacts.test_fhir import contact
from tests.fhir.test_conformance import SOURCES
from tests.fhir.test_criteria import registry
from tests.world import World

Json = dict[str, Any]
LEADS_TO, AS = re.compile(r"\.where\(resolve\(\) is (\w+)\)"), re.compile(r"\((\S+) as (\w+)\)")
# Of whom, of what, and under which name a row came is known here, even where its sender's resource does not say it.
KNOWN = {"identifier", "patient", "subject", "based-on"}
# A reference that leads nowhere here stands beside the row, sealed.
BESIDE = {("Consent", "consentor"), ("QuestionnaireResponse", "encounter")}


def expression_of(kind: str, name: str) -> str:
    """Of R4, in the dialect of fhirpathpy, which resolves nothing."""
    if name == "_id":  # of which the registry of R4 gives none
        return f"{kind}.id"
    told = str((registry().get((kind, name)) or registry()["Resource", name])["expression"])
    mine = [part.strip() for part in told.split("|") if f"{kind}." in part or "Resource." in part]
    joined = " | ".join(mine).replace("Resource.", f"{kind}.")
    return AS.sub(r"\1.ofType(\2)", LEADS_TO.sub(r".where(reference.startsWith('\1/'))", joined))


@pytest.fixture(scope="module")
def full(world: World) -> None:
    for source in SOURCES.values():
        assert sent(world, source()).status_code == 200


def every(world: World, who: str, kind: str, query: str = "") -> Iterator[Json]:
    answer = world.get(who, f"/fhir/{kind}?_count=200&{query}")
    assert answer.status_code == 200, answer.text
    yield from (entry["resource"] for entry in answer.json().get("entry", ()))


@pytest.mark.once
@pytest.mark.threat("search-modifiers")
@pytest.mark.parametrize("kind", REGISTRY.types)
def test_missing_says_what_r4_finds_in_the_resource(world: World, full: None, kind: str):
    resources = list(every(world, "chu", kind))
    assert resources or kind == "Location", kind
    named = {name: c.type for one in REGISTRY.own(kind) for name, c in one.criteria.items() if name[0] != "_"}
    for name in sorted(name for name, of in named.items() if of != "composite"):
        tells = fhirpath(expression_of(kind, name), models["r4"])
        having = {r["id"] for r in resources if tells(r)}
        told = {r["id"] for r in every(world, "chu", kind, f"{name}:missing=false")}
        untold = {r["id"] for r in every(world, "chu", kind, f"{name}:missing=true")}
        assert not told & untold, name
        assert name in KNOWN or told <= having, name
        assert name in KNOWN or (kind, name) in BESIDE or not untold & having, name


def parts_of(value: Any) -> Iterator[str]:
    """What may be searched of a value that the resource tells, by any type of parameter."""
    match value:
        case bool():
            yield str(value).lower()
        case str() | int() | float():
            yield str(value).replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")
        case {"coding": [*codings]}:
            yield from (said for each in codings for said in parts_of(each))
        case {"code": str(code), "value": number}:
            yield f"{number}|{value.get('system', '')}|{code}"
        case {"code": str(code)}:
            yield from (f"{value['system']}|{code}", code) if "system" in value else (code,)
        case {"reference": str(led)}:
            yield led
        case {"value": str(told)} if value.get("system") in CONTACT:
            yield told
        case {"value": str(told), "system": str(system)}:
            yield f"{system}|{told}"
        case {"value": number}:
            yield f"{number}"
        case {"start": str(start)}:
            yield f"ge{start}"
        case dict():  # a name, an address; of a code in words alone, no token
            inner = [
                value[name] for name in ("family", "given", "line", "city", "postalCode", "country") if name in value
            ]
            each = (one for part in inner for one in (part if isinstance(part, list) else [part]))
            yield from (said for one in each for said in parts_of(one))


# Two values at once, each tried alone too: `test_criteria`, `test_search_values`. What else has no value to be told by.
COMPOSITE = "composite"
CONTACT = ("phone", "email", "fax", "pager", "url", "sms", "other")
# Its sender's word is told back as it came; it is searched as our column reads it, or as whom it is about.
READ_OTHERWISE = {
    ("Goal", "lifecycle-status"), ("ServiceRequest", "intent"), ("Task", "status"), ("Patient", "_profile"), ("Basic", "subject"),
    ("Task", "subject"), ("Basic", "identifier"), ("ServiceRequest", "identifier"),
}  # fmt: skip


@pytest.fixture(scope="module")
def parties(world: World, full: None) -> None:
    """Who stands in a bundle, telling all that they are searched by."""
    assert sent(world, with_parties()).status_code == 200


def with_parties() -> Json:
    led = {"reference": "Practitioner/doc"}
    role = {
        "resourceType": "PractitionerRole", "id": "role", "active": True, "practitioner": led,
        "organization": {"reference": "Organization/clinic"}, "period": {"start": "2024-05", "end": "2027"},
        "code": [{"coding": [{"system": "urn:roles", "code": "doctor", "display": "Médecin"}]}],
        "identifier": [{"system": "urn:x:roles", "value": "r-1"}],
    }  # fmt: skip
    doctor = {
        "resourceType": "Practitioner", "id": "doc", "identifier": [{"system": "urn:x:docs", "value": "d-1"}],
        "name": [{"family": "Lœwe-Martin", "given": ["Zoé", "Anne"], "prefix": ["Dr"], "text": "Dr Zoé Lœwe-Martin"}],
    }  # fmt: skip
    clinic = {
        "resourceType": "Organization", "id": "clinic", "active": True, "name": "Clinique des Tilleuls", "alias": ["Tilleuls"],
        "identifier": [{"system": "urn:x:orgs", "value": "o-1"}],
    }  # fmt: skip
    place = {
        "resourceType": "Location", "id": "place", "name": "Salle", "identifier": [{"system": "urn:x:places", "value": "1"}],
        "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/Location"]},
    }  # fmt: skip
    reached: Json = {
        "telecom": [{"system": "phone", "value": "0612345678"}, {"system": "email", "value": "a@exemple.fr"}],
        "address": [{"line": ["7 rue Haute"], "city": "Riom", "postalCode": "63200", "country": "FR"}],
    }
    person = {**patient(fresh()), **reached, "active": True, "deceasedDateTime": "2026-02-03"}
    return bundle(*map(entry, (person, contact(**reached), role, doctor, clinic, place)))


def parameters(world: World) -> dict[str, dict[str, str]]:
    told = world.get("chu", "/fhir/metadata").json()["rest"][0]["resource"]
    return {
        each["type"]: {one["name"]: one["type"] for one in each["searchParam"]}
        for each in told
        if "searchParam" in each
    }


@pytest.mark.once
@pytest.mark.threat("search-modifiers")
@pytest.mark.parametrize("kind", REGISTRY.types)
def test_each_parameter_of_the_metadata_finds_a_row_by_the_value_that_it_tells(world: World, parties: None, kind: str):
    resources, listed = list(every(world, "chu", kind)), parameters(world)[kind]
    tried = set[str]()
    for name in sorted(name for name, of in listed.items() if of != COMPOSITE):
        tells = fhirpath(expression_of(kind, name), models["r4"])
        having = {each["id"] for each in every(world, "chu", kind, f"{name}:missing=false")}
        for one in (each for each in resources if each["id"] in having):
            values = [said for value in tells(one) for said in parts_of(value)]
            answers = [world.get("chu", f"/fhir/{kind}", params={name: value, "_count": "200"}) for value in values]
            found = {e["resource"]["id"] for answer in answers for e in answer.json().get("entry", ())}
            assert one["id"] in found or not values or (kind, name) in READ_OTHERWISE, (name, one["meta"])
            tried |= {name} & {name for value in values if one["id"] in found}
    untold = {name for name, of in listed.items() if of != COMPOSITE} - tried
    assert untold == UNTOLD.get(kind, set())


# By what the examples do not tell.
UNTOLD = {
    "Basic": {"patient", "subject"},
    "CarePlan": {"replaces"},
    "Consent": {"patient", "organization", "actor", "identifier", "period"},
    "DocumentReference": {"relatesto", "custodian", "encounter", "relation"},
    "Encounter": {"service-provider", "class", "practitioner"},
    "Goal": {"achievement-status", "category"},
    "Patient": {"link", "active"},
    "QuestionnaireResponse": {"encounter"},
    "RelatedPerson": {"identifier"},
    "Schedule": {"identifier"},
    "ServiceRequest": {"code", "requester", "performer"},
}
