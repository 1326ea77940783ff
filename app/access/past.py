"""The versions of rows, the latest first: each is told to whom could read it as it was then, and may read it now, both.

What the policy asks stands in `entry_version` as of each version. A partner reads every version it wrote, and those a
professional sent to it; the person, and who represents them, read the row as it stands: an earlier wording may hold what
was masked for them since. A row of the directory has no versions but the one that stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    CTE,
    ColumnClause,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql import visitors

from app.access.beside import NO_UUID, known_as, state
from app.access.entry import DossierEntry, Row
from app.access.facts import ME, ORGANISATION, alive
from app.access.permissions import Action, Reach
from app.access.policy import SHAPES_KEPT, allowed, ground
from app.access.protection import anywhere_protected, hidden_now, hidden_since
from app.access.questions import column_of, plain
from app.access.reading import Reading
from app.access.refusal import ENDED
from app.access.several import Found, Question
from app.access.sharing import handed, handed_under
from app.access.staff import cells_of
from app.access.union import record
from app.access.versions import POLICY_COLUMNS, EntryVersion, StoredUsagerKey, about, as_then
from app.audit import trail
from app.audit.vocabulary import Ground, Outcome
from app.kernel.errors import Unauthenticated
from app.kernel.hot import HotQuery, aside, compiled, word
from app.security.principal import Caller, Shape

INSTANT = DateTime(timezone=True)
LIMIT = bindparam("limit", type_=Integer())
ORDER: tuple[tuple[str, Any], ...] = (("at", INSTANT), ("id", Uuid()), ("version", Integer()))
THEN = {"id": "entry_id", **{name: name for name in POLICY_COLUMNS}}
V: Any = EntryVersion
_Next: Any = aliased(EntryVersion, name="version_after")


class Version(Found, frozen=True):
    """`gone`: this version is the row's deletion."""

    gone: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Which versions: `one` of that number, `since` an instant, current `at` some moment of a period, `after` a page."""

    one: bool = False
    since: bool = False
    at: bool = False
    after: bool = False


async def versions(
    reading: Reading,
    asked: tuple[Question, ...],
    span: Span,
    limit: int,
    *,
    ids: Sequence[UUID] = (),
    when_none: Outcome | None = Outcome.EMPTY,
    **values: object,
) -> list[Version]:
    """Those within reach, and their trace, in one statement. `ids` are those asked for, told when nothing is found.

    The values of a span: `version`; `since`; `at_low`, `at_high`; `after_at`, `after_id`, `after_version`.
    """
    query = await aside(_asking, len(asked), reading.principal.shape, asked, span, when_none)
    rows = await reading.ask(query, ids, limit, values)
    if not rows[0][0]:
        raise Unauthenticated(ENDED)
    return [_version(reading, asked, row) for row in rows if row[1] is not None]


def _version(reading: Reading, asked: tuple[Question, ...], line: Any) -> Version:
    _, n, gone, stands, named, told, *at = line
    place = tuple(at)
    if n >= 0:
        return Version(n, asked[n].view(*told), place, stands, named, gone=gone)
    kind, id, usager_id, version, sealed, wrapped, *protected = told
    snapshot = reading.keyring.usager_key(wrapped, usager_id).open(sealed, about(kind, id, version))
    then = hidden_since(as_then(asked[-1 - n].view, orjson.loads(snapshot), wrapped), *protected)
    return Version(-1 - n, then, place, stands, named, current=False, gone=gone)


@lru_cache(maxsize=SHAPES_KEPT)
def _asking(caller: Shape, asked: tuple[Question, ...], span: Span, when_none: Outcome | None) -> HotQuery:
    found = _found(caller, asked, span)
    line = select(literal_column("1").label("one")).subquery("line")
    columns = (found.c[name] for name in ("n", "gone", "state", "known_as", "told"))
    places = [found.c[f"o_{name}"] for name, _ in ORDER]
    told = select(alive().label("alive"), *columns, *(plain(place) for place in places))
    told = told.select_from(line.outerjoin(found, true())).order_by(*(place.desc() for place in places))
    kind = asked[0].view.TABLE.KIND
    traced = trail.traced(found, caller, Action.READ, kind, when_none, literal_column(NO_UUID))
    return compiled(told.add_cte(traced.cte("traced")))


def _found(caller: Shape, asked: tuple[Question, ...], span: Span) -> CTE:
    branches = []
    for n, question in enumerate(asked):
        branches.append(_as_it_stands(caller, n, question, span))
        if issubclass(question.view.TABLE, DossierEntry) and caller.kind in (Caller.PROFESSIONAL, Caller.PARTNER):
            branches.append(_as_it_was(caller, n, question, span))
    every = union_all(*(select(branch.subquery()) for branch in branches)).subquery("every")
    latest = (every.c[f"o_{name}"].desc() for name, _ in ORDER)
    return select(every).order_by(*latest).limit(LIMIT).cte("found")


def _as_it_stands(caller: Shape, n: int, question: Question, span: Span) -> Select[Any]:
    row: Any = question.view.TABLE
    values = (plain(column_of(caller, question.view, name)) for name in question.view.__struct_fields__)
    told = select(
        literal_column(str(n)).label("n"),
        row.deleted_at.is_not(None).label("gone"),
        word(row.KIND).label("kind"),
        (row.usager_id if issubclass(row, DossierEntry) else literal_column(NO_UUID, Uuid())).label("usager_id"),
        cast(ground(caller, row), Text()).label("ground"),
        state(caller, row),
        known_as(caller, row),
        record(*values),
    )
    told = told.where(question.listing.where, allowed(caller, Action.READ, row, question.listing.extent))
    if span.at:
        told = told.where(row.updated_at < _bind("at_high", INSTANT))
    return _spanned(told, span, row.updated_at, row.id, row.version)


def _as_it_was(caller: Shape, n: int, question: Question, span: Span) -> Select[Any]:
    row: Any = question.view.TABLE
    key: Any = StoredUsagerKey
    opens, under = _open_then(caller, question)
    snapshot = (word(row.KIND), plain(V.entry_id), plain(V.usager_id), V.version, V.snapshot, key.wrapped)
    told = select(
        literal_column(str(-1 - n)).label("n"),
        V.deleted_at.is_not(None).label("gone"),
        word(row.KIND).label("kind"),
        V.usager_id.label("usager_id"),
        cast(under, Text()).label("ground"),
        case((V.held, word("to_attach")), else_=state(caller, row)).label("state"),
        known_as(caller, row),
        record(*snapshot, anywhere_protected(row), hidden_now(row)),
    )
    told = told.join_from(row, V, and_(V.organisation_id == row.organisation_id, V.entry_id == row.id))
    told = told.join(key, and_(key.organisation_id == V.organisation_id, key.usager_id == V.usager_id))
    told = told.where(question.listing.where, opens, V.kind == word(row.KIND))
    if span.at:
        follows = and_(_Next.entry_id == V.entry_id, _Next.version == V.version + literal_column("1"))
        over = and_(_Next.organisation_id == V.organisation_id, follows, _Next.at <= _bind("at_low", INSTANT))
        now_stands = and_(row.version == V.version + literal_column("1"), row.updated_at <= _bind("at_low", INSTANT))
        told = told.where(V.at < _bind("at_high", INSTANT), not_(now_stands))
        told = told.where(not_(select(_Next.version).where(over).exists()))
    return _spanned(told, span, V.at, V.entry_id, V.version)


def _open_then(caller: Shape, question: Question) -> tuple[ColumnElement[bool], ColumnElement[Any]]:
    """Which versions of a row are told beside the row as it stands, and under what."""
    row: Any = question.view.TABLE
    now = func.coalesce(allowed(caller, Action.READ, row, question.listing.extent), false())
    both = and_(now, of_then(row, allowed(caller, Action.READ, row, question.listing.extent)))
    earlier = V.version < row.version
    if caller.kind is not Caller.PARTNER:
        return and_(earlier, both), ground(caller, row)
    reaches = [c for reach, c in cells_of(caller, Action.READ, row) if reach is Reach.SENT_OR_GRANTED]
    open_then = or_(false(), *(V.category == word(one) for some in reaches for one in some))
    here = and_(row.organisation_id == ORGANISATION, alive(), open_then)
    own = and_(here, V.version == V.origin_version, V.origin_partner_id == ME, row.origin_partner_id == ME)
    sent = and_(here, handed(V.entry_id, V.version, row), row.origin_partner_id.is_distinct_from(ME))
    under = case((own, null()), (both, word(Ground.ACCORD)), else_=handed_under(V.entry_id, V.version))
    return or_(and_(earlier, or_(both, own)), and_(sent, or_(earlier, not_(now)))), under


def of_then(row: type[Row], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same condition, asked of the version beside the row. As text, like `facts.outer`: nothing has to correlate."""
    here = row.__tablename__

    def then(element: Any, **_: Any) -> ColumnElement[Any] | None:
        if not isinstance(element, ColumnClause):
            return None
        if element.is_literal:
            whose, _dot, asked = str(element.name).partition(".")
        else:
            whose, asked = getattr(element.table, "name", ""), element.key
        column = THEN.get(asked) if whose == here else None
        return literal_column(f"{EntryVersion.__tablename__}.{column}", element.type) if column else None

    written: ColumnElement[bool] = visitors.replacement_traverse(condition, {}, then)
    return written


def _spanned(told: Select[Any], span: Span, *places: Any) -> Select[Any]:
    """The versions of one branch in order, with their places."""
    at, _, version = places
    told = told.add_columns(
        *(place.label(f"o_{name}") for (name, _), place in zip(ORDER, places, strict=True)), places[1].label("id")
    )
    if span.one:
        told = told.where(version == _bind("version", Integer()))
    if span.since:
        told = told.where(at >= _bind("since", INSTANT))
    if span.after:
        told = told.where(tuple_(*places) < tuple_(*(_bind(f"after_{name}", kind) for name, kind in ORDER)))
    return told.order_by(*(place.desc() for place in places)).limit(LIMIT)


def _bind(name: str, kind: Any) -> ColumnElement[Any]:
    return bindparam(name, type_=kind)
