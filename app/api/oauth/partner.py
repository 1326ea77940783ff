"""A partner: who it is by its signature, what it is given, and what its own tokens are worth.

Sources: RFC 7523, 7662; https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from uuid import UUID

from fastapi import Request

from app.access import entering, opening
from app.access.http import call_of
from app.api.oauth.answers import OAuthRefusal, address, asked, given
from app.api.oauth.described import ASSERTION_TYPE
from app.audit.vocabulary import Door
from app.fhir.known_types import R4_TYPES
from app.kernel.errors import DuiError, TooMany, Unauthenticated
from app.kernel.forms import Form
from app.security import dependencies, jose, partners, scopes, sessions, tokens
from app.security.principal import Partner

TOKEN, INTROSPECT = "/oauth/token", "/oauth/introspect"
A_PROOF = 10  # a signature to check and ten statements: what it costs, in reads


async def proved(request: Request, form: Form, *paths: str) -> partners.Client:
    """Whose assertion this is, made for one of these paths at one of our origins. Raises OAuthRefusal."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthRefusal("invalid_request", f"client_assertion_type : {ASSERTION_TYPE}.")
    state, assertion = request.app.state, asked(form, "client_assertion")
    urls = [origin + path for origin in state.settings.origins for path in paths]
    try:
        client_id, _ = jose.named(assertion)
        state.rates.check(client_id, A_PROOF)  # spent by who proves it, and by no other
        client = await partners.authenticate(state.database, state.outbound, assertion, urls)
        if form.get("client_id", client_id) != client_id:
            raise Unauthenticated(jose.ASSERTION_REFUSED)
        state.rates.spend(client_id, A_PROOF)
    except DuiError as no:
        raise OAuthRefusal.of(await _counted(request, assertion, no), "invalid_client") from None
    return client


async def _counted(request: Request, assertion: str, no: DuiError) -> DuiError:
    """The refusal to tell once this failure is counted: too many of them is another one."""
    state = request.app.state
    try:
        if isinstance(no, Unauthenticated):
            await partners.count_failure(state.database, state.keyring, assertion, address(request))
    except TooMany as many:
        return many
    return no


async def by_assertion(request: Request, form: Form) -> dict[str, object]:
    """No more than it asked and was given, for one structure."""
    state, client = request.app.state, await proved(request, form, TOKEN)
    may, structure = _scopes(form, client.scopes), _structure(form, client)
    async with state.database.session(None) as session:
        partner, issuer = (client.organisation_id, client.partner_id), dependencies.issuer(request)
        opened = await sessions.open_partner(session, state.keyring, issuer, partner, structure, may)
        await entering.trace(session, call_of(request, Door.FHIR), entering.LOGIN, opened.principal)
        await session.commit()
    return given(opened, scope=scopes.said(may))


async def introspected(request: Request, form: Form) -> dict[str, object]:
    """What a token of this very partner is worth now; of any other nothing is said (RFC 7662, 2.2)."""
    state, token = request.app.state, asked(form, "token")
    client = await proved(request, form, INTROSPECT, TOKEN)
    who = _its_own(request, client, token)
    call = call_of(request, Door.FHIR)
    if who is None or not await sessions.lives(state.database, who):
        await opening.refuse_unknown(state.database, call, "introspect", "session")
        return {"active": False}
    async with opening.opened(who, call, state.keyring, state.lane, state.database) as acts:
        acts.tell("introspect", "session", [who.session_id], usager_id=None)
    return {
        "active": True,
        "client_id": client.client_id,
        "scope": scopes.said(who.scopes),
        "token_type": "Bearer",
        "exp": int(who.expires),
        "sub": str(who.id),
        "iss": dependencies.issuer(request),
        "aud": dependencies.issuer(request),
    }


def _its_own(request: Request, client: partners.Client, token: str) -> Partner | None:
    try:
        who = tokens.read_signed(request.app.state.keyring, dependencies.issuer(request), token).principal
    except Unauthenticated:
        return None
    mine = isinstance(who, Partner) and (who.organisation_id, who.id) == (client.organisation_id, client.partner_id)
    return who if mine else None  # type: ignore[return-value]


def _scopes(form: Form, registered: frozenset[str]) -> frozenset[str]:
    """Without `scope`: all that was registered (RFC 6749, 3.3). One word that R4 does not know refuses the whole."""
    try:
        named = scopes.read(form["scope"]) if "scope" in form else registered
    except scopes.Unreadable:
        named = frozenset()
    may = scopes.granted(named, registered) if scopes.types(named) <= R4_TYPES else frozenset()
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
