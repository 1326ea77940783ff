"""Argon2id, in time that tells nothing, in threads that are counted."""

import asyncio
import time

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.kernel.errors import Busy, Invalid
from app.security import passwords

GOOD = "une phrase assez longue"
LONGEST = ("vélo lampe chat nuage tiroir " * 9)[: passwords.LONGEST]


@pytest.fixture(scope="module", autouse=True)
def light_passwords() -> None:
    """Here they weigh what they weigh."""


async def test_the_right_password_matches_and_needs_no_fresher_hash() -> None:
    assert await passwords.matches(GOOD, await passwords.hashed(GOOD, "sonia")) == (True, None)


async def test_another_password_does_not() -> None:
    assert await passwords.matches(GOOD + ".", await passwords.hashed(GOOD, "sonia")) == (False, None)


async def test_the_hash_is_argon2id_of_the_strength_promised() -> None:
    assert (await passwords.hashed(GOOD, "sonia")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_an_older_weaker_hash_is_made_again() -> None:
    old = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(GOOD)
    right, fresher = await passwords.matches(GOOD, old)
    assert right
    assert fresher is not None
    assert fresher.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.threat("login-easy-password")
@pytest.mark.parametrize(
    "easy",
    [
        "123456789012",
        "motdepasse2026",
        "azertyuiop1234",
        "passwordpassword",
        "aaaaaaaaaaaa",
        "Printemps2026!",
        "ehpadprintemps",
    ],
)
async def test_what_is_soon_guessed_is_refused_with_a_better_way(easy: str) -> None:
    with pytest.raises(Invalid, match="quatre mots") as refused:
        await passwords.hashed(easy, "sonia")
    assert easy not in str(refused.value)


@pytest.mark.threat("login-easy-password")
async def test_the_parts_of_ones_login_make_it_no_harder() -> None:
    with pytest.raises(Invalid, match="se devine"):
        await passwords.hashed("lefebvretilleuls", "marc.lefebvre@tilleuls")
    assert await passwords.hashed("chat lune vélo 43", "marc.lefebvre@tilleuls")


async def test_the_longest_is_judged_in_no_time() -> None:
    start = time.perf_counter()
    await passwords.hashed(LONGEST, "sonia")
    assert time.perf_counter() - start < 5


async def test_accents_typed_in_two_ways_are_one_password() -> None:
    kept = await passwords.hashed("e\u0301te\u0301 au bord du lac", "sonia")
    assert (await passwords.matches("été au bord du lac", kept))[0]


async def test_an_unknown_login_matches_nothing() -> None:
    assert await passwords.matches(GOOD, None) == (False, None)


@pytest.mark.threat("login-enumeration-timing")
async def test_an_unknown_login_takes_as_long_as_a_wrong_password() -> None:
    kept = await passwords.hashed(GOOD, "sonia")

    async def took(secret: str | None) -> float:
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            await passwords.matches("autre chose encore", secret)
            best = min(best, time.perf_counter() - start)
        return best

    known, unknown = await took(kept), await took(None)
    assert known / 2 < unknown < known * 2


def test_what_nobody_is_compared_with_costs_the_same() -> None:
    assert passwords.NOBODY.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("password", ["", "onze lettre", "x" * 257])
async def test_a_password_has_a_length(password: str) -> None:
    with pytest.raises(Invalid):
        await passwords.hashed(password, "sonia")


async def test_a_password_does_not_hold_the_login() -> None:
    with pytest.raises(Invalid):
        await passwords.hashed("Marc-Leroy-2026!", "marc-leroy")


@pytest.mark.threat("login-password-bomb")
async def test_ten_megabytes_are_not_hashed() -> None:
    kept = await passwords.hashed(LONGEST, "sonia")
    assert await passwords.matches(LONGEST * 40_000, kept) == (False, None)


@pytest.mark.threat("login-hash-flood")
async def test_a_waiting_room_too_full_says_so() -> None:
    tries = [passwords.matches("x", "not a hash of ours") for _ in range(passwords.WAITING + 1)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(a) for a in answers].count(Busy) == 1
    assert not passwords._waiting  # noqa: SLF001
