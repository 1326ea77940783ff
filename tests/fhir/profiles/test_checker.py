"""A resource held against a profile: each rule refuses what breaks it, and nothing else."""

import json
from typing import Any

import pytest

from app.fhir.canonicals import CORE
from app.fhir.profiles import checker as module
from app.fhir.profiles.checker import Checker
from app.fhir.profiles.tree import tree
from tests.features.assessments.exchanged import PRO, answered, to
from tests.fhir import official

Json = dict[str, Any]
SD = "https://exemple.test/StructureDefinition/"
CODES = {"urn:vs": frozenset({("urn:s", "a"), ("urn:s", "b")}), "urn:small": frozenset({("urn:s", "a")})}


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
    [
        ("name.exists()", True), ("photo.exists()", False), ("photo", False), ("what(", True), ("conformsTo('urn:x')", True),
        ("link.other.resolve().exists()", True), ("link.other.resolve() is Patient", True), ("deceased is boolean", True),
        ("contained.first().deceased.exists()", False), ("%resource.name.family = 'A'", True), ("Patient.name.exists()", True),
        ("gender.memberOf('urn:vs')", True), ("gender.memberOf('urn:small')", False), ("gender.memberOf('urn:unknown')", True),
        ("generalPractitioner.resolve() is Practitioner", True), ("generalPractitioner.resolve() is Patient", False),
        ("generalPractitioner.resolve().gender = 'female'", True), ("managingOrganization.resolve().exists()", True),
    ],
)  # fmt: skip
def test_an_invariant(expression: str, right: bool):
    rule = {"key": "x-1", "severity": "error", "human": "Une règle.", "expression": expression}
    resource = {
        "name": [{"family": "A"}],
        "gender": "b",
        "deceasedBoolean": False,
        "link": [{"other": {"reference": "Patient/9"}}],
        "generalPractitioner": [{"reference": "#d"}],
        "managingOrganization": {"display": "Ailleurs"},
        "contained": [{"resourceType": "Practitioner", "id": "d", "gender": "female"}],
    }
    issues = found(resource, profile({"id": "Patient", "constraint": [rule]}))
    assert issues == ([] if right else [("Patient", "profile.invariant")])


def test_an_invariant_of_an_element_is_told_there():
    short = {"key": "x-2", "severity": "warning", "human": "Trop court.", "expression": "$this.length() > 2"}
    deep = {"key": "x-3", "severity": "error", "human": "Une valeur.", "expression": "value.exists()"}
    definition = profile(
        {"id": "Patient.gender", "constraint": [short]}, {"id": "Patient.extension", "constraint": [deep]}
    )
    wrong = {"gender": "m", "extension": [{"url": "urn:a", "valueCode": "a"}, {"url": "urn:b"}]}
    where = ["Patient.gender", "Patient.extension[1]"]
    assert found(wrong, definition) == [(each, "profile.invariant") for each in where]


PIECES = {
    "by the type of a choice": (
        {"id": "Patient.deceased[x]", "slicing": {"discriminator": [{"type": "type", "path": "$this"}]}},
        {"id": "Patient.deceased[x]:d", "sliceName": "d", "min": 1, "type": [{"code": "dateTime"}]},
    ),
    "by the type inside": (
        {"id": "Patient.extension", "slicing": {"discriminator": [{"type": "type", "path": "value"}]}},
        {"id": "Patient.extension:d", "sliceName": "d", "max": "1"},
        {"id": "Patient.extension:d.value[x]", "type": [{"code": "date"}]},
    ),
    "by what is there": (
        {"id": "Patient.name", "slicing": {"discriminator": [{"type": "exists", "path": "period.end"}]}},
        {"id": "Patient.name:now", "sliceName": "now", "min": 1, "max": "1"},
        {"id": "Patient.name:now.period.end", "max": "0"},
        {"id": "Patient.name:before", "sliceName": "before"},
        {"id": "Patient.name:before.period.end", "min": 1},
        {"id": "Patient.name:before.text", "max": "0"},
    ),
    "by where it leads": (
        {"id": "Patient.generalPractitioner", "slicing": {"discriminator": [{"type": "type", "path": "resolve()"}], "rules": "closed"}},
        {"id": "Patient.generalPractitioner:d", "sliceName": "d", "min": 1, "type": [{"code": "Reference", "targetProfile": [f"{CORE}Practitioner"]}]},
    ),
    "by the profile of where it leads": (
        {"id": "Patient.generalPractitioner", "slicing": {"discriminator": [{"type": "profile", "path": "resolve()"}]}},
        {"id": "Patient.generalPractitioner:d", "sliceName": "d", "min": 1, "type": [{"code": "Reference", "targetProfile": [f"{SD}doctor"]}]},
    ),
    "by a value in an extension": (
        {"id": "Patient.name", "slicing": {"discriminator": [{"type": "pattern", "path": "extension('urn:e:e').value"}]}},
        {"id": "Patient.name:m", "sliceName": "m", "max": "1"},
        {"id": "Patient.name:m.extension:e", "sliceName": "e", "type": [{"code": "Extension", "profile": ["urn:e:e"]}]},
        {"id": "Patient.name:m.extension:e.value[x]", "patternCoding": {"code": "m"}},
    ),
    "by codes": (
        {"id": "Patient.identifier", "slicing": {"discriminator": [{"type": "value", "path": "type"}]}},
        {"id": "Patient.identifier:k", "sliceName": "k", "min": 1},
        {"id": "Patient.identifier:k.type", "binding": {"strength": "required", "valueSet": "urn:vs"}},
    ),
    "by values further down": (
        {"id": "Patient.identifier", "slicing": {"discriminator": [{"type": "value", "path": "type"}], "rules": "closed"}},
        {"id": "Patient.identifier:k", "sliceName": "k"},
        {"id": "Patient.identifier:k.type.coding.code", "fixedCode": "K"},
    ),
}  # fmt: skip
DOCTOR = profile({"id": "Practitioner.gender", "min": 1}, type_name="Practitioner", url=f"{SD}doctor")
SHE: Json = {"resourceType": "Practitioner", "id": "d", "gender": "female"}
HER = [{"reference": "#d"}]
M: Json = {"extension": [{"url": "urn:e:e", "valueCoding": {"code": "m"}}]}


@pytest.mark.parametrize(
    ("how", "resource", "issues"),
    [
        ("by the type of a choice", {"deceasedDateTime": "2020"}, []),
        ("by the type of a choice", {"deceasedBoolean": True}, [("Patient.deceased", "required")]),
        ("by the type inside", {"extension": [{"valueDate": "2020"}, {"valueCode": "a"}]}, []),
        ("by the type inside", {"extension": [{"valueDate": "2020"}] * 2}, [("Patient.extension", "profile.too_many")]),
        ("by what is there", {"name": [{"text": "A"}, {"period": {"end": "2020"}}]}, []),
        ("by what is there", {"name": [{"period": {"end": "2020"}}]}, [("Patient.name", "required")]),
        ("by what is there", {"name": [{"text": "A"}, {"text": "B"}]}, [("Patient.name", "profile.too_many")]),
        ("by what is there", {"name": [{"text": "A"}, {"text": "B", "period": {"end": "2020"}}]}, [("Patient.name[1].text", "profile.too_many")]),
        ("by where it leads", {"generalPractitioner": HER, "contained": [SHE]}, []),
        ("by where it leads", {"generalPractitioner": HER, "contained": [{"resourceType": "Organization", "id": "d"}]},
         [("Patient.generalPractitioner", "required"), ("Patient.generalPractitioner[0]", "profile.closed")]),
        ("by where it leads", {"generalPractitioner": [{"reference": "Practitioner/9"}]}, []),
        ("by where it leads", {}, [("Patient.generalPractitioner", "required")]),
        ("by the profile of where it leads", {"generalPractitioner": HER, "contained": [SHE]}, []),
        ("by the profile of where it leads", {"generalPractitioner": HER, "contained": [{**SHE, "meta": {"profile": [f"{SD}doctor|2"]}}]}, []),
        ("by the profile of where it leads", {"generalPractitioner": HER, "contained": [{"resourceType": "Practitioner", "id": "d"}]}, [("Patient.generalPractitioner", "required")]),
        ("by a value in an extension", {"name": [M, {"text": "A"}]}, []),
        ("by a value in an extension", {"name": [M, M]}, [("Patient.name", "profile.too_many")]),
        ("by codes", {"identifier": [{"type": {"coding": [{"system": "urn:s", "code": "a"}]}}]}, []),
        ("by codes", {"identifier": [{"type": {"coding": [{"system": "urn:s", "code": "c"}]}}]}, [("Patient.identifier", "required")]),
        ("by values further down", {"identifier": [{"type": {"coding": [{"code": "K"}]}}]}, []),
        ("by values further down", {"identifier": [{"type": {"coding": [{"code": "L"}]}}]}, [("Patient.identifier[0]", "profile.closed")]),
    ],
)  # fmt: skip
def test_a_slice_is_told(how: str, resource: Json, issues: list[Any]):
    assert found(resource, profile(*PIECES[how]), DOCTOR) == issues


def test_what_tells_a_slice_may_not_be_held():
    """Its values stay unjudged: the slice is not said to be missing."""
    for path in ("other.resolve().name", "what is this", "other.extension('urn:e').value"):
        odd = profile(
            {"id": "Patient.link", "slicing": {"discriminator": [{"type": "value", "path": path}], "rules": "closed"}},
            {"id": "Patient.link:a", "sliceName": "a", "min": 1},
        )
        assert found({"link": [{"type": "seealso"}]}, odd) == []


def test_a_slice_told_by_its_base_is_told_by_the_whole():
    """Official packages give the whole (snapshot); the differential of a profile may leave the telling to its base."""
    listed = [
        {
            "id": "Patient.name",
            "path": "Patient.name",
            "slicing": {"discriminator": [{"type": "value", "path": "use"}]},
        },
        {"id": "Patient.name:o", "path": "Patient.name", "sliceName": "o", "min": 1},
        {"id": "Patient.name:o.use", "path": "Patient.name.use", "fixedCode": "official"},
    ]
    above = profile({"id": "Patient.name:o", "sliceName": "o", "min": 1}, snapshot={"element": listed})
    assert found({"name": [{"use": "usual"}]}, above) == [("Patient.name", "required")]
    assert found({"name": [{"use": "official"}]}, above) == []


ENTRIES = profile(
    {"id": "Bundle.entry", "slicing": {"discriminator": [{"type": "profile", "path": "resource"}], "rules": "closed"}},
    {"id": "Bundle.entry:p", "sliceName": "p", "min": 1},
    {"id": "Bundle.entry:p.resource", "type": [{"code": "Practitioner", "profile": [f"{SD}doctor"]}]},
    {"id": "Bundle.entry:q", "sliceName": "q"},
    {"id": "Bundle.entry:q.resource", "type": [{"code": "Patient", "profile": [f"{CORE}Patient"]}]},
    type_name="Bundle",
)


@pytest.mark.parametrize(
    ("resources", "issues"),
    [
        ([SHE], []),
        ([SHE, {"resourceType": "Patient"}], []),
        ([{"resourceType": "Patient"}], [("Bundle.entry", "required")]),
        ([SHE, {"resourceType": "Group"}], [("Bundle.entry[1]", "profile.closed")]),
    ],
)
def test_an_entry_is_told_by_the_profile_of_its_resource(resources: list[Json], issues: list[Any]):
    assert found({"entry": [{"resource": each} for each in resources]}, ENTRIES, DOCTOR) == issues


def test_profiles_that_name_each_other_end():
    """Each told by the conformance of the other: neither runs for ever."""
    loop = profile(
        {"id": "Patient.link", "slicing": {"discriminator": [{"type": "profile", "path": "other.resolve()"}]}},
        {"id": "Patient.link:a", "sliceName": "a", "min": 1},
        {"id": "Patient.link:a.other", "type": [{"code": "Reference", "targetProfile": [f"{SD}x"]}]},
    )
    resource: Json = {"resourceType": "Patient", "link": [{"other": {"reference": "#me"}}]}
    resource["contained"] = [{**resource, "id": "me", "contained": []}]
    assert found(resource, loop, loop) == []


def test_the_types_of_a_choice():
    only = profile({"id": "Patient.deceased[x]", "type": [{"code": "dateTime"}]})
    assert found({"deceasedDateTime": "2020"}, only) == []
    assert found({"deceasedBoolean": True}, only) == [("Patient.deceased", "profile.type")]


def test_a_profile_is_compiled_once(monkeypatch: pytest.MonkeyPatch):
    checker, grown = Checker(CODES.get, {}.get), list[str]()
    monkeypatch.setattr(module, "tree", lambda definition: grown.append("once") or tree(definition))
    for _ in range(3):
        checker.issues_of({"resourceType": "Patient"}, ONCE, "Patient")
    assert grown == ["once"]


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
