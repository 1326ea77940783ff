"""What each has said so far on a question, and who may say it: read beside the question, in one statement.

Nothing of this leaves as it is: one parent never hears what the other answered (field.md §5).
"""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, case, cast, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from app.access import standing
from app.access.entry import ME, DossierView, word
from app.access.models import Opposition, SharingConsent
from app.features.consents.models import ConsentAnswer

ONE: ColumnElement[Any] = literal_column("1")
SAID = aliased(ConsentAnswer, name="said")
_against = aliased(Opposition, name="made_by_no")
_answers = (SAID.organisation_id == SharingConsent.organisation_id, SAID.consent_id == SharingConsent.id)

# Allowed while the person was a minor: they are of age, nothing is open under it, and they are asked (field.md §5).
LAPSED = and_(SharingConsent.answer == word("yes"), SharingConsent.lapses_on <= standing.TODAY)
STANDS: ColumnElement[Any] = case((LAPSED, word("asked")), else_=SharingConsent.answer)
PARENTS = standing.parents(SharingConsent)
DECIDERS = standing.deciders(SharingConsent)
MINOR = standing.minor(SharingConsent)
FOR_ANOTHER = standing.for_another(SharingConsent)  # they see their own answer and the person's, nobody else's


def last_of(giver: Any, column: Any) -> Any:
    """What this giver said last on the question."""
    latest = select(column).where(*_answers, SAID.given_by == giver).correlate(SharingConsent)
    return latest.order_by(SAID.recorded_at.desc(), SAID.id.desc()).limit(ONE).scalar_subquery()


def _list(of: Select[Any]) -> ColumnElement[Any]:
    return func.array(of.scalar_subquery(), type_=ARRAY(Text()))


MY_ANSWER = last_of(ME, SAID.answer)
MY_ANSWER_AT = last_of(ME, SAID.recorded_at)
PERSON_ANSWER = last_of(SharingConsent.usager_id, SAID.answer)
PERSON_ANSWER_AT = last_of(SharingConsent.usager_id, SAID.recorded_at)


# To a parent, the row changes when they or the person answer: an answer of the other would tell itself by its version.
_others_said = (
    select(func.count())
    .where(*_answers, SAID.given_by != ME, SAID.given_by != SharingConsent.usager_id)
    .correlate(SharingConsent)
    .scalar_subquery()
)
MY_VERSION = SharingConsent.version - _others_said
MY_CHANGE = func.greatest(MY_ANSWER_AT, PERSON_ANSWER_AT, SharingConsent.recorded_at)


class Standing(DossierView, frozen=True):
    TABLE: ClassVar = SharingConsent
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "born": standing.born(SharingConsent),
        "dead": standing.dead(SharingConsent),
        "parents": _list(PARENTS),
        "awaited": standing.awaited(SharingConsent),
        "deciders": _list(DECIDERS),
        "last": _list(
            select(
                cast(SAID.given_by, Text)
                + literal_column("' '")
                + SAID.answer
                + func.coalesce(literal_column("' '") + cast(SAID.noted_by, Text), literal_column("''"))
            )
            .ext(distinct_on(SAID.given_by))
            .where(*_answers)
            .correlate(SharingConsent)
            .order_by(SAID.given_by, SAID.recorded_at.desc(), SAID.id.desc())
        ),
        "opposition_id": select(_against.id)
        .where(
            _against.organisation_id == SharingConsent.organisation_id,
            _against.consent_id == SharingConsent.id,
            or_(_against.ends.is_(None), _against.ends > standing.TODAY),
            _against.deleted_at.is_(None),
        )
        .correlate(SharingConsent)
        .limit(ONE)
        .scalar_subquery(),
    }

    born: date | None
    dead: bool
    parents: list[str]
    awaited: bool  # a parent whose authority is entered and not yet confirmed
    deciders: list[str]
    last: list[str]  # `giver answer`, and who noted it when the giver did not answer by themselves
    opposition_id: str | None
