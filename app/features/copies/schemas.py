"""What REST hears and says of a copy asked for."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Integer, LargeBinary, literal_column

from app.access import standing
from app.access.entry import DossierView
from app.features.copies.models import CopyRequest, Part
from app.features.settings.chosen import chosen
from app.features.usagers.models import Usager
from app.kernel.fields import Body

CLOCKS = ("care_hours", "care_days", "old_care_years", "old_care_months", "rest_months")  # settings `copy.…`
HERE = "organisation_id = copy_request.organisation_id"


class CopyIn(Body):
    part: Part = Field(description="care : les soins ; old_care : ceux d'il y a longtemps ; rest : tout le reste.")


class CopyAnswerIn(Body):
    """`by_hand`: given in person, by post; `refused`: the words say why, and to whom one may turn."""

    answer: Literal["by_hand", "refused"]
    words: str | None = Field(None, min_length=1, max_length=2_000)


class MyCopyOut(DossierView, frozen=True):
    TABLE: ClassVar = CopyRequest

    part: str
    recorded_at: datetime
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
    """Where the person's dossier is held, whether who asks has the right to it (field.md §5), and the clocks there."""

    TABLE: ClassVar = Usager
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "may_ask": standing.may_answer(Usager),
        **{name: _chosen(name) for name in CLOCKS},
    }

    structure_id: str
    may_ask: bool
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
