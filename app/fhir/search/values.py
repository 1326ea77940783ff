"""How a search value is read: a comma is "or", a date is an interval, a reference leads here or nowhere.

Source: https://hl7.org/fhir/R4/search.html
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from app.kernel.clock import PARIS, now

ALTERNATIVES_MOST = 100  # of one parameter
NO_MOMENT = "une date est attendue, comme 2026-11-21 ou 2026-11-21T14:00:00+01:00"
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
ABOUT = 0.1  # of the time from now: https://hl7.org/fhir/R4/search.html#prefix
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_DATE = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:T(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<part>\d{1,9}))?)?"
    r"(?P<zone>Z|[+ -]\d{2}:\d{2})?)?)?)?",
    re.ASCII,
)


_ESCAPED = re.compile(r"\\([,$|\\])")


class BadValue(ValueError):
    """A sentence that says what was expected, never what came."""


def split(text: str, mark: str) -> list[str]:
    r"""Where `mark` stands without `\` before it; what is escaped stays so."""
    if "\\" not in text:
        return text.split(mark)
    pieces, escaped = [""], False
    for char in text:
        if char == mark and not escaped:
            pieces.append("")
            continue
        pieces[-1] += char
        escaped = char == "\\" and not escaped
    return pieces


def plain(piece: str) -> str:
    r"""`a\,b` → `a,b`. https://hl7.org/fhir/R4/search.html#escaping"""
    return _ESCAPED.sub(r"\1", piece) if "\\" in piece else piece


def several(text: str) -> list[str]:
    """Alternatives, their escapes left. Raises BadValue: an empty one, or too many."""
    pieces = split(text, ",")
    if not all(pieces):
        raise BadValue("une valeur manque")
    if len(pieces) > ALTERNATIVES_MOST:
        raise BadValue(f"{ALTERNATIVES_MOST} valeurs au plus")
    return pieces


def alternatives(text: str) -> list[str]:
    r"""`a,b\,c` → `a`, `b,c`. Raises BadValue."""
    return [plain(piece) for piece in several(text)]


def tokens(text: str) -> list[tuple[str | None, str]]:
    """`system|code` of each alternative: the system asked for (None: any; empty: none), and the code (empty: any).

    Raises BadValue.
    """
    return [token(piece) for piece in several(text)]


def token(piece: str) -> tuple[str | None, str]:
    """Of one alternative, its escapes left. Raises BadValue when it says neither."""
    *system, code = split(piece, "|")
    if not code and not any(system):
        raise BadValue("un code est attendu, seul ou comme système|code")
    return plain("|".join(system)) if system else None, plain(code)


@dataclass(frozen=True, slots=True)
class Moment:
    """`[low, high)`, and how it is compared."""

    prefix: str
    low: datetime
    high: datetime


def one_moment(text: str) -> Moment:
    """The same, where no comparison is made. Raises BadValue."""
    if not _DATE.fullmatch(text):
        raise BadValue(NO_MOMENT)
    return moment_of(text)


def moment_of(text: str) -> Moment:
    """`ge2024-05`, `2024-05-03T10:00+02:00` → what it covers; without a zone: Paris. Raises BadValue."""
    told = _DATE.fullmatch(text)
    prefix = (told["prefix"] if told else None) or "eq"
    if told is None or prefix not in PREFIXES:
        raise BadValue("une date est attendue, comme 2026-11-21, ge2026-11 ou 2026-11-21T14:00:00+01:00")
    try:
        low, high = _covered(told)
        if prefix == "ap":
            margin = abs(now() - low) * ABOUT
            low, high = low - margin, high + margin
        return Moment(prefix, _utc(low), _utc(high))
    except (ValueError, OverflowError) as exc:
        raise BadValue("cette date n'existe pas") from exc


def _covered(told: re.Match[str]) -> tuple[datetime, datetime]:
    year, month, day = (int(told[name]) if told[name] else None for name in ("year", "month", "day"))
    if month is None or year is None:
        return _midnight(date(int(told["year"]), 1, 1)), _first_of(int(told["year"]) + 1, 1)
    if day is None:
        return _midnight(date(year, month, 1)), _first_of(year + month // 12, month % 12 + 1)
    if told["hour"] is None:
        whole = date(year, month, day)
        return _midnight(whole), LAST if whole == date.max else _midnight(whole + timedelta(days=1))
    low = datetime(year, month, day, int(told["hour"]), int(told["minute"]), int(told["second"] or 0), tzinfo=PARIS)
    width = timedelta(seconds=1) if told["second"] else timedelta(minutes=1)
    if told["part"]:
        low += timedelta(microseconds=int(told["part"].ljust(6, "0")[:6]))
        width = timedelta(microseconds=10 ** max(0, 6 - len(told["part"])))
    if told["zone"]:
        low = low.replace(tzinfo=datetime.fromisoformat("2000-01-01T00:00" + told["zone"].replace(" ", "+")).tzinfo)
    low = _utc(low)  # the width is of real time, whatever the clock did
    return low, LAST if LAST - low < width else low + width


def _first_of(year: int, month: int) -> datetime:
    return LAST if year > date.max.year else _midnight(date(year, month, 1))


def _utc(moment: datetime) -> datetime:
    """The first day of all begins in Paris before it does in UTC; the last ends after, further west."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return FIRST if moment.year == FIRST.year else LAST


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=PARIS)


def uuid_of(text: str) -> UUID | None:
    """An id of ours as we write it; a FHIR id that is none of ours leads nowhere."""
    return UUID(text) if _UUID.fullmatch(text) else None


def id_in(reference: str, type_name: str, origin: str) -> UUID | None:
    """`Patient/x`, `x`, or our own absolute address of it → its id; None when it leads elsewhere. Raises BadValue."""
    local = reference.removeprefix(f"{origin}/fhir/")
    if "://" in local or local.startswith("urn:"):
        return None
    if "/_history/" in local:
        raise BadValue("une référence se cherche sans sa version : retirez /_history et ce qui suit")
    kind, slash, id = local.rpartition("/")
    if not ID.fullmatch(id) or (slash and not _TYPE.fullmatch(kind)):
        raise BadValue(f"une référence est attendue, comme {type_name}/ suivi d'un identifiant")
    return uuid_of(id) if kind in ("", type_name) else None
