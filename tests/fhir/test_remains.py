"""What is malformed hides nothing of the rest: all the faults at once, each told once, none that another one makes."""

import copy
import random
from typing import Any

import orjson
import pytest

from app.api.resources import REGISTRY
from app.fhir.checking import Twice, faults_of, remains, root_of
from app.fhir.packages.held import Held
from app.fhir.reading import read_json
from app.fhir.remains import Left, aside
from app.fhir.verbs.validate import Wanted, verdict
from app.kernel.errors import Fault
from tests.fhir import official

Json = dict[str, Any]
URL = "https://exemple.test/StructureDefinition/exigeant"
INS = "urn:oid:1.2.250.1.213.1.4.8"
MINE = "https://exemple.test/numeros"


def rule(key: str, expression: str) -> list[Json]:
    return [{"key": key, "severity": "error", "human": "Une règle.", "expression": expression}]


DEMANDING: Json = {
    "resourceType": "StructureDefinition",
    "url": URL,
    "version": "1.0.0",
    "type": "Patient",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Patient", "constraint": rule("x-1", "birthDate > @2000-01-01")},
            {"id": "Patient.identifier", "min": 1, "max": "2",
             "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}},
            {"id": "Patient.identifier:mine", "sliceName": "mine", "min": 1},
            {"id": "Patient.identifier:mine.system", "min": 1, "fixedUri": MINE},
            {"id": "Patient.gender", "min": 1},
            {"id": "Patient.telecom", "min": 1},
            {"id": "Patient.address", "max": "0"},
            {"id": "Patient.contact", "constraint": rule("x-2", "name.family.exists()")},
            {"id": "Patient.communication", "constraint": rule("x-3", "%resource.birthDate.exists()")},
            {"id": "Patient.contact", "constraint": rule("x-2", "name.family.exists()")},
        ]
    },
}  # fmt: skip
HELD = Held("x", {"StructureDefinition": [DEMANDING]})


def told(body: Any, **how: Any) -> list[tuple[str, str]]:
    issues = verdict(body, Wanted(**how), REGISTRY, HELD)["issue"]
    return [(each["details"]["coding"][0]["code"], *each.get("expression", [""])) for each in issues]


def patient(**more: Any) -> Json:
    right = {
        "resourceType": "Patient", "meta": {"profile": [URL]}, "gender": "female", "birthDate": "2001-02-03",
        "identifier": [{"system": MINE, "value": "1"}], "telecom": [{"system": "phone", "value": "1"}],
    }  # fmt: skip
    return {name: value for name, value in (right | more).items() if value is not None}


def test_what_is_right_is_right() -> None:
    assert told(patient()) == [("informational", "")]


def test_a_fault_of_each_layer_is_told() -> None:
    wrong = patient(active="oui", telecom=None, id="a", identifier=[{"system": MINE}, {"system": INS, "value": "12"}])
    wrong["contact"] = [{"gender": "female"}, {"name": {"given": ["A"]}}]
    assert set(told(wrong, type_name="Goal", id="b", mode="update")) == {
        ("bad_type", "Patient.active"),
        ("invariant", "Patient.contact[0]"),
        ("profile.type", "Patient"),
        ("wrong_url", "Patient.id"),
        ("required", "Patient.telecom"),
        ("profile.invariant", "Patient.contact[0]"),
        ("profile.invariant", "Patient.contact[1]"),
        ("bad_identifier", "Patient.identifier[1].value"),
    }


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"gender": "banana"}, [("unknown_code", "Patient.gender")]),
        ({"gender": []}, [("bad_type", "Patient.gender")]),
        ({"identifier": [{"system": 3, "value": "1"}]}, [("bad_type", "Patient.identifier[0].system")]),
        ({"identifier": [3]}, [("bad_type", "Patient.identifier[0]")]),
        ({"identifier": {}}, [("bad_type", "Patient.identifier")]),
        ({"birthDate": "1900-31-01"}, [("bad_date", "Patient.birthDate")]),
        ({"birthDate": None, "naissance": 1, "telecom": None},
         [("unknown_field", "Patient"), ("required", "Patient.telecom")]),
        ({"contact": [{"name": {"text": 1}}]}, [("bad_type", "Patient.contact[0].name.text")]),
        ({"contact": 1, "address": [1]}, [("bad_type", "Patient.contact"), ("bad_type", "Patient.address[0]"),
                                          ("profile.too_many", "Patient.address")]),
        ({"meta": 1}, [("bad_type", "Patient.meta")]),
        ({"birthDate": "x", "communication": [{"language": {"text": "fr"}}]}, [("bad_date", "Patient.birthDate")]),
        ({"meta": {"profile": [URL, 1]}, "telecom": None},
         [("bad_type", "Patient.meta.profile[1]"), ("required", "Patient.telecom")]),
        ({"contained": [{"resourceType": "Nope", "id": "a"}], "generalPractitioner": [{"reference": "#a"}]},
         [("unknown_type", "Patient.contained[0].resourceType")]),
        ({"deceasedBoolean": 1, "telecom": None},
         [("bad_type", "Patient.deceased.ofType(boolean)"), ("required", "Patient.telecom")]),
    ],
)  # fmt: skip
def test_what_is_malformed_makes_no_other_fault(more: Json, expected: list[tuple[str, str]]) -> None:
    assert told(patient(**more)) == expected


def test_a_rule_of_r4_that_a_profile_tells_again_is_told_once() -> None:
    wrong = patient(contact=[{"gender": "female"}])
    again = copy.deepcopy(DEMANDING)
    again["differential"]["element"] = [
        {"id": "Patient.contact", "constraint": rule("pat-1", "name.exists() or telecom.exists()")}
    ]
    issues = verdict(wrong, Wanted(), REGISTRY, Held("y", {"StructureDefinition": [again]}))["issue"]
    assert [each["details"]["coding"][0]["code"] for each in issues] == ["invariant"]


def test_what_leads_to_a_malformed_resource_is_not_judged_by_it() -> None:
    """A slice told by where it leads: nobody can say whether it is there."""
    leading = copy.deepcopy(DEMANDING)
    slicing = {"discriminator": [{"type": "profile", "path": "resolve()"}], "rules": "open"}
    target = {"code": "Reference", "targetProfile": [URL + "-b"]}
    leading["differential"]["element"] = [
        {"id": "Patient.generalPractitioner", "slicing": slicing},
        {"id": "Patient.generalPractitioner:b", "sliceName": "b", "min": 1, "type": [target]},
    ]
    house: Json = {"url": URL + "-b", "type": "Organization", "derivation": "constraint", "differential": {"element": [
        {"id": "Organization.name", "min": 1}]}}  # fmt: skip
    held = Held("z", {"StructureDefinition": [leading, house]})
    for right, expected in (({"active": True}, ["required"]), ({"active": "x"}, ["bad_type"])):
        entries = [
            {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Organization", "alias": ["a"], **right,
                                                   "identifier": [{"value": "1"}]}},
            {"fullUrl": "urn:uuid:2", "resource": patient(generalPractitioner=[{"reference": "urn:uuid:1"}])},
        ]  # fmt: skip
        body = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        issues = verdict(body, Wanted(), REGISTRY, held)["issue"]
        assert [each["details"]["coding"][0]["code"] for each in issues] == expected


def test_the_entries_beside_a_malformed_one_are_judged_whole() -> None:
    entries = [{"resource": patient(gender=3, telecom=None)}, {"resource": patient(birthDate="1999-01-01")}, 3]
    assert told({"resourceType": "Bundle", "type": "collection", "entry": entries}) == [
        ("bad_type", "Bundle.entry[0].resource.gender"),
        ("bad_type", "Bundle.entry[2]"),
        ("required", "Bundle.entry[0].resource.telecom"),
        ("profile.invariant", "Bundle.entry[1].resource"),
    ]


def test_what_the_models_alone_refuse_is_told_beside_what_the_walk_finds() -> None:
    beyond = {"resourceType": "Patient", "multipleBirthInteger": 2**70}
    alone = [(f.code, f.where) for f in faults_of(beyond)]
    assert alone
    assert set(alone) < {(f.code, f.where) for f in faults_of({**beyond, "active": 1})}


def test_a_key_that_came_twice_is_told_at_its_element_and_hides_no_other() -> None:
    said = b'{"resourceType": "Patient", "gender": "male", "gender": "female", "active": 1, "nom": 1, "nom": 2}'
    assert [(f.code, f.where) for f in faults_of(read_json(said))] == [
        ("duplicate_key", "Patient.gender"),
        ("duplicate_key", "Patient"),
        ("bad_type", "Patient.active"),
        ("unknown_field", "Patient"),
    ]


def test_what_nothing_stays_of_is_judged_no_further() -> None:
    for body in ([], {}, {"resourceType": "255081416802538"}, Twice(patient()), None):
        faults = faults_of(body)
        assert faults
        assert remains(body, faults, root_of(body))[0] is None
        assert "255081416802538" not in orjson.dumps(verdict(body, Wanted(), REGISTRY, HELD)).decode()


def test_beyond_the_most_that_is_told_nothing_is_judged() -> None:
    assert len(told(patient(name=[1] * 200))) == 100


def test_what_stays_keeps_its_place() -> None:
    wrong = patient(identifier=[1, {"value": "b", "x": 1}], name=[{"given": ["a", 1]}])
    left, _ = remains(wrong, faults_of(wrong), "Patient")
    assert type(left) is Left
    assert (left["identifier"], left["name"]) == ([{}, {"value": "b"}], [{"given": ["a", None]}])


def test_where_is_compared_without_the_type_of_a_choice() -> None:
    beside = aside([Fault("Task.input[0].value.ofType(string)", "bad_type", "x")])
    assert not beside.lets(Fault("Task.input[0].value", "required", "x"))
    assert beside.lets(Fault("Task.input[1].value", "required", "x"))


def test_whatever_is_broken_the_rest_is_judged_without_noise() -> None:
    """Of official resources one element in turn is broken: no crash, and R4's faults alone are new."""
    drawn = random.Random(4)
    for name in official.BUNDLES:
        for entry in official.bundle(name)["entry"]:
            whole = entry["resource"]
            before = set(told(whole))
            for _ in range(20):
                wrong = copy.deepcopy(whole)
                holder, key = drawn.choice(list(_places(wrong)))
                holder[key] = drawn.choice([[], {}, 3.5, None, "", "x y", [None], [[]], True])
                faults = faults_of(wrong)
                new = [one for one in told(wrong) if one not in before and faults]
                assert not set(new) - {(f.code, f.where) for f in faults}, (key, new)


def _places(value: Any) -> Any:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
