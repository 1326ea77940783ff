"""The rules of the causes of a death: the team writes them of someone whose day of death is known, and not before it.

What a partner sends of someone whom the team does not know to be dead is taken as its word: it closes nothing here.
"""

from datetime import date
from uuid import UUID

from app.access.gate import Gate
from app.features.deaths.models import Death
from app.features.deaths.schemas import DeathIn, DeathOut, DeathPatch, MyDeathOut
from app.features.situations.rooms import Room, Values, noted
from app.features.usagers.schemas import UsagerLine
from app.fhir.concepts import nested
from app.kernel.errors import Conflict, Invalid

UNKNOWN = "Notez d'abord le jour du décès dans l'identité de cette personne."


async def write(gate: Gate, usager_id: UUID, said: DeathIn) -> Death:
    """Raises Conflict while no day of death is known, or when causes stand already: they are corrected."""
    row = gate.add(Death(usager_id=usager_id, **_told(said.model_dump(), None)))
    await gate.flush()  # who may not write it is told so before being told anything of the person
    died_on = await _died_on(gate, usager_id)
    if died_on is None:
        raise Conflict(UNKNOWN, where="/causes", code="death.unknown_day")
    _check(said.noted_on, died_on)
    return row


async def correct(gate: Gate, row: Death, said: DeathPatch) -> Values:
    values = _told(said.model_dump(exclude_unset=True), row)
    if day := values.get("noted_on"):
        _check(day, await _died_on(gate, row.usager_id))
    return values


async def _died_on(gate: Gate, usager_id: UUID) -> date | None:
    """As far as the caller reads: an IDEC may correct the care of who they do not accompany, and not read their identity."""
    person = await gate.peek(UsagerLine, usager_id)
    return person.died_on if person else None


def _told(said: Values, row: Death | None) -> Values:
    told = noted(said, row, "death.future")
    return told | {"causes": nested(said["causes"])} if "causes" in said else told


def _check(noted_on: date | None, died_on: date | None) -> None:
    if noted_on and died_on and noted_on < died_on:
        raise Invalid("Les causes s'établissent après le décès.", where="/noted_on", code="death.before")


ROOM = Room(
    path="death",
    name="Death",
    body=DeathIn,
    patch=DeathPatch,
    view=DeathOut,
    mine=MyDeathOut,
    write=write,
    correct=correct,
)
