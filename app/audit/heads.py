"""The heads of the chains, signed and put aside each hour: kept elsewhere, they betray a chain cut or made again.

A file is one JSON object. Its signature is ECDSA P-256 SHA-256 over `DOMAIN` and the rest of the object, as JSON with
sorted names and no space; the key is one of those that sign this server's tokens, published at `/.well-known/jwks.json`.
"""

import json
import logging
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.audit.chain import Head
from app.audit.lines import INSTANT
from app.audit.sealer import here
from app.audit.watch import Watch
from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import NIL

FOLDER = "heads"  # of DUI_DATA
HOURLY = "%Y%m%dT%HZ.json"
AGAIN = timedelta(minutes=1)  # after a file could not be written
DOMAIN = b"dui-audit-heads\n"  # no token is signed over bytes that begin so
SIGNED = ec.ECDSA(hashes.SHA256())
BYTES = 32  # a coordinate of P-256
HEADS = """SELECT o.organisation_id, h.epoch, h.number, h.hash
    FROM (SELECT organisation_id FROM organisation UNION ALL SELECT $1::uuid) o
    CROSS JOIN LATERAL (SELECT epoch, number, hash FROM audit_seal s WHERE s.organisation_id = o.organisation_id
        ORDER BY number DESC LIMIT 1) h ORDER BY 1"""
log = logging.getLogger("dui.sealer")
Keys = Mapping[str, ec.EllipticCurvePublicKey]
Heads = dict[UUID, dict[int, Head]]


class HeadsFault(ValueError):
    """Not a file of heads, or not signed by a key we hold: said in words, for who types `dui audit verify`."""


async def signed(connection: asyncpg.Connection, keyring: Keyring) -> dict[str, Any]:
    """The head of each chain as it stands. Raises NewCluster."""
    cluster, epoch = await here(connection)
    rows = await connection.fetch(HEADS, NIL)
    heads = [
        {"organisation": str(r["organisation_id"]), "epoch": r["epoch"], "number": r["number"], "hash": r["hash"].hex()}
        for r in rows
    ]
    kid, pem = keyring.signing[0]
    told = {"made": now().strftime(INSTANT), "cluster": cluster, "epoch": epoch, "heads": heads, "kid": kid}
    key = cast(ec.EllipticCurvePrivateKey, serialization.load_pem_private_key(pem.encode(), None))
    return told | {"signature": key.sign(_bytes(told), SIGNED).hex()}


def hourly(folder: Path, keyring: Keyring, watch: Watch) -> Callable[[asyncpg.Connection], Awaitable[None]]:
    """What follows a round of the sealer: once an hour, a file of heads in `folder`."""
    at = datetime.min.replace(tzinfo=UTC)

    async def after(connection: asyncpg.Connection) -> None:
        nonlocal at
        moment = now()
        if moment < at:
            return
        try:
            await put(connection, keyring, folder / moment.strftime(HOURLY))
            at = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
            watch.heads_missing = False
        except OSError:
            at = moment + AGAIN
            watch.heads_missing = True
            log.error("heads_not_written")

    return after


async def put(connection: asyncpg.Connection, keyring: Keyring, path: Path) -> None:
    """Whole or not at all; the file of an hour already there is left as it is. Raises OSError."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(await signed(connection, keyring), indent=1) + "\n")
    part.replace(path)


def read(files: Iterable[Path], keys: Keys) -> Heads:
    """The heads of these files, by organisation and number. Raises HeadsFault naming the file."""
    found: Heads = {}
    for file in files:
        for told in _verified(file, keys)["heads"]:
            head = Head(told["epoch"], told["number"], bytes.fromhex(told["hash"]))
            known = found.setdefault(UUID(told["organisation"]), {}).setdefault(head.number, head)
            if known.hash != head.hash and known.epoch >= head.epoch:
                raise HeadsFault(f"{file.name} : cette tête en contredit une autre, signée elle aussi.")
    return found


def _verified(file: Path, keys: Keys) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(file.read_text())
        signature = bytes.fromhex(told.pop("signature"))
        keys[told["kid"]].verify(signature, _bytes(told), SIGNED)
    except InvalidSignature:
        raise HeadsFault(f"{file.name} : la signature ne tient pas.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise HeadsFault(f"{file.name} : illisible, ou signé d'une clé que nous n'avons pas.") from None
    return told


def _bytes(told: Mapping[str, Any]) -> bytes:
    return DOMAIN + json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def published(keyring: Keyring) -> dict[str, Any]:
    """The public half of the signing keys, as a JWKS (RFC 7517)."""
    return {"keys": [_jwk(kid, key) for kid, key in own_keys(keyring).items()]}


def own_keys(keyring: Keyring) -> dict[str, ec.EllipticCurvePublicKey]:
    keys = {kid: serialization.load_pem_private_key(pem.encode(), None) for kid, pem in keyring.signing}
    return {kid: cast(ec.EllipticCurvePrivateKey, key).public_key() for kid, key in keys.items()}


def keys_of(jwks: Path) -> dict[str, ec.EllipticCurvePublicKey]:
    """The keys of a published file. Raises HeadsFault."""
    try:
        return {str(each["kid"]): _key(each) for each in json.loads(jwks.read_text())["keys"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise HeadsFault(f"{jwks.name} : ce n'est pas un jeu de clés publiques (JWKS, P-256).") from None


def _jwk(kid: str, key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    at = key.public_numbers()
    x, y = (urlsafe_b64encode(n.to_bytes(BYTES, "big")).rstrip(b"=").decode() for n in (at.x, at.y))
    return {"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256", "x": x, "y": y}


def _key(jwk: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(urlsafe_b64decode(jwk[name] + "=="), "big") for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
