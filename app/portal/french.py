"""French as it is read: spaces that do not break, days, hours, numbers in words, « de » and « d' ».

Source of the spaces: Lexique des règles typographiques en usage à l'Imprimerie nationale.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from app.kernel.clock import PARIS

NARROW = "\u202f"  # narrow no-break space
FIXED = "\u00a0"  # no-break space

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip

# Only the kind of an existing space changes, never a letter: what a person wrote stays what they wrote.
_BEFORE = re.compile(r"[ \u00a0](?=[?!:;»](?:[\s»).?!…<]|$))")
_AFTER = re.compile(r"(?<=«)[ \u00a0]")


def spaced(text: str) -> str:
    """The same text, whose double signs no longer fall alone on a line."""
    return _AFTER.sub(NARROW, _BEFORE.sub(NARROW, text))


def day(when: date) -> str:
    """« mardi 24 novembre »"""
    return f"{DAYS[when.weekday()]} {day_month(when)}"


def day_month(when: date) -> str:
    """« 3 mars », « 1er janvier »"""
    return f"{'1er' if when.day == 1 else when.day} {MONTHS[when.month - 1]}"


def on_day(when: date, today: date) -> str:
    """« le 3 mars », with its year when it is not this year's."""
    return f"le {day_month(when)}" if when.year == today.year else f"le {day_month(when)} {when.year}"


def near_day(when: date, today: date) -> str:
    """« Aujourd'hui, mardi 24 novembre »; a far day has its year."""
    name = {0: "Aujourd'hui, ", 1: "Demain, ", -1: "Hier, "}.get((when - today).days, "")
    year = "" if when.year == today.year else f" {when.year}"
    return sentence(f"{name}{day(when)}{year}")


def soon(when: date, today: date) -> str:
    """« Demain », « Mardi » within the week, then « Mardi 24 novembre »."""
    ahead = when - today
    if ahead == timedelta(0):
        return "Aujourd'hui"
    if ahead == timedelta(days=1):
        return "Demain"
    return sentence(DAYS[when.weekday()] if timedelta(0) < ahead < timedelta(days=7) else day(when))


def hour(when: time | datetime) -> str:
    """« 14 h », « 9 h 30 »; an instant is told in Paris time."""
    local = when.astimezone(PARIS) if isinstance(when, datetime) else when
    minutes = f"{FIXED}{local.minute:02d}" if local.minute else ""
    return f"{local.hour}{FIXED}h{minutes}"


def count(number: int, one: str, many: str, none: str = "") -> str:
    """« 1 question pour vous », « 3 questions pour vous »; `none` is the whole text for zero."""
    if number == 0:
        return none
    return f"{number} {one if number == 1 else many}"


def listing(words: Sequence[str]) -> str:
    """« Sonia, Paul et Leïla »"""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} et {words[-1]}"


def elided(name: str) -> str:
    """What stands before a name: « de  » Lucas, « d' » Inès, « d' » Hélène, « de  » Yann."""
    plain = unicodedata.normalize("NFD", name.strip().casefold())[:2]
    mute = plain[:1] in "aeiouhœæ" or (plain[:1] == "y" and plain[1:2] not in "aeiou")
    return "d'" if plain and mute else "de "


def of(name: str) -> str:
    """« de Lucas », « d'Inès »"""
    return f"{elided(name)}{name}"


ARTICLES = {
    **dict.fromkeys(
        ("chu", "chr", "ch", "cmp", "cmpp", "cabinet", "centre", "conseil", "département", "service"), "le "
    ),
    **dict.fromkeys(("caf", "clinique", "cpam", "mairie", "maison", "mda", "mdph", "pharmacie"), "la "),
    **dict.fromkeys(("association", "école", "hôpital", "ehpad", "esat", "ime", "université"), "l'"),
}


def with_article(name: str) -> str:
    """« le CHU de la Plaine », « l'hôpital Nord »; a name that is not known to take one is left as it is."""
    first = name.split(" ", 1)[0]
    article = ARTICLES.get(first.casefold(), "")
    return f"{article}{name if first.isupper() or not article else name[:1].lower() + name[1:]}"


def towards(name: str) -> str:
    """« au CHU de la Plaine », « à la MDPH », « à l'hôpital Nord »"""
    told = with_article(name)
    return f"au {told[3:]}" if told.startswith("le ") else f"à {told}"


def sentence(words: str) -> str:
    """The same words with a capital at the start, the rest untouched."""
    return words[:1].upper() + words[1:]
