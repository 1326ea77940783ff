"""One setting, as it stands for one structure, in one statement: for the rooms that obey it."""

from typing import Any, ClassVar
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Text, Uuid, bindparam, case, cast, literal_column, select

from app.access.entry import View
from app.access.gate import Listing, Reading
from app.access.permissions import Action
from app.access.refusal import OutOfReach, refused
from app.features.settings.models import Setting
from app.features.settings.shipped import MODELS, SHIPPED
from app.features.structures.models import Structure

_house = literal_column("'organisation'", Text())
_model = literal_column("'model:'", Text()) + Structure.model
_here = literal_column("'structure:'", Text()) + cast(Structure.id, Text)
THIS = Listing(Structure.id == bindparam("structure", type_=Uuid()))


class _Tuned(View, frozen=True):
    TABLE: ClassVar = Structure
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {
        "value": select(Setting.value)
        .where(
            Setting.organisation_id == Structure.organisation_id,
            Setting.key == bindparam("setting_key", type_=Text()),
            Setting.scope.in_([_house, _model, _here]),
            Setting.deleted_at.is_(None),
        )
        .order_by(case((Setting.scope == _here, literal_column("0")), (Setting.scope == _model, literal_column("1"))))
        .limit(literal_column("1"))
        .scalar_subquery()
    }

    model: str
    value: str | None


async def tuned(gate: Reading, structure_id: UUID, key: str) -> Any:
    """Raises OutOfReach for a structure that is not of this organisation."""
    found = await gate.list(_Tuned, THIS, 1, structure=structure_id, setting_key=key)
    if not found:
        raise refused(OutOfReach, Action.READ, Structure.KIND, [structure_id], where="/structure_id")
    [row] = found
    return orjson.loads(row.value) if row.value else MODELS[row.model].get(key, SHIPPED[key].value)
