"""What these routes take, for the OpenAPI document: forms are read strictly by hand (`kernel.forms`)."""

from typing import Any

from app.kernel import forms

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROOF = {"client_assertion_type": {"enum": [ASSERTION_TYPE]}, "client_assertion": {"type": "string"}}
TOKEN = {"type": "string"}


def form(required: list[str], **properties: object) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {forms.FORM: {"schema": schema}}}}


TOKEN_BODY = form(
    ["grant_type"],
    grant_type={"enum": ["password", "refresh_token", "client_credentials"]},
    username={"type": "string", "maxLength": 120},
    password={"type": "string", "format": "password"},
    membership={"type": "string", "format": "uuid"},
    refresh_token=TOKEN,
    client_id={"type": "string"},
    scope={"type": "string", "example": "system/CarePlan.rs"},
    structure={"type": "string", "format": "uuid"},
    **PROOF,
)
REVOKE_BODY = form(["token"], token=TOKEN, token_type_hint={"type": "string"})
INTROSPECT_BODY = form(
    ["token", *PROOF], token=TOKEN, token_type_hint={"type": "string"}, client_id={"type": "string"}, **PROOF
)
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "Refusé"},
    401: {"description": "Partenaire non reconnu"},
    413: {"description": "Trop grand"},
    415: {"description": "Un formulaire est attendu"},
    429: {"description": "Trop d'essais"},
}
