"""What the REST API hears and says about an assessment."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from pydantic import AfterValidator, AwareDatetime, Field, StrictBool, StrictInt, StringConstraints

from app.access.entry import ME, DossierView, Opens
from app.access.protection import house_hidden, not_me
from app.features.assessments import answers
from app.features.assessments.models import Assessment, AssessmentStatus
from app.features.professionals import shown
from app.features.usagers.models import Usager
from app.fhir.primitives import CHECKS
from app.kernel.fields import CONTROLS, Body, Prose

Canonical = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True, pattern=rf"^[^\s{CONTROLS}]+$")]
LinkId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=rf"^[^{CONTROLS}]+$")]
Word = Annotated[
    str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True, pattern=rf"^[^{CONTROLS}]+$")
]
AssessmentCategory = Literal["support", "care", "administrative"]
Shown = Literal["not_shared", "shared"]
Ids = Annotated[list[UUID], Field(max_length=50)]


def _as_fhir(kind: str) -> Any:
    def check(value: str) -> str:
        if CHECKS[kind](value):
            raise ValueError(kind)
        return value

    return AfterValidator(check)


def _says(value: Body) -> Body:
    """FHIR has no empty value (ele-1)."""
    if not value.model_dump(exclude_none=True):
        raise ValueError("nothing")
    return value


def _unit(value: "Quantity") -> "Quantity":
    """https://hl7.org/fhir/R4/datatypes.html#qty-3"""
    if value.code is not None and value.system is None:
        raise ValueError("no_system")
    return value


def _typed(value: "Document") -> "Document":
    """https://hl7.org/fhir/R4/datatypes.html#att-1"""
    if value.data is not None and value.content_type is None:
        raise ValueError("no_type")
    return value


class _Answer(Body):
    items: Annotated[list["ItemIn"], Field(max_length=500)] | None = None


class BooleanAnswer(_Answer):
    type: Literal["boolean"]
    value: StrictBool


class DecimalAnswer(_Answer):
    type: Literal["decimal"]
    value: Annotated[float, Field(allow_inf_nan=False)]


class IntegerAnswer(_Answer):
    type: Literal["integer"]
    value: Annotated[StrictInt, Field(ge=-(2**31), lt=2**31)]


class DateAnswer(_Answer):
    """A day, a month or a year."""

    type: Literal["date"]
    value: Annotated[str, _as_fhir("date")]


class DatetimeAnswer(_Answer):
    type: Literal["datetime"]
    value: Annotated[str, _as_fhir("dateTime")]


class TimeAnswer(_Answer):
    type: Literal["time"]
    value: Annotated[str, _as_fhir("time")]


class TextAnswer(_Answer):
    type: Literal["text"]
    value: Prose


class UrlAnswer(_Answer):
    type: Literal["url"]
    value: Canonical


class Choice(Body):
    system: Canonical | None = None
    version: Word | None = None
    code: Annotated[str, _as_fhir("code")] | None = None
    display: Word | None = None


class ChoiceAnswer(_Answer):
    type: Literal["choice"]
    value: Annotated[Choice, AfterValidator(_says)]


class Quantity(Body):
    value: Annotated[float, Field(allow_inf_nan=False)]
    comparator: Literal["<", "<=", ">=", ">"] | None = None
    unit: Word | None = None
    system: Canonical | None = None
    code: Annotated[str, _as_fhir("code")] | None = None


class QuantityAnswer(_Answer):
    type: Literal["quantity"]
    value: Annotated[Quantity, AfterValidator(_unit)]


class Target(Body):
    """A row of this server, as FHIR names it (`Practitioner/…`), or someone told by a word."""

    reference: (
        Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}$")] | None
    ) = None
    display: Word | None = None


class ReferenceAnswer(_Answer):
    type: Literal["reference"]
    value: Annotated[Target, AfterValidator(_says)]


class Document(Body):
    content_type: Word | None = None
    language: Word | None = None
    data: Annotated[str, StringConstraints(max_length=1_000_000), _as_fhir("base64Binary")] | None = None
    url: Canonical | None = None
    size: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    hash: Annotated[str, StringConstraints(max_length=100), _as_fhir("base64Binary")] | None = None
    title: Word | None = None
    creation: Annotated[str, _as_fhir("dateTime")] | None = None


class AttachmentAnswer(_Answer):
    type: Literal["attachment"]
    value: Annotated[Document, AfterValidator(_says), AfterValidator(_typed)]


Answer = Annotated[
    BooleanAnswer | DecimalAnswer | IntegerAnswer | DateAnswer | DatetimeAnswer | TimeAnswer | TextAnswer | UrlAnswer
    | ChoiceAnswer | QuantityAnswer | ReferenceAnswer | AttachmentAnswer,
    Field(discriminator="type"),
]  # fmt: skip


class ItemIn(Body):
    """One question of the grid, by its linkId. Without `text`, the words of the grid."""

    link_id: LinkId
    text: Prose | None = None
    comment: Prose | None = None
    answers: Annotated[list[Answer], Field(min_length=1, max_length=100)] | None = None
    items: Annotated[list["ItemIn"], Field(max_length=500)] | None = None


Items = Annotated[list[ItemIn], Field(min_length=1, max_length=500)]


class _Filled(Body):
    method: Prose | None = None
    comment: Prose | None = None
    event_id: UUID | None = None
    attachment_ids: Ids | None = None
    responsible_id: UUID | None = None


class AssessmentIn(_Filled):
    """`questionnaire` is the canonical of the grid, `url|version`. `self_assessment`: the usager answered; else
    `assessor_id` did, a professional, or who writes. `holder_id`: whom a self-assessment is given to, else the structure.

    Without `category`, support for SERAFIN-PH and care for the other grids; without `visibility`, shared but for care.
    """

    usager_id: UUID
    structure_id: UUID
    questionnaire: Canonical
    items: Items
    assessed_at: AwareDatetime | None = None
    category: AssessmentCategory | None = None
    visibility: Shown | None = None
    self_assessment: bool = False
    assessor_id: UUID | None = None
    holder_id: UUID | None = None


class AssessmentPatch(_Filled):
    """What is left out stays. `items` take the place of those before, while the assessment is not validated."""

    items: Items = Field(default_factory=list)
    assessed_at: AwareDatetime | None = None
    status: AssessmentStatus = AssessmentStatus.DONE
    visibility: Shown = "not_shared"


class MyAssessmentIn(Body):
    """What I think of my own needs."""

    questionnaire: Canonical
    items: Items
    comment: Prose | None = None


# To who represents the person, in a protected house: what is written freely may name it.
WORDLESS = not_me(Assessment) & house_hidden(Assessment)


class _Told(DossierView, frozen=True):
    TABLE: ClassVar = Assessment

    def told_by(self, gate: Opens) -> Any:
        told = msgspec.structs.asdict(self)
        return {**told, "items": msgspec.Raw(told["items"].encode())}


class AssessmentOut(_Told, frozen=True):
    structure_id: str
    questionnaire: str
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    status_author_kind: str | None
    assessed_at: datetime | None
    occurred_at: datetime
    assessor_id: str | None
    assessor_kind: str | None
    assessor_name: str | None
    responsible_id: str | None
    responsible_kind: str | None
    responsible_name: str | None
    recorder_id: str | None
    recorder_kind: str | None
    recorder_name: str | None
    holder_id: str | None
    event_id: str | None
    method: str | None
    comment: str | None
    attachment_ids: list[str] | None
    items: str
    category: str
    visibility: str
    withheld_reason: str | None
    withheld_until: date | None
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int


class MyAssessmentOut(_Told, frozen=True):
    """As the person, or who represents them, reads it: who made it by role. `mine`: the reader wrote it.

    In a protected house, who represents them is told what is ticked, counted or dated, and no words.
    """

    COMPUTED: ClassVar = {
        "assessor_role": shown.role("assessment", "assessor_id"),
        "mine": Assessment.author_id == ME,
        "wordless": WORDLESS,
    }

    questionnaire: str
    status: str
    assessed_at: datetime | None
    occurred_at: datetime
    assessor_kind: str | None
    comment: str | None
    items: str
    version: int
    assessor_role: str | None = None
    mine: bool = True  # just added, it is
    wordless: bool = False

    def told_by(self, gate: Opens) -> Any:
        told = {**super().told_by(gate)}
        if told.pop("wordless"):
            items = answers.written(answers.without_words(answers.read(self.items)))
            told |= {"comment": None, "items": msgspec.Raw(items.encode())}
        return told


class Whose(DossierView, frozen=True):
    """Where the dossier of a person is held."""

    TABLE: ClassVar = Usager

    structure_id: str
