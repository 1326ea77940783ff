"""FHIR read: one resource by its id.

Source: https://hl7.org/fhir/R4/http.html#read
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from uuid import UUID

from starlette.responses import Response

from app.access.permissions import Action
from app.access.reading import Reading
from app.access.refusal import OutOfReach, refused
from app.access.several import Found, find, glance, refuse
from app.fhir.mapping import AnyMap, by_id
from app.fhir.search.values import uuid_of
from app.fhir.verbs.asking import Asking, told
from app.kernel import answers
from app.kernel.answers import FHIR_JSON, etag
from app.security.principal import Partner


async def read(asking: Asking, id: str, none_match: str | None = None) -> Response:
    """200, or 304 when `If-None-Match` names the version told. Raises OutOfReach, alike for an id that never was."""
    key = uuid_of(id)
    if key is None:
        kind = asking.maps[0].view.TABLE.KIND
        await refuse(asking.reading, Action.READ, kind)
        raise refused(OutOfReach, Action.READ, kind)
    its_map, found = await _found(asking, key)
    tag = etag(found.view.version)
    headers = {"ETag": tag, "Last-Modified": _http_date(found.view.updated_at)}
    if none_match is not None and _names(none_match, tag):
        return Response(status_code=304, headers=headers)
    return answers.told(told(asking, its_map, found), FHIR_JSON, headers=headers)


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


@lru_cache(maxsize=10_000)
def _http_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _names(none_match: str, tag: str) -> bool:
    """A weak comparison. Source: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2"""
    opaque = tag.removeprefix("W/")
    return none_match.strip() == "*" or opaque in (part.strip().removeprefix("W/") for part in none_match.split(","))
