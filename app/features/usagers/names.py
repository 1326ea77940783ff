"""Names as they are searched and compared: without accents, case, hyphens nor apostrophes."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from rapidfuzz import fuzz

LIKE = 85  # of 100: « Jeane MORREAU » is like « Jeanne MOREAU »; « Lucie MARTIN » is not like her twin Lucas
SAID = ("birth_family_name", "birth_given_names", "used_family_name", "used_given_name")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})
_GAPS = re.compile(r"[\W_]+")
LAST = "\U0010ffff"  # after every character: a prefix is the range [prefix, prefix + LAST)


def folded(text: str) -> str:
    """`BENSAÏD-Lœuf d'Arc` → `bensaid loeuf d arc`."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return _GAPS.sub(" ", "".join(c for c in plain if not unicodedata.combining(c))).strip()


def key(family: str | None, given: str | None) -> str:
    return folded(f"{family or ''} {given or ''}")


def keys(values: Mapping[str, Any]) -> dict[str, str | None]:
    """The columns by which a person is searched: birth names, and the names they use when these differ."""
    family, given, used_family, used_given = (values[name] for name in SAID)
    birth = key(family, given)
    used = key(used_family or family, used_given or given)
    return {"name_key": birth, "used_name_key": used if used != birth else None}


def prefix(text: str) -> tuple[str, str]:
    """The bounds of the keys that begin so, in the order of bytes."""
    start = folded(text)
    return start, start + LAST


def alike(one: str, other: str) -> bool:
    """Two keys that may be one person's: typing faults, spaces, given names in another order or left out."""
    whole = fuzz.ratio(one.replace(" ", ""), other.replace(" ", ""))
    return bool(one) and bool(other) and max(whole, fuzz.token_set_ratio(one, other)) >= LIKE


def close_dates(one: date | None, other: date | None) -> bool:
    """Same day, one of them unknown, day and month exchanged, or one part of three mistaken."""
    if one is None or other is None or (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return True
    return sum((one.year == other.year, one.month == other.month, one.day == other.day)) >= 2
