"""Every reference is found, leads to its entry whatever the order, and is rewritten everywhere R4 asks."""

import random
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.reading import read_bundle
from app.fhir.references import Links, Literal, doubles, found, literal, rewritten, where
from tests.fhir import official

Json = dict[str, Any]
BASE = "https://a.example/fhir/"


@dataclass
class Entry:
    at: int
    full_url: str
    resource: Json = field(default_factory=lambda: {"resourceType": "Patient"})


def task(*targets: str) -> Json:
    return {"resourceType": "Task", "basedOn": [{"reference": target} for target in targets]}


WHOLE: Json = {
    "resourceType": "Task",
    "text": {
        "status": "generated",
        "div": "<div><a href=\"urn:uuid:1\">a</a> <img src='urn:uuid:2'/> href=urn:uuid:1</div>",
    },
    "contained": [{"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "urn:uuid:3"}}],
    "extension": [{"url": "https://a/e", "extension": [{"url": "x", "valueReference": {"reference": "urn:uuid:4"}}]}],
    "_status": {"extension": [{"url": "https://a/author", "valueReference": {"reference": "urn:uuid:5"}}]},
    "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"}],
    "for": {"reference": "urn:uuid:6", "display": "urn:uuid:6"},
    "owner": {"reference": "#r"},
    "input": [
        {"type": {"text": "a"}, "valueReference": {"reference": "Patient/1", "type": "Patient"}},
        {"type": {"text": "b"}, "valueAttachment": {"url": "urn:uuid:7"}},
        {"type": {"text": "c"}, "valueCanonical": "urn:uuid:7"},
        {"type": {"text": "d"}, "valueExpression": {"language": "text/x", "reference": "urn:uuid:7"}},
    ],
}


def test_every_reference_is_found_with_its_fhirpath() -> None:
    assert [(where(WHOLE, reference), reference.target) for reference in found(WHOLE)] == [
        ("Task.contained[0].practitioner", "urn:uuid:3"),
        ("Task.extension[0].extension[0].value.ofType(Reference)", "urn:uuid:4"),
        ("Task.status.extension[0].value.ofType(Reference)", "urn:uuid:5"),
        ("Task.for", "urn:uuid:6"),
        ("Task.owner", "#r"),
        ("Task.input[0].value.ofType(Reference)", "Patient/1"),
    ]


def test_references_and_links_are_rewritten_and_nothing_else() -> None:
    new = rewritten(WHOLE, lambda target: f"Patient/new-{target[-1]}")
    again = orjson.loads(orjson.dumps(WHOLE))
    again["text"]["div"] = "<div><a href=\"Patient/new-1\">a</a> <img src='Patient/new-2'/> href=urn:uuid:1</div>"
    again["contained"][0]["practitioner"]["reference"] = "Patient/new-3"
    again["extension"][0]["extension"][0]["valueReference"]["reference"] = "Patient/new-4"
    again["extension"][0]["extension"][0]["url"] = "Patient/new-x"
    again["extension"][0]["url"] = "Patient/new-e"
    again["_status"]["extension"][0]["valueReference"]["reference"] = "Patient/new-5"
    again["_status"]["extension"][0]["url"] = "Patient/new-r"
    again["for"]["reference"] = "Patient/new-6"
    again["input"][0]["valueReference"]["reference"] = "Patient/new-1"
    again["input"][1]["valueAttachment"]["url"] = "Patient/new-7"
    assert new == again


def test_what_leads_nowhere_is_left_as_it_was() -> None:
    assert rewritten(WHOLE, lambda target: None) == WHOLE


@pytest.mark.threat("search-bundle-nested")
def test_a_bundle_inside_a_resource_is_not_entered() -> None:
    inner = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": task("Patient/1")}]}
    outer = {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": inner}]}
    assert (list(found(outer)), rewritten(outer, str.upper)) == ([], outer)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("Patient/1", Literal("", "Patient", "1", "", "")),
        (f"{BASE}Patient/1", Literal(BASE, "Patient", "1", "", "")),
        (f"{BASE}Patient/1/_history/2#p", Literal(BASE, "Patient", "1", "2", "#p")),
        ("urn:uuid:1", None),
        ("#p", None),
        ("Patient?identifier=1", None),
        ("Robot/1", None),
        (f"{BASE}Patient/é", None),
    ],
)
def test_a_literal_reference_is_taken_apart(target: str, expected: Literal | None) -> None:
    assert literal(target) == expected


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("urn:uuid:A", 0),
        ("urn:uuid:a", 0),
        ("urn:uuid:a#p", 0),
        (f"{BASE}Patient/1", 1),
        (f"{BASE}Patient/1/_history/3", 1),
        (f"{BASE}Patient/1#p", 1),
        ("Patient/1", 1),
        ("Patient/inner", 2),
        ("Patient/two", None),
        ("https://b.example/Patient/1", None),
        ("Goal/1", None),
        ("Patient?identifier=1", None),
        ("", None),
    ],
)
def test_a_reference_leads_to_its_entry(target: str, leads: int | None) -> None:
    entries = [
        Entry(0, "urn:uuid:a"),
        Entry(1, f"{BASE}Patient/1"),
        Entry(2, "urn:uuid:b", {"resourceType": "Patient", "id": "inner"}),
        Entry(3, "", {"resourceType": "Patient", "id": "two"}),
        Entry(4, "urn:uuid:c", {"resourceType": "Patient", "id": "two"}),
    ]
    assert Links(entries).lead(target, 0) == leads


def test_a_relative_reference_is_first_of_its_own_server() -> None:
    entries = [Entry(0, "https://b.example/Patient/1"), Entry(1, f"{BASE}Patient/1"), Entry(2, f"{BASE}Task/1")]
    links = Links(entries)
    assert (links.lead("Patient/1", 2), links.lead("Patient/1", 99)) == (1, None)


def test_an_entry_without_resource_answers_to_its_url_alone() -> None:
    assert Links([Entry(0, f"{BASE}Patient/1", {})]).lead("Patient/1", 0) == 0


@pytest.mark.threat("search-bundle-full-url")
def test_two_entries_may_not_bear_one_url() -> None:
    entries = [Entry(0, "urn:uuid:a"), Entry(1, "urn:uuid:A"), Entry(2, ""), Entry(3, ""), Entry(4, "urn:uuid:b")]
    assert doubles(entries) == [1]


def test_what_leads_nowhere_is_listed() -> None:
    local = {"resourceType": "Task", "contained": [{"resourceType": "Patient", "id": "in"}]}
    targets = ("#in", "#", "#out", "Patient/1", "Patient/2", "urn:uuid:9")
    entries = [Entry(0, "urn:uuid:a", task(*targets) | local), Entry(1, f"{BASE}Patient/1")]
    assert [found.target for found in Links(entries).unresolved(entries[0])] == ["#out", "Patient/2", "urn:uuid:9"]


def test_a_fragment_is_kept_and_a_version_is_not() -> None:
    entries = [
        Entry(0, "urn:uuid:a", task("Patient/1#p", "Patient/1/_history/2", "#in", "Patient/2")),
        Entry(1, f"{BASE}Patient/1"),
        Entry(2, f"{BASE}Patient/2"),
    ]
    new = Links(entries).rewritten(entries[0], {1: "Patient/new"})
    assert [item["reference"] for item in new["basedOn"]] == ["Patient/new#p", "Patient/new", "#in", "Patient/2"]


@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(count: int, dice: random.Random) -> None:
    kinds = ["Patient", "Task", "Goal"]
    forms = [f"urn:uuid:{n}" if dice.random() < 0.5 else f"{BASE}{dice.choice(kinds)}/{n}" for n in range(count)]
    resources = [task(*dice.sample(forms, dice.randint(0, count)), f"{BASE}Task/none") for _ in range(count)]
    entries = [Entry(n, forms[n], resources[n]) for n in range(count)]
    shuffled = dice.sample(entries, count)
    names = {n: f"Task/new-{n}" for n in range(count)}
    ours, theirs = Links(entries), Links(shuffled)
    for entry in entries:
        assert ours.rewritten(entry, names) == theirs.rewritten(entry, names)
        assert [found.target for found in theirs.unresolved(entry)] == [f"{BASE}Task/none"]


leaves = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["#a", "Patient/1", "urn:uuid:1"])
)
names = st.sampled_from(
    ["reference", "_reference", "display", "url", "div", "contained", "resourceType", "valueReference"]
)
trees = st.dictionaries(
    names, st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))
)


@given(trees)
def test_renaming_each_to_itself_changes_nothing(tree: Json) -> None:
    assert rewritten(tree, lambda target: target) == tree


@given(trees)
def test_what_is_found_is_what_is_renamed(tree: Json) -> None:
    new = rewritten(tree, lambda target: f"new:{target}")
    before = [(one.path, one.target) for one in found(tree)]
    after = [(one.path, one.target) for one in found(new)]
    assert after == [(path, target if target.startswith("#") else f"new:{target}") for path, target in before]


def test_the_official_bundles_hold_the_dangling_references_we_know_of() -> None:
    dangling = []
    for name in official.BUNDLES:
        read = read_bundle(official.text(name))
        links = Links(read.entries)
        dangling += [one.target for entry in read.entries for one in links.unresolved(entry)]
    assert sorted(dangling) == [
        "Location/tddui-event-location-example",
        "Organization/tddui-organization-origine-example",
        "Practitioner/tddui-practitioner-example",
    ]
