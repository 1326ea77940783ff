"""How a row of a dossier tells the structure it belongs to."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, func, not_, select

from app.access.entry import OfPlace
from app.access.protection import house_hidden
from app.features.structures.models import Organisation, Structure


def finess(row: Any) -> ColumnElement[Any]:
    """The FINESS of the structure a row belongs to; the organisation's when it has none, or is a protected place."""
    own = _of_structure(row, Structure.finess).where(not_(house_hidden(row)))
    whole = select(Organisation.finess).where(Organisation.organisation_id == row.organisation_id)
    return func.coalesce(own.scalar_subquery(), whole.correlate_except(Organisation).scalar_subquery())


def _of_structure(row: Any, told: Any) -> Select[Any]:
    mine = (Structure.organisation_id == row.organisation_id, Structure.id == row.structure_id)
    return select(told).where(*mine).correlate_except(Structure)


FINESS = OfPlace(Text(), finess)
# As they are, even of a protected place: for a map that hides them itself.
OWN_FINESS = OfPlace(Text(), lambda row: _of_structure(row, Structure.finess).scalar_subquery())
MODEL = OfPlace(Text(), lambda row: _of_structure(row, Structure.model).scalar_subquery())
