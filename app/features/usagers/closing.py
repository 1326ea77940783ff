"""What a death or a coming of age closes, in the transaction that says it (field.md §5, §7)."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Date, and_, case, func, literal, or_

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


async def at_majority(gate: Gate, births: Sequence[tuple[Usager, date]]) -> None:
    """A birth date put right may bring the day forward: no mandate over a minor outlives it, nor what it allowed.

    Each was written in this transaction with the day of birth told here; two statements, for as many as they are.
    """
    if not births:
        return
    first, m, s = births[0][0], Mandate, SharingConsent

    def day(fact: type[Mandate] | type[SharingConsent]) -> ColumnElement[date]:
        return case(*((fact.usager_id == one.id, literal(majority(born), Date())) for one, born in births))

    ids = [one.id for one, _ in births]
    longer = and_(m.usager_id.in_(ids), _over_a_minor, or_(m.ends.is_(None), m.ends > day(m)))
    await gate.along(first, m, longer, ends=func.greatest(m.starts, day(m)))
    allowed = and_(s.usager_id.in_(ids), s.lapses_on.is_not(None), s.lapses_on != day(s))
    await gate.along(first, s, allowed, lapses_on=day(s))
