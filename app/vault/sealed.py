"""One encrypted file, written and read as a stream: a header in clear, then pieces whose order and end are proven.

`MAGIC | length of the header (4) | header, JSON | pieces`; a piece is `length (4) | AES-256-GCM`. The nonce is the
number of the piece and, on the last one, 1: none can be altered, moved, doubled or missing. The header is bound to
each piece as associated data. The key is drawn from the key file or from a passphrase, with a salt of this file.
"""

import hashlib
import hmac
import json
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from app.kernel.crypto import Keyring

MAGIC = b"DUI-BACKUP\n"
FORMAT = 1
PIECE = 256 * 1024  # bytes in clear: what one piece holds, and all that is in memory
TAG = 16
HEADER_MOST = 64 * 1024
SCRYPT_COST = 2**16  # 64 MiB a try
SHORTEST = 12  # characters of a passphrase


class BackupFault(RuntimeError):
    """This file can't be written or read; the message says, in French, why and what to do."""


ALTERED = "Ce fichier a été altéré : il ne peut pas être restauré. Prenez la sauvegarde précédente."
CUT = "Ce fichier est incomplet : il lui manque la fin. Recopiez-le, ou prenez la sauvegarde précédente."
NOT_OURS = "Ce fichier n'est pas une sauvegarde de dui-serveur."


@dataclass
class Writer:
    """Gathers what it is given into pieces. `finish` writes the last one: without it the file is refused."""

    out: BinaryIO
    key: AESGCM
    bound: bytes
    number: int = 0
    _waiting: bytearray = field(default_factory=bytearray)
    _press: Any = field(default_factory=lambda: zlib.compressobj(6))

    def write(self, data: bytes) -> None:
        self._waiting += self._press.compress(data)
        while len(self._waiting) > PIECE:
            self._piece(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]

    def finish(self) -> None:
        self._waiting += self._press.flush()
        while len(self._waiting) > PIECE:
            self._piece(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        self._piece(bytes(self._waiting), last=True)

    def _piece(self, data: bytes, *, last: bool) -> None:
        sealed = self.key.encrypt(_nonce(self.number, last=last), data, self.bound)
        self.out.write(len(sealed).to_bytes(4) + sealed)
        self.number += 1


@contextmanager
def written(path: Path, told: dict[str, Any], keyring: Keyring, passphrase: str | None) -> Iterator[Writer]:
    """The file appears under its name once whole and on the disk; nothing of it stays when the writing fails."""
    named, key = _new_key(keyring, passphrase)
    header = json.dumps({**told, "format": FORMAT, **named}).encode()
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(MAGIC + len(header).to_bytes(4) + header)
            writer = Writer(out, AESGCM(key), hashlib.sha256(MAGIC + header).digest())
            yield writer
            writer.finish()
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
        _settle(path.parent)
    finally:
        part.unlink(missing_ok=True)


@dataclass
class Reader:
    """Gives back what was written, piece by piece. Raises BackupFault at the first that is not as it was."""

    source: BinaryIO
    header: dict[str, Any]
    key: AESGCM
    bound: bytes
    _number: int = 0
    _ended: bool = False
    _pressed: bytes = b""
    _open: bytearray = field(default_factory=bytearray)
    _press: Any = field(default_factory=zlib.decompressobj)

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        while len(self._open) < size:
            self._more()
        told = bytes(self._open[:size])
        del self._open[:size]
        return told

    def end(self) -> None:
        """Raises BackupFault unless everything was read, and the file stops there."""
        while not self._ended:
            self._more()
        if self._open or self._pressed or self.source.read(1):
            raise BackupFault(ALTERED)

    def _more(self) -> None:
        """A little more in clear, never much: what one piece opens to is not bounded by its size."""
        if self._ended and not self._pressed:
            raise BackupFault(ALTERED)
        try:
            self._open += self._press.decompress(self._pressed or self._piece(), PIECE)
        except zlib.error as exc:
            raise BackupFault(ALTERED) from exc
        self._pressed = self._press.unconsumed_tail

    def _piece(self) -> bytes:
        length = int.from_bytes(_exactly(self.source, 4))
        if not TAG <= length <= PIECE + TAG:
            raise BackupFault(ALTERED)
        sealed = _exactly(self.source, length)
        for last in (False, True):
            try:
                told = self.key.decrypt(_nonce(self._number, last=last), sealed, self.bound)
            except InvalidTag:
                continue
            self._number, self._ended = self._number + 1, last
            return told
        raise BackupFault(ALTERED)


@contextmanager
def opened(path: Path, keyring: Keyring, passphrase: str | None) -> Iterator[Reader]:
    """Raises BackupFault: not ours, another format, another key, altered."""
    try:
        source = path.open("rb")
    except OSError as exc:
        raise BackupFault(f"Le fichier {path.name} n'est pas lisible ici.") from exc
    with source:
        header, raw = _header(source)
        key = _same_key(header, keyring, passphrase)
        yield Reader(source, header, AESGCM(key), hashlib.sha256(MAGIC + raw).digest())


def _header(source: BinaryIO) -> tuple[dict[str, Any], bytes]:
    if source.read(len(MAGIC)) != MAGIC:
        raise BackupFault(NOT_OURS)
    length = int.from_bytes(_exactly(source, 4))
    raw = _exactly(source, length) if length <= HEADER_MOST else b""
    try:
        told: dict[str, Any] = json.loads(raw)
        made_by, format_of = str(told["made_by"]), int(told["format"])
    except (ValueError, KeyError, TypeError) as exc:
        raise BackupFault(ALTERED) from exc
    if format_of != FORMAT:
        raise BackupFault(f"Cette sauvegarde vient d'une autre version ({made_by}) : restaurez-la avec celle-là.")
    return told, raw


def _new_key(keyring: Keyring, passphrase: str | None) -> tuple[dict[str, str], bytes]:
    salt = os.urandom(32)
    if passphrase is None:
        named = {"key": keyring.current.hex()}
        key = _drawn(keyring.keys[keyring.current], salt)
    elif len(passphrase) < SHORTEST:
        raise BackupFault(f"La phrase secrète doit avoir {SHORTEST} caractères ou plus.")
    else:
        named, key = {"key": "passphrase"}, _stretched(passphrase, salt)
    return {**named, "salt": salt.hex(), "proof": _proof(key)}, key


def _same_key(header: dict[str, Any], keyring: Keyring, passphrase: str | None) -> bytes:
    try:
        named, salt, proof = str(header["key"]), bytes.fromhex(header["salt"]), str(header["proof"])
        by_phrase = named == "passphrase"
        held = None if by_phrase else keyring.keys.get(bytes.fromhex(named))
    except (ValueError, KeyError, TypeError) as exc:
        raise BackupFault(ALTERED) from exc
    if by_phrase and passphrase is None:
        raise BackupFault("Cette sauvegarde est fermée par une phrase secrète : donnez-la (--passphrase-file).")
    if held is None and not by_phrase:
        raise BackupFault(
            "Cette sauvegarde a été faite avec une clé absente de votre fichier de clés : remettez le fichier de clés "
            "de ce jour-là (DUI_KEY_FILE), gardé ailleurs que la base."
        )
    key = _stretched(passphrase or "", salt) if by_phrase else _drawn(held or b"", salt)
    if not hmac.compare_digest(_proof(key), proof):
        raise BackupFault("Ce n'est pas la phrase secrète de cette sauvegarde." if by_phrase else ALTERED)
    return key


def _drawn(key: bytes, salt: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, b"dui backup").derive(key)


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt, 32, SCRYPT_COST, 8, 1).derive(passphrase.encode())


def _proof(key: bytes) -> str:
    """Tells a wrong key from an altered file; tells nothing of the key."""
    return hmac.digest(key, b"dui backup proof", "sha256").hex()


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if len(data) < size:
        raise BackupFault(CUT)
    return data


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
