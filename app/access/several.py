"""Looking in several tables at once: one question, one statement, the trace inside. What FHIR's types ask for.

A partner reads the last version *it* wrote: where the team has written since and no consent covers the row, that very
version is told from `entry_version` (design: decisions.md, Read-back). Nothing of the team's stands in it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import orjson

from app.access import since
from app.access.beside import persons_of
from app.access.entry import DossierEntry, View
from app.access.order import Order
from app.access.permissions import Action
from app.access.protection import hidden_since
from app.access.reading import Reading
from app.access.refusal import ENDED, OutOfReach, refused
from app.access.since import STILL, STIRRED, Past, Stirred
from app.access.union import Asking, Question, asking, counting, refusing
from app.access.versions import about, as_then
from app.kernel.errors import Gone, Unauthenticated
from app.kernel.hot import aside
from app.security.principal import Caller

__all__ = [
    "Found",
    "Question",
    "alongside",
    "as_here",
    "count",
    "find",
    "glance",
    "order_of",
    "page",
    "person",
    "plan",
    "refuse",
    "those",
]

FIXED = 8  # of a line of `Asking`, what stands before the facts
BY_ID = Order(("id",))


class Found(msgspec.Struct, frozen=True):
    """`place` is the question it answers, `at` where it stands in the order, `state` what became of the bundle of this
    partner that brought it, `known_as` the id by which this partner knows its person, `current` false for an older
    version."""

    place: int
    view: Any
    at: tuple[object, ...]
    state: str | None = None
    known_as: str | None = None
    current: bool = True
    as_of: str = ""  # what its statement saw of the base, when a page is to follow it (`access.since`)


async def find(reading: Reading, asked: tuple[Question, ...], id: UUID, **values: object) -> Found:
    """The row of this id, wherever it is. Raises OutOfReach once the refusal is traced; Gone when deleted."""
    found = await _ask(reading, asking(reading.principal.shape, asked, BY_ID), [id], 1, {**values, "id": id})
    if not found:
        raise refused(OutOfReach, Action.READ, asked[0].view.TABLE.KIND, [id])
    gone, one = found[0]
    if gone:
        raise Gone("Cet élément a été supprimé.")
    return one


async def glance(reading: Reading, question: Question, id: UUID, **values: object) -> Found | None:
    """The same in one table; nothing is said, nor traced, when it is not there: another question follows."""
    query = asking(reading.principal.shape, (question,), BY_ID, silent=True)
    found = await _ask(reading, query, [], 1, {**values, "id": id})
    if found and found[0][0]:
        raise Gone("Cet élément a été supprimé.")
    return found[0][1] if found else None


async def those(
    reading: Reading, asked: tuple[Question, ...], ids: Sequence[UUID], **values: object
) -> dict[UUID, tuple[bool, Found]]:
    """The rows of these ids within reach, and whether each is deleted; nothing is said of the others."""
    query = await aside(asking, len(asked), reading.principal.shape, asked, BY_ID, silent=True)
    found = await _ask(reading, query, ids, len(ids), {**values, "targets": [*ids]})
    return {UUID(str(one.view.id)): (gone, one) for gone, one in found}


async def alongside(reading: Reading, asked: tuple[Question, ...], limit: int, **values: object) -> list[Found]:
    """The rows that come with others, already told: traced as any, and nothing is said when there are none."""
    query = await aside(asking, len(asked), reading.principal.shape, asked, BY_ID, silent=True)
    return [one for _, one in await _ask(reading, query, [], limit, values)]


async def page(
    reading: Reading,
    asked: tuple[Question, ...],
    limit: int,
    after: Sequence[object] = (),
    usager: str | None = None,
    as_of: str | None = None,
    /,
    **values: object,
) -> list[Found]:
    """Of all tables together, the latest first, or by their `keys`.

    `usager` names the value that is the usager asked for; `after` is where the last row given stands; `as_of`, what the
    first page saw (`Found.as_of`), whose order is then kept; nothing yet: it is asked for.
    """
    how, beyond = await _paged(reading, asked, after, usager, as_of)
    try:
        return [one for _, one in await _ask(reading, how, [], limit, {**values, **beyond})]
    except Stirred:
        as_of = (as_of or "").replace(STILL, STIRRED)
        found = await page(reading, asked, limit, after, usager, as_of, **values)
        return [msgspec.structs.replace(one, as_of=as_of) for one in found]


async def plan(
    reading: Reading, asked: tuple[Question, ...], after: Sequence[object] = (), usager: str | None = None
) -> str:
    """How the base runs such a `page`. Raises MayNot to who may not know."""
    how, _ = await _paged(reading, asked, after, usager)
    return await reading.plan(how.query)


async def _paged(
    reading: Reading,
    asked: tuple[Question, ...],
    after: Sequence[object],
    usager: str | None,
    as_of: str | None = None,
) -> tuple[Asking, dict[str, object]]:
    rising = asked[0].rising if asked else ()
    order = _sorted(rising) if rising else Order(order_of(question.view for question in asked))
    beyond = {f"after_{name}": value for name, value in zip(order.names, after, strict=True)} if after else {}
    if after:
        order = replace(order, after=tuple(value is not None for value in after))
    past = Past.NONE
    if as_of is not None and any(name != "id" for name in order.names):
        past = Past.of(asked, as_of) if after and as_of else Past.NONE if after else Past.BEGINS
    if past.follows:
        beyond |= since.values(as_of or "")
    tables = sum(question.tables for question in asked)
    return await aside(asking, tables, reading.principal.shape, asked, order, usager, past=past), beyond


async def count(
    reading: Reading, asked: tuple[Question, ...], most: int, usager: str | None = None, **values: object
) -> int:
    """How many rows are within reach, at most `most`. Counting is reading: traced alike."""
    order = Order(order_of(question.view for question in asked))
    query = await aside(counting, sum(each.tables for each in asked), reading.principal.shape, asked, order, usager)
    [(alive_still, found)] = await reading.ask(query, [], most, values)
    if not alive_still:
        raise Unauthenticated(ENDED)
    return int(found)


async def person(reading: Reading, id: UUID) -> tuple[UUID, bool]:
    """Whom this partner asks for: a person it named may have been attached to one who was here; and whether it knows them
    by two ids.
    """
    others = await _attached(reading, {id})
    return others.get(id, id), bool(others)


async def as_here(reading: Reading, whom: Mapping[str, Any]) -> dict[str, Any]:
    """The same of several, by parameter: an id or a list. One statement for a partner, none for anyone else."""
    ids = {id for value in whom.values() for id in (value if isinstance(value, list) else [value])}
    if not ids or reading.principal.shape.kind is not Caller.PARTNER:
        return {**whom}
    here = await _attached(reading, ids)
    return {
        name: [here.get(id, id) for id in value] if isinstance(value, list) else here.get(value, value)
        for name, value in whom.items()
    }


async def _attached(reading: Reading, ids: Collection[UUID]) -> dict[UUID, UUID]:
    return {row[0]: row[1] for row in await reading.ask(persons_of(), [], len(ids), {"asked": [*ids]})}


async def refuse(reading: Reading, action: str, kind: str, ids: Sequence[UUID] = ()) -> None:
    """The trace of a refusal that no row was asked about: a scope that is missing."""
    [(alive_still,)] = await reading.ask(refusing(reading.principal.shape, action, kind), ids, 0, {})
    if not alive_still:
        raise Unauthenticated(ENDED)


def order_of(views: Iterable[type[View]]) -> tuple[str, ...]:
    """When it happened; by id, which follows the hour of writing, where a table is about no usager."""
    of_dossiers = all(issubclass(view.TABLE, DossierEntry) for view in views)
    return ("occurred_at", "id") if of_dossiers else ("id",)


def _sorted(rising: tuple[bool, ...]) -> Order:
    """By these keys, then by id, which turns as the last of them."""
    return Order((*(f"key_{n}" for n in range(len(rising))), "id"), (*rising, rising[-1]))


async def _ask(
    reading: Reading, how: Asking, ids: Sequence[UUID], limit: int, values: Mapping[str, object]
) -> list[tuple[bool, Found]]:
    rows = await reading.ask(how.query, ids, limit, values)
    living = rows[0][0]
    if living is False and how.past is Past.QUIET:
        raise Stirred
    if not living:
        raise Unauthenticated(ENDED)
    return [(row[2], _found(reading, how, row)) for row in rows if row[1] is not None]


def _found(reading: Reading, how: Asking, line: Any) -> Found:
    seen, n, _, state, known_as, wrapped, protected, told = line[:FIXED]
    first, as_of = FIXED + how.facts, seen if how.past is Past.BEGINS else ""
    at = line[first : first + how.places]
    if n >= 0:
        values = [*(told or line[first + how.places :])]
        for place, fact in how.fills[n]:
            values[place] = wrapped if fact is None else line[FIXED + fact]
        return Found(n, how.asked[n].view(*values), at, state, known_as, as_of=as_of)
    kind, id, usager_id, version, sealed, itself = told
    snapshot = reading.keyring.usager_key(wrapped, usager_id).open(sealed, about(kind, id, version))
    view = how.asked[-1 - n].view
    then = hidden_since(as_then(view, orjson.loads(snapshot), wrapped), protected, itself)
    return Found(-1 - n, then, at, state, known_as, current=False, as_of=as_of)
