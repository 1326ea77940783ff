"""FHIR history, of an instance, of a type, of all types: what changed, the latest first, page by page.

Each version obeys the policy twice, as it was then and as the row stands now; one that may not be read is not there and
not counted. Source: https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from sqlalchemy import true
from starlette.responses import Response

from app.access.gate import Listing
from app.access.past import Span, Version, versions
from app.access.permissions import Action
from app.access.refusal import OutOfReach, refused
from app.access.several import Question, find, refuse
from app.audit.vocabulary import Outcome
from app.fhir import paging
from app.fhir.mapping import AnyMap
from app.fhir.questions import by_id
from app.fhir.search.names import not_taken, ranked
from app.fhir.search.query import PAGE, PAGE_MOST
from app.fhir.search.values import NO_MOMENT, BadValue, one_moment, uuid_of
from app.fhir.types import Bundle, BundleEntry, BundleLink, EntryRequest, EntryResponse, moment
from app.fhir.verbs.asking import Asking, told
from app.kernel import answers
from app.kernel.answers import FHIR_JSON, etag
from app.kernel.clock import now
from app.kernel.errors import Fault, Gone, Unreadable

HISTORY = "_history"
KEYS = {"_count": "count", "_since": "since", "_at": "at_low"}
EXACT = ("", "eq", "ge")  # prefixes of `_since` that mean what it says
CREATED, UPDATED, DELETED = "201 Created", "200 OK", "204 No Content"
Pairs = Sequence[tuple[str, str]]
TAKES = "un historique se demande par _count, _since et _at"


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a history, read."""

    span: Span
    count: int
    said: paging.Said
    values: Mapping[str, object] = field(default_factory=dict)
    link: str | None = None


async def of_instance(asking: Asking, id: str, said: Pairs) -> Response:
    """Raises OutOfReach when no version of it may be read, alike for what never was."""
    key, kind = uuid_of(id), asking.maps[0].view.TABLE.KIND
    if key is None:
        await refuse(asking.reading, Action.READ, kind)
        raise refused(OutOfReach, Action.READ, kind)
    path = f"{asking.type_name}/{key}/{HISTORY}"
    asked = _read(asking, path, said)
    questions = tuple(by_id(each) for each in asking.maps)
    part = asked.span.since or asked.span.at or asked.span.after
    rows = await _rows(asking, questions, asked, ids=[key], when_none=None if part else Outcome.REFUSED, id=key)
    if not rows and part:
        await _within_reach(asking, questions, key)
    elif not rows:
        raise refused(OutOfReach, Action.READ, kind, [key])
    return _answer(asking, asking.maps, path, asked, rows)


async def of_type(asking: Asking, said: Pairs) -> Response:
    path = f"{asking.type_name}/{HISTORY}"
    asked = _read(asking, path, said)
    return _answer(asking, asking.maps, path, asked, await _rows(asking, _all(asking.maps), asked))


async def of_system(asking: Asking, said: Pairs) -> Response:
    """`asking` holds a map for each table that this caller may search."""
    asked = _read(asking, HISTORY, said)
    return _answer(asking, asking.maps, HISTORY, asked, await _rows(asking, _all(asking.maps), asked))


async def _rows(
    asking: Asking,
    questions: tuple[Question, ...],
    asked: Asked,
    *,
    ids: Sequence[UUID] = (),
    when_none: Outcome | None = Outcome.EMPTY,
    **values: object,
) -> list[Version]:
    known = {"fhir_type": asking.type_name, **asked.values, **values}
    return await versions(asking.reading, questions, asked.span, asked.count + 1, ids=ids, when_none=when_none, **known)


async def _within_reach(asking: Asking, questions: tuple[Question, ...], id: UUID) -> None:
    """An empty page of what may be read. Raises OutOfReach."""
    try:
        await find(asking.reading, questions, id, fhir_type=asking.type_name)
    except Gone:
        return


@lru_cache
def _all(maps: tuple[AnyMap, ...]) -> tuple[Question, ...]:
    return tuple(
        Question(each.view, Listing(true() if each.narrow is None else each.narrow, deleted_too=True)) for each in maps
    )


def _read(asking: Asking, path: str, pairs: Pairs) -> Asked:
    """Raises Unreadable naming each parameter at fault, or a link that is not this caller's."""
    asked = ranked(pairs, "_format")
    said = tuple((name, text) for _, name, text in asked)
    link, after = paging.link_of(said), tuple[object, ...]()
    if link is not None:
        opened = paging.opened(asking.reading.keyring, asking.reading.principal, path, link)
        said, after = opened.said, opened.after
        asked = ranked(said)
    values, faults = dict[str, object](), list[Fault]()
    for rank, name, text in asked:
        if name not in KEYS:
            faults.append(not_taken(name, rank, TAKES))
            continue
        try:
            values |= _value(name, text, values)
        except BadValue as bad:
            faults.append(Fault(name, "bad_parameter", f"{name} : {bad}."))
    if faults:
        raise Unreadable("Cette demande d'historique est à corriger.", faults=faults)
    count = min(int(str(values.pop("count", PAGE))), PAGE_MOST)
    if after:
        values |= dict(zip(("after_at", "after_id", "after_version"), after, strict=True))
    span = Span(since="since" in values, at="at_low" in values, after=bool(after))
    return Asked(span, count, said, values, link)


def _value(name: str, text: str, known: Mapping[str, object]) -> dict[str, object]:
    if KEYS[name] in known:
        raise BadValue("une seule fois est attendue")
    if name == "_count":
        if not (text.isascii() and text.isdigit() and 0 < len(text) <= 9 and int(text)):
            raise BadValue(paging.NO_COUNT)
        return {"count": int(text)}
    asked = one_moment(text)
    if asked.prefix not in EXACT:
        raise BadValue(f"aucun comparateur n'est pris ; {NO_MOMENT}")
    return {"since": asked.low} if name == "_since" else {"at_low": asked.low, "at_high": asked.high}


def _answer(asking: Asking, maps: Sequence[AnyMap], path: str, asked: Asked, rows: Sequence[Version]) -> Response:
    shown = rows[: asked.count]
    here = ((paging.PAGE, asked.link),) if asked.link else asked.said
    links = [BundleLink("self", paging.first(asking.origin, path, here))]
    more = len(rows) > asked.count
    if more:
        reading = asking.reading
        following = paging.following(reading.keyring, reading.principal, asking.origin, path, asked.said, shown[-1].at)
        links.append(BundleLink("next", following))
    entries = tuple(_entry(asking, maps[row.place], row) for row in shown)
    total = None if more or asked.link else len(entries)
    bundle = Bundle(type="history", timestamp=moment(now()), total=total, link=tuple(links), entry=entries)
    return answers.told(bundle, FHIR_JSON)


def _entry(asking: Asking, its_map: AnyMap, row: Version) -> BundleEntry:
    resource = None if row.gone else told(asking, its_map, row)
    kind = its_map.type_name or row.view.type_name
    first = row.view.version == 1
    method, status = ("DELETE", DELETED) if row.gone else ("POST", CREATED) if first else ("PUT", UPDATED)
    place = f"{kind}/{row.view.id}"
    return BundleEntry(
        fullUrl=f"{asking.origin}/fhir/{place}",
        resource=resource,
        request=EntryRequest(method=method, url=kind if method == "POST" else place),
        response=EntryResponse(status=status, etag=etag(row.view.version), lastModified=moment(row.view.updated_at)),
    )
