"""Our own signing key: replaced while the server runs, the old one good until its tokens die; weak keys never start."""

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from app.kernel import crypto
from app.kernel.crypto import Keyring
from app.kernel.errors import Unauthenticated
from app.security import jose
from app.vault import rotation

ISSUER = "https://dui.test"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(crypto, "FOLLOWED_EVERY", -1.0)  # a server looks at each time
    Keyring.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def token(keyring: Keyring, lasts: int = 90_000) -> str:
    at = int(time.time())
    said: dict[str, Any] = {"iss": ISSUER, "aud": ISSUER, "sub": str(uuid4()), "iat": at, "exp": at + lasts}
    return jose.sign_access(keyring, said)


def refused(keyring: Keyring, said: str) -> None:
    with pytest.raises(Unauthenticated):
        jose.read_access(keyring, said, ISSUER)


def kid(said: str) -> str:
    return str(json.loads(jose.base64url_decode(said.split(".")[0].encode()))["kid"])


def test_a_running_server_signs_with_the_new_key(path: Path):
    server = Keyring.load(path)
    before = kid(token(server))
    new = rotation.resign(path)
    assert (kid(token(server)), new != before) == (new, True)


def test_another_server_knows_it_at_the_first_token_it_meets(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(crypto, "FOLLOWED_EVERY", 1e9)  # it would not look by itself
    other = Keyring.load(path)
    rotation.resign(path)
    assert jose.read_access(other, token(Keyring.load(path)), ISSUER)


def test_tokens_of_the_old_key_live_until_their_end(path: Path):
    server = Keyring.load(path)
    old = token(server)
    rotation.resign(path)
    server.follow()
    assert jose.read_access(server, old, ISSUER)


@pytest.mark.threat("token-key-retired")
def test_a_day_later_the_old_key_checks_no_token(path: Path):
    server = Keyring.load(path)
    old = token(server, lasts=10 * rotation.TOKENS_LAST)
    rotation.resign(path)
    server.follow()
    with time_machine.travel(time.time() + rotation.TOKENS_LAST + timedelta(seconds=1).seconds, tick=False):
        refused(server, old)


@pytest.mark.threat("token-key-leaked")
def test_a_key_that_leaked_checks_none_at_once(path: Path):
    server = Keyring.load(path)
    old = token(server)
    rotation.resign(path, leaked=True)
    server.follow()
    refused(server, old)
    assert jose.read_access(server, token(server), ISSUER)


@pytest.mark.threat("token-key-leaked")
def test_replacing_again_gives_an_old_key_no_more_time(path: Path):
    server = Keyring.load(path)
    old = token(server)
    rotation.resign(path, leaked=True)
    rotation.resign(path)
    refused(Keyring.load(path), old)


def test_what_the_old_key_signed_outside_can_still_be_checked(path: Path):
    """The heads of the trail that were handed over."""
    server = Keyring.load(path)
    named, _ = server.sign(b"head")
    rotation.resign(path, leaked=True)
    assert named in dict(Keyring.load(path).signing)
