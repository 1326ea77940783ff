"""Staff entering by an identity provider: OpenID Connect, authorization code with PKCE, all of it on the server.

What the provider publishes is read through the guarded outbound; what it signs, by `jose`. No userinfo is asked: the
ID token says all that is used, who and at which level.

Sources: OpenID Connect Core 1.0, Discovery 1.0; RFC 6749, 7523, 7636, 9700
"""

import asyncio
import base64
import hashlib
import json
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus, urlencode, urlsplit

from app.config import Settings
from app.kernel.clock import now
from app.kernel.errors import Busy, Invalid, Unauthenticated
from app.security import jose
from app.security.dependencies import LOOPBACK
from app.security.outbound import Outbound, Unreachable, parsed

WELL_KNOWN = "/.well-known/openid-configuration"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FRESH = timedelta(hours=1)  # before its metadata and keys are read again
APART = timedelta(minutes=1)  # between two readings, an unknown key or not
RETRIED = timedelta(seconds=10)  # after a reading that failed
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # RFC 7636, 4.2: SHA-256
AWAY = "Le fournisseur d'identité ne répond pas. Réessayez dans un instant."

log = logging.getLogger("dui")


class Misconfigured(ValueError):
    """Half a configuration: says what is missing, for who starts the server."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The one provider this server trusts, and the applications it sends back to."""

    issuer: str
    discovery: str
    name: str
    client_id: str
    scope: str
    levels: frozenset[str]
    applications: frozenset[str]
    secret: str | None = field(repr=False, default=None)
    private_key: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Published:
    """What it says of itself."""

    authorization: str
    token: str
    keys: list[dict[str, str]]
    read_at: datetime

    def stands(self, kid: str | None) -> bool:
        """Is it fresh enough, and does it hold this key? An unknown one does not make us ask more often."""
        age = now() - self.read_at
        return age < APART or (age < FRESH and (kid is None or kid in {key["kid"] for key in self.keys}))


@dataclass(frozen=True, slots=True)
class Asking:
    """What ties the provider's answer to one login: kept sealed by the browser, never told to the provider but hashed."""

    verifier: str
    nonce: str
    back: str  # the address at ours it sends the browser back to

    @classmethod
    def drawn(cls, back: str) -> "Asking":
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), back)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class OpenId:
    """The provider, and what it published lately: read once for all who enter meanwhile."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._published: Published | None = None
        self._failed_at: datetime | None = None
        self._turn = asyncio.Lock()

    @classmethod
    def configured(cls, config: Settings) -> "OpenId | None":
        """None: staff enters by password only. Raises Misconfigured."""
        return cls(_provider(config)) if config.oidc_issuer else None

    async def address(self, outbound: Outbound, state: str, asking: Asking) -> str:
        """Where the browser goes to prove who it is. Raises Busy when the provider does not answer."""
        p, said = self.provider, await self._known(outbound)
        asked = {
            "response_type": "code",
            "client_id": p.client_id,
            "redirect_uri": asking.back,
            "scope": p.scope,
            "state": state,
            "nonce": asking.nonce,
            "code_challenge": challenge_of(asking.verifier),
            "code_challenge_method": "S256",
            "acr_values": " ".join(sorted(p.levels)),
        }
        return f"{said.authorization}{'&' if urlsplit(said.authorization).query else '?'}{urlencode(asked)}"

    async def identity(self, outbound: Outbound, asking: Asking, code: str) -> jose.Identity:
        """Who brought this code back. Raises Unauthenticated, Busy."""
        token = await self._redeemed(outbound, asking, code)
        keys, p = (await self._known(outbound, jose.key_named(token))).keys, self.provider
        return jose.read_id_token(token, keys, p.issuer, p.client_id, asking.nonce, p.levels)

    async def logout(self, outbound: Outbound, token: str) -> jose.Logout:
        """What the provider says it ended. Raises Unauthenticated, Busy."""
        keys, p = (await self._known(outbound, jose.key_named(token))).keys, self.provider
        return jose.read_logout(token, keys, p.issuer, p.client_id)

    async def _redeemed(self, outbound: Outbound, asking: Asking, code: str) -> str:
        said = await self._known(outbound)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asking.back,
            "client_id": self.provider.client_id,
            "code_verifier": asking.verifier,
        }
        proof, headers = self._proof(said.token)
        try:
            answer = await outbound.read(said.token, urlencode({**form, **proof}).encode(), headers)
            return str(json.loads(answer)["id_token"])
        except (Unreachable, ValueError, TypeError, KeyError, RecursionError):  # a code refused is answered by no 200
            raise Unauthenticated(jose.PROVIDER_REFUSED) from None

    def _proof(self, audience: str) -> tuple[dict[str, str], Mapping[str, str]]:
        """What this server proves itself by: a signed assertion, or its secret (RFC 6749, 2.3.1)."""
        p = self.provider
        if p.private_key is not None:
            assertion = jose.sign_client_assertion(p.private_key, p.client_id, audience)
            return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}, {}
        pair = f"{quote_plus(p.client_id)}:{quote_plus(p.secret or '')}"
        return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    async def _known(self, outbound: Outbound, kid: str | None = None) -> Published:
        """One reads, the others wait for it; after a failure nobody asks for a while."""
        async with self._turn:
            if self._published and self._published.stands(kid):
                return self._published
            if self._failed_at and now() - self._failed_at < RETRIED:
                raise Busy(AWAY)
            try:
                self._published = await self._ask(outbound)
            except (Unreachable, Invalid, ValueError, TypeError, KeyError, RecursionError):
                self._failed_at = now()
                log.warning("oidc.provider_unread")
                raise Busy(AWAY) from None
            return self._published

    async def _ask(self, outbound: Outbound) -> Published:
        p = self.provider
        said = json.loads(await outbound.read(p.discovery))
        if said["issuer"] != p.issuer:  # Discovery 1.0, 4.3
            raise ValueError("Another issuer.")
        authorization, token = (parsed(said[name]).geturl() for name in ("authorization_endpoint", "token_endpoint"))
        keys = jose.provider_keys(json.loads(await outbound.read(said["jwks_uri"])))
        return Published(authorization, token, keys, now())


def _provider(config: Settings) -> Provider:
    levels, applications = (
        frozenset(filter(None, map(str.strip, said.split(",")))) for said in (config.oidc_acr, config.oidc_applications)
    )
    discovery = config.oidc_discovery or config.oidc_issuer.rstrip("/") + WELL_KNOWN
    if not all(said.startswith("https://") for said in (config.oidc_issuer, discovery)):
        raise Misconfigured("DUI_OIDC_ISSUER et DUI_OIDC_DISCOVERY sont des adresses https.")
    if not config.oidc_client_id or not levels or not applications:
        raise Misconfigured("DUI_OIDC_ISSUER demande aussi DUI_OIDC_CLIENT_ID, DUI_OIDC_ACR et DUI_OIDC_APPLICATIONS.")
    if not all(map(_waits_safely, applications)):
        raise Misconfigured(
            "DUI_OIDC_APPLICATIONS : https, ou http sur cette machine, ou le nom propre d'une application."
        )
    secret, private_key = (_read(path) for path in (config.oidc_secret_file, config.oidc_private_key_file))
    if (secret is None) == (private_key is None):
        raise Misconfigured("Donnez DUI_OIDC_SECRET_FILE ou DUI_OIDC_PRIVATE_KEY_FILE, un seul des deux.")
    if private_key is not None:
        _check_key(private_key)
    return Provider(
        config.oidc_issuer,
        discovery,
        config.oidc_name,
        config.oidc_client_id,
        config.oidc_scope,
        levels,
        applications,
        secret,
        private_key,
    )


def _waits_safely(address: str) -> bool:
    """RFC 8252: https, a loopback, or a private-use scheme, which has a dot."""
    said = urlsplit(address)
    loopback = said.scheme == "http" and said.hostname in LOOPBACK
    return not said.fragment and ((said.scheme == "https" and bool(said.netloc)) or loopback or "." in said.scheme)


def _read(path: Path | None) -> str | None:
    try:
        return (path.read_text().strip() or None) if path else None
    except (OSError, ValueError):
        raise Misconfigured(
            "Le fichier de DUI_OIDC_SECRET_FILE ou DUI_OIDC_PRIVATE_KEY_FILE est absent ou illisible."
        ) from None


def _check_key(pem: str) -> None:
    try:
        jose.client_algorithm(pem)
    except (ValueError, TypeError):
        raise Misconfigured(
            "DUI_OIDC_PRIVATE_KEY_FILE : une clé RSA de 2048 bits ou plus, ou de courbe P-256."
        ) from None
