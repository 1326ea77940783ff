"""What each primitive of R4 may be in JSON. Source: https://hl7.org/fhir/R4/datatypes.html#primitive

A check gives None when the value is well said, else a stable code and a sentence; never the value.
"""

import base64
import re
from collections.abc import Callable
from datetime import date, datetime
from math import isfinite
from typing import Any

Bad = tuple[str, str]
Check = Callable[[Any], Bad | None]

MAX_TEXT = 1024 * 1024  # https://hl7.org/fhir/R4/datatypes.html#string
INTEGERS = {"integer": (-(2**31), 2**31 - 1), "unsignedInt": (0, 2**31 - 1), "positiveInt": (1, 2**31 - 1)}

NOT_TEXT = ("bad_type", "Un texte est attendu.")
NOT_BOOLEAN = ("bad_type", "true ou false est attendu (en JSON, sans guillemets).")
NOT_NUMBER = ("bad_type", "Un nombre est attendu (en JSON, sans guillemets).")
TOO_FAR = ("bad_value", "Ce nombre est trop grand.")
EMPTY = ("empty", "Une valeur vide n'est pas permise : retirez l'élément.")
TOO_LONG = ("too_long", "Ce texte dépasse un million de caractères.")
NUL = ("bad_text", "Ce texte contient un caractère nul, qui n'est pas permis.")
BLANK = (
    "bad_text",
    "Ce texte n'est fait que d'espaces spéciales, comme l'insécable : écrivez-le ou retirez l'élément.",
)
NO_SUCH_DAY = ("bad_date", "Cette date n'existe pas.")
LEAP = ("bad_date", "Les secondes vont de 00 à 59.")

_YEAR = r"(?:\d{3}[1-9]|\d{2}[1-9]0|\d[1-9]00|[1-9]000)"
_DAY = r"-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_FULL = rf"{_YEAR}{_DAY}T{_TIME}{_ZONE}"


def _whole(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.ASCII).fullmatch


_is_code = re.compile(r"\S+(?:\s\S+)*").fullmatch
_is_id = _whole(r"[A-Za-z0-9\-.]{1,64}")
_is_uri = re.compile(r"\S+").fullmatch
_is_oid = _whole(r"urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+")
_is_uuid = _whole(r"urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_is_time = _whole(_TIME)
_is_instant = _whole(_FULL)
_is_date = _whole(rf"{_YEAR}(?:-(?:0[1-9]|1[0-2])|{_DAY})?")
_is_date_time = _whole(rf"{_YEAR}(?:-(?:0[1-9]|1[0-2])|{_DAY}(?:T{_TIME}{_ZONE})?)?")
_blanks = str.maketrans("", "", " \t\r\n")


def boolean(value: Any) -> Bad | None:
    return None if type(value) is bool else NOT_BOOLEAN


def fits(number: float) -> bool:
    """What JSON can say again: a whole number on 64 bits, another that is finite."""
    return -(2**63) <= number < 2**64 if isinstance(number, int) else isfinite(number)


def decimal(value: Any) -> Bad | None:
    if type(value) not in (int, float):
        return NOT_NUMBER
    return None if fits(value) else TOO_FAR


def xhtml(value: Any) -> Bad | None:
    if type(value) is not str:
        return NOT_TEXT
    if not value:
        return EMPTY
    return NUL if "\0" in value else None


def text(value: Any) -> Bad | None:
    return xhtml(value) or (TOO_LONG if len(value) > MAX_TEXT else None)


def string(value: Any) -> Bad | None:
    """A text that has a character of R4's pattern: a lone no-break space has none, a plain space is one."""
    if bad := text(value):
        return bad
    return BLANK if value.isspace() and _blanks.keys().isdisjoint(map(ord, value)) else None


def binary(value: Any) -> Bad | None:
    if type(value) is not str:
        return NOT_TEXT
    if not value:
        return EMPTY
    try:
        base64.b64decode(value.translate(_blanks), validate=True)
    except ValueError:
        return "bad_text", "Un contenu en base64 est attendu."
    return None


def _integer(least: int, most: int) -> Check:
    sentence = f"Un nombre entier de {least} à {most} est attendu."

    def check(value: Any) -> Bad | None:
        if type(value) is not int:
            return "bad_type", "Un nombre entier est attendu (en JSON, sans guillemets)."
        return None if least <= value <= most else ("bad_value", sentence)

    return check


def _worded(match: Callable[[str], object], sentence: str) -> Check:
    def check(value: Any) -> Bad | None:
        if bad := text(value):
            return bad
        return None if match(value) else ("bad_text", sentence)

    return check


def _dated(match: Callable[[str], object], sentence: str) -> Check:
    def check(value: Any) -> Bad | None:
        if bad := text(value):
            return bad
        return _exists(value) if match(value) else ("bad_date", sentence)

    return check


def _exists(value: str) -> Bad | None:
    """A well-formed date, dateTime or time: is it one that a calendar knows? One that no zone but its own can tell is kept."""
    if ":60" in value:  # R4 allows a leap second, no clock of ours does
        return LEAP
    try:
        if value[4:5] == "-" and len(value) > 10:
            datetime.fromisoformat(value)
        elif value[4:5] == "-" and len(value) == 10:
            date.fromisoformat(value)
    except ValueError:
        return NO_SUCH_DAY
    return None


_MOMENT = "Une date est attendue, comme 2026-11-21 ou 2026-11-21T14:00:00+01:00."
CHECKS: dict[str, Check] = {
    "base64Binary": binary,
    "boolean": boolean,
    "canonical": _worded(_is_uri, "Une adresse canonique sans espace est attendue."),
    "code": _worded(_is_code, "Un code sans espace au bord est attendu."),
    "date": _dated(_is_date, "Une date est attendue, comme 2026, 2026-11 ou 2026-11-21."),
    "dateTime": _dated(_is_date_time, _MOMENT),
    "decimal": decimal,
    "id": _worded(_is_id, "Un identifiant de 1 à 64 lettres sans accent, chiffres, points ou tirets est attendu."),
    "instant": _dated(_is_instant, "Un instant est attendu, comme 2026-11-21T14:00:00+01:00."),
    "markdown": text,
    "oid": _worded(_is_oid, "Un OID est attendu, comme urn:oid:1.2.250.1.213.1.4.8."),
    "string": string,
    "time": _dated(_is_time, "Une heure est attendue, comme 14:00:00."),
    "uri": _worded(_is_uri, "Une adresse (URI) sans espace est attendue."),
    "url": _worded(_is_uri, "Une adresse (URL) sans espace est attendue."),
    "uuid": _worded(_is_uuid, "Un UUID est attendu, comme urn:uuid:c757873d-ec9a-4326-a141-556f43239520."),
    "xhtml": xhtml,
    **{kind: _integer(*bounds) for kind, bounds in INTEGERS.items()},
}
