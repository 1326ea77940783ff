"""A resource held against a profile: each rule refuses what breaks it, and nothing else."""

import json
from typing import Any

import pytest

from app.fhir.profiles.checker import Checker
from tests.features.assessments.exchanged import PRO, answered, to
from tests.fhir import official

Json = dict[str, Any]
SD = "https://exemple.test/StructureDefinition/"
CODES = {"urn:vs": frozenset({("urn:s", "a"), ("urn:s", "b")})}


def profile(*elements: Json, type_name: str = "Patient", **more: Any) -> Json:
    listed = [{"path": each["id"], **each} for each in elements]
    return {"type": type_name, "url": f"{SD}x", "derivation": "constraint", "differential": {"element": listed}, **more}


def found(resource: Json, definition: Json, *others: Json) -> list[tuple[str, str]]:
    held = {each["url"]: each for each in others}
    checker = Checker(CODES.get, held.get)
    type_name = definition["type"]
    issues = checker.issues_of({"resourceType": type_name, **resource}, definition, type_name)
    return [(issue.expression, issue.code) for issue in issues]


ONCE = profile({"id": "Patient.name", "min": 1, "max": "1"}, {"id": "Patient.name.family", "min": 1})
EXTENSION = {
    "type": "Extension",
    "url": f"{SD}e",
    "differential": {"element": [{"id": "Extension.value[x]", "path": "", "min": 1}]},
}
SLICED = profile(
    {"id": "Patient.identifier", "slicing": {"discriminator": [{"type": "pattern", "path": "type"}]}},
    {"id": "Patient.identifier:ine", "sliceName": "ine", "min": 1, "max": "1"},
    {"id": "Patient.identifier:ine.type", "patternCodeableConcept": {"coding": [{"code": "INE"}]}},
    {"id": "Patient.identifier:ine.value", "min": 1},
)
INE: Json = {"type": {"coding": [{"system": "urn:s", "code": "INE"}, {"code": "autre"}]}, "value": "1"}


@pytest.mark.parametrize(
    ("resource", "definition", "issues"),
    [
        ({"name": [{"family": "A"}]}, ONCE, []),
        ({}, ONCE, [("Patient.name", "required")]),
        ({"name": [{"text": "A"}]}, ONCE, [("Patient.name[0].family", "required")]),
        ({"name": [{"family": "A"}] * 2}, ONCE, [("Patient.name", "profile.too_many")]),
        ({"gender": "male"}, profile({"id": "Patient.gender", "fixedCode": "female"}), [("Patient.gender", "profile.value")]),
        ({"gender": "male"}, profile({"id": "Patient.gender", "max": "0"}), [("Patient.gender", "profile.too_many")]),
        (
            {"maritalStatus": {"coding": [{"code": "M", "display": "x"}]}},
            profile({"id": "Patient.maritalStatus", "patternCodeableConcept": {"coding": [{"code": "M"}]}}),
            [],
        ),
        (
            {"maritalStatus": {"coding": [{"code": "S"}]}},
            profile({"id": "Patient.maritalStatus", "patternCodeableConcept": {"coding": [{"code": "M"}]}}),
            [("Patient.maritalStatus", "profile.value")],
        ),
        ({"deceasedBoolean": True}, profile({"id": "Patient.deceased[x]", "min": 1}), []),
        ({"deceased": 1}, profile({"id": "Patient.deceased[x]", "max": "0"}), [("Patient.deceased", "profile.too_many")]),
        (
            {"_birthDate": {"extension": []}},
            profile({"id": "Patient.birthDate", "min": 1}, {"id": "Patient.birthDate.extension", "max": "0"}),
            [],
        ),
    ],
)  # fmt: skip
def test_cardinality_and_values(resource: Json, definition: Json, issues: list[Any]):
    assert found(resource, definition) == issues


@pytest.mark.parametrize(
    ("identifiers", "issues"),
    [
        ([INE], []),
        ([{"value": "1"}], [("Patient.identifier", "required")]),
        ([INE, INE], [("Patient.identifier", "profile.too_many")]),
        ([{**INE, "value": None}], [("Patient.identifier[0].value", "required")]),
    ],
)
def test_a_slice_is_told_by_its_pattern(identifiers: list[Json], issues: list[Any]):
    plain = [{k: v for k, v in each.items() if v} for each in identifiers]
    assert found({"identifier": plain}, SLICED) == issues


def test_a_slice_told_otherwise_is_not_judged():
    odd = profile(
        {"id": "Patient.link", "slicing": {"discriminator": [{"type": "type", "path": "other.resolve()"}]}},
        {"id": "Patient.link:a", "sliceName": "a", "min": 1},
    )
    assert found({"link": [{"type": "seealso"}]}, odd) == []


def test_a_slice_may_be_told_by_the_profile_of_a_resource():
    whole = profile(
        {"id": "Bundle.entry", "slicing": {"discriminator": [{"type": "profile", "path": "resource"}]}},
        {"id": "Bundle.entry:p", "sliceName": "p", "min": 1},
        type_name="Bundle",
    )
    assert found({"entry": []}, whole) == []  # told by what is inside: not judged yet


def test_an_extension_is_held_to_its_own_definition():
    uses = profile(
        {
            "id": "Patient.extension:e",
            "sliceName": "e",
            "min": 1,
            "type": [{"code": "Extension", "profile": [f"{SD}e"]}],
        }
    )
    assert found({"extension": [{"url": f"{SD}e", "valueCode": "a"}]}, uses, EXTENSION) == []
    assert found({"extension": [{"url": f"{SD}e"}]}, uses, EXTENSION) == [("Patient.extension[0].value", "required")]
    assert found({"extension": [{"url": "urn:other"}]}, uses, EXTENSION) == [("Patient.extension", "required")]


@pytest.mark.parametrize(
    ("binding", "code", "right"),
    [
        ({"strength": "required", "valueSet": "urn:vs"}, "a", True),
        ({"strength": "required", "valueSet": "urn:vs"}, "c", False),
        ({"strength": "preferred", "valueSet": "urn:vs"}, "c", True),
        ({"strength": "required", "valueSet": "urn:unknown"}, "c", True),
    ],
)
def test_a_required_binding_whose_codes_we_hold(binding: Json, code: str, right: bool):
    bound = profile({"id": "Patient.maritalStatus", "binding": binding}, {"id": "Patient.language", "binding": binding})
    issues = found({"maritalStatus": {"coding": [{"system": "urn:s", "code": code}]}, "language": code}, bound)
    assert [code for _, code in issues] == ([] if right else ["unknown_code"] * 2)


@pytest.mark.parametrize(
    ("expression", "right"),
    [("name.exists()", True), ("photo.exists()", False), ("link.other.resolve().exists()", True), ("what(", True)],
)
def test_an_invariant(expression: str, right: bool):
    rule = {"key": "x-1", "severity": "error", "human": "Une règle.", "expression": expression}
    issues = found({"name": [{"family": "A"}]}, profile({"id": "Patient", "constraint": [rule]}))
    assert issues == ([] if right else [("Patient", "profile.invariant")])


def test_the_profile_it_is_built_on_counts_too():
    base = {**ONCE, "url": f"{SD}base"}
    above = profile({"id": "Patient.gender", "min": 1}, baseDefinition=f"{SD}base")
    assert found({}, above, base) == [("Patient.gender", "required"), ("Patient.name", "required")]


def test_the_profile_of_another_type_is_not_its_own():
    checker = Checker(CODES.get, {}.get)
    [issue] = checker.issues_of({"resourceType": "Group"}, ONCE, "Group")
    assert issue.code == "profile.type"


class TestOfficial:
    @pytest.fixture
    def definition(self) -> Json:
        read: Json = json.loads(
            official.text("tddui/definitions/StructureDefinition-tddui-questionnaire-response.json")
        )
        return read

    def judged(self, definition: Json, resource: Json) -> list[tuple[str, str]]:
        only = {**definition, "baseDefinition": ""}
        return found(resource, only)

    def test_our_own_example_follows_it(self, definition: Json):
        assert self.judged(definition, answered(PRO)) == []

    @pytest.mark.parametrize(
        ("without", "issue"),
        [
            ("questionnaire", ("QuestionnaireResponse.questionnaire", "required")),
            ("subject", ("QuestionnaireResponse.subject", "required")),
            ("item", ("QuestionnaireResponse.item", "required")),
        ],
    )
    def test_what_it_makes_mandatory(self, definition: Json, without: str, issue: tuple[str, str]):
        assert self.judged(definition, {k: v for k, v in answered(PRO).items() if k != without}) == [issue]

    def test_its_invariant_of_a_self_assessment(self, definition: Json):
        alone = answered(PRO, source=to("Patient", PRO), extension=[])
        assert ("QuestionnaireResponse", "profile.invariant") in self.judged(definition, alone)
