"""Which rows the person gets, and with what closed (field.md §1, §5, §6): never an alert, nobody else's secrets.

Left out without a count or a date; the copy always says the same sentence about it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.access.permissions import Category, Visibility
from app.access.withholding import ENDS, Withheld
from app.audit.vocabulary import Ground
from app.vault.copy.places import AT_COURT, OTHER_PERSON, PROTECTED, PROTECTED_PLACE

FREE_TEXTS = ("text", "comment", "comments", "words", "description", "report", "notes", "synthesis", "strategy")


def given(row: Mapping[str, Any], today: date, *, care: bool) -> bool:
    """Does this row go in the copy? An unknown reason to withhold keeps it out: fail closed."""
    if row.get("held") or row.get("category") == Category.ALERT or _private(row):
        return False
    if row.get("ground") == Ground.LOI:  # asked by a judge or an inspection: the DPO tells it (field.md §6)
        return False
    if row.get("category") == Category.CARE and not care:
        return False
    if row.get("visibility") != Visibility.WITHHELD:
        return True
    reason, until = row.get("withheld_reason"), row.get("withheld_until")
    if reason in ENDS:
        return until is not None and until <= today
    return reason == Withheld.THIRD_PARTY


def closed(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with what it may not tell replaced, each by the words that say why."""
    told = dict(row)
    if row.get("visibility") == Visibility.WITHHELD and row.get("withheld_reason") == Withheld.THIRD_PARTY:
        told |= {name: OTHER_PERSON for name in FREE_TEXTS if told.get(name)} | {"extra": None}
        told |= {"text": row["shown_text"]} if row.get("shown_text") else {}
    flag, names = PROTECTED.get(table, ("", ()))
    if flag and row[flag]:
        told |= {name: PROTECTED_PLACE for name in names if told.get(name)} | {"extra": None}
    if table == "judicial_decision" and row["nature"] == "for_judge":
        told |= {"text": AT_COURT}
    return told


def _private(row: Mapping[str, Any]) -> bool:
    """What a representative wrote for the team alone: neither shared nor about a signature of theirs."""
    return row.get("author_kind") == "representative" and row.get("visibility") == Visibility.NOT_SHARED
