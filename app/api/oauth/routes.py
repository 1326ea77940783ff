"""Tokens: staff by password then refresh, partners by signed assertion; giving one back, asking what one is worth.

Sources: RFC 6749, 7009, 7523, 7662; https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.access import entering, opening
from app.access.http import call_of
from app.api.oauth.answers import UNSTORED, OAuthRefusal, asked, form_of, refused
from app.api.oauth.described import (
    INTROSPECT_BODY,
    NOT_OURS,
    REFUSALS,
    REVOKE_BODY,
    REVOKE_REFUSALS,
    TOKEN_BODY,
    TOKEN_REFUSALS,
)
from app.api.oauth.identified import by_code
from app.api.oauth.partner import INTROSPECT, TOKEN, by_assertion, introspected
from app.api.oauth.staff import by_password, by_refresh
from app.audit.vocabulary import Door
from app.kernel.forms import Form
from app.security import dependencies, sessions

router = APIRouter(tags=["connexion"])

REVOKE = "/oauth/revoke"
Grants = dict[str, Callable[[Request, Form], Awaitable[dict[str, object]]]]
WITH_PROVIDER: Grants = {"authorization_code": by_code}
GRANTS: Grants = {
    "password": by_password,
    "refresh_token": by_refresh,
    "client_credentials": by_assertion,
}


@router.post(TOKEN, operation_id="getToken", openapi_extra=TOKEN_BODY, responses=TOKEN_REFUSALS)
async def token(request: Request) -> Response:
    """Un jeton pour l'équipe (`password`, puis `refresh_token`) ou pour un partenaire (`client_credentials`)."""
    door = Door.API
    try:
        form = await form_of(request)
        door = Door.FHIR if form.get("grant_type") == "client_credentials" else door
        grants = GRANTS | (WITH_PROVIDER if request.app.state.openid else {})
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise OAuthRefusal("unsupported_grant_type", f"grant_type : {', '.join(grants)}.")
        return JSONResponse(await grant(request, form), headers=UNSTORED)
    except OAuthRefusal as no:
        return await refused(request, door, no)


@router.post(
    REVOKE,
    operation_id="revokeToken",
    openapi_extra=REVOKE_BODY,
    response_class=Response,
    responses=REVOKE_REFUSALS,
)
async def revoke(request: Request) -> Response:
    """Rendre un jeton, quel qu'il soit : sa session finit, et tout ce qu'elle avait donné. 200 dans tous les cas."""
    state, call = request.app.state, call_of(request, Door.API)
    try:
        given = asked(await form_of(request), "token")
    except OAuthRefusal as no:
        return await refused(request, Door.API, no, entering.END)
    state.tokens.forget(given)
    async with state.database.session(None) as session:
        ended = await sessions.give_back(session, state.keyring, dependencies.issuer(request), given)
        if ended:
            await entering.trace_given_back(session, call, ended)
        await session.commit()
    if not ended:
        await opening.refuse_unknown(state.database, call, entering.END, entering.KIND)
    return Response(headers=UNSTORED)


@router.post(INTROSPECT, operation_id="introspectToken", openapi_extra=INTROSPECT_BODY, responses=REFUSALS)
async def introspect(request: Request) -> Response:
    """Pour un partenaire, par la même preuve que pour un jeton : ce que vaut maintenant un jeton à lui."""
    try:
        return JSONResponse(await introspected(request, await form_of(request)), headers=UNSTORED)
    except OAuthRefusal as no:
        return await refused(request, Door.FHIR, no, "introspect")


@router.get("/fhir/.well-known/smart-configuration", include_in_schema=False)
@router.get("/.well-known/smart-configuration", operation_id="readSmartConfiguration", responses=NOT_OURS)
async def smart_configuration(request: Request) -> Response:
    """Ce que ce serveur offre aux partenaires (SMART Backend Services)."""
    here = dependencies.origin(request)
    return JSONResponse(
        {
            "token_endpoint": here + TOKEN,
            "revocation_endpoint": here + REVOKE,
            "introspection_endpoint": here + INTROSPECT,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "introspection_endpoint_auth_methods_supported": ["private_key_jwt"],
            "introspection_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "scopes_supported": ["system/*.cruds", "system/*.rs", "system/*.read", "system/*.write"],
            "response_types_supported": [],
            "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
        }
    )
