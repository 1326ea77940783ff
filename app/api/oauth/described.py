"""What these routes take, for the OpenAPI document: forms are read strictly by hand (`kernel.forms`)."""

from typing import Any

from app.kernel import forms

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROOF = {"client_assertion_type": {"enum": [ASSERTION_TYPE]}, "client_assertion": {"type": "string"}}
TOKEN = {"type": "string"}
LOGIN = {"type": "string", "maxLength": 120}
PASSWORD = {"type": "string", "format": "password", "maxLength": 256}
CODE = {"type": "string", "maxLength": 40, "description": "Le code du téléphone, ou un code de secours"}
DEVICE = {"type": "string", "description": "Ce que la dernière connexion a donné à cet appareil"}


def form(required: list[str], **properties: object) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {forms.FORM: {"schema": schema}}}}


TOKEN_BODY = form(
    ["grant_type"],
    grant_type={
        "enum": ["password", "refresh_token", "client_credentials", "authorization_code"],
        "description": "authorization_code : seulement si un fournisseur d'identité est configuré",
    },
    username=LOGIN,
    password=PASSWORD,
    otp=CODE,
    device=DEVICE,
    membership={"type": "string", "format": "uuid"},
    refresh_token=TOKEN,
    client_id={"type": "string"},
    scope={"type": "string", "example": "system/CarePlan.rs"},
    structure={"type": "string", "format": "uuid"},
    code=TOKEN,
    code_verifier=TOKEN,
    redirect_uri={"type": "string"},
    **PROOF,
)
QUERY = {
    "response_type": {"enum": ["code"]},
    "redirect_uri": {"type": "string", "description": "L'adresse de l'application, telle que le serveur la connaît"},
    "code_challenge": {"type": "string", "description": "SHA-256 en base64url (RFC 7636)"},
    "code_challenge_method": {"enum": ["S256"]},
    "state": {"type": "string", "maxLength": 500, "description": "Rendu tel quel à l'application"},
}
AUTHORIZE: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "required": name != "state", "schema": schema} for name, schema in QUERY.items()
    ]
}
AUTHORIZE_REFUSALS: dict[int | str, dict[str, Any]] = {
    303: {"description": "Vers le fournisseur d'identité"},
    400: {"description": "Une page qui dit quoi reprendre"},
    404: {"description": "Aucun fournisseur d'identité n'est configuré : l'équipe entre par mot de passe"},
    503: {"description": "Le fournisseur d'identité ne répond pas"},
}
REVOKE_BODY = form(["token"], token=TOKEN, token_type_hint={"type": "string"})
INTROSPECT_BODY = form(
    ["token", *PROOF], token=TOKEN, token_type_hint={"type": "string"}, client_id={"type": "string"}, **PROOF
)
STAFF = {"username": LOGIN, "password": PASSWORD, "device": DEVICE}
ENROL_BODY = form(["username", "password"], **STAFF, otp=CODE)
CONFIRM_BODY = form(["username", "password", "otp"], **STAFF, otp=CODE)
PASSWORD_BODY = form(["username", "password", "new_password"], **STAFF, otp=CODE, new_password=PASSWORD)
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "Refusé"},
    401: {"description": "Partenaire non reconnu"},
    413: {"description": "Trop grand"},
    415: {"description": "Un formulaire est attendu"},
    429: {"description": "Trop d'essais"},
}
NOT_OURS: dict[int | str, dict[str, Any]] = {400: {"description": "Un nom d'hôte qui n'est pas d'ici"}}
REVOKE_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: said for status, said in REFUSALS.items() if status in (400, 413, 415)
}
TOKEN_REFUSALS = {**REFUSALS, 503: {"description": "Le fournisseur d'identité ne répond pas"}}
OWN_REFUSALS = {status: said for status, said in REFUSALS.items() if status != 401}
CONFIRM_REFUSALS = {**OWN_REFUSALS, 409: {"description": "Aucun téléphone n'attend d'être confirmé"}}
PASSWORD_REFUSALS = {**OWN_REFUSALS, 422: {"description": "Ce mot de passe n'est pas accepté"}}
