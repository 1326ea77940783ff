"""What the REST API hears and says about a meal."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from app.access.entry import DossierView
from app.features.meals.models import Meal
from app.kernel.fields import Body, Code, Note

Shown = Literal["not_shared", "shared"]
UNSAID = datetime.fromisoformat("1900-01-01T00:00:00+00:00")


class MealIn(Body):
    """`type_code`: which meal, as TDDUI says it (TRE R425). `present`: is the person there for it, or will they be?"""

    usager_id: UUID
    structure_id: UUID
    occurred_at: AwareDatetime
    type_code: Code
    present: bool
    comment: Note | None = None
    status: Literal["planned", "done"] = "planned"
    visibility: Shown = "shared"


class MealPatch(Body):
    """What is left out stays."""

    occurred_at: AwareDatetime = UNSAID
    type_code: Code = ""
    present: bool = True
    comment: Note | None = None
    status: Literal["planned", "done", "cancelled"] = "planned"
    visibility: Shown = "shared"


class MealOut(DossierView, frozen=True):
    TABLE: ClassVar = Meal

    structure_id: str
    occurred_at: datetime
    type_code: str
    present: bool | None
    comment: str | None
    status: str
    status_changed_at: datetime | None
    status_author_id: str | None
    status_author_kind: str | None
    visibility: str
    author_id: str | None
    author_kind: str
    origin_partner_id: str | None
    recorded_at: datetime
    updated_at: datetime
    version: int


class MyMealOut(DossierView, frozen=True):
    """For the person, and who represents them."""

    TABLE: ClassVar = Meal

    occurred_at: datetime
    type_code: str
    present: bool | None
    status: str
