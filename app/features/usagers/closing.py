"""What a death or a coming of age closes, in the transaction that says it (field.md §5, §7)."""

from datetime import date

from sqlalchemy import and_, func, or_

from app.access.entry import word
from app.access.gate import Gate
from app.access.mandates import OF_A_MINOR, majority
from app.access.models import Mandate, SharingConsent
from app.features.usagers.models import Usager

_over_a_minor = Mandate.kind.in_([word(kind) for kind in sorted(OF_A_MINOR)])


async def at_death(gate: Gate, usager: Usager, day: date) -> None:
    """Mandates and consents end, and the cards of the person and of who represents them. No message leaves.

    `usager` was written in this transaction: by the team, or by a bundle that was accepted.
    """
    for fact in (Mandate, SharingConsent):
        open_still = and_(fact.usager_id == usager.id, or_(fact.ends.is_(None), fact.ends > day))
        await gate.along(usager, fact, open_still, ends=func.greatest(fact.starts, day))
    await gate.take_back_cards(usager.id)


async def at_majority(gate: Gate, usager: Usager, born: date) -> None:
    """A birth date put right may bring the day forward: no mandate over a minor outlives it, nor what it allowed."""
    day = majority(born)
    longer = and_(Mandate.usager_id == usager.id, _over_a_minor, or_(Mandate.ends.is_(None), Mandate.ends > day))
    await gate.along(usager, Mandate, longer, ends=func.greatest(Mandate.starts, day))
    s = SharingConsent
    allowed = and_(s.usager_id == usager.id, s.lapses_on.is_not(None), s.lapses_on != day)
    await gate.along(usager, s, allowed, lapses_on=day)
