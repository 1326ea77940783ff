"""The rules of decisions of justice: one files, another confirms; a restriction acts at once and is lifted by a chief."""

from typing import Any
from uuid import UUID

from sqlalchemy import Date, Uuid, and_, bindparam, or_, true

from app.access.acts import Act
from app.access.gate import Gate, Listing, MayNot
from app.access.models import Consigne
from app.access.permissions import Action, Kind, Visibility
from app.access.refusal import refused
from app.access.sealed import sealed
from app.features.contacts.schemas import Holder
from app.features.judicial.models import JudicialDecision, Nature
from app.features.judicial.schemas import ConsigneIn, ConsigneOut, ConsignePatch, DecisionIn, DecisionPatch, Seen
from app.kernel.clock import now, today
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import uuid7

LATEST_FIRST = ("recorded_at", "id")
ALL = Listing(true(), LATEST_FIRST)
OF_USAGER = Listing(JudicialDecision.usager_id == bindparam("usager", type_=Uuid()), LATEST_FIRST, usager="usager")
_day: Any = bindparam("day", type_=Date())
_running = and_(
    Consigne.lifted_at.is_(None), Consigne.starts <= _day, or_(Consigne.ends.is_(None), Consigne.ends > _day)
)
CONSIGNES = Listing(_running, LATEST_FIRST)
CONSIGNES_OF_USAGER = Listing(
    and_(_running, Consigne.usager_id == bindparam("usager", type_=Uuid())), LATEST_FIRST, usager="usager"
)
TERMS = frozenset({"title", "text", "decided_on"})
OF_DECISION = Listing(Consigne.decision_id == bindparam("decision", type_=Uuid()))


async def file(gate: Gate, said: DecisionIn) -> tuple[JudicialDecision, Consigne | None]:
    """Raises Invalid when a decision comes without its consigne, or a paper with one."""
    if (said.nature is Nature.NOTIFIED) != (said.consigne is not None):
        raise Invalid(
            "Une décision dit ce que chacun doit savoir : qui peut venir chercher, appeler, visiter, signer."
            if said.consigne is None
            else "Une pièce ne donne pas de consigne : seule une décision en donne une.",
            where="/consigne",
            code="judicial.consigne",
        )
    row = JudicialDecision(id=uuid7(), usager_id=said.usager_id)
    for name, value in (await sealed(gate, row, said.model_dump(exclude={"consigne"}))).items():
        setattr(row, name, value)
    gate.add(row)
    return row, await _consigne(gate, row, said.consigne) if said.consigne else None


async def _consigne(gate: Gate, decision: JudicialDecision, said: ConsigneIn) -> Consigne:
    starts = said.starts or today()
    if said.ends is not None and said.ends <= starts:
        raise Invalid("La fin vient après le début.", where="/consigne/ends", code="judicial.period")
    if said.closes_access and said.contact_id is None:
        raise Invalid("Dites de qui l'accès se ferme.", where="/consigne/contact_id", code="judicial.whom")
    if said.contact_id is not None:
        whom = await gate.get(Holder, said.contact_id)
        if whom.usager_id != str(decision.usager_id):
            raise Invalid(
                "Ce contact est celui d'une autre personne.", where="/consigne/contact_id", code="judicial.whom"
            )
    values = said.model_dump(exclude={"starts"})
    at = {"usager_id": decision.usager_id, "structure_id": decision.structure_id}
    shown = {"visibility": Visibility.NOT_SHARED.value, "consigne": True}
    return gate.add(Consigne(decision_id=decision.id, starts=starts, **values, **at, **shown))


async def confirm(gate: Gate, id: UUID, version: int, said: Seen) -> JudicialDecision:
    """With the paper in hand, by another than who said its terms or those of its consigne, confirmed with it."""
    await gate.require(Act.CONFIRM_MANDATE)
    row = await gate.entry(JudicialDecision, id, Action.UPDATE, version)
    waiting = [one for one in await gate.list(ConsigneOut, OF_DECISION, 1, decision=id) if not one.confirmed_at]
    if row.confirmed_at and not waiting:
        raise Conflict("Cette pièce est déjà confirmée.", code="judicial.confirmed")
    said_by = {str(row.author_id), str(row.entered_by), *(one.entered_by for one in waiting)}
    if str(gate.principal.id) in said_by:
        no = refused(MayNot, Act.CONFIRM_MANDATE, Kind.JUDICIAL_DECISION, [id], usager_id=row.usager_id)
        no.message, no.told = (
            "Une autre personne que celle qui l'a classée, ou changée, confirme cette pièce.",
            "judicial.same_person",
        )
        raise no
    if said.copy_seen_on > today():
        raise Invalid("Dites le jour où la pièce a été vue.", where="/copy_seen_on", code="judicial.bad_day")
    gate.tell(Act.CONFIRM_MANDATE, Kind.JUDICIAL_DECISION, [id], usager_id=row.usager_id)
    for one in waiting:
        await gate.change(await gate.entry(Consigne, UUID(one.id)), confirmed_at=now())
    return await gate.change(row, confirmed_at=now(), confirmed_by=gate.principal.id, copy_seen_on=said.copy_seen_on)


async def correct(gate: Gate, id: UUID, version: int, said: DecisionPatch) -> JudicialDecision:
    """Other terms are to be confirmed again, by another. Raises Conflict when it would show what was made for the judge."""
    row = await gate.entry(JudicialDecision, id, Action.UPDATE, version)
    told = said.model_dump(exclude_unset=True)
    if told.get("visibility") == Visibility.SHARED and row.nature == Nature.FOR_JUDGE:
        raise Conflict("Cette pièce se lit au tribunal : elle ne se montre pas ici.", code="judicial.for_judge")
    kept: dict[str, Any] = await sealed(gate, row, told)
    if told.keys() & TERMS:
        kept |= {"confirmed_at": None, "confirmed_by": None, "entered_by": gate.principal.id}
    return await gate.change(row, **kept)


async def amend(gate: Gate, id: UUID, version: int, said: ConsignePatch) -> Consigne:
    """To be confirmed again, by another. Raises Invalid when it would end before it starts."""
    row = await gate.entry(Consigne, id, Action.UPDATE, version)
    values = said.model_dump(exclude_unset=True)
    if values.get("ends") is not None and values["ends"] <= row.starts:
        raise Invalid("La fin vient après le début.", where="/ends", code="judicial.period")
    return await gate.change(row, **values, confirmed_at=None, entered_by=gate.principal.id)


async def lift(gate: Gate, id: UUID) -> Consigne:
    """From the next request it asks nothing of anybody and closes nothing. Raises MayNot, Conflict once lifted."""
    await gate.require(Act.LIFT_RESTRICTION)
    row = await gate.entry(Consigne, id, Action.UPDATE)
    if row.lifted_at:
        raise Conflict("Cette consigne est déjà levée.", code="judicial.lifted")
    gate.tell(Act.LIFT_RESTRICTION, Kind.CONSIGNE, [id], usager_id=row.usager_id)
    return await gate.change(row, lifted_at=now(), lifted_by=gate.principal.id)
