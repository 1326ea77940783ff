"""Opaque tokens, signed tokens, and the short memory of those verified."""

import time
from uuid import uuid4

import pytest

from app.kernel.crypto import Keyring
from app.kernel.errors import Unauthenticated
from app.security import jose, tokens
from app.security.principal import Partner, Professional, Role, UsagerSelf
from app.security.tokens import Door, Known, TokenCache

ISSUER = "https://dui.test"


def professional(expires: float | None = None) -> Professional:
    return Professional(
        id=uuid4(),
        organisation_id=uuid4(),
        session_id=uuid4(),
        expires=expires or float(int(time.time()) + 60),
        account_id=uuid4(),
        membership_id=uuid4(),
        role=Role.EDUCATEUR,
    )


def partner() -> Partner:
    return Partner(
        id=uuid4(),
        organisation_id=uuid4(),
        session_id=uuid4(),
        expires=float(int(time.time()) + 60),
        structure_id=uuid4(),
        scopes=frozenset({"CarePlan.r", "*.s"}),
    )


def test_an_opaque_token_has_256_bits_and_only_its_hash_is_kept() -> None:
    token, kept = tokens.new_opaque()
    assert len(token) == 43
    assert kept == tokens.digest(token)
    assert token != tokens.new_opaque()[0]
    assert not tokens.is_signed(token)


def test_a_professional_is_read_back_from_the_token(keyring: Keyring) -> None:
    who = professional()
    token = tokens.signed(keyring, ISSUER, who)
    assert tokens.is_signed(token)
    assert tokens.read_signed(keyring, ISSUER, token) == Known(who, Door.API)


def test_a_partner_is_read_back_from_the_token(keyring: Keyring) -> None:
    who = partner()
    assert tokens.read_signed(keyring, ISSUER, tokens.signed(keyring, ISSUER, who)) == Known(who, Door.FHIR)


@pytest.mark.threat("token-claims-of-another-make")
@pytest.mark.parametrize(
    "changes",
    [
        {"door": "page"},
        {"door": "me"},
        {"door": "sas"},
        {"door": None},
        {"role": "prince"},
        {"org": "1"},
        {"org": 1},
        {"mbr": None},
        {"door": "fhir"},
    ],
)
def test_a_token_of_another_make_is_refused_not_a_fault(keyring: Keyring, changes: dict[str, object]) -> None:
    who = professional()
    said = jose.read_access(keyring, tokens.signed(keyring, ISSUER, who), ISSUER) | changes
    with pytest.raises(Unauthenticated):
        tokens.read_signed(keyring, ISSUER, jose.sign_access(keyring, said))


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def known(clock: Clock, life: float = 3600) -> Known:
    return Known(professional(clock.at + life), Door.API)


def test_a_verified_token_is_remembered() -> None:
    clock = Clock()
    cache, who = TokenCache(clock=clock), known(clock)
    cache.put("t", who)
    assert cache.get("t") is who


def test_a_token_never_verified_is_unknown() -> None:
    assert TokenCache().get("t") is None


@pytest.mark.threat("token-cache-confusion")
def test_the_memory_is_of_the_whole_token() -> None:
    clock = Clock()
    cache = TokenCache(clock=clock)
    cache.put("header.claims.signature", known(clock))
    assert cache.get("header.claims.forged") is None


def test_it_is_forgotten_after_a_minute() -> None:
    clock = Clock()
    cache = TokenCache(ttl=600, clock=clock)
    cache.put("t", known(clock))
    clock.at += 59.9
    assert cache.get("t")
    clock.at += 0.1
    assert cache.get("t") is None


@pytest.mark.threat("token-cache-outlived")
def test_it_is_forgotten_when_the_token_expires() -> None:
    clock = Clock()
    cache = TokenCache(clock=clock)
    cache.put("t", known(clock, life=10))
    clock.at += 10
    assert cache.get("t") is None


def test_the_least_used_leaves_first() -> None:
    clock = Clock()
    cache = TokenCache(size=2, clock=clock)
    for token in ("a", "b"):
        cache.put(token, known(clock))
    cache.get("a")
    cache.put("c", known(clock))
    assert [bool(cache.get(token)) for token in ("a", "b", "c")] == [True, False, True]


@pytest.mark.threat("token-cache-outlived")
def test_a_token_given_back_is_forgotten_at_once() -> None:
    clock = Clock()
    cache = TokenCache(clock=clock)
    cache.put("t", known(clock))
    cache.forget("t")
    cache.forget("never seen")
    assert cache.get("t") is None


@pytest.mark.threat("token-signed-for-the-page")
def test_the_person_s_tokens_are_never_signed(keyring: Keyring) -> None:
    said = {"iss": ISSUER, "aud": ISSUER, "sub": str(uuid4()), "iat": int(time.time()), "exp": int(time.time()) + 60}
    said |= {"org": str(uuid4()), "sid": str(uuid4()), "door": "me"}
    with pytest.raises(Unauthenticated):
        tokens.read_signed(keyring, ISSUER, jose.sign_access(keyring, said))


def test_a_short_memory_is_the_real_clock_s() -> None:
    cache = TokenCache()
    me = UsagerSelf(id=uuid4(), organisation_id=uuid4(), session_id=uuid4(), expires=time.time() - 1)
    cache.put("t", Known(me, Door.ME))
    assert cache.get("t") is None
