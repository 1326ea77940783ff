"""What official bundles get wrong is a warning, an error only when the sender asks for strictness."""

from typing import Any

import orjson
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from app.fhir.checking import MAX_FAULTS
from app.fhir.identifiers import INS_NIR, USAGER
from app.fhir.outcomes import Issue, outcome
from app.fhir.reading import Bundle, read_bundle
from app.fhir.tolerance import MANDATORY, doubts_of, tolerated
from app.kernel.errors import Invalid, Unreadable
from tests.fhir import official

Json = dict[str, Any]
TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/"
ORDER = {"extension": [{"url": f"{TDDUI}tddui-birth-order", "valuePositiveInt": 1}]}


def patient(**more: Any) -> Json:
    return {
        "resourceType": "Patient",
        "meta": {"profile": [f"{TDDUI}tddui-patient"]},
        "identifier": [{"system": USAGER, "value": "3480787529/12"}],
        "name": [{"use": "official", "family": "Moreau", "given": ["Jeanne"]}],
        "gender": "female",
        "birthDate": "1943-05-03",
        "_birthDate": ORDER,
    } | more


def without(resource: Json, *names: str) -> Json:
    return {key: value for key, value in resource.items() if key not in names}


def bundle(*resources: Json, url: str | None = None, method: str = "POST") -> Bundle:
    entries = [
        {
            "fullUrl": f"urn:uuid:{at}",
            "resource": resource,
            "request": {"method": method, "url": resource["resourceType"] if url is None else url},
        }
        for at, resource in enumerate(resources)
    ]
    return read_bundle(orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}))


def told(read: Bundle, **how: Any) -> list[tuple[str, str]]:
    return [(issue.code, issue.expression) for issues in tolerated(read, **how).values() for issue in issues]


def test_what_is_right_has_no_warning() -> None:
    assert tolerated(bundle(patient()), {f"{TDDUI}tddui-patient"}) == {}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (without(patient(), "gender"), ("required", "gender")),
        (without(patient(), "birthDate"), ("required", "birthDate")),
        (without(patient(), "_birthDate"), ("required", "birthDate.extension")),
        (patient(name=[{"use": "usual", "family": "Moreau"}]), ("required", "name")),
        (patient(identifier=[{"system": INS_NIR, "value": "147720425367411"}]), ("wrong_key", "identifier[0].value")),
        (patient(identifier=[{"system": USAGER, "value": "12"}]), ("bad_identifier", "identifier[0].value")),
        (patient(managingOrganization={"reference": "Organization/9"}), ("unresolved", "managingOrganization")),
        (patient(managingOrganization={"reference": "#o"}), ("unresolved", "managingOrganization")),
        (patient(managingOrganization={"reference": "Organization?name=a"}), ("unresolved", "managingOrganization")),
        (patient(meta={"profile": ["https://example.org/p|1"]}), ("unknown_profile", "meta.profile[0]")),
        (patient(meta={"profile": [f"{TDDUI}tddui-patient|9.9"]}), ("unknown_version", "meta.profile[0]")),
    ],
)
def test_a_fault_of_the_profile_is_a_warning_at_its_element(resource: Json, expected: tuple[str, str]) -> None:
    code, element = expected
    known = {f"{TDDUI}tddui-patient"}
    assert told(bundle(resource), profiles=known) == [(code, f"Bundle.entry[0].resource.{element}")]


def test_a_reason_for_its_absence_stands_for_a_value() -> None:
    reason = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    assert told(bundle(without(patient(), "gender") | {"_gender": {"extension": [reason]}})) == []


def test_a_reference_the_server_knows_is_no_warning_where_it_is_known() -> None:
    resource = patient(managingOrganization={"reference": "Organization/9"})
    unresolved = ("unresolved", "Bundle.entry[1].resource.managingOrganization")
    assert told(bundle(resource, {**resource, "id": "q"}), known={(0, "Organization/9")}) == [unresolved]


def test_profiles_are_not_looked_at_when_none_is_told() -> None:
    assert told(bundle(patient(meta={"profile": ["https://example.org/p"]}))) == []


def test_a_single_identifier_is_named_without_its_place() -> None:
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "identifier": {"system": "https://identifiant-medicosocial-evaluation.esante.gouv.fr", "value": "12"},
    }
    assert [fault.where for fault in doubts_of(response, "QuestionnaireResponse")] == [
        "QuestionnaireResponse.identifier.value"
    ]


@pytest.mark.parametrize("url", ["Patient", "/Patient", "Patient/", "https://example.org/fhir/Patient"])
def test_an_address_that_names_the_type_is_right(url: str) -> None:
    assert told(bundle(patient(), url=url)) == []


@pytest.mark.parametrize("url", ["TDDUIPatientINS", "tddui-patient"])
def test_an_address_that_names_a_profile_is_a_warning(url: str) -> None:
    assert told(bundle(patient(), url=url)) == [("wrong_url", "Bundle.entry[0].request.url")]


@pytest.mark.parametrize(
    "url", ["Observation", "Patient/1", "Patient?identifier=1", "$process-message", "https://a/Goal"]
)
def test_an_address_that_asks_for_something_else_is_refused(url: str) -> None:
    with pytest.raises(Unreadable) as refused:
        tolerated(bundle(patient(), url=url))
    assert [(fault.code, fault.where) for fault in refused.value.faults] == [
        ("wrong_url", "Bundle.entry[0].request.url")
    ]


def test_only_creations_are_looked_at_for_their_address() -> None:
    assert told(bundle(patient(), url="Patient/1", method="PUT")) == []


def test_an_entry_without_resource_has_nothing_to_warn_of() -> None:
    body = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "GET", "url": "Patient/1"}}],
    }
    assert tolerated(read_bundle(orjson.dumps(body))) == {}


def test_strictly_every_warning_is_an_error() -> None:
    read = bundle(
        without(patient(), "gender"), patient(identifier=[{"system": USAGER, "value": "1"}]), url="TDDUIPatient"
    )
    lenient = told(read)
    with pytest.raises(Invalid) as refused:
        tolerated(read, strict=True)
    assert refused.value.status == 422
    assert [(fault.code, fault.where) for fault in refused.value.faults] == lenient
    assert len(lenient) == 4


@pytest.mark.threat("input-fault-flood")
def test_a_flood_of_warnings_is_cut_short() -> None:
    flood = [{"reference": f"Practitioner/{n}"} for n in range(300)]
    read = bundle(patient(generalPractitioner=flood), patient(generalPractitioner=flood))
    with pytest.raises(Invalid) as refused:
        tolerated(read, strict=True)
    assert [len(issues) for issues in tolerated(read).values()] == [MAX_FAULTS, MAX_FAULTS]
    assert len(refused.value.faults) == MAX_FAULTS


def test_strictly_what_is_right_passes() -> None:
    assert tolerated(bundle(patient()), strict=True) == {}


FULL: dict[str, Json] = {
    "tddui-patient-ins": patient(
        extension=[
            {"url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability"},
            {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"},
        ]
    ),
    "tddui-encounter-evenement": {"identifier": [{}], "subject": {}, "period": {"start": "2026", "end": "2026"}},
    "tddui-goal-projet-vie": {"identifier": [{}], "description": {"text": "a"}},
    "tddui-task-action": {"identifier": [{}], "basedOn": [{}], "input": [{"type": {"coding": [{"code": "titre"}]}}]},
    "tddui-document-reference": {"author": [{}], "content": [{"attachment": {"title": "a"}}]},
}


@pytest.mark.parametrize("profile", sorted(FULL))
def test_a_profile_filled_lacks_nothing_and_an_empty_one_lacks_all(profile: str) -> None:
    meta = {"meta": {"profile": [f"{TDDUI}{profile}|2.4.0"]}}
    lacking = [fault.code for fault in doubts_of(meta, "Basic")]
    assert ([*doubts_of(FULL[profile] | meta, "Basic")], lacking) == (
        [],
        ["required"] * len(MANDATORY[profile].split()),
    )


def test_a_warning_is_an_issue_of_r4() -> None:
    issues = tolerated(bundle(without(patient(), "gender")))[0]
    assert issues == (
        Issue(
            "warning",
            "required",
            "Bundle.entry[0].resource.gender",
            "Le profil TDDUI rend cet élément obligatoire.",
            f"{TDDUI}tddui-patient#gender",
        ),
    )
    OperationOutcome.model_validate(outcome(issues))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            official.BUNDLES[0],
            {"wrong_url": 7, "required": 1, "unresolved": 1},
        ),
        (
            official.BUNDLES[1],
            {"wrong_url": 12, "unresolved": 2, "wrong_key": 2, "bad_identifier": 1},
        ),
    ],
)
def test_the_official_bundles_have_only_warnings(name: str, expected: dict[str, int]) -> None:
    read = read_bundle(official.text(name))
    issues = [issue for told in tolerated(read).values() for issue in told]
    assert {code: sum(issue.code == code for issue in issues) for code in {i.code for i in issues}} == expected
    assert {issue.severity for issue in issues} == {"warning"}
