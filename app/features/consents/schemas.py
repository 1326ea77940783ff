"""What the REST API hears and says about questions, answers and oppositions."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import ColumnElement, Text, Uuid, and_, case, cast, column, func, or_, select, table

from app.access.entry import ME, DossierView, word
from app.access.models import Opposition, SharingConsent
from app.features.consents.models import ConsentAnswer, MinorAct, QuestionKind
from app.features.consents.standing import (
    DECIDERS,
    FOR_ANOTHER,
    LAPSED,
    MINOR,
    MY_ANSWER,
    MY_ANSWER_AT,
    PARENTS,
    PERSON_ANSWER,
    PERSON_ANSWER_AT,
    SAID,
    STANDS,
    last_of,
)
from app.features.usagers.models import Usager
from app.kernel.fields import Body, Line, written

Sentence = Annotated[str, written(600)]
Wording = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SharedCategory = Literal["administrative", "support", "care"]  # judicial papers and alerts are never shared by consent
SharedKind = Literal[
    "usager", "usager_identifier", "contact", "stay", "emergency_sheet", "transmission", "event", "presence", "meal",
    "transport", "project", "life_project", "school_period", "mobility", "death", "orientation_request", "orientation_decision",
    "assessment", "kept_resource",
]  # fmt: skip
Said = Literal["yes", "no", "talk"]
PARTNER = table("partner", column("organisation_id", Uuid()), column("id", Uuid()), column("name", Text()))


class ConsentIn(Body):
    """A question to the person. `partage` names the partner and what would be read; `project` means it and its parts.

    Without `kinds`, all of these categories. `act`: who answers for a minor; always `non_usuel`, hence both parents, for
    `partage` and `image`; without it `usuel`, one parent, for `autre`. `about`: what an `autre` would open.
    """

    usager_id: UUID
    structure_id: UUID
    kind: QuestionKind
    about: Literal["evaluation"] | None = None
    question: Sentence
    if_yes: Sentence
    if_no: Sentence
    partner_id: UUID | None = None
    categories: Annotated[list[SharedCategory], Field(max_length=3)] = Field(default_factory=list)
    kinds: Annotated[list[SharedKind], Field(min_length=1, max_length=20)] | None = None
    data_from: date | None = None
    data_until: date | None = None
    starts: date | None = None
    ends: date | None = None
    act: MinorAct | None = None


class ConsentPatch(Body):
    """The sentences change while nobody has answered; `ends` is only brought forward after that.

    `cannot_express`: a professional notes today that, on this question, the person cannot express their will.
    """

    question: Sentence | None = None
    if_yes: Sentence | None = None
    if_no: Sentence | None = None
    ends: date | None = None
    cannot_express: bool | None = None


class NotedIn(Body):
    """What the person said, noted for them; or, with `contact_id`, what their representative said."""

    answer: Said
    contact_id: UUID | None = None
    assisted_by: Line | None = None


class AnswerIn(Body):
    """`wording_sha256`: the question as it was shown, asked with a « oui »."""

    answer: Said
    wording_sha256: Wording | None = None


class GuardianIn(Body):
    """What the ASE or the house answers for a minor, to who notes it. `contact_id`: who spoke for the ASE."""

    answer: Said
    by: Literal["ase", "house"]
    contact_id: UUID | None = None


class ConfirmIn(Body):
    """« C'est bien ça ? »"""

    right: bool


class OppositionIn(Body):
    usager_id: UUID
    structure_id: UUID
    partner_id: UUID | None = None
    professional_id: UUID | None = None
    starts: date | None = None


class MyOppositionIn(Body):
    partner_id: UUID | None = None
    professional_id: UUID | None = None


def _partner_name(row: Any) -> ColumnElement[Any]:
    mine = (PARTNER.c.organisation_id == row.organisation_id, PARTNER.c.id == row.partner_id)
    return select(PARTNER.c.name).where(*mine).scalar_subquery()


class ConsentOut(DossierView, frozen=True):
    """For staff: where the answers stand."""

    TABLE: ClassVar = SharingConsent
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {"answer": STANDS}

    structure_id: str
    author_id: str | None
    kind: str
    about: str | None
    question: str
    if_yes: str
    if_no: str
    wording_sha256: str | None
    partner_id: str | None
    categories: list[str]
    kinds: list[str] | None
    data_from: date | None
    data_until: date | None
    starts: date
    ends: date | None
    act: str
    lapses_on: date | None
    cannot_express_on: date | None
    cannot_express_by: str | None
    answer: str
    answered_at: datetime | None
    answered_by_kind: str | None
    noted_by: str | None
    assisted_by: str | None
    confirmed_at: datetime | None
    withdrawn_at: datetime | None
    occurred_at: datetime
    recorded_at: datetime
    updated_at: datetime
    version: int


def to_me(of_mine: Any, of_all: Any) -> ColumnElement[Any]:
    return case((FOR_ANOTHER, of_mine), else_=of_all)


class MyConsentOut(DossierView, frozen=True):
    """For the person and who represents them. `answer` is what stands for the reader: a parent sees only their own."""

    TABLE: ClassVar = SharingConsent
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "partner_name": _partner_name(SharingConsent),
        "answer": to_me(func.coalesce(MY_ANSWER, word("asked")), STANDS),
        "answered_at": to_me(MY_ANSWER_AT, SharingConsent.answered_at),
        "answered_by_kind": to_me(word("representative"), SharingConsent.answered_by_kind),
        "noted_by": to_me(last_of(ME, SAID.noted_by), SharingConsent.noted_by),
        "assisted_by": to_me(last_of(ME, SAID.assisted_by), SharingConsent.assisted_by),
        "to_confirm": and_(
            SharingConsent.usager_id == ME,
            SharingConsent.answered_by_kind == word("professional"),
            SharingConsent.confirmed_at.is_(None),
        ),
        "lapsed": and_(LAPSED, SharingConsent.usager_id == ME),
        "person_answer": PERSON_ANSWER,
        "person_answered_at": PERSON_ANSWER_AT,
        "may_answer": or_(
            SharingConsent.usager_id == ME,
            and_(MINOR, SharingConsent.act != word(MinorAct.GARDIEN), cast(ME, Text).in_(PARENTS)),
            and_(~MINOR, SharingConsent.cannot_express_on.is_not(None), cast(ME, Text).in_(DECIDERS)),
        ),
    }

    kind: str
    question: str
    if_yes: str
    if_no: str
    wording_sha256: str | None
    partner_id: str | None
    partner_name: str | None
    categories: list[str]
    kinds: list[str] | None
    starts: date
    ends: date | None
    act: str
    author_id: str | None
    occurred_at: datetime
    answer: str
    answered_at: datetime | None
    answered_by_kind: str | None
    noted_by: str | None
    assisted_by: str | None
    to_confirm: bool
    lapsed: bool  # allowed for them while they were a minor; nothing is open under it until they say so
    person_answer: str | None
    person_answered_at: datetime | None
    may_answer: bool


class AnswerOut(DossierView, frozen=True):
    TABLE: ClassVar = ConsentAnswer

    consent_id: str
    answer: str
    given_by: str
    given_by_kind: str
    noted_by: str | None
    assisted_by: str | None
    wording_sha256: str | None
    consent_version: int
    recorded_at: datetime


class OppositionOut(DossierView, frozen=True):
    TABLE: ClassVar = Opposition

    structure_id: str
    author_id: str | None
    author_kind: str
    partner_id: str | None
    professional_id: str | None
    consent_id: str | None
    starts: date
    ends: date | None
    recorded_at: datetime
    updated_at: datetime
    version: int


class Mine(DossierView, frozen=True):
    """The structure that holds the caller's own dossier."""

    TABLE: ClassVar = Usager

    structure_id: str
