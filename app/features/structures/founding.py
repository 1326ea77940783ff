"""The first day: the organisation and its houses, written by the owner before anyone can sign in."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.narrowing import service as narrowing
from app.features.structures.models import Organisation, Structure
from app.features.structures.schemas import StructureIn
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import uuid7


async def organisation(session: AsyncSession, name: str, finess: str | None) -> UUID:
    """A new one. Raises Conflict when one bears this name or this FINESS already."""
    o = Organisation
    same = (func.lower(o.name) == name.lower()) | (o.finess == finess if finess else False)
    if await session.scalar(select(o.organisation_id).where(same).limit(1)):
        raise Conflict("Une organisation porte déjà ce nom, ou ce FINESS : « dui structure list » les dit.")
    id = uuid7()
    session.add(Organisation(organisation_id=id, name=name, finess=finess))
    await session.flush()
    return id


async def only_organisation(session: AsyncSession, name: str | None) -> UUID:
    """The one of this name; without a name, the only one there is. Raises Invalid."""
    o = Organisation
    asked = select(o.organisation_id)
    found = list(await session.scalars(asked.where(func.lower(o.name) == name.lower()) if name else asked.limit(2)))
    if len(found) == 1:
        return found[0]
    if name:
        raise Invalid("Aucune organisation ne porte ce nom : « dui structure list » les dit.")
    raise Invalid(
        "Il y a plusieurs organisations : dites laquelle avec --organisation."
        if found
        else "Il n'y a pas encore d'organisation : commencez par « dui organisation add »."
    )


async def structure(session: AsyncSession, organisation_id: UUID, said: StructureIn) -> UUID:
    """A new house, which starts from what its kind narrows. Raises Conflict when its FINESS is taken here."""
    s = Structure
    taken = select(s.id).where(s.organisation_id == organisation_id, s.finess == said.finess)
    if said.finess and await session.scalar(taken):
        raise Conflict("Une structure de cette organisation a déjà ce FINESS.")
    row = Structure(organisation_id=organisation_id, id=uuid7(), **said.model_dump())
    session.add(row)
    await session.flush()
    for one in narrowing.starting(row.id, row.model):
        one.organisation_id = organisation_id
        session.add(one)
    await session.flush()
    return row.id
