"""Tokens: staff by password then refresh, partners by signed assertion; and giving one back.

Sources: RFC 6749, 7009, 7523; https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.access import opening
from app.access.http import call_of
from app.audit.vocabulary import Door
from app.kernel import forms
from app.kernel.clock import now
from app.kernel.errors import DuiError, Unauthenticated
from app.kernel.forms import Form
from app.security import accounts, dependencies, jose, partners, scopes, sessions
from app.security.sessions import Opened, Place

router = APIRouter(tags=["connexion"])

TOKEN, REVOKE = "/oauth/token", "/oauth/revoke"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
UNSTORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
TOKEN_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            forms.FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"enum": ["password", "refresh_token", "client_credentials"]},
                        "username": {"type": "string", "maxLength": 120},
                        "password": {"type": "string", "format": "password"},
                        "membership": {"type": "string", "format": "uuid"},
                        "refresh_token": {"type": "string"},
                        "client_assertion_type": {"enum": [ASSERTION_TYPE]},
                        "client_assertion": {"type": "string"},
                        "client_id": {"type": "string"},
                        "scope": {"type": "string", "example": "system/CarePlan.rs"},
                        "structure": {"type": "string", "format": "uuid"},
                    },
                }
            }
        },
    }
}
REVOKE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            forms.FORM: {
                "schema": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {"token": {"type": "string"}, "token_type_hint": {"type": "string"}},
                }
            }
        },
    }
}


class OAuthRefusal(Exception):
    """A refusal in OAuth's words; the description is for the human who integrates, and quotes nothing received."""

    def __init__(self, error: str, description: str, status: int = 400, **more: object) -> None:
        super().__init__(error)
        self.status = status
        self.body: dict[str, object] = {"error": error, "error_description": description, **more}
        self.headers: dict[str, str] = {}

    @classmethod
    def of(cls, no: DuiError, unauthenticated: str) -> "OAuthRefusal":
        if isinstance(no, Unauthenticated):
            return cls(unauthenticated, no.message, 401 if unauthenticated == "invalid_client" else 400)
        said = "temporarily_unavailable" if no.status in (429, 503) else "invalid_request"
        refusal = cls(said, no.message, no.status)
        refusal.headers = dict(no.headers)
        return refusal


@router.post(
    TOKEN,
    operation_id="getToken",
    openapi_extra=TOKEN_BODY,
    responses={
        400: {"description": "Refusé"},
        401: {"description": "Partenaire non reconnu"},
        413: {"description": "Trop grand"},
        415: {"description": "Un formulaire est attendu"},
        429: {"description": "Trop d'essais"},
    },
)
async def token(request: Request) -> Response:
    """Un jeton pour l'équipe (`password`, puis `refresh_token`) ou pour un partenaire (`client_credentials`)."""
    door = Door.API
    try:
        form = await _form(request)
        door = Door.FHIR if form.get("grant_type") == "client_credentials" else door
        grant = GRANTS.get(form.get("grant_type", ""))
        if grant is None:
            raise OAuthRefusal("unsupported_grant_type", f"grant_type : {', '.join(GRANTS)}.")
        return JSONResponse(await grant(request, form), headers=UNSTORED)
    except OAuthRefusal as no:
        await opening.refuse_unknown(request.app.state.database, call_of(request, door), "login", "session")
        return JSONResponse(no.body, no.status, {**UNSTORED, **no.headers})


@router.post(
    REVOKE, operation_id="revokeToken", openapi_extra=REVOKE_BODY, responses={400: {"description": "Illisible"}}
)
async def revoke(request: Request) -> Response:
    """Rendre un jeton, quel qu'il soit : sa session finit, et tout ce qu'elle avait donné. 200 dans tous les cas."""
    try:
        form = await _form(request)
        given = _asked(form, "token")
    except OAuthRefusal as no:
        return JSONResponse(no.body, no.status, {**UNSTORED, **no.headers})
    state = request.app.state
    state.tokens.forget(given)
    await sessions.give_back(state.database, state.keyring, dependencies.issuer(request), given)
    return Response(headers=UNSTORED)


@router.get("/fhir/.well-known/smart-configuration", include_in_schema=False)
@router.get("/.well-known/smart-configuration", operation_id="readSmartConfiguration")
async def smart_configuration(request: Request) -> Response:
    """Ce que ce serveur offre aux partenaires (SMART Backend Services)."""
    here = dependencies.origin(request)
    return JSONResponse(
        {
            "token_endpoint": here + TOKEN,
            "revocation_endpoint": here + REVOKE,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "scopes_supported": ["system/*.cruds", "system/*.rs", "system/*.read", "system/*.write"],
            "response_types_supported": [],
            "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
        }
    )


async def _by_password(request: Request, form: Form) -> dict[str, object]:
    """Staff: one account, and one of its memberships: the only one, or the one asked for."""
    state, login, password = request.app.state, _asked(form, "username"), _asked(form, "password")
    try:
        account = await accounts.authenticate(state.database, state.keyring, login, password, _address(request))
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    async with state.database.session(None) as session:
        place = _chosen(await sessions.places(session, account), form)
        opened = await sessions.open_staff(session, state.keyring, dependencies.issuer(request), account, place)
        await session.commit()
    await _told(request, Door.API, opened)
    return _answer(opened, membership=str(place.membership_id), role=place.role.value)


async def _by_refresh(request: Request, form: Form) -> dict[str, object]:
    state = request.app.state
    try:
        opened = await sessions.rotate(
            state.database, state.keyring, dependencies.issuer(request), _asked(form, "refresh_token")
        )
    except Unauthenticated as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    return _answer(opened)


async def _by_assertion(request: Request, form: Form) -> dict[str, object]:
    """A partner: who it is by its signature, then no more than it asked and was given, for one structure."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthRefusal("invalid_request", f"client_assertion_type : {ASSERTION_TYPE}.")
    state, assertion = request.app.state, _asked(form, "client_assertion")
    urls = [origin + TOKEN for origin in state.settings.origins]
    try:
        client = await partners.authenticate(state.database, state.outbound, assertion, urls)
        if form.get("client_id", client.client_id) != client.client_id:
            raise Unauthenticated(jose.ASSERTION_REFUSED)
    except Unauthenticated as no:
        raise OAuthRefusal.of(no, "invalid_client") from None
    may, structure = _scopes(form, client.scopes), _structure(form, client)
    async with state.database.session(None) as session:
        partner, issuer = (client.organisation_id, client.partner_id), dependencies.issuer(request)
        opened = await sessions.open_partner(session, state.keyring, issuer, partner, structure, may)
        await session.commit()
    await _told(request, Door.FHIR, opened)
    return _answer(opened, scope=scopes.said(may))


GRANTS: dict[str, Callable[[Request, Form], Awaitable[dict[str, object]]]] = {
    "password": _by_password,
    "refresh_token": _by_refresh,
    "client_credentials": _by_assertion,
}


def _chosen(held: list[Place], form: Form) -> Place:
    """Rights are never added up: one membership a session."""
    if not held:
        raise OAuthRefusal("invalid_grant", "Ce compte n'a pas de fonction en cours. Demandez à votre direction.")
    if "membership" in form:
        named = [place for place in held if str(place.membership_id) == form["membership"].lower()]
    else:
        named = held
    if len(named) == 1:
        return named[0]
    listed = [
        {"membership": str(p.membership_id), "role": p.role.value, "organisation": str(p.organisation_id)} for p in held
    ]
    raise OAuthRefusal(
        "invalid_request", "Dites sous quelle fonction vous entrez : paramètre « membership ».", memberships=listed
    )


def _scopes(form: Form, registered: frozenset[str]) -> frozenset[str]:
    """Without `scope`: all that was registered (RFC 6749, 3.3)."""
    try:
        may = scopes.granted(scopes.read(form["scope"]), registered) if "scope" in form else registered
    except scopes.Unreadable:
        may = frozenset()
    if not may:
        raise OAuthRefusal("invalid_scope", "Aucun de ces droits ne vous est ouvert. Exemple : system/CarePlan.rs.")
    return may


def _structure(form: Form, client: partners.Client) -> UUID:
    """Where what it sends will arrive; the default one unless it names another that accepted it."""
    if "structure" not in form:
        return client.default_structure_id
    named = [id for id in client.structure_ids if str(id) == form["structure"].lower()]
    if not named:
        raise OAuthRefusal("invalid_request", "Cette structure n'a pas accepté ce partenaire.")
    return named[0]


def _answer(opened: Opened, **more: object) -> dict[str, object]:
    told: dict[str, object] = {
        "access_token": opened.token,
        "token_type": "Bearer",
        "expires_in": int(opened.principal.expires - now().timestamp()),
        **more,
    }
    return {**told, "refresh_token": opened.refresh} if opened.refresh else told


async def _form(request: Request) -> Form:
    try:
        return await forms.read(request)
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_request") from None


def _asked(form: Form, name: str) -> str:
    if not form.get(name):
        raise OAuthRefusal("invalid_request", f"Il manque le paramètre « {name} ».")
    return form[name]


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None


async def _told(request: Request, door: Door, opened: Opened) -> None:
    """The trace of an opening, before its token is given."""
    state, who = request.app.state, opened.principal
    async with opening.opened(who, call_of(request, door), state.keyring, state.lane, state.database) as acts:
        acts.tell("login", "session", [who.session_id], usager_id=None)
