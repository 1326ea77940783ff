"""What REST hears and says of the cards that open a person's page."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

import msgspec
from pydantic import Field

from app.access.cards import Card
from app.kernel.fields import Body


class CardIn(Body):
    usager_id: UUID
    contact_id: UUID | None = Field(None, description="Qui représente la personne ; absent : la carte est la sienne.")
    own_device: bool = Field(
        False, description="Un appareil à soi : la page reste ouverte sept jours, non quinze minutes."
    )
    ends: date | None = Field(None, description="Dernier jour où la carte ouvre la page.")


class CardGiven(msgspec.Struct, frozen=True):
    """`link` and `code` are told once, when the card is given: print them on two slips. A replay tells neither."""

    id: str
    usager_id: str
    contact_id: str | None
    own_device: bool
    ends: date | None
    link: str | None
    code: str | None


class CardOut(msgspec.Struct, frozen=True):
    id: str
    usager_id: str
    contact_id: str | None
    own_device: bool
    given_by: str | None
    starts: datetime
    ends: datetime | None
    revoked_at: datetime | None
    notice_at: datetime | None
    in_force: bool

    @classmethod
    def of(cls, card: Card, at: datetime) -> Self:
        in_force = card.revoked_at is None and (card.ends is None or card.ends > at)
        return cls(**msgspec.structs.asdict(card), in_force=in_force)
