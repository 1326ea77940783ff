"""Passwords: Argon2id (64 MiB, three passes, four lanes), in a few threads of their own.

One verification takes about 0.2 s and 64 MiB: the threads bound both, and a waiting room too full is told to come back.
"""

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.kernel.errors import Busy, Invalid

SHORTEST, LONGEST = 12, 256  # characters; CNIL, délibération n° 2022-100: twelve at least when tries are limited
THREADS = 2
WAITING = 32  # six seconds of queue

HARD = 3  # of zxcvbn's 0 to 4: a hundred million guesses at least
READ = 72  # characters that it reads: what comes after makes nothing easier
# Beside its lists of what is used most: what people here put in a password.
WORDS = """
dui dossier usager ehpad foyer ime mas fam mecs sessad esat residence maison service equipe association educateur infirmier direction
motdepasse azerty azertyuiop qsdfgh bonjour bienvenue soleil printemps automne hiver vacances chocolat doudou marseille paris lyon
janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre lundi mardi mercredi jeudi vendredi samedi dimanche
""".split()  # noqa: SIM905

# What an unknown login is compared with, so that time does not tell it apart: the hash of a thrown-away secret.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$7QVOagi1+BmWS+6gHH6bgw$sAQptJOlBIQOxwgA39ZkaTnf8HTonJC1oNvmhAtiCFE"

EASY = "Ce mot de passe se devine vite. Prenez plutôt quatre mots sans lien entre eux, faciles à retenir pour vous."

T = TypeVar("T")

_hasher = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=64 * 1024, parallelism=4),))
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
_waiting: set[object] = set()


async def hashed(password: str, login: str) -> str:
    """Raises Invalid when it is too short, too long, holds the login, or is soon guessed."""
    said = _normal(password)
    if not SHORTEST <= len(said) <= LONGEST:
        raise Invalid(f"Un mot de passe a de {SHORTEST} à {LONGEST} caractères.", where="/password")
    if _normal(login).casefold() in said.casefold():
        raise Invalid("Le mot de passe ne doit pas contenir l'identifiant.", where="/password")
    return await _apart(lambda: _judged(said, login))


def _judged(said: str, login: str) -> str:
    from zxcvbn import zxcvbn  # 12 MB of words, once someone chooses a password

    known = [*WORDS, *re.findall(r"\w{3,}", login.casefold())]
    if zxcvbn(said[:READ], user_inputs=known)["score"] < HARD:
        raise Invalid(EASY, where="/password", code="password.easy")
    return _hasher.hash(said)


async def matches(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Is it this one? And a fresher hash to keep when ours has become stronger. `None`: no such login, same time."""
    said = _normal(password[:LONGEST])
    right, fresher = await _apart(lambda: _hasher.verify_and_update(said, kept or NOBODY))
    return right and kept is not None and len(password) <= LONGEST, fresher


def _normal(said: str) -> str:
    return unicodedata.normalize("NFKC", said)  # NIST SP 800-63B: the same word typed on two keyboards


async def _apart(work: Callable[[], T]) -> T:
    """Raises Busy when too many already wait."""
    if len(_waiting) >= WAITING:
        raise Busy("Beaucoup de connexions en ce moment. Réessayez dans un instant.")
    place = object()
    _waiting.add(place)
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting.discard(place)
