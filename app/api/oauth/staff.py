"""The staff: by password and, when there is one or one is asked, a second factor; then by refresh token."""

from dataclasses import dataclass
from uuid import UUID

import orjson
from fastapi import Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import entering
from app.access.http import call_of
from app.api.oauth.answers import OAuthRefusal, address, asked, given
from app.audit.vocabulary import Call, Door
from app.features.settings.models import Setting
from app.features.settings.shipped import SHIPPED
from app.kernel import db
from app.kernel.errors import DuiError, Unauthenticated
from app.kernel.forms import Form
from app.security import accounts, dependencies, devices, second_factor, sessions, throttle
from app.security.accounts import Caller
from app.security.models import LiveSession
from app.security.principal import Professional
from app.security.sessions import Opened, Place

CODE_WANTED = "Donnez aussi le code de votre téléphone, ou un code de secours : paramètre « otp »."
ENROL_FIRST = "Votre fonction demande un second facteur : inscrivez d'abord un téléphone (/oauth/second-factor)."

PROVE_AGAIN = "Un second facteur est demandé depuis votre connexion : connectez-vous à nouveau, avec lui."
NO_FUNCTION = "Ce compte n'a pas de fonction en cours. Demandez à votre direction."


@dataclass(frozen=True, slots=True)
class Proved:
    """An account whose password was right, and where it was said."""

    account: UUID
    login: str
    caller: Caller
    places: list[Place]  # where it works today
    enrolled: bool  # it has a second factor


async def by_password(request: Request, form: Form) -> dict[str, object]:
    """One account, and one of its memberships: the only one, or the one asked for.

    Which there are is told once all is proved; to hear it uses no code up.
    """
    state, who = request.app.state, await password_of(request, form)
    try:
        counted = await _judged(request, form, who) if who.enrolled else await _check_none_demanded(request, form, who)
        async with state.database.session(None) as session:
            amr: tuple[str, ...] = second_factor.PASSWORD_ONLY
            if who.enrolled:
                amr = await second_factor.spend(session, state.keyring, who.account, asked_code(form))
            place, issuer = chosen(who.places, form), dependencies.issuer(request)
            opened = await sessions.open_staff(session, state.keyring, issuer, who.account, place, amr=amr)
            await entering.trace(session, call_of(request, Door.API), entering.LOGIN, opened.principal)
            await session.commit()
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    if counted:
        await throttle.forgive(state.database, counted)
    return given(opened, membership=str(place.membership_id), role=place.role.value, device=device_of(request, who))


async def _judged(request: Request, form: Form, who: Proved) -> list[bytes]:
    """What counts the code of the form, once it may be looked at. Raises OAuthRefusal, TooMany."""
    state, code = request.app.state, asked_code(form)
    known, place = who.caller.known(state.keyring, who.login), who.caller.place(state.keyring, who.login)
    return await second_factor.judged(state.database, state.keyring, who.account, code, place, known=known)


async def _check_none_demanded(request: Request, form: Form, who: Proved) -> list[bytes]:
    """The password is enough for the membership named; for every one of them, when none is. Raises OAuthRefusal."""
    async with request.app.state.database.session(None) as session:
        for place in _named(who.places, form) or who.places:
            if await _demanded(session, place):
                raise OAuthRefusal("mfa_enrolment_required", ENROL_FIRST)
    return []


async def by_refresh(request: Request, form: Form) -> dict[str, object]:
    """The next pair. What ends the session instead is kept, although it is a refusal."""
    state, call, shown = request.app.state, call_of(request, Door.API), asked(form, "refresh_token")
    try:
        async with state.database.session(None) as session:
            renewed = await sessions.rotate(session, state.keyring, dependencies.issuer(request), shown)
            answer = await _settled(session, call, renewed)
            await session.commit()
    except Unauthenticated as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    if isinstance(answer, OAuthRefusal):
        raise answer
    return answer


async def _settled(
    session: AsyncSession, call: Call, renewed: Opened | LiveSession
) -> dict[str, object] | OAuthRefusal:
    if isinstance(renewed, LiveSession):
        await entering.trace_ended(session, call, renewed)
        return OAuthRefusal("invalid_grant", sessions.ENDED)
    if await _proved_no_more(session, renewed):
        await sessions.end(session, renewed.principal)
        await entering.trace(session, call, entering.END, renewed.principal)
        return OAuthRefusal("invalid_grant", PROVE_AGAIN)
    await entering.trace(session, call, entering.RENEW, renewed.principal)
    return given(renewed)


async def _proved_no_more(session: AsyncSession, opened: Opened) -> bool:
    """A password was enough when this session began, and no longer is."""
    who = opened.principal
    if not (isinstance(who, Professional) and set(opened.amr) <= set(second_factor.PASSWORD_ONLY)):
        return False
    return await second_factor.enrolled(session, who.account_id) or await _demanded(session, who)


async def password_of(request: Request, form: Form) -> Proved:
    """Whose login and password the form says. Raises OAuthRefusal."""
    state, login, password = request.app.state, asked(form, "username"), asked(form, "password")
    caller = Caller(address(request), form.get("device"))
    try:
        account = await accounts.authenticate(state.database, state.keyring, login, password, caller)
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    async with state.database.session(None) as session:
        places = await sessions.places(session, account)
        enrolled = await second_factor.enrolled(session, account)
    return Proved(account, accounts.normal(login), caller, places, enrolled)


def asked_code(form: Form) -> str:
    if not form.get("otp"):
        raise OAuthRefusal("mfa_required", CODE_WANTED)
    return form["otp"]


async def code_of(request: Request, form: Form, who: Proved) -> tuple[str, ...]:
    """How the session is proved, once the code of the form was right. Raises OAuthRefusal."""
    state, known = request.app.state, who.caller.known(request.app.state.keyring, who.login)
    place = who.caller.place(state.keyring, who.login)
    try:
        return await second_factor.prove(
            state.database, state.keyring, who.account, asked_code(form), place, known=known
        )
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None


def device_of(request: Request, who: Proved) -> str:
    """What this device shows next time, so that what others try is not counted as its own."""
    keyring = request.app.state.keyring
    return who.caller.device if who.caller.known(keyring, who.login) else devices.new(keyring, who.login)  # type: ignore[return-value]


async def _demanded(session: AsyncSession, place: Place | Professional) -> bool:
    """Does this house ask a second factor of this role?"""
    key, s = f"second_factor.{place.role}", Setting
    tuned = select(s.value).where(s.organisation_id == place.organisation_id, s.scope == "organisation", s.key == key)
    await db.enter(session, place.organisation_id)
    value = await session.scalar(tuned.where(s.deleted_at.is_(None)))
    return bool(orjson.loads(value) if value is not None else SHIPPED[key].value)


def chosen(held: list[Place], form: Form) -> Place:
    """Rights are never added up: one membership a session."""
    if not held:
        raise OAuthRefusal("invalid_grant", NO_FUNCTION)
    named = _named(held, form)
    if len(named) == 1:
        return named[0]
    listed = [
        {"membership": str(p.membership_id), "role": p.role.value, "organisation": str(p.organisation_id)} for p in held
    ]
    raise OAuthRefusal(
        "invalid_request", "Dites sous quelle fonction vous entrez : paramètre « membership ».", memberships=listed
    )


def _named(held: list[Place], form: Form) -> list[Place]:
    """All of them while the form names none."""
    if "membership" not in form:
        return held
    return [place for place in held if str(place.membership_id) == form["membership"].lower()]
