"""The cards that open a person's page: what the policy says of who gives, sees and takes them back.

A card is no row of the matrix: it follows the act `give_personal_access`, and the person, who must be within reach.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Text, Uuid, bindparam, cast, exists, literal_column, not_, null, or_, select

from app.access.acts import ACTS, Act
from app.access.facts import ORGANISATION, TODAY
from app.access.models import Mandate
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT, hands_page, usager_table
from app.access.reading import Reading
from app.access.refusal import MayNot, OutOfReach, refused
from app.audit import trail
from app.audit.vocabulary import Outcome
from app.kernel.errors import Conflict, Invalid
from app.kernel.hot import HotQuery, compiled
from app.security.models import PersonalAccess
from app.security.principal import Professional, Shape

KIND = "card"
MOST = 200  # of one person, the latest
CARD, PERSON, CONTACT = (bindparam(name, type_=Uuid()) for name in ("card", "person", "contact"))


class Card(msgspec.Struct, frozen=True):
    """What is told of a card once given: never its link, never its code."""

    id: str
    usager_id: str
    contact_id: str | None  # who represents the person; null: the person's own
    own_device: bool
    given_by: str | None
    starts: datetime
    ends: datetime | None
    revoked_at: datetime | None
    notice_at: datetime | None  # when who has the card read the notice d'information


async def may_give(reading: Reading, usager: UUID, contact: UUID | None) -> None:
    """Raises MayNot, OutOfReach for the person, Conflict once they died, Invalid for who does not represent them today."""
    _require(reading, Act.GIVE_PERSONAL_ACCESS, usager)
    asked = {"person": usager, "contact": contact}
    [(near, represents, died)] = await reading.ask(_giving(reading.principal.shape), [], 1, asked)
    if not near:
        raise refused(OutOfReach, Act.GIVE_PERSONAL_ACCESS, KIND, where="/usager_id")
    if died:
        raise Conflict(
            "Cette personne est décédée : son accès est fermé. Ses proches s'adressent à la direction.",
            where="/usager_id",
            code="card.died",
        )
    if contact and not represents:
        raise Invalid(
            "Ce contact ne représente pas la personne aujourd'hui : faites d'abord confirmer sa mesure ou sa désignation.",
            where="/contact_id",
            code="card.no_mandate",
        )


async def may_take_back(reading: Reading, card: UUID) -> UUID:
    """Whose it is. Raises MayNot, OutOfReach."""
    _require(reading, Act.TAKE_BACK_ACCESS, None)
    found = await reading.ask(_one(reading.principal.shape), [], 1, {"card": card})
    if not found:
        raise refused(OutOfReach, Act.TAKE_BACK_ACCESS, KIND)
    return UUID(found[0][0])


async def of_person(reading: Reading, usager: UUID) -> list[Card]:
    """The latest first; none when the person is out of reach. Raises MayNot."""
    await reading.require(Act.GIVE_PERSONAL_ACCESS)
    query = _theirs(reading.principal.shape)
    return [Card(*row) for row in await reading.ask(query, [], MOST, {"person": usager})]


def _require(reading: Reading, act: Act, usager: UUID | None) -> None:
    """That the role still runs is asked with the rest: out of office, nobody is within reach."""
    who = reading.principal
    if not isinstance(who, Professional) or who.role not in ACTS[act]:
        raise refused(MayNot, act, KIND, usager_id=usager)


def _near(caller: Shape) -> Any:
    usager = usager_table()
    return select(usager.id).where(hands_page(caller, usager))


@lru_cache(maxsize=SHAPES_KEPT)
def _giving(caller: Shape) -> HotQuery:
    m, usager = Mandate, usager_table()
    running = (m.starts <= TODAY, or_(m.ends.is_(None), m.ends > TODAY), m.confirmed_at.is_not(None))
    theirs = (m.organisation_id == ORGANISATION, m.contact_id == CONTACT, m.usager_id == PERSON)
    stands = exists().where(*theirs, *running, m.deleted_at.is_(None), not_(m.held))
    near = _near(caller).where(usager.id == PERSON).exists()
    died = exists().where(usager.organisation_id == ORGANISATION, usager.id == PERSON, usager.died_on.is_not(None))
    return compiled(select(near.label("near"), stands.label("stands"), died.label("died")))


@lru_cache(maxsize=SHAPES_KEPT)
def _one(caller: Shape) -> HotQuery:
    a = PersonalAccess
    whose = select(cast(a.usager_id, Text))
    return compiled(whose.where(a.organisation_id == ORGANISATION, a.id == CARD, a.usager_id.in_(_near(caller))))


@lru_cache(maxsize=SHAPES_KEPT)
def _theirs(caller: Shape) -> HotQuery:
    a, usager = PersonalAccess, usager_table()
    near = _near(caller).where(usager.id == PERSON)
    found = (
        select(
            a.id, a.usager_id, cast(null(), Text).label("ground"), a.contact_id, a.own_device, a.given_by, a.starts,
            a.ends, a.revoked_at, a.notice_at,
        )
        .where(a.organisation_id == ORGANISATION, a.usager_id.in_(near))
        .order_by(a.starts.desc(), a.id.desc())
        .limit(literal_column(str(MOST)))
        .cte("found")
    )  # fmt: skip
    traced = trail.traced(found, caller, Action.READ, KIND, Outcome.EMPTY, PERSON)
    told = [cast(c, Text) if isinstance(c.type, Uuid) else c for c in (found.c[n] for n in Card.__struct_fields__)]
    return compiled(select(*told).order_by(found.c.starts.desc(), found.c.id.desc()).add_cte(traced.cte("traced")))
