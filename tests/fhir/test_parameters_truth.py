"""What `:missing` says of each parameter is what R4's own expression finds in the resource, of one example of each profile."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fhirpathpy import compile as fhirpath
from fhirpathpy.models import models

from app.api.resources import REGISTRY
from tests.exchange.sending import sent
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
