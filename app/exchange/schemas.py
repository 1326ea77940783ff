"""What REST hears and says of the journal: who sent what, where it stands, whom it is about. Never its content."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import Column, ColumnElement, MetaData, Table, Text, Uuid, select

from app.access.entry import View
from app.exchange.models import Exchange
from app.kernel.fields import Body

_PARTNER = Table("partner", MetaData(), Column("organisation_id", Uuid()), Column("id", Uuid()), Column("name", Text()))
_SENDER = select(_PARTNER.c.name).where(
    _PARTNER.c.organisation_id == Exchange.organisation_id, _PARTNER.c.id == Exchange.partner_id
)


class ExchangeOut(View, frozen=True):
    TABLE: ClassVar = Exchange
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {"partner": _SENDER.scalar_subquery()}

    partner_id: str
    partner: str
    structure_id: str
    direction: str
    state: str
    ground: str | None
    outcome: str
    entries: int
    warnings: int
    recorded_at: datetime
    updated_at: datetime
    decided_by: str | None
    version: int


class Warned(msgspec.Struct, frozen=True):
    where: str
    code: str
    message: str


class RowOut(msgspec.Struct, frozen=True):
    """`waits`: the team had written since; what came is kept beside the row."""

    position: int
    type: str
    kind: str
    id: str
    version: int
    usager_id: str | None
    waits: bool
    warnings: list[Warned]


class ArrivedOut(msgspec.Struct, frozen=True):
    """Someone the bundle tells of, as its sender names them; as they stand here when it only changes or deletes them.

    `alike`: a person like them is already here; null to who may not ask it, and of who is not named.
    """

    usager_id: str
    family_name: str
    given_names: str
    birth_date: date | None
    alike: bool | None


class ExchangeWhole(msgspec.Struct, frozen=True):
    exchange: ExchangeOut
    rows: list[RowOut]
    persons: list[ArrivedOut]


class AttachIn(Body):
    """`person_id`: which of the arrived, when the bundle tells of several."""

    usager_id: UUID
    person_id: UUID | None = None


class MyExchange(View, frozen=True):
    """A bundle that tells of the person: received from a partner, or sent to one, and under what."""

    TABLE: ClassVar = Exchange
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {"partner": _SENDER.scalar_subquery()}

    partner: str
    direction: str
    ground: str | None
    recorded_at: datetime
