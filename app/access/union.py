"""The statement that asks several tables one question each, and traces what it finds: their rows in one order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    LargeBinary,
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
    select,
    true,
    union_all,
)
from sqlalchemy.types import NullType

from app.access import since
from app.access.beside import NO_UUID, completed
from app.access.entry import DossierEntry, OfPlace, View
from app.access.facts import Extent, alive
from app.access.once import asked_once
from app.access.order import Order
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT, allowed, as_before, as_handed, as_sent, ground
from app.access.protection import hidden_now
from app.access.questions import Listing, column_of, first_of_places, has_sealed, judged, plain
from app.access.since import Past
from app.access.versions import EntryVersion
from app.audit import trail
from app.audit.vocabulary import Outcome
from app.kernel.hot import HotQuery, compiled, word
from app.security.principal import Caller, Shape

NO_KEY: ColumnElement[Any] = literal_column("NULL::bytea", LargeBinary())
FEW = 4  # questions
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
    kept: bool = True  # a former version tells them all


@dataclass(frozen=True, slots=True)
class Asking:
    """A line of the answer: alive, n, gone, state, known_as, wrapped, protected, what is told, then `facts` of the person
    and the place of the row, then the places in the order.

    `state` is where a bundle of this partner stands, null for rows it did not send; `known_as` who their person is for it;
    `wrapped` the key of their person, when something in the row is sealed. `n` is the question's, or -1 - n when what is told
    is an older version, sent by this partner or to it: kind, id, usager, version, snapshot, whether this very row is protected
    today; `protected`, whether a place of their person is. Of few questions, what the first tells stands in columns of its own,
    at the end: most rows are its, and a record costs more. Of many, each column costs at each branch.
    """

    query: HotQuery
    asked: tuple[Question, ...]
    facts: int
    places: int  # in the order
    past: Past
    fills: tuple[tuple[tuple[int, int | None], ...], ...]  # `_fills` of each question


@lru_cache(maxsize=SHAPES_KEPT)
def asking(
    caller: Shape,
    asked: tuple[Question, ...],
    order: Order,
    usager: str | None = None,
    *,
    silent: bool = False,
    past: Past = Past.NONE,
) -> Asking:
    found = _found_in(caller, asked, order, usager, past=past)
    said = (found.c[name] for name in ("n", "gone", "state", "known_as", "wrapped", "protected", "told"))
    facts = _facts(asked)
    there = (found.c[f"f_{n}"] for n in range(len(facts)))
    told_first = (column for column in found.c if column.key.startswith("t_"))
    columns = (*said, *there, *(plain(place) for place in order.of(found)), *told_first)
    beside = {Past.BEGINS: since.SEEN_HERE, Past.QUIET: not_(since.IS_STIRRED)}.get(past)
    living = alive() if beside is None else case((alive(), beside))
    told = select(living.label("alive"), *columns).select_from(_one().outerjoin(found, true()))
    told = told.order_by(*order.turned(found))
    if past is Past.QUIET:
        told = told.add_cte(since.looked(question.view.TABLE for question in asked))
    lines = _traced(caller, found, asked, usager, silent=silent, quiet=past is Past.QUIET)
    fills = tuple(tuple(_fills(question.view, facts)) for question in asked)
    return Asking(compiled(told.add_cte(lines.cte("traced"))), asked, len(facts), len(order.names), past, fills)


def _fills(view: type[View], facts: Sequence[OfPlace]) -> Iterator[tuple[int, int | None]]:
    """Of what the view tells, the fields that the statement looks up once it knows the rows: where each stands, and which
    of the facts it is; none: the key of the person.
    """
    for n, name in enumerate(view.__struct_fields__):
        computed = view.COMPUTED.get(name)
        if name == "wrapped_key":
            yield n, None
        elif isinstance(computed, OfPlace):
            yield n, facts.index(computed)


def _facts(asked: tuple[Question, ...]) -> tuple[OfPlace, ...]:
    """What these views tell of the person and the place of a row."""
    told = (each for question in asked for each in question.view.COMPUTED.values())
    return tuple(dict.fromkeys(each for each in told if isinstance(each, OfPlace)))


@lru_cache(maxsize=SHAPES_KEPT)
def counting(caller: Shape, asked: tuple[Question, ...], order: Order, usager: str | None) -> HotQuery:
    found = _found_in(caller, asked, order, usager, counted=True)
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


def _traced(
    caller: Shape,
    found: CTE,
    asked: tuple[Question, ...],
    usager: str | None,
    *,
    silent: bool = False,
    quiet: bool = False,
) -> Any:
    first = asked[0]
    who = bindparam(usager, type_=Uuid()) if usager else literal_column(NO_UUID)
    when_none = None if silent else first.listing.when_none
    unless = since.IS_STIRRED if quiet else None
    return trail.traced(found, caller, Action.READ, first.view.TABLE.KIND, when_none, who, unless=unless)


def _found_in(
    caller: Shape,
    asked: tuple[Question, ...],
    order: Order,
    usager: str | None,
    *,
    counted: bool = False,
    past: Past = Past.NONE,
) -> CTE:
    """What each question finds within reach, at most `limit` each, then the first `limit` of all. What is looked up
    beside a row (where its bundle stands, the key of its person) is looked up for those alone."""
    in_columns = asked[0].view if len(asked) <= FEW else None
    facts = () if counted else _facts(asked)
    branches = []
    for n, question in enumerate(asked):
        told = _Telling(caller, n, question, in_columns, counted, bool(facts))
        branches += _as_it_stands(told, order, usager, past)
        sent = caller.kind is Caller.PARTNER and issubclass(question.view.TABLE, DossierEntry)
        if sent and question.then is not None:
            then = and_(question.then, since.seen(EntryVersion)) if past.follows else question.then
            then = and_(then, not_(since.IS_STIRRED)) if past is Past.QUIET else then
            branches += _as_it_was(told, then, order, usager)
    first = branches[0]
    if len(branches) > 1:
        every = union_all(*(select(branch.subquery()) for branch in branches)).subquery("every")
        first = asked_once(select(every).order_by(*order.turned(every)).limit(LIMIT))
    row = first.cte("first") if facts else first.subquery("first")  # twice read, or once
    return completed(caller, row, counted, usager, facts).cte("found")


@dataclass(frozen=True, slots=True)
class _Telling:
    """Of one question among those asked: what its rows say of themselves. Nothing but what is traced, when `counted`."""

    caller: Shape
    n: int
    question: Question
    in_columns: type[View] | None  # what the first question tells, told so
    counted: bool
    placed: bool  # something is to be known of its person and place

    @property
    def row(self) -> Any:
        return self.question.view.TABLE

    @property
    def columns(self) -> list[ColumnElement[Any]]:
        """What stands in the row: a record, or as columns, and then nothing in the columns of others."""
        if self.counted:
            return []
        view = self.question.view
        there = any(isinstance(each, OfPlace) for each in view.COMPUTED.values())
        sealed = has_sealed(self.row) if "wrapped_key" in view.__struct_fields__ else false()
        values, first = _values(self.caller, view), self.in_columns
        if first is None or self.n:
            return [*self._place(told=there), sealed.label("sealed"), record(*values), *self._untold]
        none = literal_column("CASE WHEN false THEN ROW(1) END", NullType()).label("told")
        told = (value.label(f"t_{n}") for n, value in enumerate(values))
        return [*self._place(told=there), sealed.label("sealed"), none, *told]

    def then(self, *snapshot: Any) -> list[ColumnElement[Any]]:
        if self.counted:
            return []
        return [*self._place(told=False), true().label("sealed"), record(*snapshot), *self._untold]

    def _place(self, *, told: bool) -> list[ColumnElement[Any]]:
        """Where the row is, when something is to be known of it there."""
        place = self.row.structure_id if told else literal_column(NO_UUID, Uuid())
        return [place.label("place")] if self.placed else []

    @property
    def _untold(self) -> list[ColumnElement[Any]]:
        values = _values(self.caller, self.in_columns) if self.in_columns else []
        return [cast(null(), value.type).label(f"t_{n}") for n, value in enumerate(values)]

    def standing(self, *, waits: ColumnElement[bool], handed: Any) -> list[ColumnElement[Any]]:
        """What tells a partner where its row stands: the bundle that brought it, and about whom it was."""
        if self.caller.kind is not Caller.PARTNER:
            return []
        columns, dossier = self.row.__table__.columns, issubclass(self.row, DossierEntry)
        own = self.row.origin_partner_id == ME if "origin_partner_id" in columns else false()
        bundle = self.row.origin_exchange_id if "origin_exchange_id" in columns else literal_column(NO_UUID, Uuid())
        return [
            own.label("own"),
            bundle.label("bundle"),
            (self.row.held if dossier else false()).label("held"),
            (self.row.usager_id if dossier else literal_column(NO_UUID, Uuid())).label("whose"),
            waits.label("waits"),
            cast(handed, Integer()).label("handed"),
        ]


def _as_it_stands(told: _Telling, order: Order, usager: str | None, past: Past) -> list[Select[Any]]:
    """The rows of a table; of a page that follows another, those that stand as the first one saw them, then those written
    since, where they stood then."""
    row, caller, question = told.row, told.caller, told.question
    line: Select[Any] = select(
        literal_column(str(told.n)).label("n"),
        row.deleted_at.is_not(None).label("gone"),
        word(row.KIND).label("kind"),
        row.id.label("id"),
        (row.usager_id if issubclass(row, DossierEntry) else literal_column(NO_UUID, Uuid())).label("usager_id"),
        cast(ground(caller, row), Text()).label("ground"),
        *told.standing(waits=false(), handed=null()),
        *told.columns,
    )
    extent = Extent(person=usager) if usager else question.listing.extent
    line = line.where(judged(caller, question.listing.where), allowed(caller, Action.READ, row, extent))
    if not question.listing.deleted_too:
        line = line.where(row.deleted_at.is_(None))
    places = [*question.keys, row.id] if question.keys else [getattr(row, name) for name in order.names]
    still = line.where(since.unchanged(row)) if past.follows else line
    still = still.where(not_(since.IS_STIRRED)) if past is Past.QUIET else still
    branches = [first_of_places(caller, row, extent, order.within(still, places), order.turned, LIMIT)]
    if past is Past.KNOWN:
        moved = line.join_from(row, EntryVersion, since.stood(row)).where(since.changed(row))
        branches.append(order.within(moved, _places_then(question, order)).limit(LIMIT))
    return branches


def _as_it_was(told: _Telling, then: ColumnElement[bool], order: Order, usager: str | None) -> list[Select[Any]]:
    """What this partner sent of rows that have changed since, and what it was handed: each found by its own index, but
    of one person's rows, together."""
    v: Any = EntryVersion
    caller, row = told.caller, told.row
    if usager:
        by_hand = case((row.origin_partner_id == ME, null()), else_=v.version)
        return [_version_told(told, order, by_hand).where(then, as_before(caller, row, v, Extent(person=usager)))]
    sent = _version_told(told, order, null()).where(then, as_sent(caller, row, v))
    handed = _version_told(told, order, v.version).where(then, as_handed(caller, row, v))
    return [sent, handed]


def _version_told(told: _Telling, order: Order, handed: Any) -> Select[Any]:
    row, question = told.row, told.question
    v: Any = EntryVersion
    line: Select[Any] = select(
        literal_column(str(-1 - told.n)).label("n"),
        v.deleted_at.is_not(None).label("gone"),
        word(row.KIND).label("kind"),
        v.entry_id.label("id"),
        v.usager_id.label("usager_id"),
        _no_ground(),
        *told.standing(waits=v.held, handed=handed),
        *told.then(word(row.KIND), plain(v.entry_id), plain(v.usager_id), v.version, v.snapshot, hidden_now(row)),
    )
    line = line.join_from(row, v, and_(v.organisation_id == row.organisation_id, v.entry_id == row.id))
    if not question.listing.deleted_too:
        line = line.where(v.deleted_at.is_(None))
    return order.within(line, _places_then(question, order)).limit(LIMIT)


def _places_then(question: Question, order: Order) -> list[ColumnElement[Any]]:
    known: dict[str, Any] = {"id": EntryVersion.entry_id, "occurred_at": EntryVersion.occurred_at}
    return [*question.keys_then, known["id"]] if question.keys else [known[name] for name in order.names]


def _values(caller: Shape, view: type[View]) -> list[ColumnElement[Any]]:
    """What is looked up beside has its place, and nothing in it yet."""
    beside: dict[str, ColumnElement[Any]] = {
        name: cast(null(), each.type) for name, each in view.COMPUTED.items() if isinstance(each, OfPlace)
    }
    beside["wrapped_key"] = NO_KEY
    return [beside[name] if name in beside else plain(column_of(caller, view, name)) for name in view.__struct_fields__]


def record(*columns: Any) -> ColumnElement[Any]:
    """One column for tables of any width: all branches have the same."""
    return func.row(*columns, type_=NullType()).label("told")


def _no_ground() -> ColumnElement[Any]:
    return cast(null(), Text()).label("ground")
