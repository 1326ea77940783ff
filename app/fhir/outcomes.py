"""What went wrong or should be mended, as an OperationOutcome. It repeats our words and paths, never a received value.

Source: https://hl7.org/fhir/R4/operationoutcome.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from app.kernel.errors import DuiError, Fault

Severity = Literal["fatal", "error", "warning", "information"]

# Our stable codes → https://hl7.org/fhir/R4/valueset-issue-type.html; one that is absent takes the error's own type.
ISSUE_TYPES = {
    "bad_date": "value",
    "bad_identifier": "value",
    "bad_reference": "value",
    "bad_text": "value",
    "bad_type": "structure",
    "duplicate_key": "structure",
    "duplicate_url": "duplicate",
    "empty": "structure",
    "far_date": "value",
    "forbidden": "forbidden",
    "informational": "informational",
    "invariant": "invariant",
    "kept_whole": "informational",
    "not_carried": "not-supported",
    "partly_checked": "informational",
    "profile": "structure",
    "profile.closed": "structure",
    "profile.invariant": "invariant",
    "profile.too_many": "structure",
    "profile.type": "structure",
    "profile.value": "value",
    "required": "required",
    "scope": "forbidden",
    "too_deep": "structure",
    "too_long": "too-long",
    "unknown_code": "code-invalid",
    "unknown_field": "structure",
    "unknown_profile": "not-supported",
    "unknown_type": "not-supported",
    "unknown_version": "not-supported",
    "unresolved": "not-found",
    "wrong_key": "business-rule",
    "wrong_url": "value",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One line of an OperationOutcome: `code` is stable and ours, `expression` a FHIRPath, `diagnostics` a sentence.

    `rule`: what a profile asks, as its canonical `#` the id of its element.
    """

    severity: Severity
    code: str
    expression: str
    diagnostics: str
    rule: str = ""


def outcome(trouble: DuiError | Iterable[Fault | Issue]) -> dict[str, Any]:
    """One issue for each fault of a refusal, in order; the refusal's own sentence when it names no fault."""
    if isinstance(trouble, DuiError):
        lines: list[Fault | Issue] = list(trouble.faults) or [Fault("", trouble.told, trouble.message)]
        issues = [_issue(line, trouble.issue) for line in lines]
    else:
        issues = [_issue(line, "invalid") for line in trouble]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _issue(line: Fault | Issue, otherwise: str) -> dict[str, Any]:
    if isinstance(line, Fault):
        line = Issue("error", line.code, line.where, line.message, line.rule)
    issue: dict[str, Any] = {
        "severity": line.severity,
        "code": ISSUE_TYPES.get(line.code, otherwise),
        "details": {"coding": [{"code": line.code}], **({"text": line.rule} if line.rule else {})},
        "diagnostics": line.diagnostics,
    }
    if where := fhirpath(line.expression):
        issue["expression"] = [where]
    return issue


def fhirpath(where: str) -> str:
    """A JSON pointer said as a FHIRPath: `/entry/0/resource` → `entry[0].resource`; a FHIRPath as it stands."""
    if not where.startswith("/"):
        return where
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", where.strip("/").replace("/", "."))
