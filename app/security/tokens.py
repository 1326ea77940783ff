"""What a token is: for staff and partners a signed claim, for the person 256 bits that mean nothing outside our table.

A verified token is remembered a short while, so that a hot read costs no signature. What is remembered is who the
caller is; whether the session still lives is asked of the database by each statement that reads.
"""

import base64
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.errors import Unauthenticated
from app.security import jose, scopes
from app.security.principal import Partner, Principal, Professional, Role

OPAQUE_BYTES = 32
KEPT_FOR = 60.0  # seconds
KEPT = 10_000


class Door(StrEnum):
    API = "api"
    ME = "me"
    FHIR = "fhir"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Known:
    """A verified token: its caller, and the door it was made for."""

    principal: Principal
    door: Door


def new_opaque() -> tuple[str, bytes]:
    """A token, and what is kept of it."""
    token = base64.urlsafe_b64encode(secrets.token_bytes(OPAQUE_BYTES)).rstrip(b"=").decode()
    return token, digest(token)


def digest(token: str) -> bytes:
    """A hash without salt is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def is_signed(token: str) -> bool:
    return "." in token


def signed(keyring: Keyring, issuer: str, principal: Professional | Partner) -> str:
    """The access token of this session. It ends when the session does."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": issuer,
        "sub": str(principal.id),
        "iat": int(now().timestamp()),
        "exp": int(principal.expires),
        "org": str(principal.organisation_id),
        "sid": str(principal.session_id),
    }
    if isinstance(principal, Professional):
        staff = {"acc": str(principal.account_id), "mbr": str(principal.membership_id), "role": principal.role.value}
        return jose.sign_access(keyring, {**claims, **staff, "door": Door.API.value})
    partner = {"str": str(principal.structure_id), "scope": scopes.said(principal.scopes)}
    return jose.sign_access(keyring, {**claims, **partner, "door": Door.FHIR.value})


def read_signed(keyring: Keyring, issuer: str, token: str) -> Known:
    """Raises Unauthenticated."""
    claims = jose.read_access(keyring, token, issuer)
    try:
        return _known(claims)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Unauthenticated(jose.REFUSED) from None  # signed by us, of another time or another make


def _known(claims: Mapping[str, Any]) -> Known:
    session: dict[str, Any] = {
        "id": UUID(claims["sub"]),
        "organisation_id": UUID(claims["org"]),
        "session_id": UUID(claims["sid"]),
        "expires": float(claims["exp"]),
    }
    match Door(claims["door"]):
        case Door.API:
            account, membership = UUID(claims["acc"]), UUID(claims["mbr"])
            return Known(
                Professional(**session, account_id=account, membership_id=membership, role=Role(claims["role"])),
                Door.API,
            )
        case Door.FHIR:
            may = scopes.read(claims["scope"])
            return Known(Partner(**session, structure_id=UUID(claims["str"]), scopes=may), Door.FHIR)
        case other:
            raise ValueError(other)  # the person's tokens are never signed


class TokenCache:
    """Verified tokens by their hash: successes only, bounded, the least used leave first."""

    def __init__(
        self, size: int = KEPT, ttl: float = KEPT_FOR, clock: Callable[[], float] = lambda: now().timestamp()
    ) -> None:
        self._size, self._ttl, self._clock = size, min(ttl, KEPT_FOR), clock
        self._kept: OrderedDict[bytes, tuple[Known, float]] = OrderedDict()
        self._keys: object = None

    def trust(self, *keys: object) -> None:
        """What was verified by other keys than these is forgotten."""
        if keys != self._keys:
            self._kept.clear()
            self._keys = keys

    def get(self, token: str) -> Known | None:
        """Its caller, if verified less than a minute ago and not expired since."""
        key = digest(token)
        found = self._kept.get(key)
        if found is None:
            return None
        if self._clock() >= found[1]:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, token: str, known: Known) -> None:
        self._kept[digest(token)] = known, min(self._clock() + self._ttl, known.principal.expires)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def forget(self, token: str) -> None:
        self._kept.pop(digest(token), None)
