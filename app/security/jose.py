"""The only importer of python-jose, fenced.

By itself python-jose 3.5 takes a token without `exp` or `aud`, an unknown `crit`, any `typ`, any key of a set, RSA-1024,
numbers written as text and names said twice; and it lets OverflowError and RecursionError out. So here only its
signatures are used: header and claims are read by this module, one key is chosen by its name in our own set or in that
client's, one algorithm per key, and whatever escapes is Unauthenticated.

Sources: RFC 7515, 7519, 8725; https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

import json
import math
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk, jws
from jose.backends.base import Key
from jose.utils import base64url_decode

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.errors import Invalid, Unauthenticated

ACCESS_TYP = "at+jwt"  # RFC 9068: nothing else that we or a partner sign says it
ASSERTION_TYP = "JWT"
LOGOUT_TYPS = frozenset({"logout+jwt", "JWT"})  # the second: what providers said before it had a name
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
ACCESS_ALG = "ES256"
LONGEST = 16 * 1024  # characters, as the cap of all headers
SKEW = 30  # seconds: clocks on NTP
ASSERTION_LIFE = 300  # SMART: no more than five minutes in the future
PROVIDED_LIFE = 600  # seconds: a provider speaks to us as it signs
LOGOUT_LIFE = 24 * 3600  # how long a logout told once is remembered, at most
LATEST = 2**40  # a date beyond the year 36 000 is a fault or a trick
RSA_BITS = range(2048, 8193)  # beyond, one verification is long enough to be a weapon
JWKS_KEYS = 10
PROVIDER_KEYS = 50  # of a provider of many houses, keys on their way out included
FORBIDDEN_HEADERS = frozenset({"crit", "jku", "x5u", "jwk", "x5c", "b64", "zip", "enc", "epk"})
PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
# One algorithm per key, by its type or curve: of partners (SMART), of identity providers (what all of them offer).
SMART = {"RSA": "RS384", "P-384": "ES384"}
OPENID = {"RSA": "RS256", "P-256": "ES256"}
NAME = re.compile(r"[A-Za-z0-9._:~-]{1,200}", re.ASCII)

SUBJECT = re.compile(r"[!-~]{1,255}", re.ASCII)

REFUSED = "Ce jeton n'est pas recevable. Demandez-en un nouveau."
ASSERTION_REFUSED = (
    "L'assertion du client n'est pas recevable. Il faut : RS384 ou ES384 ; un kid de vos clés enregistrées ; typ JWT ; "
    "iss et sub égaux à votre client_id ; aud égal à l'adresse du jeton ; iat ; exp à cinq minutes au plus ; "
    "un jti jamais servi."
)
PROVIDER_REFUSED = "La réponse du fournisseur d'identité n'est pas recevable. Recommencez la connexion."

P = ParamSpec("P")
T = TypeVar("T")
Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a partner proved: its name, and the number of this proof, good once until `expires`."""

    client_id: str
    jti: str
    expires: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom an identity provider names: its subject, and the session it keeps with them."""

    subject: str | None  # a logout may name the session alone
    session: str | None


@dataclass(frozen=True, slots=True)
class Logout:
    """What a provider ended on its side, and the number of this message, good once until `expires`."""

    identity: Identity
    jti: str
    expires: int


def _fenced(message: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Whatever goes wrong with what a stranger sent is one refusal, in the same words."""

    def fence(read: Callable[P, T]) -> Callable[P, T]:
        def safe(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return read(*args, **kwargs)
            except Exception:  # noqa: BLE001  OverflowError, RecursionError, KeyError…: all are refusals
                raise Unauthenticated(message) from None  # the cause may quote the token

        return safe

    return fence


def sign_access(keyring: Keyring, claims: Mapping[str, Any]) -> str:
    keyring.follow(at_once=True)
    kid, pem = keyring.signing[0]
    return jws.sign(claims, pem, headers={"kid": kid, "typ": ACCESS_TYP}, algorithm=ACCESS_ALG)


@_fenced(REFUSED)
def read_access(keyring: Keyring, token: str, issuer: str) -> Claims:
    """The claims of one of our own access tokens. Raises Unauthenticated."""
    header, claims = _read(token)
    _must(set(header) == {"alg", "kid", "typ"} and header["typ"] == ACCESS_TYP)
    _verify(token, header, ACCESS_ALG, _own_key(keyring.verifying(header["kid"])))
    _must(claims["iss"] == issuer and claims["aud"] == issuer and isinstance(claims["sub"], str))
    moment = now().timestamp()
    _must(_instant(claims["exp"]) > moment and _instant(claims["iat"]) <= moment + SKEW)
    return claims


@_fenced(ASSERTION_REFUSED)
def named(assertion: str) -> tuple[str, str]:
    """Who an assertion says it comes from, by which key: enough to look for that client's keys, and for nothing else."""
    header, claims = _read(assertion)
    return _name(claims["iss"]), _name(header["kid"])


@_fenced(ASSERTION_REFUSED)
def read_assertion(
    assertion: str, jwks: Sequence[Mapping[str, Any]], client_id: str, audiences: Collection[str]
) -> Assertion:
    """A partner's proof of who it is (SMART Backend Services). Raises Unauthenticated; its `jti` is yet to be spent."""
    header, claims = _read(assertion)
    _must(not FORBIDDEN_HEADERS & set(header) and header["typ"] == ASSERTION_TYP)
    (named,) = [key for key in jwks if key["kid"] == header["kid"]]
    alg, key = _key_of(named, SMART)
    _verify(assertion, header, alg, key)
    aud = claims["aud"]
    _must((aud if isinstance(aud, str) else _only(aud)) in audiences)
    _must(claims["iss"] == client_id and claims["sub"] == client_id)
    moment, expires, issued = now().timestamp(), _instant(claims["exp"]), _instant(claims["iat"])
    _must(moment - SKEW < expires <= moment + ASSERTION_LIFE + SKEW)
    _must(max(issued, _instant(claims.get("nbf", issued))) <= moment + SKEW)
    return Assertion(client_id, _name(claims["jti"]), math.ceil(expires) + SKEW)


@_fenced(PROVIDER_REFUSED)
def key_named(token: str) -> str:
    """By which key a provider says it signed: enough to read its keys again, and for nothing else."""
    return _name(_read(token)[0]["kid"])


@_fenced(PROVIDER_REFUSED)
def read_id_token(
    token: str, keys: Sequence[Mapping[str, Any]], issuer: str, client_id: str, nonce: str, levels: Collection[str]
) -> Identity:
    """Who entered at the provider, for the login that drew this nonce, at one of these levels. Raises Unauthenticated."""
    claims = _provided(token, keys, {"JWT"}, issuer, client_id)
    _must(claims["nonce"] == nonce and claims["acr"] in levels)
    return Identity(_subject(claims["sub"]), _subject(claims["sid"]) if "sid" in claims else None)


@_fenced(PROVIDER_REFUSED)
def read_logout(token: str, keys: Sequence[Mapping[str, Any]], issuer: str, client_id: str) -> Logout:
    """OpenID Connect Back-Channel Logout 1.0, 2.6. Raises Unauthenticated; its `jti` is yet to be spent."""
    claims = _provided(token, keys, LOGOUT_TYPS, issuer, client_id)
    _must("nonce" not in claims and isinstance(claims["events"][LOGOUT_EVENT], dict))
    subject, session = (_subject(claims[name]) if name in claims else None for name in ("sub", "sid"))
    _must(subject is not None or session is not None)
    expires = _instant(claims["exp"])
    _must(expires <= now().timestamp() + LOGOUT_LIFE)
    return Logout(Identity(subject, session), _name(claims["jti"]), math.ceil(expires) + SKEW)


def provider_keys(jwks: Any) -> list[dict[str, str]]:
    """Of a provider's JWKS, the keys that may verify; it publishes others too. Raises Invalid when none does."""
    kept = []
    for key in jwks["keys"][:PROVIDER_KEYS]:
        with suppress(Exception):  # an encryption key, an algorithm or a curve we do not take
            kept.append(_verifying(key, OPENID))
    if not kept:
        raise Invalid("Aucune de ces clés ne vérifie en RS256 ou ES256.")
    return kept


def sign_client_assertion(pem: str, client_id: str, audience: str) -> str:
    """Our own proof to a provider (RFC 7523, 2.2)."""
    at = int(now().timestamp())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": at, "exp": at + ASSERTION_LIFE}
    return jws.sign({**claims, "jti": secrets.token_urlsafe()}, pem, algorithm=client_algorithm(pem))


def client_algorithm(pem: str) -> str:
    """Raises ValueError when this key is not one to prove ourselves by."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size in RSA_BITS:
        return OPENID["RSA"]
    _must(isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1))
    return OPENID["P-256"]


def public_keys(jwks: object) -> list[dict[str, str]]:
    """A client's JWKS as it is kept: the parts that verify, nothing else. Raises Invalid naming the key."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= JWKS_KEYS:
        raise Invalid(f"Donnez un JWKS : « keys », de 1 à {JWKS_KEYS} clés publiques.", where="/jwks/keys")
    kept = [_public_key(key, f"/jwks/keys/{n}") for n, key in enumerate(keys)]
    if len({key["kid"] for key in kept}) < len(kept):
        raise Invalid("Deux clés portent le même kid.", where="/jwks/keys")
    return kept


def _public_key(key: Any, where: str) -> dict[str, str]:
    if isinstance(key, dict) and PRIVATE_PARTS & set(key):
        raise Invalid("Cette clé est privée : gardez-la, et ne donnez que sa partie publique.", where=where)
    try:
        return _verifying(key, SMART)
    except Exception:  # noqa: BLE001  whatever this key is, it is not one of ours
        raise Invalid(
            "Cette clé n'est pas acceptée : RSA de 2048 bits ou plus pour RS384, ou courbe P-384 pour ES384 ; "
            "avec un kid ; destinée à la signature.",
            where=where,
        ) from None


def _verifying(key: Any, algs: Mapping[str, str]) -> dict[str, str]:
    """The parts of a key that verify, once it is one of those we take."""
    _must(key.get("use", "sig") == "sig" and "verify" in key.get("key_ops", ["verify"]))
    parts = ("n", "e") if key["kty"] == "RSA" else ("crv", "x", "y")
    kept = {name: str(key[name]) for name in ("kty", *parts)} | {"kid": _name(key["kid"])}
    alg, _ = _key_of(kept, algs)
    _must(key.get("alg", alg) == alg)
    return kept


def _key_of(key: Mapping[str, Any], algs: Mapping[str, str]) -> tuple[str, Key]:
    """One algorithm per key: its type decides, whatever the token says."""
    alg = algs[key["kty"] if key["kty"] == "RSA" else key["crv"]]
    made = jwk.construct(dict(key), alg)
    inner = made.prepared_key  # type: ignore[attr-defined]
    if isinstance(inner, rsa.RSAPublicKey):
        _must(inner.key_size in RSA_BITS and inner.public_numbers().e >= 65537)
    else:
        _must(isinstance(inner, ec.EllipticCurvePublicKey))
    return alg, made


@lru_cache(maxsize=16)
def _own_key(pem: str) -> Key:
    return jwk.construct(pem, ACCESS_ALG).public_key()


def _provided(
    token: str, keys: Sequence[Mapping[str, Any]], typs: Collection[str], issuer: str, client_id: str
) -> Claims:
    """What this provider signed, just now, for us and nobody else."""
    header, claims = _read(token)
    _must(not FORBIDDEN_HEADERS & set(header) and header.get("typ", "JWT") in typs)
    (named,) = [key for key in keys if key["kid"] == header["kid"]]
    alg, key = _key_of(named, OPENID)
    _verify(token, header, alg, key)
    aud = claims["aud"]
    _must(claims["iss"] == issuer and (aud if isinstance(aud, str) else _only(aud)) == client_id)
    _must(claims.get("azp", client_id) == client_id)
    moment, issued = now().timestamp(), _instant(claims["iat"])
    _must(_instant(claims["exp"]) > moment - SKEW and moment - PROVIDED_LIFE <= issued <= moment + SKEW)
    return claims


def _verify(token: str, header: Claims, alg: str, key: Key) -> None:
    _must(header["alg"] == alg)
    jws.verify(token, key, [alg])


def _read(token: str) -> tuple[Claims, Claims]:
    """Header and claims as said, nothing verified. Raises whatever it meets: callers are fenced."""
    _must(len(token) <= LONGEST and COMPACT.fullmatch(token) is not None)
    header, claims, _ = token.split(".")
    return _object(header), _object(claims)


def _object(part: str) -> Claims:
    said = json.loads(base64url_decode(part.encode()).decode(), object_pairs_hook=_once, parse_constant=_never)
    _must(isinstance(said, dict))
    return said  # type: ignore[no-any-return]


def _once(pairs: list[tuple[str, Any]]) -> Claims:
    _must(len({name for name, _ in pairs}) == len(pairs))
    return dict(pairs)


def _never(constant: str) -> float:
    raise ValueError("NaN and Infinity are not JSON.")


def _only(said: list[str]) -> str:
    _must(isinstance(said, list))
    (one,) = said
    return one


def _name(said: Any) -> str:
    _must(NAME.fullmatch(said) is not None)
    return str(said)


def _subject(said: Any) -> str:
    """OpenID Connect Core, 2: at most 255 ASCII characters."""
    _must(isinstance(said, str) and SUBJECT.fullmatch(said) is not None)
    return str(said)


def _instant(said: object) -> float:
    _must(type(said) in (int, float) and 0 < said < LATEST)  # type: ignore[operator]
    return float(said)  # type: ignore[arg-type]


def _must(condition: bool) -> None:
    if not condition:
        raise ValueError("Not as it must be.")
