"""A device that already entered: what it shows beside the password, so that the failures of others are not its own.

Not a secret that opens anything: it only names whose failures are counted. Given once the password, and the code where
one is asked, were right; bound to one login by a key of ours, kept nowhere.

Source: OWASP, « Slow down online guessing attacks with device cookies »
"""

import base64
import binascii
import hmac
import secrets

from app.kernel.crypto import Keyring

ID_BYTES, PROOF_BYTES = 16, 32


def new(keyring: Keyring, login: str) -> str:
    id = secrets.token_bytes(ID_BYTES)
    return base64.urlsafe_b64encode(id + _proof(keyring, login, id)).decode()


def known(keyring: Keyring, login: str, said: str | None) -> str | None:
    """Which device of this login this is; None for any other thing."""
    try:
        raw = base64.b64decode((said or "").encode(), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    id, proof = raw[:ID_BYTES], raw[ID_BYTES:]
    return id.hex() if hmac.compare_digest(proof, _proof(keyring, login, id)) else None


def _proof(keyring: Keyring, login: str, id: bytes) -> bytes:
    return keyring.blind(f"{login}:{id.hex()}", "device")
