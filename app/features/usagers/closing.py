"""What a death or a coming of age closes, in the transaction that says it (field.md §5, §7)."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Uuid, bindparam

from app.access.entry import View
from app.access.gate import Gate, Listing
from app.access.mandates import OF_A_MINOR, majority
from app.access.models import Mandate
from app.features.usagers.models import Usager

MANY = 200


class MandateLine(View, frozen=True):
    TABLE: ClassVar = Mandate

    kind: str
    starts: date
    ends: date | None


OF_USAGER = Listing(Mandate.usager_id == bindparam("usager", type_=Uuid()), usager="usager")


async def at_death(gate: Gate, usager: Usager, day: date) -> None:
    """Mandates end, and the cards of the person and of who represents them. No message leaves."""
    for mandate in await gate.list(MandateLine, OF_USAGER, MANY, usager=usager.id):
        await _end(gate, mandate, day)
    await gate.take_back_cards(usager.id)


async def at_majority(gate: Gate, usager: Usager, born: date) -> None:
    """A birth date put right may bring the day forward: no mandate over a minor outlives it."""
    for mandate in await gate.list(MandateLine, OF_USAGER, MANY, usager=usager.id):
        if mandate.kind in OF_A_MINOR:
            await _end(gate, mandate, majority(born))


async def _end(gate: Gate, mandate: MandateLine, day: date) -> None:
    if mandate.ends is None or mandate.ends > day:
        row = await gate.entry(Mandate, UUID(mandate.id))
        await gate.change(row, ends=max(day, mandate.starts))
