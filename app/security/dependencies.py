"""From a request to its caller. Each door takes its own kind of token, and no other.

`/api/v1` staff · `/api/v1/me` the person or who represents them · `/fhir` all of them, by header · the page by cookie only.
"""

import re
from urllib.parse import urlsplit

from fastapi import Request

from app.config import Settings
from app.kernel.crypto import Keyring
from app.kernel.errors import Unauthenticated
from app.security import sessions, tokens
from app.security.principal import Principal
from app.security.tokens import Door, Known, TokenCache

__all__ = ["Door", "caller", "cookie_name", "issuer", "origin"]

MADE_FOR = {
    Door.API: frozenset({Door.API}),
    Door.ME: frozenset({Door.ME}),
    Door.FHIR: frozenset({Door.FHIR, Door.API, Door.ME}),
    Door.PAGE: frozenset({Door.PAGE}),
}
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,15000}=*)", re.ASCII | re.IGNORECASE)
SECURE_COOKIE, DEMO_COOKIE = "__Host-dui", "dui"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
WHO = "Présentez un jeton valable pour cette porte."


async def caller(request: Request, door: Door) -> Principal:
    """Who this token speaks for. Raises Unauthenticated: none, unreadable, ended, or made for another door; TooFast."""
    token = _cookie(request) if door is Door.PAGE else _bearer(request)
    cache: TokenCache = request.app.state.tokens
    keyring: Keyring = request.app.state.keyring
    keyring.follow(at_once=True)  # one look at the file: a key that leaked opens nothing from the moment it left
    cache.trust(keyring.signing, keyring.until)
    known = cache.get(token)
    if known is None:
        known = await _verified(request, token)
        cache.put(token, known)
    if known.door not in MADE_FOR[door]:
        raise Unauthenticated(WHO)
    request.app.state.rates.spend(known.principal.id)
    return known.principal


def issuer(request: Request) -> str:
    """Who signs our tokens, and whom they are for: the first public origin."""
    return _settings(request).origins[0]


def origin(request: Request) -> str:
    """The public origin asked when it is listed, else the first: links never follow a Host that someone made up."""
    listed = _settings(request).origins
    return next((o for o in listed if urlsplit(o).netloc == request.headers.get("host")), listed[0])


def cookie_name(request: Request) -> str | None:
    """The page's cookie at the origin asked: over https, or in the demo on this very machine; None elsewhere."""
    asked, config = request.headers.get("host", ""), _settings(request)
    for origin in map(urlsplit, config.origins):
        if origin.netloc == asked and origin.scheme == "https":
            return SECURE_COOKIE
        if origin.netloc == asked and origin.hostname in LOOPBACK and config.demo:
            return DEMO_COOKIE
    return None


def _settings(request: Request) -> Settings:
    config: Settings = request.app.state.settings
    return config


async def _verified(request: Request, token: str) -> Known:
    if tokens.is_signed(token):
        return tokens.read_signed(request.app.state.keyring, issuer(request), token)
    return await sessions.find(request.app.state.database, token)


def _bearer(request: Request) -> str:
    """One header, one token: two would let a proxy and us each believe another."""
    said = request.headers.getlist("authorization")
    match = BEARER.fullmatch(said[0]) if len(said) == 1 else None
    if match is None:
        raise Unauthenticated(WHO)
    return match[1]


def _cookie(request: Request) -> str:
    name = cookie_name(request)
    token = request.cookies.get(name) if name else None
    if not token or tokens.is_signed(token):
        raise Unauthenticated(WHO)
    return token
