"""The rows that come along with a page of a search: one statement for all of them, one more for each round of `:iterate`.

Each is judged, traced and masked like any other. Only a reference that the caller is told is followed, either way.
Source: https://hl7.org/fhir/R4/search.html#include
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, or_, true

from app.access.beside import named_to_me
from app.access.gate import Listing
from app.access.permissions import Action
from app.access.several import Found, Question, alongside, as_here, refuse
from app.fhir import references
from app.fhir.mapping import AnyMap, plain
from app.fhir.outcomes import Issue
from app.fhir.search.chains import references as references_of
from app.fhir.search.criteria import Reference
from app.fhir.search.criteria.base import LASTING
from app.fhir.search.includes import ROUNDS_MOST, Link, distinct, of_round
from app.fhir.types import BundleEntry, EntrySearch
from app.fhir.verbs.asking import Asking, out_of_scope, told
from app.kernel.errors import Forbidden
from app.security import scopes
from app.security.principal import Partner

MOST = 200
PERSON, WHOSE = "Patient", "behind_whose"
INCLUDED = EntrySearch("include")
CUT = Issue("information", "capped", "", f"{MOST} éléments liés au plus viennent avec une page : cherchez-les à part.")
Shape = tuple[tuple[AnyMap, bool, tuple[tuple[str, str], ...]], ...]  # a map, asked by its ids, by (parameter, target)


class Row(msgspec.Struct, frozen=True):
    """A row that is told: its map, where it was found, its resource and the address it has there."""

    its_map: AnyMap
    found: Found
    resource: Any
    address: str  # Type/id


@dataclass(slots=True)
class Along:
    rows: list[Row] = field(default_factory=list)
    cut: bool = False

    def entries(self, origin: str) -> list[BundleEntry]:
        return [
            BundleEntry(fullUrl=f"{origin}/fhir/{row.address}", resource=row.resource, search=INCLUDED)
            for row in self.rows
        ]


def row_of(asking: Asking, its_map: AnyMap, found: Found) -> Row:
    kind = its_map.type_name or found.view.type_name
    return Row(its_map, found, told(asking, its_map, found), f"{kind}/{found.view.id}")


async def permitted(asking: Asking, links: Iterable[Link]) -> tuple[Link, ...]:
    """Those that the scopes of a partner cover; `*` is all of these. Raises Forbidden, traced, for one that was named."""
    who, asked = asking.reading.principal, distinct(links)
    if not isinstance(who, Partner):
        return asked
    held = tuple(link for link in asked if scopes.cover(who.scopes, link.brings, "s"))
    some = {(link.source.type_name, link.name, link.back) for link in held}  # of one that leads to several types
    lost = (link for link in asked if link not in held and not link.wild)
    beyond = next((link for link in lost if (link.source.type_name, link.name, link.back) not in some), None)
    if beyond:
        await refuse(asking.reading, Action.READ, asking.maps[0].view.TABLE.KIND)
        raise Forbidden(out_of_scope(beyond.brings, "s").message, where=beyond.parameter, code="scope")
    return held


async def along(asking: Asking, matches: Sequence[Row], links: Sequence[Link]) -> Along:
    """What comes with these rows, each once, none of them again."""
    if not links:
        return Along()
    gathered, seen, sources = Along(), {row.address for row in matches}, list(matches)
    for number in range(ROUNDS_MOST):
        followed = of_round(links, number)
        wanted = _wanted(asking, followed, sources)
        if not wanted.values:
            break
        room = MOST - len(gathered.rows)
        questions = _questions(wanted.shape, asking.outside, isinstance(asking.reading.principal, Partner))
        values = {**wanted.values, **await as_here(asking.reading, wanted.whose)}
        found = await alongside(asking.reading, questions, room + len(seen) + 1, **values)
        rows = [row_of(asking, wanted.shape[one.place][0], one) for one in found]
        new = [row for row in rows if row.address not in seen and wanted.brought(row)]
        gathered.cut = len(new) > room
        sources = new[:room]
        gathered.rows += sources
        seen |= {row.address for row in sources}
        if gathered.cut or not sources:
            break
    return gathered


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`values` by bind; `ahead`, the addresses that references told lead to; `behind`, those that may be led to."""

    shape: Shape
    values: Mapping[str, list[str]]
    ahead: frozenset[str]
    behind: frozenset[str]

    @property
    def whose(self) -> Mapping[str, object]:
        """Those persons of `behind`, as a partner knows them."""
        told = self.values.get(_behind(PERSON), [])
        return {WHOSE: [UUID(id) for id in told]} if told else {}

    def brought(self, row: Row) -> bool:
        return row.address in self.ahead or not self.behind.isdisjoint(_led_to(row.resource))


def _wanted(asking: Asking, links: Sequence[Link], sources: Sequence[Row]) -> _Wanted:
    ahead, behind = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    by_id, by_link = set[str](), defaultdict[int, set[tuple[str, str]]](set)
    for link in links:
        if link.back:
            behind[link.by.target] |= {r.address for r in sources if r.address.startswith(f"{link.by.target}/")}
            if behind[link.by.target]:
                by_link[id(link.source)].add((link.name, link.by.target))
        elif led := {to for row in sources if row.its_map is link.source for to in _told_by(link, row)}:
            ahead[link.by.target] |= led
            by_id.add(link.by.target)
    shape = []
    for each in asking.registry.maps:
        asked, back = each.type_name in by_id, tuple(sorted(by_link[id(each)]))
        if asked or back:
            shape.append((each, asked, back))
    values = {_ahead(kind): _ids(addresses) for kind, addresses in ahead.items()}
    values |= {_behind(kind): _ids(addresses) for kind, addresses in behind.items() if addresses}
    return _Wanted(tuple(shape), values, frozenset().union(*ahead.values()), frozenset().union(*behind.values()))


def _told_by(link: Link, row: Row) -> set[str]:
    """Where this parameter leads to, of what the caller is told: to its person by the name this caller knows them by."""
    held = link.by.held(row.found.view) | {row.found.known_as}
    return {to for to in _led_to(row.resource) if to.partition("/") in {(link.by.target, "/", one) for one in held}}


def _led_to(resource: Any) -> set[str]:
    literals = (references.literal(each.target) for each in references.found(plain(resource)))
    return {f"{one.kind}/{one.id}" for one in literals if one and not one.base}


def _ids(addresses: Iterable[str]) -> list[str]:
    return sorted(address.partition("/")[2] for address in addresses)


def _ahead(type_name: str) -> str:
    return f"ahead_{type_name}"


def _behind(type_name: str) -> str:
    return f"behind_{type_name}"


@lru_cache(maxsize=500)
def _questions(shape: Shape, outside: bool, partner: bool) -> tuple[Question, ...]:
    return tuple(_question(*each, outside, partner) for each in shape)


def _question(each: AnyMap, by_id: bool, back: Iterable[tuple[str, str]], outside: bool, partner: bool) -> Question:
    row: Any = each.view.TABLE
    this = [row.id == any_(_bind(_ahead(each.type_name)))] if by_id else []
    led = references_of(each.criteria)
    ways = [by for name, kind in back for by in led[name] if by.target == kind]
    now = [*this, *(_leads(row, by, outside, partner) for by in ways)]
    then = [*this, *(_leads(row, by, outside, partner) for by in ways if by.column.key in LASTING)]
    former = and_(each.mine, or_(*then)) if then else None
    return Question(each.view, Listing(and_(each.mine, or_(*now)), few=True), former)


def _leads(row: Any, by: Reference, outside: bool, partner: bool) -> ColumnElement[bool]:
    """To one of those behind, and this caller is told so. A partner is told of whoever they are here by the name it
    knows them by."""
    those, seen = _bind(_behind(by.target)), by.tells(outside=outside)
    told = true() if seen is None else seen
    if not (partner and by.whose):
        return and_(told, by.among(those))
    return and_(told, by.among(_bind(WHOSE)), named_to_me(row) == any_(those))


def _bind(name: str) -> Any:
    return bindparam(name, type_=ARRAY(Uuid()))
