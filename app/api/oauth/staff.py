"""The staff: by password, then by refresh token."""

from fastapi import Request

from app.api.oauth.answers import OAuthRefusal, address, asked, given, told
from app.audit.vocabulary import Door
from app.kernel.errors import DuiError, Unauthenticated
from app.kernel.forms import Form
from app.security import accounts, dependencies, sessions
from app.security.sessions import Place


async def by_password(request: Request, form: Form) -> dict[str, object]:
    """Staff: one account, and one of its memberships: the only one, or the one asked for."""
    state, login, password = request.app.state, asked(form, "username"), asked(form, "password")
    try:
        account = await accounts.authenticate(state.database, state.keyring, login, password, address(request))
    except DuiError as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    async with state.database.session(None) as session:
        place = _chosen(await sessions.places(session, account), form)
        opened = await sessions.open_staff(session, state.keyring, dependencies.issuer(request), account, place)
        await session.commit()
    await told(request, Door.API, opened)
    return given(opened, membership=str(place.membership_id), role=place.role.value)


async def by_refresh(request: Request, form: Form) -> dict[str, object]:
    state = request.app.state
    try:
        opened = await sessions.rotate(
            state.database, state.keyring, dependencies.issuer(request), asked(form, "refresh_token")
        )
    except Unauthenticated as no:
        raise OAuthRefusal.of(no, "invalid_grant") from None
    return given(opened)


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
