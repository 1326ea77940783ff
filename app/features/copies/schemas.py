"""What REST hears and says of a copy asked for."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import ARRAY, ColumnElement, Integer, LargeBinary, Text, func, literal_column

from app.access import standing
from app.access.entry import DossierView
from app.features.copies.models import AskedHow, CopyRequest, Part
from app.features.settings.chosen import chosen
from app.features.usagers.models import Usager
from app.kernel.fields import Body

CLOCKS = ("care_hours", "care_days", "old_care_years", "old_care_months", "rest_months")  # settings `copy.…`
HERE = "organisation_id = copy_request.organisation_id"


class CopyIn(Body):
    part: Part = Field(description="care : les soins ; old_care : ceux d'il y a longtemps ; rest : tout le reste.")


class CopyAskedIn(CopyIn):
    """What the person, or with `contact_id` who represents them by right, asked a professional."""

    usager_id: UUID
    contact_id: UUID | None = None
    how: AskedHow = Field(description="oral : de vive voix ; phone ; letter ; email.")
    asked_at: AwareDatetime | None = Field(None, description="Quand. Absent : maintenant. Les délais partent de là.")


class CopyAnswerIn(Body):
    """`by_hand`: given in person, by post; `refused`: the words say why, and to whom one may turn."""

    answer: Literal["by_hand", "refused"]
    words: str | None = Field(None, min_length=1, max_length=2_000)


class MyCopyOut(DossierView, frozen=True):
    TABLE: ClassVar = CopyRequest

    part: str
    recorded_at: datetime
    asked_how: str | None
    asked_at: datetime | None
    due_on: date
    not_before: datetime | None
    answer: str | None
    words: str | None
    answered_at: datetime | None
    version: int


class CopyOut(DossierView, frozen=True):
    TABLE: ClassVar = CopyRequest

    structure_id: str
    author_id: str
    author_kind: str
    part: str
    recorded_at: datetime
    entered_by: str | None
    asked_how: str | None
    asked_at: datetime | None
    due_on: date
    not_before: datetime | None
    care_signed_by: str | None
    care_signed_at: datetime | None
    answer: str | None
    words: str | None
    answered_by: str | None
    answered_at: datetime | None
    version: int


def _chosen(key: str) -> ColumnElement[Any]:
    return literal_column(f"({chosen(f'copy.{key}', 'usager')})::int", Integer())


class Asking(DossierView, frozen=True):
    """Where the person's dossier is held, whether who asks has the right to it, which contacts have it, and the clocks
    there.
    """

    TABLE: ClassVar = Usager
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "may_ask": standing.may_answer(Usager),
        "by_right": func.array(standing.by_right(Usager).scalar_subquery(), type_=ARRAY(Text())),
        **{name: _chosen(name) for name in CLOCKS},
    }

    structure_id: str
    may_ask: bool
    by_right: list[str]
    care_hours: int
    care_days: int
    old_care_years: int
    old_care_months: int
    rest_months: int


def _file(column: str) -> ColumnElement[Any]:
    told = f"(SELECT f.{column} FROM copy_file f WHERE f.{HERE} AND f.request_id = copy_request.id)"  # noqa: S608
    return literal_column(told, LargeBinary())


class Taken(DossierView, frozen=True):
    """The copy itself, as it is kept."""

    TABLE: ClassVar = CopyRequest
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "page": _file("page"),
        "data": _file("data"),
        "wrapped": literal_column(
            f"(SELECT k.wrapped FROM usager_key k WHERE k.{HERE} AND k.usager_id = copy_request.usager_id)",  # noqa: S608
            LargeBinary(),
        ),
    }

    part: str
    care_signed_by: str | None
    page: bytes | None
    data: bytes | None
    wrapped: bytes | None
