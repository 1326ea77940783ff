"""The rules of a school period: it ends after it starts; who follows it is a contact of this very person."""

from typing import Any
from uuid import UUID

from app.access.gate import Gate
from app.features.schooling.models import SchoolPeriod
from app.features.schooling.schemas import MySchoolPeriodOut, SchoolPeriodIn, SchoolPeriodOut, SchoolPeriodPatch
from app.features.situations.rooms import Room, Values, midnight, of_theirs
from app.features.structures.schemas import StructureOut
from app.fhir.concepts import nested
from app.kernel.clock import now
from app.kernel.errors import Invalid


async def write(gate: Gate, usager_id: UUID, said: SchoolPeriodIn) -> SchoolPeriod:
    values = await _checked(gate, usager_id, said.model_dump(), None)
    return gate.add(SchoolPeriod(usager_id=usager_id, **values))


async def correct(gate: Gate, row: SchoolPeriod, said: SchoolPeriodPatch) -> Values:
    return await _checked(gate, row.usager_id, said.model_dump(exclude_unset=True), row)


async def _checked(gate: Gate, usager_id: UUID, said: Values, row: SchoolPeriod | None) -> Values:
    """Raises Invalid when it ends before, or names what is not theirs or not here."""
    starts, ends = (said.get(name, getattr(row, name, None)) for name in ("starts", "ends"))
    if starts and ends and ends <= starts:
        raise Invalid("Une période finit après avoir commencé.", where="/ends", code="school.period")
    await of_theirs(gate, usager_id, said.get("referent_id"), "/referent_id")
    if school := said.get("school_id"):
        await gate.get(StructureOut, school)
    told: dict[str, Any] = {name: nested(said[name]) for name in SchoolPeriod.NESTED if name in said}
    if row is None or "starts" in said:
        told["occurred_at"] = midnight(starts) if starts else (row.recorded_at if row else now())
    return said | told


ROOM = Room(
    path="schooling",
    name="SchoolPeriod",
    body=SchoolPeriodIn,
    patch=SchoolPeriodPatch,
    view=SchoolPeriodOut,
    mine=MySchoolPeriodOut,
    write=write,
    correct=correct,
)
