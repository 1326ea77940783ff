"""The structures a command names: by id, FINESS or name, all of one organisation."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.structures.models import Structure
from app.kernel.errors import Invalid


async def structures_named(session: AsyncSession, said: Sequence[str]) -> tuple[UUID, list[UUID]]:
    """Their organisation, and their ids in the order said. Raises Invalid when one is not found, or found twice."""
    found = [await _one(session, name) for name in said]
    if len({structure.organisation_id for structure in found}) != 1:
        raise Invalid("Nommez une structure au moins, et d'une seule organisation.")
    return found[0].organisation_id, list(dict.fromkeys(structure.id for structure in found))


async def _one(session: AsyncSession, said: str) -> Structure:
    s, word = Structure, said.strip().lower()
    named = or_(cast(s.id, Text) == word, func.lower(s.finess) == word, func.lower(s.name) == word)
    rows = list(await session.scalars(select(s).where(named, s.deleted_at.is_(None)).order_by(s.name, s.id)))
    if len(rows) != 1:
        raise Invalid(
            "Plusieurs structures portent ce nom : donnez leur FINESS ou leur id."
            if rows
            else "Une structure nommée n'existe pas : donnez son FINESS, son id ou son nom exact."
        )
    return rows[0]
