"""One's own account, password in hand: another password, a telephone as second factor.

No bearer here: each of these proves the password anew, and the factor in use when there is one; what was open closes.
"""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.access import opening
from app.access.http import call_of
from app.api.oauth.answers import UNSTORED, OAuthRefusal, asked, form_of, refused
from app.api.oauth.described import (
    CONFIRM_BODY,
    CONFIRM_REFUSALS,
    ENROL_BODY,
    OWN_REFUSALS,
    PASSWORD_BODY,
    PASSWORD_REFUSALS,
)
from app.api.oauth.staff import Proved, code_of, password_of
from app.audit.vocabulary import Door
from app.kernel.errors import DuiError
from app.kernel.forms import Form
from app.security import accounts, second_factor, sessions, throttle
from app.security.models import LiveSession

router = APIRouter(tags=["connexion"])
Work = Callable[[Request, Form], Awaitable[dict[str, object]]]


@router.post("/oauth/second-factor", operation_id="beginSecondFactor", openapi_extra=ENROL_BODY, responses=OWN_REFUSALS)
async def begin(request: Request) -> Response:
    """Inscrire un téléphone : un secret à lui donner, dit une seule fois ; il sert une fois confirmé par un code."""
    return await _answered(request, "begin_second_factor", _begin)


@router.post(
    "/oauth/second-factor/confirmation",
    operation_id="confirmSecondFactor",
    openapi_extra=CONFIRM_BODY,
    responses=CONFIRM_REFUSALS,
)
async def confirm(request: Request) -> Response:
    """Confirmer le téléphone par son premier code : dix codes de secours, dits une seule fois ; reconnectez-vous."""
    return await _answered(request, "confirm_second_factor", _confirm)


@router.post("/oauth/password", operation_id="changePassword", openapi_extra=PASSWORD_BODY, responses=PASSWORD_REFUSALS)
async def change_password(request: Request) -> Response:
    """Changer son mot de passe : tout ce que l'ancien avait ouvert se ferme."""
    return await _answered(request, "change_password", _change_password)


async def _answered(request: Request, action: str, work: Work) -> Response:
    try:
        return JSONResponse(await work(request, await form_of(request)), headers=UNSTORED)
    except OAuthRefusal as no:
        return await refused(request, Door.API, no, action)


async def _begin(request: Request, form: Form) -> dict[str, object]:
    state, who = request.app.state, await _whole_proof(request, form)
    async with state.database.session(None) as session:
        begun = await second_factor.begin(session, state.keyring, who.account, who.login)
        await opening.trace_account(session, call_of(request, Door.API), "begin_second_factor", who.account, who.places)
        await session.commit()
    return {"secret": begun.secret, "uri": begun.uri}


async def _confirm(request: Request, form: Form) -> dict[str, object]:
    state, who, code = request.app.state, await password_of(request, form), asked(form, "otp")
    place = who.caller.place(state.keyring, who.login)
    try:
        here = await second_factor.tried(state.database, state.keyring, who.account, place)
        async with state.database.session(None) as session:
            codes = await second_factor.confirm(session, state.keyring, who.account, code)
            await sessions.revoke(session, LiveSession.account_id == who.account)
            call = call_of(request, Door.API)
            await opening.trace_account(session, call, "confirm_second_factor", who.account, who.places)
            await session.commit()
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    await throttle.forgive(state.database, here)
    return {"recovery_codes": codes}


async def _change_password(request: Request, form: Form) -> dict[str, object]:
    state, new = request.app.state, asked(form, "new_password")
    who = await _whole_proof(request, form)
    try:
        async with state.database.session(None) as session:
            await accounts.set_password(session, who.account, new)
            call = call_of(request, Door.API)
            await opening.trace_account(session, call, "change_password", who.account, who.places)
            await session.commit()
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    return {}


async def _whole_proof(request: Request, form: Form) -> Proved:
    """The password, and the factor in use when there is one."""
    who = await password_of(request, form)
    if who.enrolled:
        await code_of(request, form, who)
    return who
