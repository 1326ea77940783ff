"""What is not R4 is refused at its element, all faults at once, and nothing received is repeated."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir import opinion
from app.fhir.checking import MAX_FAULTS, PROFILES_MOST, Twice, faults_of, walk
from app.fhir.shapes import spoken

Json = dict[str, Any]
CANARY = "147720425367411"


def patient(**more: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": "jeanne",
        "meta": {"profile": ["https://example.org/StructureDefinition/usager"]},
        "extension": [{"url": "https://example.org/order", "valuePositiveInt": 1}],
        "identifier": [{"use": "usual", "system": "https://example.org/local", "value": "12"}],
        "name": [
            {
                "use": "official",
                "family": "Moreau",
                "given": ["Jeanne", None],
                "_given": [None, {"extension": EXTENDED}],
            }
        ],
        "telecom": [{"system": "phone", "value": "0102030405", "use": "home", "rank": 1}],
        "gender": "female",
        "birthDate": "1943-05-03",
        "_birthDate": {"extension": [{"url": "https://example.org/order", "valueInteger": 1}]},
        "deceasedBoolean": False,
        "contact": [{"relationship": [{"text": "fille"}], "name": {"text": "Paule"}, "gender": "female"}],
        "generalPractitioner": [{"reference": "Practitioner/1"}],
    } | more


EXTENDED = [{"url": "https://example.org/order", "valueInteger": 1}]


def task(**more: Any) -> Json:
    return {
        "resourceType": "Task",
        "status": "draft",
        "intent": "plan",
        "contained": [{"resourceType": "Practitioner", "id": "p"}],
        "owner": {"reference": "#p"},
        "input": [
            {"type": {"text": "titre"}, "valueString": "Marcher"},
            {"type": {"text": "avis"}, "valueReference": {"reference": "Patient/jeanne"}},
        ],
    } | more


def without(resource: Json, name: str) -> Json:
    return {key: value for key, value in resource.items() if key != name}


WRONG: list[tuple[Any, str, str]] = [
    ("Patient", "Resource", "bad_type"),
    ({}, "Resource.resourceType", "required"),
    ({"resourceType": 3}, "Resource.resourceType", "unknown_type"),
    ({"resourceType": "Pacient"}, "Resource.resourceType", "unknown_type"),
    ({"resourceType": "MedicinalProduct"}, "MedicinalProduct.resourceType", "not_carried"),
    (Twice(resourceType="Patient"), "Patient", "duplicate_key"),
    (patient(name=Twice(family="A")), "Patient.name", "bad_type"),
    (patient(name=[Twice(family="A")]), "Patient.name[0]", "duplicate_key"),
    (patient(active="true"), "Patient.active", "bad_type"),
    (patient(name=[]), "Patient.name", "empty"),
    (patient(name=[{}]), "Patient.name[0]", "empty"),
    (patient(name={"family": "Moreau"}), "Patient.name", "bad_type"),
    (patient(name=["Moreau"]), "Patient.name[0]", "bad_type"),
    (patient(name=[{"family": ""}]), "Patient.name[0].family", "empty"),
    (patient(name=[{"family": None}]), "Patient.name[0].family", "bad_type"),
    (patient(name=[{"given": [None]}]), "Patient.name[0].given[0]", "empty"),
    (patient(name=[{"given": [None, "A"], "_given": [None, None]}]), "Patient.name[0].given", "empty"),
    (patient(name=[{"given": ["A"], "_given": [None, {"id": "b"}]}]), "Patient.name[0].given", "bad_value"),
    (patient(name=[{"given": ["A"], "_given": {"id": "b"}}]), "Patient.name[0].given", "bad_type"),
    (patient(name=[{"given": ["A"], "_given": [{"ide": "b"}]}]), "Patient.name[0].given[0]", "unknown_field"),
    (patient(name=[{"given": ["A"], "_given": ["b"]}]), "Patient.name[0].given[0]", "bad_type"),
    (patient(_name=[{"id": "1"}]), "Patient", "unknown_field"),
    (patient(_birthDate="1943"), "Patient.birthDate", "bad_type"),
    (patient(fhir_comments="bonjour"), "Patient", "unknown_field"),
    (patient(gender="femme"), "Patient.gender", "unknown_code"),
    (patient(contact=[{"gender": "femme"}]), "Patient.contact[0].gender", "unknown_code"),
    (patient(birthDate="1943-02-31"), "Patient.birthDate", "bad_date"),
    (patient(deceasedDateTime="2026-01-01"), "Patient.deceased", "bad_value"),
    (patient(telecom=[{"rank": 0}]), "Patient.telecom[0].rank", "bad_value"),
    (patient(id="é"), "Patient.id", "bad_text"),
    (patient(generalPractitioner=[{"reference": "Practitionner/1"}]), "…[0].reference", "bad_reference"),
    (patient(extension=[{"valueString": "a"}]), "Patient.extension[0].url", "required"),
    (patient(extension=[{"url": "https://a", "valueString": 3}]), "….value.ofType(string)", "bad_type"),
    (patient(extension=[{"url": "https://a"}]), "Patient.extension[0]", "bad_value"),
    (patient(extension=[{"url": "https://a", "valueCodeableReference": {}}]), "Patient.extension[0]", "unknown_field"),
    (without(task(), "status"), "Task.status", "required"),
    (without(task(), "intent"), "Task.intent", "required"),
    (task(input=[{"type": {"text": "a"}}]), "Task.input[0].value", "required"),
    (task(contained=[{"resourceType": "Robot"}]), "Task.contained[0].resourceType", "unknown_type"),
    (task(contained=[task()]), "Task.contained[0]", "bad_value"),
    (task(contained=[3]), "Task.contained[0]", "bad_type"),
    (task(contained=3), "Task.contained", "bad_type"),
    ({"resourceType": "Encounter", "status": "planned", "class_fhir": {"code": "AMB"}}, "Encounter", "unknown_field"),
    ({"resourceType": "Encounter", "status": "planned"}, "Encounter.class", "required"),
]


@pytest.mark.parametrize(("resource", "where", "code"), WRONG)
def test_what_is_not_r4_is_refused_at_its_element(resource: Any, where: str, code: str) -> None:
    found = [(fault.where, fault.code) for fault in faults_of(resource)]
    assert any(at.endswith(where.lstrip("….")) and why == code for at, why in found), found


@pytest.mark.parametrize("resource", [patient(), task(), {"resourceType": "Basic", "code": {"text": "a"}}])
def test_what_is_r4_is_taken_and_left_as_it_was(resource: Json) -> None:
    before = copy.deepcopy(resource)
    assert (faults_of(resource), resource) == ([], before)


def test_every_fault_is_told() -> None:
    wrong = patient(gender="femme", active="oui", birthDate="hier", telecom=[{"system": "pigeon"}])
    assert {(fault.where, fault.code) for fault in faults_of(wrong)} == {
        ("Patient.gender", "unknown_code"),
        ("Patient.active", "bad_type"),
        ("Patient.birthDate", "bad_date"),
        ("Patient.telecom[0].system", "unknown_code"),
    }


def test_a_place_given_begins_every_path() -> None:
    assert [f.where for f in faults_of(patient(active=1), "Bundle.entry[3].resource")] == [
        "Bundle.entry[3].resource.active"
    ]


def test_the_nearest_known_name_is_told_for_an_unknown_one() -> None:
    (fault,) = faults_of(patient(birthdate="1943"))
    assert "« birthDate »" in fault.message


@pytest.mark.threat("input-fault-flood")
@pytest.mark.parametrize(
    "bad",
    [
        patient(**{f"x{n}": 1 for n in range(300)}),
        patient(name=[{} for _ in range(300)]),
        patient(name=[{"given": ["a"] * 300, "_given": [{"x": 1}] * 300}]),
    ],
)
def test_a_flood_of_faults_is_cut_short(bad: Json) -> None:
    assert len(faults_of(bad)) == MAX_FAULTS


@pytest.mark.threat("input-profile-flood")
def test_a_flood_of_profiles_is_refused() -> None:
    most = [f"https://example.org/{at}" for at in range(PROFILES_MOST)]
    assert faults_of(patient(meta={"profile": most})) == []
    (fault,) = faults_of(patient(meta={"profile": [*most, most[0]]}))
    assert (fault.where, fault.code) == ("Patient.meta.profile", "too_many")


def test_an_extension_stands_for_a_required_value() -> None:
    absent = {"extension": [{"url": "https://example.org/absent", "valueCode": "unknown"}]}
    assert faults_of(without(task(_status=absent), "status")) == []


def test_a_value_may_be_extended_inside_an_extension() -> None:
    extension = {
        "url": "https://a",
        "valueString": "a",
        "_valueString": {"extension": [{"url": "b", "valueCode": "c"}]},
    }
    assert faults_of(patient(extension=[extension])) == []


@pytest.mark.parametrize(
    "target",
    ["#", "#p", "Patient/1", "Patient/1/_history/2", "Patient?identifier=a|b", "urn:uuid:1", "https://a/Patient/1"],
)
def test_a_reference_may_be_written_in_each_way_of_r4(target: str) -> None:
    assert faults_of(patient(generalPractitioner=[{"reference": target}])) == []


@pytest.mark.parametrize(
    "target", ["Patient", "patient/1", "Patient/", "Jeanne Moreau", "Patient/é", "#a b", "/Patient/1"]
)
def test_a_reference_that_points_at_nothing_is_refused(target: str) -> None:
    assert [f.code for f in faults_of(patient(generalPractitioner=[{"reference": target}]))] == ["bad_reference"]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (task(input=[{"valueString": "a"}]), ("input[0].type", "required")),
        (without(task(), "status"), ("status", "required")),
    ],
)
def test_the_models_say_what_is_missing(resource: Json, expected: tuple[str, str]) -> None:
    assert [(path, code) for path, code, _ in opinion.asked(resource)] == [expected]


@pytest.mark.parametrize(
    ("resource", "paths"),
    [
        (
            {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": patient(birthDate="x")}]},
            {"parameter[0].resource.birthDate"},
        ),
        (task(contained=[{"resourceType": "Patient", "birthDate": "x"}]), {"contained[0].birthDate"}),
        (patient(name=[{"given": [3]}]), {"name[0].given[0]"}),
        (patient(name="x"), {"name"}),
        (patient(contained=[{"resourceType": "HumanName"}]), {"contained[0]"}),
    ],
)
def test_a_refusal_of_the_models_is_told_at_its_element(resource: Json, paths: set[str]) -> None:
    assert {path for path, _, _ in opinion.asked(resource)} == paths


def test_a_path_is_said_in_fhirpath() -> None:
    resource = task()
    path = ("input", 1, "valueReference", "reference")
    assert spoken(resource, path) == "Task.input[1].value.ofType(Reference).reference"
    assert spoken(resource, ("contained", 0, "id")) == "Task.contained[0].id"
    beside = patient()
    assert spoken(beside, ("_birthDate", "extension", 0, "url")) == "Patient.birthDate.extension[0].url"


def test_a_path_goes_through_a_resource_inside_a_bundle() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()}]}
    assert spoken(bundle, ("entry", 0, "resource", "gender")) == "Bundle.entry[0].resource.gender"


# --- properties ---

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(CANARY)
names = st.sampled_from(["resourceType", "id", "extension", "url", "valueString", "_id", "contained", CANARY])
anything = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=12)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield (*path, name)
        yield from places(item, (*path, name))


def changed(resource: Json, path: tuple[Any, ...], value: Any) -> Json:
    copied = copy.deepcopy(resource)
    at: Any = copied
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return copied


mutants = st.sampled_from([patient(), task()]).flatmap(
    lambda whole: st.builds(changed, st.just(whole), st.sampled_from(list(places(whole))), anything)
)


@given(anything | st.builds(lambda more: patient(**more), st.dictionaries(names, anything)))
def test_whatever_comes_is_taken_or_refused_in_words_of_ours(resource: Any) -> None:
    for fault in faults_of(resource):
        assert CANARY not in f"{fault.where} {fault.code} {fault.message}"


KINDS = {
    "Base64Binary": r"[A-Za-z0-9+/ ]{0,9}={0,2}",
    "Canonical": r"\S{1,9}",
    "Code": r"\S{1,4}( \S{1,4})?",
    "Date": r"\d{4}(-\d\d(-\d\d)?)?",
    "DateTime": r"\d{4}-\d\d(-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?",
    "Id": r"[A-Za-z0-9\-.]{1,64}",
    "Instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)",
    "Markdown": r"(.|\n){1,9}",
    "Oid": r"urn:oid:[0-2](\.\d{1,4}){1,4}",
    "String": r"(.|\n){1,9}",
    "Time": r"\d\d:\d\d:\d\d(\.\d{1,9})?",
    "Uri": r"([a-z]{1,5}:(//)?)?\S{1,9}",
    "Url": r"([a-z]{1,5}:(//)?)?\S{1,9}",
    "Uuid": r"urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
}
said = {kind: st.from_regex(pattern, fullmatch=True) for kind, pattern in KINDS.items()} | {
    "Boolean": st.booleans(),
    "Decimal": st.floats(allow_nan=False) | st.integers(),
    "Integer": st.integers(),
    "PositiveInt": st.integers(),
    "UnsignedInt": st.integers(),
}


@pytest.mark.parametrize("kind", said)
@given(st.data())
def test_the_models_refuse_no_value_that_the_walk_takes(kind: str, data: st.DataObject) -> None:
    """So what they say of an object follows from the names in it: see opinion."""
    extension = {"url": "https://example.org/x", f"value{kind}": data.draw(said[kind])}
    resource = {"resourceType": "Basic", "code": {"text": "a"}, "extension": [extension]}
    if not walk(resource, set()):
        assert opinion.asked(resource) == []


SPACES = [c for c in map(chr, range(0x3001)) if c.isspace()]


@pytest.mark.parametrize("space", SPACES, ids=ascii)
@pytest.mark.parametrize("kind", ["Code", "Markdown", "String", "Uri"])
def test_a_space_of_unicode_is_judged_as_the_models_do(kind: str, space: str) -> None:
    """Alone it is no string and no code; in a sentence, as the French put before « ? », it is one."""
    for value in (space, space * 3, f" {space}", f"{space}\n", f"a{space}b", f"{space}a", f"a{space}"):
        extension = {"url": "https://example.org/x", f"value{kind}": value}
        resource = {"resourceType": "Basic", "code": {"text": "a"}, "extension": [extension]}
        if not walk(resource, set()):
            assert opinion.asked(resource) == [], ascii(value)


@pytest.mark.parametrize(
    ("said", "codes"),
    [("\xa0", ["bad_text"]), ("\u202f\x85", ["bad_text"]), ("Ça va\xa0?", []), ("\xa0 Ça va", []), (" ", [])],
)
def test_a_text_of_special_spaces_alone_is_refused_at_its_element(said: str, codes: list[str]) -> None:
    faults = faults_of(patient(name=[{"text": said}]))
    assert [(f.where, f.code) for f in faults] == [("Patient.name[0].text", code) for code in codes]


def test_the_models_are_asked_once_of_what_is_made_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Json] = []
    monkeypatch.setattr(opinion, "_taken", set())
    monkeypatch.setattr(opinion, "asked", lambda resource: asked.append(resource) or [])
    paul = patient(name=[{"family": "Roux"}])
    for resource in (patient(), patient(gender="male"), paul, paul, task()):
        assert faults_of(resource) == []
    assert asked == [patient(), paul, task()]


def test_what_the_models_refuse_they_are_asked_of_again(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = [("gender", "invalid", "Non.")]
    monkeypatch.setattr(opinion, "_taken", set())
    monkeypatch.setattr(opinion, "asked", lambda _: refused)
    assert [[fault.where for fault in faults_of(patient())] for _ in range(2)] == [["Patient.gender"]] * 2


@given(mutants)
def test_the_walk_refuses_all_that_the_models_refuse(resource: Json) -> None:
    """So the models are a second opinion. Two refusals of theirs are not R4's: see NOT_R4."""
    if not walk(resource, set()):
        assert opinion.asked(resource) == []
