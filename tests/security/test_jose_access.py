"""Our own access tokens: what the fence lets through, and everything it does not."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from app.kernel.crypto import Keyring
from app.kernel.errors import Unauthenticated
from app.security import jose
from tests.security import keys

ISSUER = "https://dui.test"
Make = Callable[..., str]


def claims(**changes: Any) -> dict[str, Any]:
    at = int(time.time())
    said = {"iss": ISSUER, "aud": ISSUER, "sub": "someone", "iat": at, "exp": at + 60} | changes
    return {name: value for name, value in said.items() if value is not None}


@pytest.fixture
def own(keyring: Keyring) -> Any:
    return serialization.load_pem_private_key(keyring.signing[0][1].encode(), password=None)


@pytest.fixture
def forge(keyring: Keyring, own: Any) -> Make:
    """A token signed by our own key, whose header and claims are as the test says: a change to None leaves it out."""

    def made(header: dict[str, Any] | str | None = None, said: dict[str, Any] | str | None = None) -> str:
        if not isinstance(header, str):
            header = {"alg": "ES256", "kid": keyring.signing[0][0], "typ": "at+jwt"} | (header or {})
            header = {name: value for name, value in header.items() if value is not None}
        return keys.token(header, claims() if said is None else said, own, "ES256")

    return made


def refused(keyring: Keyring, token: str) -> None:
    with pytest.raises(Unauthenticated) as told:
        jose.read_access(keyring, token, ISSUER)
    assert told.value.message == jose.REFUSED
    assert told.value.__suppress_context__


def test_what_we_sign_is_read_back(keyring: Keyring) -> None:
    said = claims(sub="Sonia")
    assert jose.read_access(keyring, jose.sign_access(keyring, said), ISSUER) == said


def test_the_forge_makes_good_tokens(keyring: Keyring, forge: Make) -> None:
    assert jose.read_access(keyring, forge(), ISSUER)["sub"] == "someone"


@pytest.mark.threat("token-alg-none")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_no_algorithm_is_refused_however_it_is_spelled(keyring: Keyring, alg: str) -> None:
    header = {"alg": alg, "kid": keyring.signing[0][0], "typ": "at+jwt"}
    unsigned = keys.token(header, claims(), None)
    refused(keyring, unsigned)
    refused(keyring, unsigned + "AA")


def public_forms(own: Any) -> dict[str, bytes]:
    public, s = own.public_key(), serialization
    point = public.public_numbers()
    return {
        "pem": public.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo),
        "pem without end of line": public.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo).strip(),
        "der": public.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo),
        "openssh": public.public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH),
        "raw point": public.public_bytes(s.Encoding.X962, s.PublicFormat.UncompressedPoint),
        "x": point.x.to_bytes(32, "big"),
        "jwk": json.dumps(keys.public_jwk(own, "k")).encode(),
        "empty": b"",
    }


@pytest.mark.threat("token-hs-rs-confusion", "token-hs-empty-secret")
@pytest.mark.parametrize("form", ["pem", "pem without end of line", "der", "openssh", "raw point", "x", "jwk", "empty"])
def test_our_public_key_is_no_shared_secret(keyring: Keyring, own: Any, form: str) -> None:
    header = {"alg": "HS256", "kid": keyring.signing[0][0], "typ": "at+jwt"}
    refused(keyring, keys.token(header, claims(), public_forms(own)[form]))


@pytest.mark.threat("token-hs-private-pem")
def test_a_private_key_in_the_file_is_never_used_as_a_secret(keyring: Keyring) -> None:
    header = {"alg": "HS256", "kid": keyring.signing[0][0], "typ": "at+jwt"}
    refused(keyring, keys.token(header, claims(), keyring.signing[0][1].encode()))


@pytest.mark.threat("token-claim-missing")
@pytest.mark.parametrize("name", ["exp", "iat", "aud", "iss", "sub"])
def test_no_claim_may_be_missing(keyring: Keyring, forge: Make, name: str) -> None:
    refused(keyring, forge(said=claims(**{name: None})))


@pytest.mark.threat("token-header-missing")
@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
def test_no_header_may_be_missing(keyring: Keyring, forge: Make, name: str) -> None:
    refused(keyring, forge({name: None}))


@pytest.mark.threat("token-other-audience", "token-other-issuer")
@pytest.mark.parametrize("name", ["iss", "aud"])
@pytest.mark.parametrize("said", ["https://other.test", "", [ISSUER], [ISSUER, "https://other.test"], None, 1])
def test_a_token_of_another_server_is_refused(keyring: Keyring, forge: Make, name: str, said: Any) -> None:
    refused(keyring, forge(said=claims() | {name: said}))


@pytest.mark.threat("token-sub-not-text")
def test_a_subject_is_text(keyring: Keyring, forge: Make) -> None:
    refused(keyring, forge(said=claims(sub=12)))


@pytest.mark.threat("token-other-typ")
@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+JWT", "application/at+jwt", "", 1])
def test_another_type_of_token_is_refused(keyring: Keyring, forge: Make, typ: Any) -> None:
    refused(keyring, forge({"typ": typ}))


@pytest.mark.threat("token-crit", "token-jku-x5u", "token-jwk-x5c", "token-b64-zip")
@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"jku": "https://evil.test/keys"},
        {"x5u": "https://evil.test/chain"},
        {"jwk": {"kty": "EC"}},
        {"x5c": ["AA"]},
        {"cty": "JWT"},
        {"b64": False},
        {"zip": "DEF"},
    ],
)
def test_headers_that_would_steer_us_are_refused(keyring: Keyring, forge: Make, header: dict[str, Any]) -> None:
    refused(keyring, forge(header))


@pytest.mark.threat("token-jwk-x5c")
def test_a_key_carried_by_the_token_is_not_believed(keyring: Keyring) -> None:
    evil = keys.ec_key("P-256")
    header = {"alg": "ES256", "kid": keyring.signing[0][0], "typ": "at+jwt", "jwk": keys.public_jwk(evil, "k")}
    refused(keyring, keys.token(header, claims(), evil))


@pytest.mark.threat("token-kid-injection")
@pytest.mark.parametrize(
    "kid",
    ["../../etc/passwd", "/dev/null", "' OR 1=1 --", "https://evil.test/k", "unknown", "", "\x00", 0, None, ["k"], {}],
)
def test_a_kid_is_a_name_of_ours_or_nothing(keyring: Keyring, forge: Make, kid: Any) -> None:
    refused(keyring, forge({"kid": kid} if kid is not None else {"kid": [None]}))


@pytest.mark.threat("token-kid-borrowed")
def test_another_server_with_the_same_kid_is_refused(keyring: Keyring) -> None:
    header = {"alg": "ES256", "kid": keyring.signing[0][0], "typ": "at+jwt"}
    refused(keyring, keys.token(header, claims(), keys.ec_key("P-256", which=7)))


@pytest.mark.threat("token-alg-swap")
@pytest.mark.parametrize("alg", ["ES384", "ES512", "RS256", "PS256", "HS256", "EdDSA", 256, None, ["ES256"]])
def test_one_key_has_one_algorithm(keyring: Keyring, forge: Make, alg: Any) -> None:
    refused(keyring, forge({"alg": alg}))


@pytest.mark.threat("token-instant-forged")
@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize(
    "told", ['"{}"', "{}.5e999", "1e400", "-1e400", "NaN", "Infinity", "true", "null", "[]", "-1", "0"]
)
def test_an_instant_is_a_plausible_number(keyring: Keyring, forge: Make, name: str, told: str) -> None:
    said = json.dumps(claims(**{name: 4242424242}))
    refused(keyring, forge(said=said.replace("4242424242", told.replace("{}", str(int(time.time()) + 20)))))


@pytest.mark.threat("token-not-json")
@pytest.mark.parametrize("told", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_is_refused_even_where_we_do_not_look(keyring: Keyring, forge: Make, told: str) -> None:
    refused(keyring, forge(said=json.dumps(claims())[:-1] + f', "x": {told}}}'))


@pytest.mark.threat("token-digits-bomb")
@pytest.mark.parametrize("digits", [14, 400, 4000, 6000])
def test_a_date_of_many_digits_is_refused(keyring: Keyring, forge: Make, digits: int) -> None:
    said = json.dumps(claims(exp=4242424242)).replace("4242424242", "9" * digits)
    refused(keyring, forge(said=said))


@pytest.mark.threat("token-expired")
def test_an_expired_token_is_refused(keyring: Keyring, forge: Make) -> None:
    refused(keyring, forge(said=claims(exp=int(time.time()) - 1)))


@pytest.mark.threat("token-of-tomorrow")
def test_a_token_of_tomorrow_is_refused(keyring: Keyring, forge: Make) -> None:
    refused(keyring, forge(said=claims(iat=int(time.time()) + 3600)))


@pytest.mark.threat("token-deep-json")
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_json_is_refused_before_it_hurts(keyring: Keyring, forge: Make, opening: str) -> None:
    refused(keyring, forge(said=opening * 1900))
    refused(keyring, forge(opening * 1900))
    refused(keyring, forge(said=opening * 50_000))


@pytest.mark.threat("token-duplicate-claim")
def test_a_name_said_twice_is_refused(keyring: Keyring, forge: Make) -> None:
    said = json.dumps(claims())
    refused(keyring, forge(said=said.replace("{", '{"sub": "someone else", ', 1)))


@pytest.mark.threat("token-duplicate-claim")
def test_a_name_said_twice_deep_inside_is_refused(keyring: Keyring, forge: Make) -> None:
    refused(keyring, forge(said=json.dumps(claims())[:-1] + ', "x": {"y": 1, "y": 2}}'))


@pytest.mark.threat("token-duplicate-header")
def test_a_header_said_twice_is_refused(keyring: Keyring, forge: Make) -> None:
    kid = keyring.signing[0][0]
    refused(keyring, forge(f'{{"alg": "none", "alg": "ES256", "kid": "{kid}", "typ": "at+jwt"}}'))


@pytest.mark.threat("token-claims-no-object")
@pytest.mark.parametrize("said", ["[]", '"text"', "12", "null", "{", "", "\ufeff{}", "\x00"])
def test_claims_are_an_object(keyring: Keyring, forge: Make, said: str) -> None:
    refused(keyring, forge(said=said))


@pytest.mark.threat("token-too-large")
def test_a_large_token_is_refused_unread(keyring: Keyring, forge: Make) -> None:
    refused(keyring, forge(said=claims(pad="a" * 16_384)))


@pytest.mark.threat("token-malformed")
@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c.d", "..", "a.b.", ".b.c", "é.é.é", "a.b.c\n", " a.b.c"])
def test_what_is_no_token_is_refused(keyring: Keyring, token: str) -> None:
    refused(keyring, token)


@pytest.mark.threat("token-jwe")
def test_five_parts_are_an_encrypted_token_and_refused(keyring: Keyring) -> None:
    bomb = base64.urlsafe_b64encode(b'{"alg":"dir","enc":"A256GCM","zip":"DEF"}').decode().rstrip("=")
    refused(keyring, f"{bomb}..AAAA.AAAA.AAAA")


@pytest.mark.threat("token-base64-laxity")
def test_characters_that_base64_would_skip_are_refused(keyring: Keyring) -> None:
    good = jose.sign_access(keyring, claims())
    refused(keyring, good[:10] + "!" + good[10:])
    refused(keyring, good + "=")


@pytest.mark.threat("token-signature-flipped")
def test_one_flipped_bit_is_refused(keyring: Keyring) -> None:
    header, said, signed = jose.sign_access(keyring, claims()).split(".")
    flipped = "B" if signed[5] != "B" else "C"
    refused(keyring, f"{header}.{said}.{signed[:5]}{flipped}{signed[6:]}")


@pytest.mark.threat("token-assertion-as-access")
def test_a_partner_s_assertion_is_no_access_token(keyring: Keyring) -> None:
    refused(keyring, keys.assertion(keys.ec_key(), aud=ISSUER, iss=ISSUER))


def test_a_new_key_signs_and_the_old_still_verifies(keyring: Keyring, other_keyring: Keyring) -> None:
    old = jose.sign_access(keyring, claims())
    both = Keyring(
        other_keyring.keys, other_keyring.current, other_keyring.index, signing=other_keyring.signing + keyring.signing
    )
    assert jose.read_access(both, old, ISSUER)["sub"] == "someone"
    assert jose.read_access(other_keyring, jose.sign_access(both, claims()), ISSUER)["sub"] == "someone"


@pytest.mark.threat("token-key-retired")
def test_a_key_taken_out_no_longer_verifies(keyring: Keyring, other_keyring: Keyring) -> None:
    refused(other_keyring, jose.sign_access(keyring, claims()))
