"""The statement that asks several tables one question each, and traces what it finds: their rows in one order."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    desc,
    exists,
    false,
    func,
    literal_column,
    not_,
    null,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlalchemy.types import NullType

from app.access.entry import DossierEntry, View
from app.access.facts import ORGANISATION, Extent, alive
from app.access.order import Order
from app.access.permissions import Action, Kind
from app.access.policy import SHAPES_KEPT, allowed, as_handed, as_sent, ground
from app.access.protection import anywhere_protected, hidden_now
from app.access.questions import Listing, column_of, first_of_places, judged, plain
from app.access.sharing import handed_under
from app.access.versions import EntryVersion, StoredUsagerKey
from app.audit import trail
from app.audit.vocabulary import Outcome
from app.kernel.hot import HotQuery, compiled, word
from app.security.principal import Caller, Shape

NO_UUID = "NULL::uuid"
EXCHANGE = table("exchange", column("organisation_id", Uuid()), column("id", Uuid()), column("state", Text()))
NAME = table(
    "external_id",
    column("organisation_id", Uuid()),
    column("partner_id", Uuid()),
    column("kind", Text()),
    column("row_id", Uuid()),
    column("usager_id", Uuid()),
)
_V = aliased(EntryVersion, name="version_before")  # of a row, while it was about another
ME = bindparam("me", type_=Uuid())
LIMIT = bindparam("limit", type_=Integer())


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of one table; known by identity, so that its text can be kept.

    `then` is the same question asked of the version this partner sent last (columns of `entry_version`, or of the row
    when they never change); None: that version can't tell, and is not looked for. `tables` are all that it asks.
    """

    view: type[View]
    listing: Listing
    then: ColumnElement[bool] | None = None
    tables: int = 1
    keys: tuple[ColumnElement[Any], ...] = ()  # what it is sorted by, before its id; then, of a version
    keys_then: tuple[ColumnElement[Any], ...] = ()
    rising: tuple[bool, ...] = ()  # of each key


@dataclass(frozen=True, slots=True)
class Asking:
    """A line of the answer: alive, n, gone, state, known_as, what is told, then the places in the order. `state` is where
    a bundle of this partner stands, null for rows it did not send; `known_as` who their person is for it. `n` is the question's, or
    -1 - n when what is told is an older version, sent by this partner or to it: kind, id, usager, version, snapshot, the
    usager's wrapped key, whether a place of theirs, and this one, is protected today.
    What the first question tells stands in columns of its own, at the end: most rows are its, and a record costs more.
    """

    query: HotQuery
    asked: tuple[Question, ...]
    places: int  # in the order


@lru_cache(maxsize=SHAPES_KEPT)
def asking(
    caller: Shape, asked: tuple[Question, ...], order: Order, usager: str | None = None, *, silent: bool = False
) -> Asking:
    found = _found_in(caller, asked, order, usager)
    said = (found.c.n, found.c.gone, found.c.state, found.c.known_as, found.c.told)
    told_first = (column for column in found.c if column.key.startswith("t_"))
    columns = (*said, *(plain(place) for place in order.of(found)), *told_first)
    told = select(alive().label("alive"), *columns).select_from(_one().outerjoin(found, true()))
    told = told.order_by(*order.turned(found))
    lines = _traced(caller, found, asked, usager, silent=silent)
    return Asking(compiled(told.add_cte(lines.cte("traced"))), asked, len(order.names))


@lru_cache(maxsize=SHAPES_KEPT)
def counting(caller: Shape, asked: tuple[Question, ...], order: Order, usager: str | None) -> HotQuery:
    found = _found_in(caller, asked, order, usager)
    many = select(func.count(found.c.id)).scalar_subquery()
    lines = _traced(caller, found, asked, usager)
    return compiled(select(alive().label("alive"), many.label("many")).add_cte(lines.cte("traced")))


@lru_cache(maxsize=SHAPES_KEPT)
def refusing(caller: Shape, action: str, kind: str) -> HotQuery:
    none = select(*(literal_column(NO_UUID, Uuid()).label(name) for name in ("id", "usager_id")), _no_ground())
    found = none.where(false()).cte("found")
    lines = trail.traced(found, caller, action, kind, Outcome.REFUSED, literal_column(NO_UUID))
    return compiled(select(alive().label("alive")).add_cte(lines.cte("traced")))


def _one() -> Any:
    """A line even when nothing is found: it says whether the session still lives."""
    return select(literal_column("1").label("one")).subquery("line")


def _traced(caller: Shape, found: CTE, asked: tuple[Question, ...], usager: str | None, *, silent: bool = False) -> Any:
    first = asked[0]
    who = bindparam(usager, type_=Uuid()) if usager else literal_column(NO_UUID)
    when_none = None if silent else first.listing.when_none
    return trail.traced(found, caller, Action.READ, first.view.TABLE.KIND, when_none, who)


def _found_in(caller: Shape, asked: tuple[Question, ...], order: Order, usager: str | None) -> CTE:
    """What each question finds within reach, at most `limit` each, then the first `limit` of all."""
    branches = []
    for n, question in enumerate(asked):
        branches.append(_as_it_stands(caller, n, question, order, asked[0].view, usager))
        sent = caller.kind is Caller.PARTNER and issubclass(question.view.TABLE, DossierEntry)
        if sent and question.then is not None:
            branches.append(_as_it_was_sent(caller, n, question, question.then, order, asked[0].view))
            branches.append(_as_it_was_handed(caller, n, question, question.then, order, asked[0].view))
    if len(branches) == 1:
        return branches[0].cte("found")
    every = union_all(*(select(branch.subquery()) for branch in branches)).subquery("every")
    return select(every).order_by(*order.turned(every)).limit(LIMIT).cte("found")


def _as_it_stands(
    caller: Shape, n: int, question: Question, order: Order, first: type[View], usager: str | None
) -> Select[Any]:
    row: Any = question.view.TABLE
    told: Select[Any] = select(
        literal_column(str(n)).label("n"),
        row.deleted_at.is_not(None).label("gone"),
        word(row.KIND).label("kind"),
        row.id.label("id"),
        (row.usager_id if issubclass(row, DossierEntry) else literal_column(NO_UUID, Uuid())).label("usager_id"),
        cast(ground(caller, row), Text()).label("ground"),
        state(caller, row),
        known_as(caller, row),
        *(_told_first(caller, question.view) if n == 0 else _told_after(caller, question.view, first)),
    )
    extent = Extent(person=usager) if usager else question.listing.extent
    told = told.where(judged(caller, question.listing.where), allowed(caller, Action.READ, row, extent))
    if not question.listing.deleted_too:
        told = told.where(row.deleted_at.is_(None))
    places = [*question.keys, row.id] if question.keys else [getattr(row, name) for name in order.names]
    told = order.within(told, places)
    return first_of_places(caller, row, extent, told, order.turned, LIMIT)


def _table(question: Question) -> Any:
    return question.view.TABLE


def _as_it_was_sent(
    caller: Shape, n: int, question: Question, then: ColumnElement[bool], order: Order, first: type[View]
) -> Select[Any]:
    told = _as_it_was(caller, n, question, order, first, _no_ground())
    return told.where(then, as_sent(caller, _table(question), EntryVersion))


def _as_it_was_handed(
    caller: Shape, n: int, question: Question, then: ColumnElement[bool], order: Order, first: type[View]
) -> Select[Any]:
    under = cast(handed_under(EntryVersion.entry_id, EntryVersion.version), Text()).label("ground")
    told = _as_it_was(caller, n, question, order, first, under)
    return told.where(then, as_handed(caller, _table(question), EntryVersion))


def _as_it_was(
    caller: Shape, n: int, question: Question, order: Order, first: type[View], under: ColumnElement[Any]
) -> Select[Any]:
    row: Any = question.view.TABLE
    v: Any = EntryVersion
    key: Any = StoredUsagerKey
    told = select(
        literal_column(str(-1 - n)).label("n"),
        v.deleted_at.is_not(None).label("gone"),
        word(row.KIND).label("kind"),
        v.entry_id.label("id"),
        v.usager_id.label("usager_id"),
        under,
        case((v.held, word("to_attach")), else_=state(caller, row)).label("state"),
        known_as(caller, row),
        record(
            word(row.KIND),
            plain(v.entry_id),
            plain(v.usager_id),
            v.version,
            v.snapshot,
            key.wrapped,
            anywhere_protected(row),
            hidden_now(row),
        ),
        *_untold(caller, first),
    )
    told = told.join_from(row, v, and_(v.organisation_id == row.organisation_id, v.entry_id == row.id))
    told = told.join(key, and_(key.organisation_id == v.organisation_id, key.usager_id == v.usager_id))
    if not question.listing.deleted_too:
        told = told.where(v.deleted_at.is_(None))
    known = {"id": v.entry_id, "occurred_at": v.occurred_at}
    places = [*question.keys_then, v.entry_id] if question.keys else [known[name] for name in order.names]
    return order.within(told, places).limit(LIMIT)


def state(caller: Shape, row: Any) -> ColumnElement[Any]:
    """What became of the bundle that brought a row, told to who sent it; of a row left out of one that was attached in
    part, that it was refused: it is held still, and what it is about is nobody attached."""
    if caller.kind is not Caller.PARTNER or "origin_exchange_id" not in row.__table__.columns:
        return cast(null(), Text()).label("state")
    mine = (EXCHANGE.c.organisation_id == ORGANISATION, EXCHANGE.c.id == row.origin_exchange_id)
    state = select(EXCHANGE.c.state).where(*mine).scalar_subquery()
    told: list[tuple[ColumnElement[bool], Any]] = [(row.origin_partner_id == ME, state)]
    if issubclass(row, DossierEntry):
        elsewhere = exists().where(*_attached(), NAME.c.row_id == row.usager_id)
        left_out = and_(row.held, state == word("accepted"), not_(elsewhere))
        told.insert(0, (and_(row.origin_partner_id == ME, left_out), word("refused")))
    return case(*told, else_=null()).label("state")


def known_as(caller: Shape, row: Any) -> ColumnElement[Any]:
    """The id this partner was given for a person whom the secretary attached to one who was here: it learns no other.

    Of two whom it names and who are one person here, the one that this very row was about before. What came later says
    itself whom it is about.
    """
    if caller.kind is not Caller.PARTNER or not issubclass(row, DossierEntry):
        return cast(null(), Text()).label("known_as")
    first = select(cast(NAME.c.row_id, Text())).where(*_attached(), NAME.c.usager_id == row.usager_id)
    before = exists().where(_V.organisation_id == ORGANISATION, _V.entry_id == row.id, _V.usager_id == NAME.c.row_id)
    likely = (desc(before.correlate(NAME, row)), NAME.c.row_id)
    named = first.order_by(*likely).limit(literal_column("1")).scalar_subquery()
    return case((row.origin_partner_id == ME, named), else_=null()).label("known_as")


@lru_cache
def person_of() -> HotQuery:
    """The person whom this partner knows by the id `asked`, when they were attached to another."""
    return compiled(select(NAME.c.usager_id).where(*_attached(), NAME.c.row_id == bindparam("asked", type_=Uuid())))


def _attached() -> tuple[ColumnElement[bool], ...]:
    mine = (NAME.c.organisation_id == ORGANISATION, NAME.c.partner_id == ME)
    return (*mine, NAME.c.kind == word(Kind.USAGER), NAME.c.usager_id != NAME.c.row_id)


def _values(caller: Shape, view: type[View]) -> list[ColumnElement[Any]]:
    return [plain(column_of(caller, view, name)) for name in view.__struct_fields__]


def _told_first(caller: Shape, view: type[View]) -> list[ColumnElement[Any]]:
    """No record, and what it would hold as columns."""
    none = literal_column("CASE WHEN false THEN ROW(1) END", NullType()).label("told")
    return [none, *(value.label(f"t_{n}") for n, value in enumerate(_values(caller, view)))]


def _told_after(caller: Shape, view: type[View], first: type[View]) -> list[ColumnElement[Any]]:
    return [record(*_values(caller, view)), *_untold(caller, first)]


def _untold(caller: Shape, view: type[View]) -> list[ColumnElement[Any]]:
    return [cast(null(), value.type).label(f"t_{n}") for n, value in enumerate(_values(caller, view))]


def record(*columns: Any) -> ColumnElement[Any]:
    """One column for tables of any width: all branches have the same."""
    return func.row(*columns, type_=NullType()).label("told")


def _no_ground() -> ColumnElement[Any]:
    return cast(null(), Text()).label("ground")
