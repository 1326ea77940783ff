"""Which rows go in a copy, and with what closed (field.md §1, §5, §6): never an alert, nobody else's secrets.

Left out without a count or a date: the copy always says the same sentence about it. What is closed inside a row is said
there, by its words and by a code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.access.permissions import Category, Visibility
from app.access.withholding import ENDS, Withheld
from app.audit.vocabulary import Ground
from app.kernel.clock import PARIS
from app.vault.copy.places import AT_COURT, OTHER_PERSON, PROTECTED, PROTECTED_PLACE

MASKED, PLACE, COURT = Withheld.THIRD_PARTY.value, "protected_place", "at_court"
WORDS = {MASKED: OTHER_PERSON, PLACE: PROTECTED_PLACE, COURT: AT_COURT}
FREE_TEXTS = ("text", "comment", "comments", "words", "description", "report", "notes", "synthesis", "strategy")
WITHHELD = Visibility.WITHHELD.value
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a copy holds: care, or the care written before a day or since, and the rest. `opens`: the categories that a
    mandate opens, for `by`, the contact who represents the person; None: for the person.
    """

    care: bool
    rest: bool = True
    care_before: date | None = None
    care_since: date | None = None
    opens: frozenset[str] | None = None
    by: UUID | None = None


def given(row: Row, today: date, asked: Asked) -> bool:
    """Does this row go in the copy? An unknown reason to withhold keeps it out: fail closed."""
    if row.get("held") or row.get("category") == Category.ALERT or _private(row):
        return False
    if row.get("ground") == Ground.LOI:  # asked by a judge or an inspection: the DPO tells it (field.md §6)
        return False
    if not _of_the_part(row, asked) or (asked.opens is not None and not _opened(row, asked.opens, asked.by)):
        return False
    if row.get("visibility") != WITHHELD:
        return True
    reason, until = row.get("withheld_reason"), row.get("withheld_until")
    if reason in ENDS:
        return until is not None and until <= today
    return reason == MASKED


def closed(table: str, row: Row) -> tuple[dict[str, Any], dict[str, str]]:
    """The row with what it may not tell replaced by the words that say why; and the same why, by column, as a code."""
    codes: dict[str, str] = {}
    masked = row.get("visibility") == WITHHELD and row.get("withheld_reason") == MASKED
    if masked:
        codes |= {name: MASKED for name in FREE_TEXTS if row.get(name)}
    flag, names = PROTECTED.get(table, ("", ()))
    protected = bool(flag) and row[flag]
    if protected:
        codes |= {name: PLACE for name in names if row.get(name)}
    if table == "judicial_decision" and row["nature"] == "for_judge":
        codes |= {"text": COURT}
    told = {**row, **{name: WORDS[code] for name, code in codes.items()}}
    if masked and row.get("shown_text"):  # someone marked the sentences: the rest of the note is told
        told["text"] = row["shown_text"]
    if masked or protected:
        told["extra"] = None
    return told, codes


def as_now(table: str, then: Row, now: Row) -> dict[str, Any]:
    """An earlier version of a row, under what closes the row today: what was protected since stays so."""
    since: dict[str, Any] = {}
    flag, _ = PROTECTED.get(table, ("", ()))
    if flag and now[flag]:
        since[flag] = True
    if (
        now.get("visibility") == WITHHELD
    ):  # which sentences are masked is said of the text as it stands, not of this one
        since |= {name: now[name] for name in ("visibility", "withheld_reason", "withheld_until")}
        since["shown_text"] = None
    if table == "judicial_decision" and now["nature"] == "for_judge":
        since["nature"] = now["nature"]
    if now.get("minor_secret"):
        since["minor_secret"] = True
    return {**then, **since}


def _of_the_part(row: Row, asked: Asked) -> bool:
    if row.get("category") != Category.CARE:
        return asked.rest
    if not asked.care:
        return False
    day = row["occurred_at"].astimezone(PARIS).date()
    late = asked.care_before is not None and day >= asked.care_before
    return not late and (asked.care_since is None or day >= asked.care_since)


def _opened(row: Row, opens: frozenset[str], by: UUID | None) -> bool:
    """To who represents the person: what the mandate opens, and nothing the person keeps from them; of two parents' answers,
    each gets their own (field.md §5).
    """
    theirs = row.get("author_kind") == "usager" and row.get("visibility") == Visibility.NOT_SHARED
    if "given_by" in row and row["given_by"] not in (by, row["usager_id"]):
        return False
    return row.get("category") in opens and not row.get("minor_secret") and not theirs


def _private(row: Row) -> bool:
    """What a representative wrote for the team alone: neither shared nor about a signature of theirs."""
    return row.get("author_kind") == "representative" and row.get("visibility") == Visibility.NOT_SHARED
