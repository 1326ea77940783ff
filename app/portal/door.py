"""In and out: the card's link and code against a cookie; « Quitter » ends what the cookie opened.

Nothing is used up by looking at the link: a messaging application that previews it opens nothing.
"""

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.access import entering
from app.access.http import call_of
from app.audit.vocabulary import Door
from app.features.access_cards.lasting import LASTING
from app.kernel import forms
from app.kernel.clock import now
from app.kernel.errors import Unauthenticated
from app.portal import answers, csrf, views
from app.portal.frame import Screen
from app.portal.refusals import WrongAddress
from app.security import dependencies, sessions
from app.security.dependencies import SECURE_COOKIE

OWN, SHARED = "own", "shared"
SAID = {OWN: True, SHARED: False}


def cookie_of(request: Request) -> str:
    """The name of the cookie at the address asked. Raises WrongAddress where none would be safe."""
    name = dependencies.cookie_name(request)
    if name is None:
        raise WrongAddress("Cette adresse n'est pas celle de la page. Reprenez celle de votre carte.")
    return name


async def enter(request: Request, link: str) -> Response:
    """Raises TooMany. A wrong code, a wrong link: the same page again, after the same wait."""
    name = cookie_of(request)
    csrf.check_site(request)
    form = await forms.read(request)
    state, call, device = request.app.state, call_of(request, Door.PAGE), form.get("device", "")
    try:
        opened = await entering.by_card(
            state.database, state.keyring, call, link, form.get("code", ""), LASTING, own_device=SAID.get(device)
        )
    except Unauthenticated as no:
        return answers.page(views.Door(wrong=True), status=no.status)
    answer = RedirectResponse(Screen.HOME.path, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    left = round(opened.principal.expires - now().timestamp())
    kept = left if device == OWN else None  # shared: until the browser closes
    answer.set_cookie(
        name, opened.token, max_age=kept, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="lax"
    )
    return answer


async def leave(request: Request) -> Response:
    """« Quitter », from any screen."""
    name, state = cookie_of(request), request.app.state
    csrf.check_site(request)
    who = await dependencies.caller(request, dependencies.Door.PAGE)
    csrf.check(state.keyring, who.session_id, await forms.read(request), *Screen)
    async with state.database.session(None) as session:
        await sessions.end(session, who)
        await entering.trace(session, call_of(request, Door.PAGE), entering.END, who)
        await session.commit()
    state.tokens.forget(request.cookies[name])
    answer = answers.page(views.Bye())
    answer.delete_cookie(name, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="lax")
    return answer
