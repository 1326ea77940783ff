"""« Donner un accès »: a link, and on another slip a code, for the person or for who represents them (design: portal.md)."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from app.access import cards
from app.access.acts import Act
from app.access.gate import Gate
from app.features.access_cards.schemas import CardGiven, CardIn
from app.kernel.clock import PARIS, today
from app.kernel.errors import Invalid
from app.kernel.ids import uuid7


async def give(gate: Gate, said: CardIn, origin: str) -> CardGiven:
    """Raises MayNot, OutOfReach, or Invalid: a day gone by, a contact who represents nobody here."""
    if said.ends and said.ends < today():
        raise Invalid("Ce jour est passé : la carte n'ouvrirait rien.", where="/ends", code="card.past")
    await cards.may_give(gate, said.usager_id, said.contact_id)
    id, until = uuid7(), _end_of(said.ends) if said.ends else None
    link, code = await gate.give_card(id, said.usager_id, said.contact_id, until, own_device=said.own_device)
    gate.tell(Act.GIVE_PERSONAL_ACCESS, cards.KIND, [id], usager_id=said.usager_id)
    return told(id, said, f"{origin}/p/{link}", code)


async def take_back(gate: Gate, id: UUID) -> None:
    """What it had opened ends at the next request. Raises MayNot, OutOfReach."""
    usager = await cards.may_take_back(gate, id)
    await gate.take_back_card(id)
    gate.tell(Act.TAKE_BACK_ACCESS, cards.KIND, [id], usager_id=usager)


def told(id: UUID, said: CardIn, link: str | None = None, code: str | None = None) -> CardGiven:
    contact = str(said.contact_id) if said.contact_id else None
    return CardGiven(str(id), str(said.usager_id), contact, said.own_device, said.ends, link, code)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), PARIS)
