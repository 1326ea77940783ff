"""Secrets at rest: AES-256-GCM under the key file, blind indexes for exact search, one key per usager.

The same file holds the keys that sign this server's access tokens (P-256): the first signs, all verify, so that a
new one is put first and the old one leaves once its last token has expired.

A sealed value is `b"D1" | key id (4) | nonce (12) | ciphertext and tag`; what it is about (`about`) is bound as
associated data, so that a value moved to another row or column no longer opens.
"""

import hashlib
import hmac
import json
import math
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"D1"
KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 4
HEAD = len(MAGIC) + KEY_ID_BYTES  # bytes of a sealed value before its nonce
BODY = HEAD + NONCE_BYTES
FOLLOWED_EVERY = 2.0  # seconds between two looks at the key file


class KeyFault(RuntimeError):
    """The key file is absent, weak, or not the one that sealed this value."""


@dataclass
class Keyring:
    """The keys of `DUI_KEY_FILE`: the first seals, all open; `index` blinds exact search; `signing` are (kid, PEM): the
    first signs, all check, but tokens only `until` the moment one was given when it was replaced.

    It follows its file: a key put first there seals within `FOLLOWED_EVERY`, without a restart.
    """

    keys: dict[bytes, bytes]
    current: bytes
    index: bytes
    demo: bool = False
    signing: tuple[tuple[str, str], ...] = ()
    source: Path | None = None
    until: dict[str, float] = field(default_factory=dict)  # kid: seconds since the epoch
    _read: tuple[int, int] = (0, 0)
    _looked: float = 0.0
    _last: "tuple[bytes, str, UsagerKey] | None" = None

    @classmethod
    def load(cls, path: Path) -> "Keyring":
        """Raises KeyFault when the file is absent, readable by others, or holds a short key."""
        try:
            seen = path.stat()
            if seen.st_mode & 0o077:
                raise KeyFault(f"{path.name} doit être lisible par son seul propriétaire (chmod 600).")
            told = json.loads(path.read_text())
            keys = {bytes.fromhex(k["id"]): bytes.fromhex(k["key"]) for k in told["keys"]}
            index = bytes.fromhex(told["index"])
            current = bytes.fromhex(told["keys"][0]["id"])
            signing = tuple((str(k["kid"]), str(k["pem"])) for k in told["signing"])
            until = {str(k["kid"]): float(k["until"]) for k in told["signing"] if "until" in k}
            curves = [_curve(pem) for _, pem in signing]
        except (OSError, ValueError, KeyError, IndexError, TypeError, UnsupportedAlgorithm) as exc:
            raise KeyFault(
                "Le fichier de clés (DUI_KEY_FILE) est absent ou illisible. Le premier jour, « dui keys create » le crée ; "
                "ensuite, remettez la copie gardée ailleurs : un autre n'ouvrirait rien."
            ) from exc
        weak = [k for k in (*keys.values(), index) if len(k) != KEY_BYTES or len(set(k)) < KEY_BYTES // 4]
        if weak or any(len(k) != KEY_ID_BYTES for k in keys):
            raise KeyFault("Une clé du fichier de clés est trop faible : changez-la avec « dui keys rotate ».")
        if not signing or len({kid for kid, _ in signing}) < len(signing) or set(curves) != {"secp256r1"}:
            raise KeyFault(
                "Les clés de signature du fichier de clés doivent être de courbe P-256, chacune sous un nom."
            )
        read = (seen.st_ino, seen.st_mtime_ns)
        return cls(keys, current, index, bool(told.get("demo")), signing, path, until, read, time.monotonic())

    @classmethod
    def create(cls, path: Path, *, demo: bool = False) -> "Keyring":
        """Write a new key file (mode 0600) and load it."""
        told = {
            "demo": demo,
            "keys": [{"id": secrets.token_hex(KEY_ID_BYTES), "key": secrets.token_hex(KEY_BYTES)}],
            "index": secrets.token_hex(KEY_BYTES),
            "signing": [{"kid": secrets.token_hex(KEY_ID_BYTES), "pem": new_signing_pem()}],
        }
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            json.dump(told, f)
        return cls.load(path)

    def follow(self, *, at_once: bool = False) -> None:
        """Take up the file as it now stands. One that is gone or unreadable changes nothing: what was read still holds."""
        if self.source is None or not (at_once or time.monotonic() - self._looked > FOLLOWED_EVERY):
            return
        self._looked = time.monotonic()
        try:
            seen = self.source.stat()
            if (seen.st_ino, seen.st_mtime_ns) == self._read:
                return
            fresh = Keyring.load(self.source)
        except (OSError, KeyFault):
            return
        if fresh.index == self.index:  # another index is another server's file: found by the next start
            self.keys, self.signing, self._read = fresh.keys, fresh.signing, fresh._read  # noqa: SLF001  of this class
            self.current, self.until, self._last = fresh.current, fresh.until, None

    def seal(self, value: bytes, about: str) -> bytes:
        self.follow()
        return _seal(self.current, AESGCM(self.keys[self.current]), value, about)

    def open(self, sealed: bytes, about: str) -> bytes:
        """Raises KeyFault when the value was sealed by a key we do not hold, or about another thing."""
        named = sealed[len(MAGIC) : len(MAGIC) + KEY_ID_BYTES]
        key = self.keys.get(named)
        if key is None:  # sealed by another process, that followed the file before this one
            self.follow(at_once=True)
            key = self.keys.get(named)
        if key is None:
            raise KeyFault("Cette valeur a été chiffrée avec une clé absente du fichier de clés.")
        return _open(AESGCM(key), sealed, about)

    def blind(self, value: str, about: str) -> bytes:
        """A keyed fingerprint: equal values of one kind are equal here, and nothing more can be told."""
        return hmac.new(self.index, f"{about}\0{value}".encode(), hashlib.sha256).digest()

    def new_usager_key(self, about: str) -> tuple["UsagerKey", bytes]:
        """A key of one usager, and the same wrapped for the `usager_key` table."""
        key = UsagerKey(os.urandom(KEY_BYTES))
        return key, self.seal(key.key, f"usager_key:{about}")

    def verifying(self, kid: str) -> str:
        """The key that checks tokens under this name. Raises KeyError when there is none, or none any more."""
        self.follow(at_once=True)  # another process may have signed with a new one, or one that leaked been taken out
        if self.until.get(kid, math.inf) <= time.time():
            raise KeyError
        return dict(self.signing)[kid]

    def sign(self, text: bytes) -> tuple[str, bytes]:
        """ES256 by the first signing key, and its name: what is handed over outside can be checked later."""
        kid, pem = self.signing[0]
        return kid, _private(pem).sign(text, ec.ECDSA(hashes.SHA256()))

    def check_signature(self, kid: str, text: bytes, signature: bytes) -> None:
        """Raises KeyFault when no key of ours, under this name, signed this text."""
        pem = dict(self.signing).get(kid)
        try:
            if pem is None:
                raise InvalidSignature
            _private(pem).public_key().verify(signature, text, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as exc:
            raise KeyFault("Ce texte n'est pas celui que ce serveur a signé.") from exc

    def usager_key(self, wrapped: bytes, about: str) -> "UsagerKey":
        """Rows of one person follow one another: the last one opened is at hand."""
        last = self._last
        if last is None or last[:2] != (wrapped, about):
            self._last = last = wrapped, about, UsagerKey(self.open(wrapped, f"usager_key:{about}"))
        return last[2]


@dataclass(frozen=True, slots=True)
class UsagerKey:
    """Opens what is sealed about one person; erasing the person is deleting it."""

    key: bytes = field(repr=False)
    _cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cipher", AESGCM(self.key))

    def seal(self, value: bytes, about: str) -> bytes:
        return _seal(bytes(KEY_ID_BYTES), self._cipher, value, about)

    def open(self, sealed: bytes, about: str) -> bytes:
        return _open(self._cipher, sealed, about)


def _seal(key_id: bytes, cipher: AESGCM, value: bytes, about: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return MAGIC + key_id + nonce + cipher.encrypt(nonce, value, about.encode())


def _open(cipher: AESGCM, sealed: bytes, about: str) -> bytes:
    try:
        return cipher.decrypt(sealed[HEAD:BODY], sealed[BODY:], about.encode())
    except (InvalidTag, ValueError) as exc:
        raise KeyFault("Cette valeur chiffrée ne s'ouvre pas : elle a été altérée ou déplacée.") from exc


def new_signing_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _private(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyFault("Les clés de signature du fichier de clés doivent être de courbe P-256.")
    return key


def _curve(pem: str) -> str:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    return key.curve.name if isinstance(key, ec.EllipticCurvePrivateKey) else type(key).__name__
