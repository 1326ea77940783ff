"""The signing keys of the key file: made strong, refused weak."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.kernel.crypto import KeyFault, Keyring
from tests.security import keys


def rewrite(path: Path, signing: Any) -> Path:
    told = json.loads(path.read_text())
    told["signing"] = signing
    path.write_text(json.dumps(told))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Keyring.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def one(key: Any, kid: str = "k") -> dict[str, str]:
    return {"kid": kid, "pem": keys.private_pem(key)}


def test_a_new_file_holds_a_key_that_signs(file: Path) -> None:
    assert len(Keyring.load(file).signing) == 1


def test_the_first_signs_and_all_are_kept(file: Path) -> None:
    two = [one(keys.ec_key("P-256"), "new"), one(keys.ec_key("P-256", 1), "old")]
    assert [kid for kid, _ in Keyring.load(rewrite(file, two)).signing] == ["new", "old"]


@pytest.mark.threat("token-signing-key-weak")
@pytest.mark.parametrize(
    "signing",
    [
        [],
        [one(keys.ec_key("P-384"))],
        [one(keys.rsa_key())],
        [one(keys.ec_key("P-256")), one(keys.ec_key("P-256", 1))],
        [{"kid": "k", "pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}],
        [{"kid": "k", "pem": ""}],
        [{"kid": "k"}],
        ["k"],
        None,
    ],
    ids=["none", "P-384", "RSA", "same name", "broken", "empty", "no key", "text", "null"],
)
def test_a_key_that_could_not_sign_well_stops_the_start(file: Path, signing: Any) -> None:
    with pytest.raises(KeyFault):
        Keyring.load(rewrite(file, signing))


@pytest.mark.threat("token-signing-key-weak")
def test_a_file_of_before_signing_keys_is_refused(file: Path) -> None:
    told = json.loads(file.read_text())
    del told["signing"]
    file.write_text(json.dumps(told))
    with pytest.raises(KeyFault):
        Keyring.load(file)
