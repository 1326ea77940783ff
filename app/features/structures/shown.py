"""How a row of a dossier tells the structure it belongs to."""

from typing import Any

from sqlalchemy import ColumnElement, func, not_, select

from app.access.protection import house_hidden
from app.features.structures.models import Organisation, Structure


def finess(row: Any) -> ColumnElement[Any]:
    """The FINESS of the structure a row belongs to; the organisation's when it has none, or is a protected place."""
    own = select(Structure.finess).where(
        Structure.organisation_id == row.organisation_id, Structure.id == row.structure_id, not_(house_hidden(row))
    )
    whole = select(Organisation.finess).where(Organisation.organisation_id == row.organisation_id)
    return func.coalesce(own.scalar_subquery(), whole.scalar_subquery())
