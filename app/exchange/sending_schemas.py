"""What the REST API hears and says when a whole dossier, or a chosen part of it, is sent to a partner."""

from datetime import datetime
from functools import lru_cache
from types import new_class
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement

from app.access.entry import DossierEntry, DossierView
from app.access.permissions import Kind
from app.exchange.grounds import stays
from app.exchange.handover_schemas import Ground
from app.kernel.fields import Body, Line, Note


class SendingIn(Body):
    """`kinds`: what to send; without them, the whole dossier. `start`, `end`: of what happened one day (`end` is the first
    moment left out). `article`: of the law, with `loi`. `reason`: with `vital`.
    """

    usager_id: UUID
    structure_id: UUID
    partner_id: UUID
    ground: Ground
    article: Line | None = None
    reason: Note | None = None
    person_informed: bool = False
    kinds: Annotated[list[Kind], Field(min_length=1, max_length=60)] | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    format: Literal["json", "xml"] = "json"


class Staying(DossierView, frozen=True):
    """A row that one reads and that does not leave."""

    why: str


@lru_cache
def staying(table: type[DossierEntry]) -> type[Staying]:
    """The view of the rows of this table that stay, and why."""
    why: dict[str, ColumnElement[Any]] = {"why": stays(table)}
    told = {"TABLE": table, "COMPUTED": why}
    return new_class(f"Staying{table.__name__}", (Staying,), {"frozen": True}, lambda own: own.update(told))


class Held(msgspec.Struct, frozen=True):
    """How many rows of a kind stay here, and why."""

    kind: str
    why: str
    words: str
    count: int


class Leaves(msgspec.Struct, frozen=True):
    type: str
    kind: str
    id: str
    version: int


class Advice(msgspec.Struct, frozen=True):
    """What a receiver could refuse, of how many resources, and what to do."""

    code: str
    message: str
    count: int


class SendingPlan(msgspec.Struct, frozen=True):
    """What would leave, and what would not: nothing has."""

    partner: str
    ground: str
    entries: int
    profiles: dict[str, int]
    rows: list[Leaves]
    staying: list[Held]
    advice: list[Advice]


class SentOut(msgspec.Struct, frozen=True):
    """What left: the manifest of the bundle. `id`: its line of the journal, which gives the bundle back."""

    id: str
    partner: str
    ground: str
    sent_at: datetime
    entries: int
    size: int
    sha256: str
    profiles: dict[str, int]
