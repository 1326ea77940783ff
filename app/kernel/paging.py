"""Opaque page cursors: sealed, bound to the caller and to the question, so that none can be read, forged or lent."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import orjson

from app.kernel.crypto import KeyFault, Keyring
from app.kernel.errors import Unreadable

Position = tuple[object, ...]


def seal(keyring: Keyring, bound_to: str, told: dict[str, object]) -> str:
    return urlsafe_b64encode(keyring.seal(orjson.dumps(told), f"cursor:{bound_to}")).decode().rstrip("=")


def unseal(keyring: Keyring, bound_to: str, token: str) -> dict[str, object]:
    """Raises Unreadable when the cursor is not ours, or was given to someone else or for another list."""
    try:
        sealed = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
        told = orjson.loads(keyring.open(sealed, f"cursor:{bound_to}"))
    except (KeyFault, ValueError) as exc:
        raise Unreadable("Cette page n'existe pas. Reprenez la liste depuis le début.", where="after") from exc
    return dict(told)


def position(values: Sequence[object], kinds: Sequence[type]) -> Position:
    """The place of the last row given, read back with the types of the list's order."""
    return tuple(_read(value, kind) for value, kind in zip(values, kinds, strict=True))


def _read(value: object, kind: type) -> object:
    if kind is UUID:
        return UUID(str(value))
    if kind is datetime:
        return datetime.fromisoformat(str(value))
    return date.fromisoformat(str(value)) if kind is date else value
