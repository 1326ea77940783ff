"""A partner's proof (SMART Backend Services): its keys when they are given, its assertions when they are shown."""

import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from app.kernel.errors import Invalid, Unauthenticated
from app.security import jose
from tests.security import keys
from tests.security.keys import CLIENT, TOKEN_URL

EC, RSA = keys.ec_key(), keys.rsa_key()
JWKS = jose.public_keys({"keys": [keys.public_jwk(EC, "k1"), keys.public_jwk(RSA, "k2", alg="RS384", use="sig")]})


def read(assertion: str, jwks: list[dict[str, str]] = JWKS) -> jose.Assertion:
    return jose.read_assertion(assertion, jwks, CLIENT, [TOKEN_URL])


def refused(assertion: str, jwks: list[dict[str, str]] = JWKS) -> None:
    with pytest.raises(Unauthenticated) as told:
        read(assertion, jwks)
    assert told.value.message == jose.ASSERTION_REFUSED


@pytest.mark.parametrize(("key", "kid", "alg"), [(EC, "k1", "ES384"), (RSA, "k2", "RS384")])
def test_a_good_proof_names_its_client_and_its_number(key: Any, kid: str, alg: str) -> None:
    proof = read(keys.assertion(key, kid, alg, jti="n-1"))
    assert (proof.client_id, proof.jti) == (CLIENT, "n-1")


def test_the_number_is_kept_until_the_proof_could_no_longer_pass() -> None:
    expires = int(time.time()) + 100
    assert read(keys.assertion(EC, exp=expires)).expires == expires + jose.SKEW


def test_the_client_is_named_before_anything_is_verified() -> None:
    assert jose.named(keys.assertion(keys.ec_key(which=3), iss="mdph")) == ("mdph", "k1")


@pytest.mark.parametrize("iss", [None, 12, "", "a b", "é", "x" * 201])
def test_a_client_s_name_is_short_and_plain(iss: Any) -> None:
    with pytest.raises(Unauthenticated):
        jose.named(keys.assertion(EC, iss=iss))


@pytest.mark.threat("partner-claim-missing")
@pytest.mark.parametrize("name", ["exp", "iat", "aud", "iss", "sub", "jti"])
def test_no_claim_may_be_missing(name: str) -> None:
    refused(keys.assertion(EC, **{name: None}))


@pytest.mark.threat("partner-claim-missing")
@pytest.mark.parametrize("name", ["kid", "typ"])
def test_no_header_may_be_missing(name: str) -> None:
    refused(keys.assertion(EC, header={name: None}))


@pytest.mark.threat("partner-claim-missing")
def test_the_algorithm_must_be_said() -> None:
    refused(keys.token({"kid": "k1", "typ": "JWT"}, keys.assertion_claims(), EC, "ES384"))


@pytest.mark.threat("partner-typ-swap")
@pytest.mark.parametrize("typ", ["at+jwt", "jose", "", 7])
def test_another_type_is_refused(typ: Any) -> None:
    refused(keys.assertion(EC, header={"typ": typ}))


@pytest.mark.threat("partner-steering-header")
@pytest.mark.parametrize("name", ["crit", "jku", "x5u", "jwk", "x5c", "b64", "zip", "enc", "epk"])
def test_headers_that_would_steer_us_are_refused(name: str) -> None:
    refused(keys.assertion(EC, header={name: "https://chu.test/jwks.json"}))


def test_a_thumbprint_beside_the_kid_changes_nothing() -> None:
    assert read(keys.assertion(EC, header={"x5t": "AAAA"})).client_id == CLIENT


@pytest.mark.threat("partner-alg-none", "partner-alg-swap")
@pytest.mark.parametrize("alg", ["none", "None", "HS384", "ES256", "ES512", "RS256", "RS384", "PS384"])
def test_the_key_decides_of_the_algorithm(alg: str) -> None:
    refused(keys.token({"alg": alg, "kid": "k1", "typ": "JWT"}, keys.assertion_claims(), EC, "ES384"))


@pytest.mark.threat("partner-key-of-another-type")
def test_a_key_of_another_type_under_the_right_kid_is_refused() -> None:
    refused(keys.assertion(RSA, "k1", "RS384"))
    refused(keys.assertion(EC, "k2", "ES384"))


@pytest.mark.threat("partner-kid-injection")
@pytest.mark.parametrize("kid", ["unknown", "", "../k1", "k1' OR '1'='1", 1])
def test_a_kid_is_one_of_that_client_s_keys(kid: Any) -> None:
    refused(keys.assertion(EC, kid))


@pytest.mark.threat("partner-all-keys-tried")
def test_all_keys_are_not_tried() -> None:
    refused(keys.assertion(keys.ec_key(which=1), "k1"), [*JWKS, keys.public_jwk(keys.ec_key(which=1), "k9")])


def test_a_client_without_keys_proves_nothing() -> None:
    refused(keys.assertion(EC), [])


@pytest.mark.threat("partner-hs-rs-confusion")
def test_the_public_key_is_no_shared_secret() -> None:
    header = {"alg": "HS384", "kid": "k1", "typ": "JWT"}
    refused(keys.token(header, keys.assertion_claims(), JWKS[0]["x"].encode()))


def rsa_forms() -> dict[str, bytes]:
    public, s = RSA.public_key(), serialization
    return {
        "pem": public.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo),
        "pkcs1": public.public_bytes(s.Encoding.PEM, s.PublicFormat.PKCS1),
        "der": public.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo),
        "openssh": public.public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH),
        "jwk": json.dumps(JWKS[1]).encode(),
        "n": JWKS[1]["n"].encode(),
    }


@pytest.mark.threat("partner-hs-rs-confusion")
@pytest.mark.parametrize("form", ["pem", "pkcs1", "der", "openssh", "jwk", "n"])
def test_no_form_of_an_rsa_public_key_is_a_shared_secret(form: str) -> None:
    header = {"alg": "HS384", "kid": "k2", "typ": "JWT"}
    refused(keys.token(header, keys.assertion_claims(), rsa_forms()[form]))


@pytest.mark.threat("partner-other-audience")
@pytest.mark.parametrize(
    "aud",
    ["https://other.test/token", "https://dui.test", TOKEN_URL + "/", [TOKEN_URL, "https://other.test"], [], 1, {}],
)
def test_a_proof_made_for_another_server_is_refused(aud: Any) -> None:
    refused(keys.assertion(EC, aud=aud))


def test_an_audience_may_be_a_list_of_one() -> None:
    assert read(keys.assertion(EC, aud=[TOKEN_URL])).client_id == CLIENT


@pytest.mark.threat("partner-impersonation")
@pytest.mark.parametrize("changes", [{"iss": "mdph"}, {"sub": "mdph"}, {"iss": "mdph", "sub": "mdph"}])
def test_issuer_and_subject_are_the_client(changes: dict[str, str]) -> None:
    refused(keys.assertion(EC, **changes))


@pytest.mark.threat("partner-assertion-expired")
def test_an_expired_proof_is_refused() -> None:
    refused(keys.assertion(EC, exp=int(time.time()) - jose.SKEW - 1))


@pytest.mark.threat("partner-assertion-long-lived")
def test_a_proof_good_for_more_than_five_minutes_is_refused() -> None:
    refused(keys.assertion(EC, exp=int(time.time()) + 300 + jose.SKEW + 5))


@pytest.mark.threat("partner-assertion-expired")
def test_a_proof_of_tomorrow_is_refused() -> None:
    refused(keys.assertion(EC, iat=int(time.time()) + 100))


@pytest.mark.threat("partner-assertion-expired")
def test_a_proof_of_tomorrow_valid_since_yesterday_is_refused() -> None:
    refused(keys.assertion(EC, iat=int(time.time()) + 100, nbf=int(time.time()) - 100))


@pytest.mark.threat("partner-assertion-expired")
def test_a_proof_not_valid_yet_is_refused() -> None:
    refused(keys.assertion(EC, nbf=int(time.time()) + 100))


@pytest.mark.threat("partner-instant-as-text")
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_an_instant_in_text_is_refused(name: str) -> None:
    refused(keys.assertion(EC, **{name: str(int(time.time()))}))


def test_an_instant_may_hold_fractions() -> None:
    assert read(keys.assertion(EC, exp=time.time() + 60)).client_id == CLIENT


@pytest.mark.threat("partner-jti-forged")
@pytest.mark.parametrize("jti", ["", "a b", "x" * 201, 12, "\x00"])
def test_a_number_is_short_and_plain(jti: Any) -> None:
    refused(keys.assertion(EC, jti=jti))


@pytest.mark.threat("partner-kid-twice")
@pytest.mark.parametrize(
    "jwks",
    [
        None,
        [],
        {},
        {"keys": []},
        {"keys": {}},
        {"keys": "x"},
        {"keys": [keys.public_jwk(EC, f"k{n}") for n in range(11)]},
    ],
)
def test_a_set_has_one_to_ten_keys(jwks: Any) -> None:
    with pytest.raises(Invalid) as told:
        jose.public_keys(jwks)
    assert told.value.where == "/jwks/keys"


WEAK: dict[str, Any] = {
    "RSA-1024": keys.public_jwk(keys.rsa_key(1024), "k"),
    "P-256": keys.public_jwk(keys.ec_key("P-256"), "k"),
    "oct": {"kty": "oct", "kid": "k"},
    "no kid": {k: v for k, v in keys.public_jwk(EC, "k").items() if k != "kid"},
    "odd kid": keys.public_jwk(EC, "a b"),
    "for encryption": keys.public_jwk(EC, "k", use="enc"),
    "to sign only": keys.public_jwk(EC, "k", key_ops=["sign"]),
    "another algorithm": keys.public_jwk(EC, "k", alg="ES256"),
    "RSA for PS384": keys.public_jwk(RSA, "k", alg="PS384"),
    "exponent three": keys.public_jwk(RSA, "k") | {"e": "Aw"},
    "off the curve": keys.public_jwk(EC, "k") | {"y": "AAAA"},
    "no point": {"kty": "EC", "kid": "k", "crv": "P-384"},
    "no object": "MIIB",
    "no type": {"kid": "k"},
}


@pytest.mark.threat("partner-weak-key")
@pytest.mark.parametrize("key", WEAK)
def test_a_weak_or_wrong_key_is_refused_when_it_is_given(key: str) -> None:
    with pytest.raises(Invalid) as told:
        jose.public_keys({"keys": [keys.public_jwk(RSA, "first"), WEAK[key]]})
    assert told.value.where == "/jwks/keys/1"


@pytest.mark.threat("partner-private-key-given")
@pytest.mark.parametrize("part", ["d", "p", "k"])
def test_a_private_key_is_given_back(part: str) -> None:
    with pytest.raises(Invalid, match="privée"):
        jose.public_keys({"keys": [keys.public_jwk(EC, "k") | {part: "AAAA"}]})


@pytest.mark.threat("partner-kid-twice")
def test_two_keys_may_not_share_a_name() -> None:
    with pytest.raises(Invalid) as told:
        jose.public_keys({"keys": [keys.public_jwk(EC, "k"), keys.public_jwk(RSA, "k")]})
    assert told.value.where == "/jwks/keys"


def test_only_what_verifies_is_kept() -> None:
    (kept,) = jose.public_keys({"keys": [keys.public_jwk(EC, "k", alg="ES384", x5c=["AA"], name="Dr X")]})
    assert set(kept) == {"kty", "crv", "x", "y", "kid"}


@pytest.mark.threat("partner-weak-key-slipped-in")
def test_a_weak_key_found_in_the_table_verifies_nothing() -> None:
    """Whoever slipped it there past the registration."""
    weak = keys.rsa_key(1024)
    refused(keys.assertion(weak, "w", "RS384"), [keys.public_jwk(weak, "w")])


@pytest.mark.threat("partner-weak-key-slipped-in")
def test_a_private_key_found_in_the_table_verifies_nothing() -> None:
    private = keys.public_jwk(EC, "k1") | {"d": keys.number(EC.private_numbers().private_value, 48)}
    refused(keys.assertion(EC), [private])
