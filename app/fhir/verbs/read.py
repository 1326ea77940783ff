"""FHIR read: one resource by its id.

Source: https://hl7.org/fhir/R4/http.html#read
"""

from collections.abc import Mapping
from uuid import UUID

from starlette.responses import Response

from app.access.permissions import Action
from app.access.reading import Reading
from app.access.refusal import OutOfReach, refused
from app.access.several import Found, find, glance, refuse
from app.fhir.mapping import AnyMap
from app.fhir.questions import by_id
from app.fhir.search.values import uuid_of
from app.fhir.verbs.asking import Asking, told
from app.fhir.verbs.conditions import Conditions, answered
from app.security.principal import Partner


async def read(asking: Asking, id: str, conditions: Conditions) -> Response:
    """200, or 304 when the caller has the version told. Raises OutOfReach, alike for an id that never was."""
    key = uuid_of(id)
    if key is None:
        kind = asking.maps[0].view.TABLE.KIND
        await refuse(asking.reading, Action.READ, kind)
        raise refused(OutOfReach, Action.READ, kind)
    its_map, found = await _found(asking, key)
    return answered(told(asking, its_map, found), found.view, conditions)


async def _found(asking: Asking, id: UUID) -> tuple[AnyMap, Found]:
    """In the type's first table, the most read; when it is not there, in all of them at once."""
    first = asking.maps[0]
    values = {"fhir_type": asking.type_name}
    if first is not asking.registry.kept:
        row = await _first(asking.reading, first, id, values)
        if row:
            return first, row
    found = await find(asking.reading, tuple(by_id(each) for each in asking.maps), id, **values)
    return asking.maps[found.place], found


async def _first(reading: Reading, its_map: AnyMap, id: UUID, values: Mapping[str, str]) -> Found | None:
    if its_map.narrow is not None or isinstance(reading.principal, Partner):  # told what became of its bundle too
        return await glance(reading, by_id(its_map, as_it_stands=True), id, **values)
    row = await reading.peek(its_map.view, id)  # the hottest path of all: one table, one row, one statement
    return Found(0, row, ()) if row else None
