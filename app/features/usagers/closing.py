"""What a death or a coming of age closes, in the transaction that says it (field.md §5, §7)."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, func, or_

from app.access.entry import View
from app.access.gate import Gate, Listing
from app.access.mandates import OF_A_MINOR, majority
from app.access.models import Mandate, SharingConsent
from app.features.usagers.models import Usager

MANY = 200
_SHARED = SharingConsent


class MandateLine(View, frozen=True):
    TABLE: ClassVar = Mandate

    kind: str
    starts: date
    ends: date | None


OF_USAGER = Listing(Mandate.usager_id == bindparam("usager", type_=Uuid()), usager="usager")


async def at_death(gate: Gate, usager: Usager, day: date) -> None:
    """Mandates and consents to share end, and the cards of the person and of who represents them. No message leaves."""
    open_still = and_(_SHARED.usager_id == usager.id, or_(_SHARED.ends.is_(None), _SHARED.ends > day))
    await gate.along(usager, _SHARED, open_still, ends=func.greatest(_SHARED.starts, day))
    for mandate in await gate.list(MandateLine, OF_USAGER, MANY, usager=usager.id):
        await _end(gate, mandate, day)
    await gate.take_back_cards(usager.id)


async def at_majority(gate: Gate, usager: Usager, born: date) -> None:
    """A birth date put right may bring the day forward: no mandate over a minor outlives it, nor what it allowed."""
    allowed = and_(_SHARED.usager_id == usager.id, _SHARED.lapses_on.is_not(None), _SHARED.lapses_on != majority(born))
    await gate.along(usager, _SHARED, allowed, lapses_on=majority(born))
    for mandate in await gate.list(MandateLine, OF_USAGER, MANY, usager=usager.id):
        if mandate.kind in OF_A_MINOR:
            await _end(gate, mandate, majority(born))


async def _end(gate: Gate, mandate: MandateLine, day: date) -> None:
    if mandate.ends is None or mandate.ends > day:
        row = await gate.entry(Mandate, UUID(mandate.id))
        await gate.change(row, ends=max(day, mandate.starts))
