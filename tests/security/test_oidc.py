"""Half a configuration starts no server; a whole one says what the provider is, and keeps its secrets to itself."""

from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.kernel.errors import Invalid
from app.security import jose, oidc
from app.security.oidc import Misconfigured, OpenId
from app.start import why
from tests.security import keys


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, Any]:
    secret = tmp_path / "secret"
    secret.write_text("très secret\n")
    return {
        "oidc_issuer": "https://idp.test/realms/un",
        "oidc_client_id": "dui",
        "oidc_secret_file": secret,
        "oidc_acr": "eidas1, eidas2,",
        "oidc_applications": "https://equipe.test/retour, fr.equipe:/retour",
    }


def opened(whole: dict[str, Any], **changes: Any) -> OpenId | None:
    return OpenId.configured(Settings(**(whole | changes)))


def test_without_an_issuer_it_is_off(whole: dict[str, Any]):
    assert opened(whole, oidc_issuer="") is None
    assert OpenId.configured(Settings()) is None


def test_the_lists_are_read_and_the_metadata_is_where_it_usually_is(whole: dict[str, Any]):
    openid = opened(whole)
    assert openid is not None
    assert openid.provider.levels == {"eidas1", "eidas2"}
    assert openid.provider.applications == {"https://equipe.test/retour", "fr.equipe:/retour"}
    assert openid.provider.discovery == "https://idp.test/realms/un/.well-known/openid-configuration"
    assert openid.provider.secret == "très secret"


def test_its_metadata_may_be_elsewhere(whole: dict[str, Any]):
    openid = opened(whole, oidc_discovery="https://idp.test/fiche")
    assert openid is not None
    assert openid.provider.discovery == "https://idp.test/fiche"


def test_a_secret_is_never_shown(whole: dict[str, Any], tmp_path: Path):
    pem = tmp_path / "pem"
    pem.write_text(keys.private_pem(keys.ec_key("P-256")))
    for openid in (opened(whole), opened(whole, oidc_secret_file=None, oidc_private_key_file=pem)):
        assert openid is not None
        assert "secret" not in repr(openid.provider)
        assert "PRIVATE" not in repr(openid.provider)


@pytest.mark.threat("oidc-half-configured")
@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_issuer": "http://idp.test"},
        {"oidc_discovery": "http://idp.test/fiche"},
        {"oidc_client_id": ""},
        {"oidc_acr": ""},
        {"oidc_acr": " , "},
        {"oidc_applications": ""},
        {"oidc_applications": "http://equipe.test/retour"},
        {"oidc_applications": "https:retour"},
        {"oidc_applications": "https://equipe.test/retour#ici"},
        {"oidc_applications": "javascript:alert(1)"},
        {"oidc_applications": "data:text/html,x"},
        {"oidc_applications": "/retour"},
        {"oidc_secret_file": None},
        {"oidc_secret_file": Path("/nowhere/at/all")},
        {"oidc_secret_file": Path(".")},
    ],
)
def test_half_a_configuration_starts_nothing_and_says_why(whole: dict[str, Any], changes: dict[str, Any]):
    with pytest.raises(Misconfigured) as no:
        opened(whole, **changes)
    assert "DUI_OIDC_" in why(no.value)


@pytest.mark.threat("oidc-half-configured")
def test_an_empty_secret_is_none(whole: dict[str, Any]):
    whole["oidc_secret_file"].write_text(" \n")
    with pytest.raises(Misconfigured):
        opened(whole)


@pytest.mark.threat("oidc-half-configured")
def test_a_secret_and_a_key_are_one_too_many(whole: dict[str, Any]):
    with pytest.raises(Misconfigured, match="un seul des deux"):
        opened(whole, oidc_private_key_file=whole["oidc_secret_file"])


@pytest.mark.threat("oidc-half-configured")
@pytest.mark.parametrize("key", ["words", "rsa-1024", "P-384", "public"])
def test_a_key_that_proves_little_is_refused(whole: dict[str, Any], tmp_path: Path, key: str):
    pem = tmp_path / "pem"
    pem.write_text(
        {
            "words": "une phrase",
            "rsa-1024": keys.private_pem(keys.rsa_key(1024)),
            "P-384": keys.private_pem(keys.ec_key("P-384")),
            "public": "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        }[key]
    )
    with pytest.raises(Misconfigured, match="RSA de 2048"):
        opened(whole, oidc_secret_file=None, oidc_private_key_file=pem)


@pytest.mark.parametrize(("key", "alg"), [(keys.rsa_key(2048), "RS256"), (keys.ec_key("P-256"), "ES256")])
def test_a_key_signs_by_the_one_algorithm_of_its_kind(key: Any, alg: str):
    assert jose.client_algorithm(keys.private_pem(key)) == alg
    assert jose.sign_client_assertion(keys.private_pem(key), "dui", "https://idp.test/token").count(".") == 2


def test_of_what_a_provider_publishes_only_keys_that_verify_are_kept():
    good = keys.public_jwk(keys.rsa_key(2048), "k1", use="sig", alg="RS256", x5c=["…"])
    published = [
        good,
        keys.public_jwk(keys.rsa_key(2048), "k2", use="enc"),
        keys.public_jwk(keys.rsa_key(2048), "k3", alg="PS256"),
        keys.public_jwk(keys.rsa_key(1024), "k4"),
        keys.public_jwk(keys.ec_key("P-384"), "k5"),
        {"kty": "oct", "kid": "k6", "k": "c2VjcmV0"},
        "not a key",
    ]
    [kept] = jose.provider_keys({"keys": published})
    assert kept == {name: good[name] for name in ("kty", "n", "e", "kid")}


@pytest.mark.threat("oidc-other-key")
def test_a_provider_without_any_is_not_believed():
    with pytest.raises(Invalid):
        jose.provider_keys({"keys": [{"kty": "oct", "kid": "k6", "k": "c2VjcmV0"}]})


def test_a_challenge_is_what_the_rfc_says():
    """RFC 7636, appendix B."""
    said = oidc.challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert said == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert oidc.CHALLENGE.fullmatch(said)
