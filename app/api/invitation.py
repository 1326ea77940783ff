"""`/invitation/{token}`: where someone hired chooses their login and password. A page, no script; the link is the key.

Opening the page uses nothing up: a mail reader that looks at links first does not spend it.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.access import inviting, opening
from app.access.http import call_of
from app.api.docs import page
from app.api.oauth import openid
from app.api.oauth.answers import UNSTORED, OAuthRefusal, address, asked, form_of
from app.api.oauth.staff import asked_code, code_of, password_of
from app.audit.vocabulary import Door
from app.kernel.errors import DuiError
from app.kernel.forms import Form
from app.security import accounts, invitations, sessions, throttle
from app.security.invitations import Invited
from app.security.throttle import Limit

router = APIRouter(include_in_schema=False)
LOOKS = Limit(30, throttle.GUESSES.window)  # of links that may not be, from one address
HEADERS = {**UNSTORED, "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@router.get("/invitation/{token}")
async def look(token: str, request: Request) -> Response:
    """The form, or that this link serves no more."""
    try:
        invited = await _found(request, token)
    except DuiError as no:
        return await _refused(request, no.message, no.status, over=True)
    return _page(whom=invited.name, **_provider(request))


@router.get("/invitation/{token}/openid")
async def by_provider(token: str, request: Request) -> Response:
    """To the identity provider; what it answers is heard at its own address (`oauth.identified.accepted`)."""
    provided = openid.provided(request)
    try:
        await _found(request, token)
    except DuiError as no:
        return await _refused(request, no.message, no.status, over=True)
    return await openid.told(request, provided.provider, openid.sent_away(request, provided, invitation=token))


@router.post("/invitation/{token}")
async def accept(token: str, request: Request) -> Response:
    """A new account, or the one this person already has elsewhere: with its own password, and its second factor."""
    try:
        invited = await _found(request, token)
    except DuiError as no:
        return await _refused(request, no.message, no.status, over=True)
    try:
        login = await _accepted(request, invited, await form_of(request))
    except DuiError as no:
        return await _refused(request, no.message, no.status, whom=invited.name)
    except OAuthRefusal as no:
        return await _refused(request, str(no.body["error_description"]), no.status, whom=invited.name)
    return _page(done=login)


async def _found(request: Request, token: str) -> Invited:
    """Raises Unauthenticated, TooMany."""
    state = request.app.state
    keys = [throttle.key(state.keyring, "invitation", throttle.neighbourhood(address(request)))]
    await throttle.spend(state.database, keys, LOOKS)
    async with state.database.session(None) as session:
        found = await invitations.found(session, token)
    await throttle.forgive(state.database, keys)
    return found


async def _accepted(request: Request, invited: Invited, form: Form) -> str:
    """The login that now opens. Raises DuiError, OAuthRefusal."""
    state, login, password = request.app.state, asked(form, "username"), asked(form, "password")
    async with state.database.session(None) as session:
        known = await accounts.exists(session, login)
    account = None
    if known:
        who = await password_of(request, form)
        if who.enrolled:
            asked_code(form)
            await code_of(request, form, who)
        account = who.account
    elif form.get("again") != password:
        raise OAuthRefusal("invalid_request", "Les deux mots de passe ne sont pas les mêmes.")
    async with state.database.session(None) as session:
        account = account or await accounts.create(session, login, invited.name, password)
        await inviting.accept(session, invited, account)
        call, places = call_of(request, Door.API), await sessions.places(session, account)
        here = [place for place in places if place.organisation_id == invited.organisation_id]
        await opening.trace_account(session, call, "accept_invitation", account, here, invited.organisation_id)
        await session.commit()
    return accounts.normal(login)


async def _refused(request: Request, why: str, status: int, **shown: Any) -> Response:
    await opening.refuse_unknown(
        request.app.state.database, call_of(request, Door.API), "accept_invitation", inviting.KIND
    )
    return _page(status, why=why, **_provider(request), **shown)


def _provider(request: Request) -> dict[str, Any]:
    """By which provider one may enter too, and from where."""
    known = request.app.state.openid
    return {"by": known.provider.name, "there": f"{request.url.path}/openid"} if known else {}


def _page(status: int = 200, **shown: Any) -> Response:
    values = {"by": None, "whom": None, "done": None, "why": None, "over": False, **shown}
    answer = page("invitation.html", **values)
    answer.status_code = 400 if status == 401 else status  # no browser is to ask for a password of its own
    answer.headers.update(HEADERS)
    return answer
