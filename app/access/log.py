"""Reading the trail itself: line by line as the DPO does, visit by visit as the person does. The reading is traced too.

A visit is one request: what one caller did to one dossier at one moment. Who may read which lines, and what the person
is not shown, is `shown.trail_open`; the DPO may release a line that is held back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
    any_,
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
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from app.access.acts import Act
from app.access.facts import ME, ORGANISATION, alive
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT
from app.access.questions import plain
from app.access.reading import Reading
from app.access.refusal import ENDED, NOT_FOUND
from app.access.shown import line_held_back, line_released, trail_open
from app.audit import trail
from app.audit.lines import name_of, named
from app.audit.models import AuditEntry, TrailRelease
from app.audit.vocabulary import Ground, Outcome
from app.kernel.db import NIL
from app.kernel.errors import NotFound, Unauthenticated
from app.kernel.hot import HotQuery, compiled, word
from app.security.principal import Shape

KIND = "audit_entry"
ASKED = bindparam("usager", type_=Uuid())
LIMIT = bindparam("limit", type_=Integer())
A = AuditEntry
AT, LINE_ID = bindparam("line_at", type_=DateTime(timezone=True)), bindparam("line_id", type_=Uuid())


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is asked of the trail, its values named; known by identity, so that its text can be kept."""

    where: ColumnElement[bool]


THE_ONE = Wanted(and_(A.at == AT, A.id == LINE_ID))
CRITERIA: dict[str, ColumnElement[bool]] = {
    "usager": A.usager_id == ASKED,
    "since": A.at >= bindparam("since", type_=DateTime(timezone=True)),
    "until": A.at < bindparam("until", type_=DateTime(timezone=True)),
    "professional": A.principal_id == bindparam("professional", type_=Uuid()),
    **{
        name: getattr(A, name) == any_(bindparam(name, type_=ARRAY(Text())))
        for name in ("principal_kind", "action", "kind", "ground", "outcome", "door")
    },
}
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
    ground: str | None


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
    held_back: bool  # of the person's page, unless it was released
    released: bool

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Where a next page begins."""
        return self.at, UUID(self.id.partition(".")[2])


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


async def lines(reading: Reading, asked: Mapping[str, object], limit: int, after: Sequence[object] = ()) -> list[Line]:
    """The lines that meet all of `asked` (names of `CRITERIA`), the latest first; `after`: the `place` of the last given."""
    return await search(reading, _meeting(frozenset(asked)), limit, after, **asked)


async def search(
    reading: Reading, wanted: Wanted, limit: int, after: Sequence[object] = (), **values: object
) -> list[Line]:
    """The same; `usager`, among the values, is the one asked for, whom an empty answer still names in the trail."""
    values = {"usager": None, **values}
    if after:
        values |= {"after_at": after[0], "after_id": after[1]}
    rows = await _ask(reading, _lines(reading.principal.shape, wanted, bool(after)), limit, values)
    return [_line(told) for _, found, *told in rows if found]


async def line(reading: Reading, name: str) -> Line:
    """Raises NotFound, once that is traced."""
    at, id = _place_in(name)
    found = await search(reading, THE_ONE, 1, line_at=at, line_id=id)
    if not found:
        raise NotFound(NOT_FOUND)
    return found[0]


async def release(reading: Reading, name: str) -> None:
    """From now on the person is shown this line of theirs. Raises NotFound, once that is traced."""
    at, id = _place_in(name)
    rows = await reading.ask(_releasing(reading.principal.shape), [], 1, {"line_at": at, "line_id": id})
    if not rows:
        raise NotFound(NOT_FOUND)


def _place_in(name: str) -> tuple[datetime, UUID]:
    """A name of no line leads where there is none: it is asked, refused and traced as any other."""
    return named(name) or (datetime(1970, 1, 1, tzinfo=UTC), NIL)


def _line(told: Sequence[Any]) -> Line:
    id, at, *others = told
    return Line(name_of(at, id), at, *others)


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
        *same,
        func.array_agg(A.kind.distinct(), type_=ARRAY(Text())).label("kinds"),
        func.coalesce(func.bool_or(A.ground == word(Ground.URGENCE)), literal_column("false")).label("urgent"),
        func.max(A.ground).label("ground"),
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


@lru_cache
def _meeting(names: frozenset[str]) -> Wanted:
    return Wanted(and_(*(CRITERIA[name] for name in sorted(names))))


@lru_cache(maxsize=SHAPES_KEPT)
def _lines(caller: Shape, wanted: Wanted, after: bool) -> HotQuery:
    told = {"held_back": line_held_back(), "released": line_released()}
    found: Select[Any] = select(
        *(told[name].label(name) if name in told else getattr(A, name) for name in Line.__struct_fields__)
    )
    found = found.where(trail_open(caller), wanted.where)
    if after:
        found = found.where(tuple_(A.at, A.id) < tuple_(_moment("after_at"), bindparam("after_id", type_=Uuid())))
    each = found.order_by(A.at.desc(), A.id.desc()).limit(LIMIT).cte("found")
    return _told(caller, each, [each.c[name] for name in Line.__struct_fields__], _read(each))


@lru_cache(maxsize=SHAPES_KEPT)
def _releasing(caller: Shape) -> HotQuery:
    found = select(A.id, A.usager_id, null().label("ground"), A.at).where(trail_open(caller), THE_ONE.where)
    each = found.where(A.usager_id.is_not(None), A.outcome == word(Outcome.SUCCESS)).cte("found")
    names = ["organisation_id", "at", "line_id", "usager_id", "released_by"]
    let = insert(TrailRelease).from_select(names, select(ORGANISATION, each.c.at, each.c.id, each.c.usager_id, ME))
    none: ColumnElement[Any] = literal_column("NULL::uuid")
    line = trail.traced(each, caller, Act.RELEASE_TRAIL, KIND, Outcome.REFUSED, none, one=True)
    written = select(cast(each.c.id, Text())).add_cte(let.on_conflict_do_nothing().cte("let"), line.cte("traced"))
    return compiled(written)


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
