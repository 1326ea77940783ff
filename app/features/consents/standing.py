"""Who may answer a question, and what each has said so far: read beside the question, in one statement.

Nothing of this leaves as it is: one parent never hears what the other answered (field.md §5).
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

from sqlalchemy import ARRAY, ColumnElement, Date, Select, Text, bindparam, cast, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from app.access.entry import ME, DossierView, word
from app.access.mandates import OF_A_MINOR, Effect, MandateKind, Scope
from app.access.models import Mandate, Opposition, SharingConsent
from app.features.consents.models import ConsentAnswer
from app.features.usagers.models import Usager

NEVER_ANSWERS = (MandateKind.SUBROGE,)  # watches over who represents, C. civ. 454
TODAY = bindparam("today", type_=Date())
ONE: ColumnElement[Any] = literal_column("1")

SAID = aliased(ConsentAnswer, name="said")
_held = aliased(Mandate, name="stands_for")
_against = aliased(Opposition, name="made_by_no")


def _list(of: Select[Any]) -> ColumnElement[Any]:
    return func.array(of.scalar_subquery(), type_=ARRAY(Text()))


def _mandates() -> Select[Any]:
    """Who represents this person for what concerns the person, by a confirmed decision that runs today."""
    m = _held
    mine = (m.organisation_id == SharingConsent.organisation_id, m.usager_id == SharingConsent.usager_id)
    runs = (m.starts <= TODAY, or_(m.ends.is_(None), m.ends > TODAY), m.confirmed_at.is_not(None))
    covers = (m.scope.in_(_words((Scope.PERSONNE, Scope.BOTH))), m.effect == word(Effect.REPRESENTATION))
    found = select(cast(m.contact_id, Text)).where(*mine, *runs, *covers, m.deleted_at.is_(None), m.held.is_(False))
    return found.correlate(SharingConsent)


def _words(words: Iterable[str]) -> list[ColumnElement[str]]:
    return [word(w) for w in sorted(words)]


PARENTS = _mandates().where(_held.kind.in_(_words(OF_A_MINOR)))
DECIDERS = _mandates().where(_held.kind.not_in(_words({*OF_A_MINOR, *NEVER_ANSWERS})))
_answers = (
    SAID.organisation_id == SharingConsent.organisation_id,
    SAID.consent_id == SharingConsent.id,
)
BORN = (
    select(Usager.birth_date)
    .where(Usager.organisation_id == SharingConsent.organisation_id, Usager.id == SharingConsent.usager_id)
    .scalar_subquery()
)
MINOR = func.coalesce(BORN > cast(TODAY - literal_column("interval '18 years'"), Date()), literal_column("false"))


def last_of(giver: Any, column: Any) -> Any:
    """What this giver said last on the question."""
    latest = select(column).where(*_answers, SAID.given_by == giver).correlate(SharingConsent)
    return latest.order_by(SAID.recorded_at.desc(), SAID.id.desc()).limit(ONE).scalar_subquery()


MY_ANSWER = last_of(ME, SAID.answer)
MY_ANSWER_AT = last_of(ME, SAID.recorded_at)
PERSON_ANSWER = last_of(SharingConsent.usager_id, SAID.answer)
PERSON_ANSWER_AT = last_of(SharingConsent.usager_id, SAID.recorded_at)


class Standing(DossierView, frozen=True):
    TABLE: ClassVar = SharingConsent
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "born": BORN,
        "parents": _list(PARENTS),
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
            or_(_against.ends.is_(None), _against.ends > TODAY),
            _against.deleted_at.is_(None),
        )
        .correlate(SharingConsent)
        .limit(ONE)
        .scalar_subquery(),
    }

    born: date | None
    parents: list[str]
    deciders: list[str]
    last: list[str]  # `giver answer`, and who noted it when the giver did not answer by themselves
    opposition_id: str | None
