"""The person refuses that a partner or a professional reads; it wins over every consent and every team."""

from uuid import UUID

from app.access.gate import Gate
from app.access.models import Opposition
from app.access.permissions import Action, Visibility
from app.features.consents.schemas import Mine, MyOppositionIn, OppositionIn
from app.kernel.clock import today
from app.kernel.errors import Conflict, Invalid
from app.security.principal import Professional


def oppose(gate: Gate, said: OppositionIn) -> Opposition:
    """Effective in this transaction. The caller settles the gate."""
    _check_one(said)
    values = said.model_dump(exclude={"starts"})
    return gate.add(Opposition(starts=said.starts or today(), visibility=Visibility.SHARED.value, **values))


async def oppose_mine(gate: Gate, said: MyOppositionIn) -> Opposition:
    """The same, by the person's own hand."""
    _check_one(said)
    mine = await gate.get(Mine, gate.principal.id)
    whom = {"usager_id": UUID(mine.usager_id), "structure_id": UUID(mine.structure_id)}
    return oppose(gate, OppositionIn(**whom, **said.model_dump()))


async def lift(gate: Gate, id: UUID) -> Opposition:
    """From now on they may read again. Who opposed by their own hand is the only one to lift it."""
    row = await gate.entry(Opposition, id, Action.UPDATE)
    if isinstance(gate.principal, Professional) and row.author_kind == "usager":
        raise Conflict("Cette personne s'est opposée elle-même. Elle seule peut changer d'avis.", code="opposition.own")
    if row.ends is not None and row.ends <= today():
        raise Conflict("Cette opposition a déjà pris fin.", code="opposition.ended")
    return await gate.change(row, ends=max(today(), row.starts))


def _check_one(said: OppositionIn | MyOppositionIn) -> None:
    if (said.partner_id is None) == (said.professional_id is None):
        raise Invalid(
            "Dites à qui : un partenaire, ou un professionnel.", where="/partner_id", code="opposition.against_one"
        )
