"""A refusal under /fhir is an OperationOutcome that R4 accepts, and tells every fault."""

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from app.fhir.outcomes import ISSUE_TYPES, Issue, fhirpath, outcome
from app.kernel.errors import DuiError, Fault, Invalid, NotFound, Unreadable


def kinds(kind: type[DuiError] = DuiError) -> list[type[DuiError]]:
    """Those that can be raised: an abstract one has no status."""
    found = [below for child in kind.__subclasses__() for below in (child, *kinds(child))]
    return [kind for kind in found if hasattr(kind, "status")]


@pytest.mark.parametrize("kind", kinds())
def test_every_refusal_is_an_outcome_of_r4(kind: type[DuiError]) -> None:
    told = outcome(kind("À corriger."))
    OperationOutcome.model_validate(told)
    assert [(issue["severity"], issue["code"], issue["diagnostics"]) for issue in told["issue"]] == [
        ("error", kind.issue, "À corriger.")
    ]


def test_every_fault_is_told_in_order() -> None:
    faults = [Fault("Patient.gender", "unknown_code", "Code inconnu."), Fault("Patient.name", "invalid", "Nom.")]
    told = outcome(Unreadable("À corriger.", faults=faults))
    assert [(issue["code"], issue["expression"], issue["diagnostics"]) for issue in told["issue"]] == [
        ("code-invalid", ["Patient.gender"], "Code inconnu."),
        ("structure", ["Patient.name"], "Nom."),
    ]


def test_our_stable_code_is_told_beside_the_standards() -> None:
    (issue,) = outcome(Invalid("Non.", where="Patient.birthDate", code="bad_date"))["issue"]
    assert (issue["code"], issue["details"]["coding"]) == ("value", [{"code": "bad_date"}])


def test_a_warning_stays_a_warning() -> None:
    told = outcome([Issue("warning", "unresolved", "Task.owner", "Cette référence ne mène à rien.")])
    OperationOutcome.model_validate(told)
    assert (told["issue"][0]["severity"], told["issue"][0]["code"]) == ("warning", "not-found")


def test_a_list_of_faults_is_an_outcome() -> None:
    assert outcome([Fault("Patient", "invalid", "Non.")])["issue"][0]["code"] == "invalid"


def test_without_a_place_no_expression_is_told() -> None:
    assert "expression" not in outcome(NotFound("Introuvable."))["issue"][0]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("/entry/0/resource/name", "entry[0].resource.name"),
        ("/", ""),
        ("/entry/12/3", "entry[12][3]"),
        ("Bundle.entry[0]", "Bundle.entry[0]"),
        ("_count", "_count"),
    ],
)
def test_a_pointer_is_said_as_a_fhirpath(where: str, said: str) -> None:
    assert fhirpath(where) == said


def test_every_issue_type_is_one_of_r4() -> None:
    # https://hl7.org/fhir/R4/valueset-issue-type.html
    of_r4 = """invalid structure required value invariant security login unknown expired forbidden suppressed processing
    not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule
    conflict transient lock-error no-store exception timeout incomplete throttled informational"""
    assert {*ISSUE_TYPES.values(), *(kind.issue for kind in kinds())} <= set(of_r4.split())
