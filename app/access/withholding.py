"""What the team keeps from the person, and until when: a closed list of reasons (field.md §6; CASF L311-3).

« Cela pourrait blesser » is not one of them. What ends does so in the policy, at 00:00 in Paris, whoever looks.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, bindparam, false, func, not_, or_

from app.access.permissions import Visibility
from app.kernel.hot import word

TODAY = bindparam("today", type_=Date())


class Withheld(StrEnum):
    THIRD_PARTY = "third_party"  # tiers nommé: the sentence is masked, not the note
    ALERT = "alert"
    PROCEDURE = "procedure"  # pièce de procédure
    DRAFT = "draft"
    MINOR_SECRET = "minor_secret"  # noqa: S105  kept from the parents, not from the child
    ANNOUNCEMENT = "announcement"  # annonce de vive voix


ENDS = (Withheld.DRAFT, Withheld.ANNOUNCEMENT)  # by itself: the others are read again that day, by someone


def told_again(row: Any) -> ColumnElement[bool]:
    """A row kept from the person that they read all the same: its day has come, or only a sentence of it is masked."""
    return and_(row.visibility == word(Visibility.WITHHELD), or_(_over(row), masked(row)))


def masked(row: Any) -> ColumnElement[bool]:
    """A sentence of it names someone else; what is told has it masked (`shown_text`)."""
    if not hasattr(row, "shown_text"):
        return false()
    third = row.withheld_reason.is_not_distinct_from(word(Withheld.THIRD_PARTY))
    return and_(third, row.shown_text.is_not(None))


def kept(row: Any) -> ColumnElement[bool]:
    """Kept from whoever is of outside: a note of which a sentence is masked is not told in part to a partner."""
    return and_(row.visibility == word(Visibility.WITHHELD), not_(_over(row)))


def _over(row: Any) -> ColumnElement[bool]:
    ends = and_(row.withheld_reason.in_([word(reason) for reason in ENDS]), row.withheld_until <= TODAY)
    return func.coalesce(ends, false())  # no reason, or no day: it is kept
