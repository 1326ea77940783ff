"""fhir_profiles/examples/: what passes passes, what fails breaks the rule it is named after and no other, each rule has both."""

import json
from collections import defaultdict
from collections.abc import Iterator

from app.api.own_profiles import definitions
from app.api.resources import REGISTRY
from app.features.assessments.grids import RULES
from app.fhir.checking import faults_of
from app.fhir.identifiers import FINESS, INS, PROFESSIONAL, RPPS, SIRENE, STRUCTURE, SYSTEMS, TAGS
from app.fhir.mapping import Json
from app.fhir.outcomes import Issue
from app.fhir.packages.held import Held
from app.fhir.profiles.judging import Judge, claimed
from app.fhir.tolerance import MANDATORY
from tests.fhir import official
from tests.world import World
from tools.fhir_examples import EXAMPLES, failing, files, passing, unfit

TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/"
OF_R4 = {"DocumentReference.content": ("required",)}  # asked by R4 itself: no rule of a profile
FORMS, KEYS = {*TAGS, *INS, STRUCTURE, PROFESSIONAL}, {*INS, STRUCTURE, PROFESSIONAL, RPPS, FINESS, SIRENE}


def rules() -> Iterator[tuple[str, str]]:
    """Each rule that a profile adds to R4 here, as an outcome names it, and its code."""
    for name, mandatory in MANDATORY.items():
        yield from ((f"{TDDUI}{name}#{each}", "required") for each in mandatory.split())
    for definition in definitions().values():
        for element in definition["differential"]["element"]:
            for code in codes(element):
                if code not in OF_R4.get(element["id"], ()):
                    yield f"{definition['url']}#{element['id']}", code
    yield from ((f"{system}#value", "bad_identifier") for system in FORMS)
    yield from ((f"{system}#value", "wrong_key") for system in KEYS)
    yield from RULES.items()


def codes(element: Json) -> Iterator[str]:
    if element.get("min"):
        yield "required"
    if str(element.get("max", "*")).isdigit():
        yield "profile.too_many"
    if element["id"].endswith("[x]") and "type" in element:
        yield "profile.type"
    for _ in element.get("constraint", ()):
        yield "profile.invariant"
    told_apart = element["id"].endswith(".url")  # what tells an extension apart can't be wrong of it
    if not told_apart and any(name.startswith(("fixed", "pattern")) for name in element):
        yield "profile.value"


def judged(world: World, resource: Json) -> list[tuple[str, str]]:
    answer = world.post("chu", f"/fhir/{resource['resourceType']}/$validate", resource)
    assert answer.status_code == 200, answer.text
    issues = [each for each in answer.json()["issue"] if each["severity"] != "information"]
    told = [(each["details"].get("text", each["diagnostics"]), each["details"]["coding"][0]["code"]) for each in issues]
    return [(rule, code) for rule, code in told if code != "partly_checked"]  # for want of TDDUI's package


def test_what_is_committed_is_what_the_code_says():
    committed = {f"{path.parent.name}/{path.name}": path.read_text() for path in EXAMPLES.glob("*/*.json")}
    assert committed == files(), "python -m tools.fhir_examples"


def test_every_profile_we_map_has_an_example():
    told = [json.loads(path.read_text()) for path in (*EXAMPLES.glob("pass/*.json"), *EXAMPLES.glob("*.json"))]
    named = {profile for each in told for profile in each.get("meta", {}).get("profile", ())}
    assert {each.profile for each in REGISTRY.maps} - named == set()


def test_each_example_has_the_shape_of_r4():
    for path in EXAMPLES.glob("*/*.json"):
        assert faults_of(json.loads(path.read_text())) == [], path.name


def test_what_passes_follows_the_packages_own_definitions():
    judged = official_judge()
    told = {name: errors(judged, each) for name, each in passing().items()}
    assert {name: issues for name, issues in told.items() if issues} == {}


def test_what_the_package_alone_forbids_is_told_once_it_is_held():
    """At its element and nowhere else, but for an invariant, told of the whole."""
    judged = official_judge()
    for name, (each, element) in unfit().items():
        where = {issue.expression for issue in errors(judged, each)}
        assert where, name
        assert all(at.startswith(element) or at == each["resourceType"] for at in where), (name, where)


def official_judge() -> Judge:
    """With the definitions of TDDUI, when this machine has them."""
    names = [f"tddui/{each}" for each in ("definitions", "terminology")]
    bodies = defaultdict[str, list[Json]](list)
    for body in (each for name in names for each in official.all_of(name)):
        bodies[body["resourceType"]].append(body)
    return Judge(REGISTRY, Held("official", bodies))


def errors(judged: Judge, resource: Json) -> list[Issue]:
    told = judged.asks(resource, resource["resourceType"], claimed(resource))
    return [each for each in told if isinstance(each, Issue) and each.severity == "error"]


def test_no_rule_is_without_examples():
    named = [(each.rule, each.code) for each in failing()]
    assert (len(named), set(named)) == (len(set(named)), set(rules()))
    assert len({each.name for each in failing()}) == len(named)


def test_every_number_we_know_is_checked():
    assert {*SYSTEMS, SIRENE} == FORMS | KEYS


def test_what_passes_passes(world: World):
    told = {path.name: judged(world, json.loads(path.read_text())) for path in sorted(EXAMPLES.glob("pass/*.json"))}
    assert {name: issues for name, issues in told.items() if issues} == {}


def test_what_fails_breaks_its_rule_alone(world: World):
    told = {each.name: (judged(world, each.resource), [(each.rule, each.code)]) for each in failing()}
    assert {name: each[0] for name, each in told.items() if each[0] != each[1]} == {}
