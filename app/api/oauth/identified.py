"""What an identity proved at the provider opens here: an application's code, an invitation; nothing by itself.

Source: RFC 6749, 4.1; RFC 7636
"""

import hmac
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.access import entering, inviting, opening
from app.access.http import call_of
from app.api.docs import page
from app.api.oauth.answers import UNSTORED, OAuthRefusal, asked, given
from app.api.oauth.staff import NO_FUNCTION, chosen
from app.audit.vocabulary import Door
from app.kernel.errors import DuiError, Forbidden, Unauthenticated
from app.kernel.forms import Form
from app.security import accounts, dependencies, identities, invitations, oidc, sessions, tickets
from app.security.jose import Identity
from app.security.oidc import Provider

CODE = "openid code"
HEADERS = {**UNSTORED, "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
AMR = ("oidc",)
UNLINKED = (
    "Votre compte {} n'est relié à aucun compte ici. Demandez à votre direction, ou à l'administrateur de votre "
    "établissement, de le relier ; ou suivez le lien de votre invitation."
)


async def entered(request: Request, provider: Provider, carried: dict[str, Any], identity: Identity) -> Response:
    """Back to the application, with a code of ours. Raises Forbidden: an identity that opens nothing here."""
    state, kept = request.app.state, _kept(request, provider, identity)
    async with state.database.session(None) as session:
        account = await identities.account_of(session, kept)
        held = await sessions.places(session, account) if account else []
    if not held:
        raise Forbidden(NO_FUNCTION if account else UNLINKED.format(provider.name))
    theirs = identities.session_kept(state.keyring, provider.issuer, identity.session).hex()
    application, challenge = carried["application"], carried["challenge"]
    said = {"identity": kept, "session": theirs, "application": application, "challenge": challenge}
    _, code = tickets.sealed(state.keyring, CODE, identities.CODE_LASTS, said)
    back = {"code": code} | ({"state": carried["state"]} if carried["state"] else {})
    separator = "&" if urlsplit(application).query else "?"
    return RedirectResponse(f"{application}{separator}{urlencode(back)}", 303, HEADERS)


async def by_code(request: Request, form: Form) -> dict[str, object]:
    """Our code, by who drew its challenge; one of the account's memberships, as by password."""
    state, code, verifier = request.app.state, asked(form, "code"), asked(form, "code_verifier")
    application = asked(form, "redirect_uri")
    try:
        ticket = tickets.opened(state.keyring, CODE, code)
        right = hmac.compare_digest(oidc.challenge_of(verifier), ticket.told["challenge"])
        if not right or application != ticket.told["application"]:
            raise Unauthenticated(tickets.OVER)
        async with state.database.session(None) as session:
            account = await identities.account_of(session, ticket.told["identity"])
            if account is None:
                raise Unauthenticated(tickets.OVER)
            place = chosen(await sessions.places(session, account), form)  # to hear which there are uses nothing up
            await tickets.spend(session, CODE, ticket)
            issuer, theirs = dependencies.issuer(request), bytes.fromhex(ticket.told["session"])
            await identities.check_still(session, ticket.told["identity"], theirs, ticket.until)
            opened = await sessions.open_staff(
                session, state.keyring, issuer, account, place, amr=AMR, provider_session=theirs
            )
            await entering.trace(session, call_of(request, Door.API), entering.LOGIN, opened.principal)
            await session.commit()
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    return given(opened, membership=str(place.membership_id), role=place.role.value)


async def accepted(request: Request, provider: Provider, token: str, identity: Identity) -> Response:
    """An invitation, accepted by the account this identity is linked to, or by a new one that has no password."""
    state, kept = request.app.state, _kept(request, provider, identity)
    async with state.database.session(None) as session:
        invited = await invitations.found(session, token)
        account = await identities.account_of(session, kept)
        if account is None:
            account = await accounts.create(session, accounts.drawn_login(invited.name), invited.name, None)
            await identities.link(session, account, kept)
        await inviting.accept(session, invited, account)
        call, places = call_of(request, Door.API), await sessions.places(session, account)
        here = [place for place in places if place.organisation_id == invited.organisation_id]
        await opening.trace_account(session, call, "accept_invitation", account, here, invited.organisation_id)
        await session.commit()
    return told_plainly(200, provider, done=True)


def told_plainly(status: int, provider: Provider, **shown: object) -> Response:
    answer = page("openid.html", **{"by": provider.name, "done": False, "why": None, **shown})
    answer.status_code = status
    answer.headers.update(HEADERS)
    return answer


def _kept(request: Request, provider: Provider, identity: Identity) -> str:
    return identities.kept(request.app.state.keyring, provider.issuer, str(identity.subject))
