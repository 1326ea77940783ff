"""Reading the trail itself: line by line as the DPO does, visit by visit as the person does. The reading is traced too.

A visit is one request: what one caller did to one dossier at one moment. Who may read which lines, and what the person
is never shown, is `policy.trail_open`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    desc,
    exists,
    func,
    literal_column,
    null,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.access.facts import alive
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT, trail_open
from app.access.questions import plain
from app.access.reading import Reading
from app.access.refusal import ENDED
from app.audit import trail
from app.audit.models import AuditEntry
from app.audit.vocabulary import Ground, Outcome
from app.kernel.errors import Unauthenticated
from app.kernel.hot import HotQuery, compiled, word
from app.security.principal import Shape

KIND = "audit_entry"
ASKED = bindparam("usager", type_=Uuid())
LIMIT = bindparam("limit", type_=Integer())
A = AuditEntry
HOUSE = """(SELECT u.structure_id FROM usager u
    WHERE u.organisation_id = audit_entry.organisation_id AND u.id = audit_entry.usager_id)"""  # of the person


class VisitView(msgspec.Struct, frozen=True):
    """One request. `COMPUTED` names who came: expressions over the columns of `visit`."""

    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {}

    at: datetime
    principal_kind: str
    role: str | None
    action: str
    kinds: list[str]
    urgent: bool


class Line(msgspec.Struct, frozen=True):
    """One line of the trail, as it is kept: ids, never a content."""

    id: str
    at: datetime
    principal_kind: str
    principal_id: str | None
    role: str | None
    on_behalf_of: str | None
    action: str
    kind: str
    usager_id: str | None
    entry_ids: list[str]
    ground: str | None
    outcome: str
    door: str
    address: str | None
    request_id: str


V = TypeVar("V", bound=VisitView)


def visit(name: str, kind: Any) -> ColumnElement[Any]:
    """A column of the visit told, from inside an expression that names it: as text, to be joined to nothing else."""
    return literal_column(f"visit.{name}", kind)


async def visits(
    reading: Reading, view: type[V], usager: UUID, since: datetime, until: datetime, limit: int
) -> tuple[list[V], bool]:
    """The visits to this dossier in `[since, until)` that may be shown to this caller, the latest first; and whether
    there are earlier ones.
    """
    values = {"usager": usager, "since": since, "until": until}
    rows = await _ask(reading, _visits(reading.principal.shape, view), limit, values)
    return [view(*told) for _, found, _, *told in rows if found], rows[0]["earlier"]


async def lines(reading: Reading, usager: UUID, limit: int, after: Sequence[object] = ()) -> list[Line]:
    """Every line that names this usager, the latest first; `after` is the instant and id of the last one given."""
    values: dict[str, object] = {"usager": usager}
    if after:
        values |= {"after_at": after[0], "after_id": after[1]}
    rows = await _ask(reading, _lines(reading.principal.shape, bool(after)), limit, values)
    return [Line(*told) for _, found, *told in rows if found]


async def _ask(reading: Reading, query: HotQuery, limit: int, values: dict[str, object]) -> Sequence[Any]:
    rows = await reading.ask(query, [], limit, values)
    if not rows[0]["alive"]:
        raise Unauthenticated(ENDED)
    return rows


@lru_cache(maxsize=SHAPES_KEPT)
def _visits(caller: Shape, view: type[VisitView]) -> HotQuery:
    newest = func.array_agg(aggregate_order_by(A.id, A.at.desc()), type_=ARRAY(Uuid()))
    same = (A.request_id, A.organisation_id, A.principal_kind, A.principal_id, A.role, A.usager_id, A.action)
    found = select(
        func.min(A.at).label("at"),
        *same[1:],
        func.array_agg(A.kind.distinct(), type_=ARRAY(Text())).label("kinds"),
        func.coalesce(func.bool_or(A.ground == word(Ground.URGENCE)), literal_column("false")).label("urgent"),
        newest[literal_column("1")].label("id"),
        literal_column(HOUSE, Uuid()).label("structure_id"),
    )
    mine = and_(trail_open(caller), A.usager_id == ASKED)
    found = found.where(mine, A.at >= _moment("since"), A.at < _moment("until"))
    earlier = exists().where(mine, A.at < _moment("since")).label("earlier")
    each = found.group_by(*same).order_by(desc("at"), desc("id")).limit(LIMIT).cte("visit")
    told = [view.COMPUTED[name] if name in view.COMPUTED else each.c[name] for name in view.__struct_fields__]
    newest_of_all = _read(each).order_by(each.c.at.desc(), each.c.id.desc()).limit(literal_column("1"))
    return _told(caller, each, [earlier, *told], newest_of_all)


@lru_cache(maxsize=SHAPES_KEPT)
def _lines(caller: Shape, after: bool) -> HotQuery:
    found: Select[Any] = select(*(getattr(A, name) for name in Line.__struct_fields__))
    found = found.where(trail_open(caller), A.usager_id == ASKED)
    if after:
        found = found.where(tuple_(A.at, A.id) < tuple_(_moment("after_at"), bindparam("after_id", type_=Uuid())))
    each = found.order_by(A.at.desc(), A.id.desc()).limit(LIMIT).cte("found")
    return _told(caller, each, [each.c[name] for name in Line.__struct_fields__], _read(each))


def _read(each: CTE) -> Select[Any]:
    return select(each.c.id, each.c.usager_id, null().label("ground"))


def _told(caller: Shape, each: CTE, told: Sequence[ColumnElement[Any]], read: Select[Any]) -> HotQuery:
    """Alive, whether a row is told, the row; and the line of the trail that says which were read (of visits, the last)."""
    one = select(literal_column("1").label("one")).subquery("line")
    rows = select(alive().label("alive"), cast(each.c.id, Text()).label("found"), *(plain(column) for column in told))
    rows = rows.select_from(one.outerjoin(each, true())).order_by(each.c.at.desc(), each.c.id.desc())
    line = trail.traced(read.cte("read"), caller, Action.READ, KIND, Outcome.EMPTY, ASKED)
    return compiled(rows.add_cte(line.cte("traced")))


def _moment(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=DateTime(timezone=True))
