"""Keys of partners for the tests, and tokens made by hand: what a forger would send, no library in the way."""

import base64
import hashlib
import hmac
import json
import time
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT = "chu-test"
TOKEN_URL = "https://dui.test/oauth/token"
SIZES = {"P-256": 32, "P-384": 48}
HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@lru_cache
def rsa_key(bits: int = 2048, which: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@lru_cache
def ec_key(curve: str = "P-384", which: int = 0) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[curve])


def public_jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        parts = key.public_key().public_numbers()
        return {"kty": "RSA", "kid": kid, "n": number(parts.n), "e": number(parts.e), **more}
    point = key.public_key().public_numbers()
    crv = {"secp256r1": "P-256", "secp384r1": "P-384"}[key.curve.name]
    size = SIZES[crv]
    return {"kty": "EC", "kid": kid, "crv": crv, "x": number(point.x, size), "y": number(point.y, size), **more}


def private_pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )


def signature(alg: str, key: Any, message: bytes) -> bytes:
    if alg.startswith("HS"):
        return hmac.digest(key, message, {"256": hashlib.sha256, "384": hashlib.sha384}[alg[2:]])
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), HASHES[alg[2:]])
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(HASHES[alg[2:]])))
    size = (key.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def token(header: dict[str, Any] | str, claims: dict[str, Any] | str, key: Any, alg: str | None = None) -> str:
    """Header and claims as given, text kept as it is written; signed for true by `key` (None: no signature)."""
    parts = [b64((p if isinstance(p, str) else json.dumps(p)).encode()) for p in (header, claims)]
    message = ".".join(parts).encode()
    said = alg or (header["alg"] if isinstance(header, dict) else "")
    return f"{message.decode()}.{b64(signature(said, key, message)) if key is not None else ''}"


def assertion_claims(**changes: Any) -> dict[str, Any]:
    """What a good assertion says; a change to None leaves the claim out."""
    at = int(time.time())
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": TOKEN_URL, "iat": at, "exp": at + 240, "jti": str(time.time_ns())}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def assertion(
    key: Any, kid: str = "k1", alg: str = "ES384", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    said = {"alg": alg, "kid": kid, "typ": "JWT"} | (header or {})
    return token({k: v for k, v in said.items() if v is not None}, assertion_claims(**claims), key, alg)
