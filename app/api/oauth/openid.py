"""Staff entering by the identity provider: away to it, back from it, and what it says it ended.

The browser that left is the one that comes back: what ties the two is sealed in its cookie, and serves once. All these
routes are unknown while no provider is configured.

Sources: OpenID Connect Core 1.0, 3.1; OpenID Connect Back-Channel Logout 1.0; RFC 6749, 4.1; RFC 8252; RFC 9207
"""

import asyncio
import hmac
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.access import opening
from app.access.http import call_of
from app.api.oauth.answers import UNSTORED, OAuthRefusal, address, asked, form_of, refused
from app.api.oauth.described import AUTHORIZE, AUTHORIZE_REFUSALS
from app.api.oauth.identified import HEADERS, accepted, entered, told_plainly
from app.audit.vocabulary import Door
from app.kernel import db
from app.kernel.errors import DuiError, NotFound, Unauthenticated, Unreadable
from app.security import dependencies, identities, oidc, throttle, tickets
from app.security.oidc import Asking, OpenId, Provider
from app.security.throttle import Limit

router = APIRouter(tags=["connexion"])
BACK, LOGOUT = "/oauth/openid/callback", "/oauth/openid/logout"
AWAY, LASTS = "openid away", timedelta(minutes=10)
FREE_PER_ADDRESS = 30  # failures of a quarter of an hour before the next ones wait: each asks something of the provider
SLOWED = Limit(2**31 - 1, throttle.GUESSES.window)  # what is shared slows, it never closes (docs/adr/0014)
STATE_LONGEST = 500
ELSEWHERE = "Cette adresse n'existe pas."  # as any other
NO_COOKIE = "À cette adresse, le navigateur ne garde rien de sûr. Reprenez celle de votre établissement."
STOPPED = "La connexion a été interrompue chez le fournisseur d'identité. Recommencez depuis votre application."
UNKNOWN = "Cette application n'est pas connue de ce serveur. Reprenez depuis l'application de votre établissement."


@router.get(
    "/oauth/authorize",
    operation_id="beginStaffLogin",
    openapi_extra=AUTHORIZE,
    status_code=303,
    responses=AUTHORIZE_REFUSALS,
)
async def authorize(request: Request) -> Response:
    """Entrer par le fournisseur d'identité, si l'établissement en a configuré un.

    Le navigateur y va, puis revient à l'adresse de l'application avec un code, bon une minute et une fois, qu'elle échange
    à `/oauth/token` (`authorization_code`, PKCE).
    """
    openid = provided(request)
    return await told(request, openid.provider, _away(request, openid))


@router.get(BACK, include_in_schema=False)
async def back(request: Request) -> Response:
    """From the provider, with its code."""
    openid = provided(request)
    return await told(request, openid.provider, _back(request, openid))


@router.post(LOGOUT, include_in_schema=False)
async def logout(request: Request) -> Response:
    """The provider ended a session: what it had opened here ends."""
    openid, state, call = provided(request), request.app.state, call_of(request, Door.API)
    by = opening.SERVER | {"request_id": call.request_id, "address": call.address}
    try:
        said = await openid.logout(state.outbound, asked(await form_of(request), "logout_token"))
        async with state.database.session(None) as session:
            houses = await identities.ended(session, state.keyring, openid.provider.issuer, said)
            for house, ids in (houses or {db.NIL: []}).items():
                await db.enter(session, house)
                await opening.trace_system(session, house, "logout", "session", ids, None, by)
            await session.commit()
    except DuiError as no:
        return await refused(request, Door.API, OAuthRefusal.of(no, "invalid_request"), "logout")
    except OAuthRefusal as no:
        return await refused(request, Door.API, no, "logout")
    return Response(headers=UNSTORED)


def provided(request: Request) -> OpenId:
    """Raises NotFound while no provider is configured."""
    openid: OpenId | None = request.app.state.openid
    if openid is None:
        raise NotFound(ELSEWHERE)
    return openid


async def sent_away(request: Request, openid: OpenId, **carried: Any) -> Response:
    """To the provider; the browser's cookie says what is to be done once it is back. Raises Unreadable, Busy."""
    state, name = request.app.state, _cookie(request)
    asking = Asking.drawn(dependencies.origin(request) + BACK)
    told = {"verifier": asking.verifier, "nonce": asking.nonce, "back": asking.back, **carried}
    id, ticket = tickets.sealed(state.keyring, AWAY, LASTS, told)
    answer = RedirectResponse(await openid.address(state.outbound, id, asking), 303, HEADERS)
    age, secure = int(LASTS.total_seconds()), name.startswith("__Host-")
    answer.set_cookie(name, ticket, age, path="/", secure=secure, httponly=True, samesite="lax")
    return answer


async def _away(request: Request, openid: OpenId) -> Response:
    """What is wrong here is told here: a browser is sent to no address that is not known."""
    said = _query(request)
    if said.get("redirect_uri") not in openid.provider.applications:
        raise Unreadable(UNKNOWN)
    if said.get("response_type") != "code" or said.get("code_challenge_method") != "S256":
        raise Unreadable("Sont attendus response_type=code et code_challenge_method=S256.")
    if oidc.CHALLENGE.fullmatch(said.get("code_challenge", "")) is None:
        raise Unreadable("code_challenge : un SHA-256 en base64url, de 43 caractères.")
    if len(said.get("state", "")) > STATE_LONGEST:
        raise Unreadable(f"state : {STATE_LONGEST} caractères au plus.")
    application, challenge = said["redirect_uri"], said["code_challenge"]
    return await sent_away(request, openid, application=application, challenge=challenge, state=said.get("state", ""))


async def _back(request: Request, openid: OpenId) -> Response:
    provider, state, said, name = openid.provider, request.app.state, _query(request), _cookie(request)
    ticket = tickets.opened(state.keyring, AWAY, request.cookies.get(name, ""))
    if not hmac.compare_digest(said.get("state", "").encode(), ticket.id.encode()):
        raise Unauthenticated(tickets.OVER)
    async with state.database.session(None) as session:
        await tickets.spend(session, AWAY, ticket)
        await session.commit()
    if said.get("iss", provider.issuer) != provider.issuer or not said.get("code"):
        raise Unauthenticated(STOPPED)
    carried = ticket.told
    asking = Asking(carried["verifier"], carried["nonce"], carried["back"])
    try:
        identity = await openid.identity(state.outbound, asking, said["code"])
    except Unauthenticated:
        await _slowed(request)
        raise
    if "invitation" in carried:
        answer = await accepted(request, provider, carried["invitation"], identity)
    else:
        answer = await entered(request, provider, carried, identity)
    answer.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="lax")
    return answer


async def _slowed(request: Request) -> None:
    """A failure already judged: there is nothing to guess, so a right login never waits for those of others."""
    state = request.app.state
    here = throttle.key(state.keyring, "openid", throttle.neighbourhood(address(request)))
    [count] = await throttle.spend(state.database, [here], SLOWED)
    await asyncio.sleep(throttle.slowness(count, FREE_PER_ADDRESS))


async def told(request: Request, provider: Provider, work: Awaitable[Response]) -> Response:
    """What `work` answers; a refusal is a page, once its line of nobody is kept."""
    try:
        return await work
    except DuiError as no:
        await opening.refuse_unknown(request.app.state.database, call_of(request, Door.API), "login", "session")
        if no.status == 401:  # no browser is to ask for a password of its own
            return told_plainly(400, provider, why=no.message)
        answer = told_plainly(no.status, provider, why=no.message)
        answer.headers.update(no.headers)
        return answer


def _query(request: Request) -> dict[str, str]:
    """Each name once. Raises Unreadable."""
    pairs = request.query_params.multi_items()
    said = dict(pairs)
    if len(said) < len(pairs):
        raise Unreadable("Un paramètre est donné deux fois.")
    return said


def _cookie(request: Request) -> str:
    """Beside the page's own, under the same rules. Raises Unreadable where none would be safe."""
    name = dependencies.cookie_name(request)
    if name is None:
        raise Unreadable(NO_COOKIE)
    return f"{name}-openid"
