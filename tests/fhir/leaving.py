"""Whatever FHIR leaves the server in any test is held against R4's own JSON schema, against fhir.resources, and against the
rules that R4 makes errors.
"""

from typing import Any

import orjson
from fhir.resources.R4B import get_fhir_model_class

from app.fhir.checking import faults_of
from tests.fhir import r4

FHIR = "application/fhir+json"
NOT_BROKEN = ("not_carried",)  # CapabilityStatement, AuditEvent: told, and never received


def check(response: Any) -> None:
    """A hook of the tests' client: the test in which something else than R4 left fails there."""
    if not response.headers.get("content-type", "").startswith(FHIR) or response.request.method == "HEAD":
        return
    response.read()
    if response.content:
        assert_r4(orjson.loads(response.content))


def assert_r4(resource: dict[str, Any]) -> None:
    if schema := r4.schema():
        known = {**resource, "fhirVersion": "4.0.0"} if "fhirVersion" in resource else resource  # written before 4.0.1
        faults = [f"{'/'.join(map(str, e.instance_path))}: {e.message[:200]}" for e in schema.iter_errors(known)]
        assert not faults, (resource["resourceType"], faults[:3])
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    broken = [(fault.where, fault.message) for fault in faults_of(resource) if fault.code not in NOT_BROKEN]
    assert not broken, (resource["resourceType"], broken[:3])
