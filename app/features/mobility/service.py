"""The rules of how a person moves about: something is said of it, and of a day that has come."""

from uuid import UUID

from app.access.gate import Gate
from app.features.mobility.models import Mobility
from app.features.mobility.schemas import MobilityIn, MobilityOut, MobilityPatch, MyMobilityOut
from app.features.situations.rooms import Room, Values, noted
from app.fhir.concepts import nested
from app.kernel.errors import Invalid

TELLS = ("mode", "mode_label", "details")


async def write(gate: Gate, usager_id: UUID, said: MobilityIn) -> Mobility:
    return gate.add(Mobility(usager_id=usager_id, **_checked(said.model_dump(), None)))


async def correct(gate: Gate, row: Mobility, said: MobilityPatch) -> Values:
    return _checked(said.model_dump(exclude_unset=True), row)


def _checked(said: Values, row: Mobility | None) -> Values:
    """Raises Invalid when it would say nothing, or be of a day to come."""
    if not any(said.get(name, getattr(row, name, None)) for name in TELLS):
        raise Invalid("Dites comment cette personne se déplace.", where="/mode", code="mobility.nothing")
    told = noted(said, row, "mobility.future")
    return told | {"details": nested(said["details"])} if "details" in said else told


ROOM = Room(
    path="mobility",
    name="Mobility",
    body=MobilityIn,
    patch=MobilityPatch,
    view=MobilityOut,
    mine=MyMobilityOut,
    write=write,
    correct=correct,
)
