"""What a search answers: the rows found and those that come along, the links of its pages, its total, what was not done.

Source: https://hl7.org/fhir/R4/search.html#return
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from app.access.several import Question
from app.fhir import paging
from app.fhir.mapping import AnyMap
from app.fhir.outcomes import Issue, outcome
from app.fhir.search.control import EXPLAIN
from app.fhir.search.query import PAGE_MOST, Query
from app.fhir.types import Bundle, BundleEntry, BundleLink, EntrySearch, moment
from app.fhir.verbs.alongside import CUT, Along, Row
from app.fhir.verbs.asking import Asking
from app.kernel import answers
from app.kernel.answers import FHIR_JSON
from app.kernel.clock import now
from app.kernel.errors import Unreadable

COUNTED_MOST = 10_000
MATCH, OUTCOME = EntrySearch("match"), EntrySearch("outcome")
TOO_MANY = f"Plus de {COUNTED_MOST} résultats : le total n'est pas compté au-delà. Ajoutez un critère."


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked: its maps that can answer, and the question to each; the page it follows; the total when it is known."""

    query: Query
    path: str
    maps: tuple[AnyMap, ...]
    questions: tuple[Question, ...]
    values: Mapping[str, object]
    after: tuple[object, ...] = ()
    link: str | None = None
    total: int | None = None
    as_of: str = ""  # what the first page saw
    plan: str = ""  # how the base runs it, told to who asks and may know


def total_alone(asking: Asking, asked: Search) -> Response:
    """`_count=0`. Raises Unreadable beyond what is counted. https://hl7.org/fhir/R4/search.html#count"""
    if (asked.total or 0) > COUNTED_MOST:
        raise Unreadable("Trop de résultats pour les compter : ajoutez un critère.", where="_count", code="too_costly")
    return _told(asking, asked, (), _notes(asked))


def searchset(asking: Asking, asked: Search, matches: Sequence[Row], others: Along, *, more: bool) -> Response:
    """`more`: there is a page after this one."""
    entries = [
        BundleEntry(fullUrl=f"{asking.origin}/fhir/{row.address}", resource=row.resource, search=MATCH)
        for row in matches
    ]
    following = None
    if more:
        reading, said, at = asking.reading, asked.query.said, matches[-1].found.at
        as_of = matches[-1].found.as_of or asked.as_of
        following = paging.following(
            reading.keyring, reading.principal, asking.origin, asked.path, said, at, asked.total, as_of
        )
    notes = [*([CUT] if others.cut else []), *_notes(asked)]
    return _told(asking, asked, [*entries, *others.entries(asking.origin)], notes, following)


def _told(
    asking: Asking,
    asked: Search,
    entries: Iterable[BundleEntry],
    notes: Iterable[Issue],
    following: str | None = None,
) -> Response:
    first = paging.first(asking.origin, asked.path, asked.query.said)
    here = paging.first(asking.origin, asked.path, ((paging.PAGE, asked.link),)) if asked.link else first
    links = [BundleLink("self", here), BundleLink("first", first)]
    if following:
        links.append(BundleLink("next", following))
    issues = list(notes)
    said = (*entries, *((BundleEntry(resource=outcome(issues), search=OUTCOME),) if issues else ()))
    bundle = Bundle(type="searchset", timestamp=moment(now()), total=_total(asked), link=tuple(links), entry=said)
    return answers.told(bundle, FHIR_JSON)


def _total(asked: Search) -> int | None:
    """An estimate stops at the cap; an accurate total is not said beyond it."""
    if asked.total is None or asked.total <= COUNTED_MOST:
        return asked.total
    return COUNTED_MOST if asked.query.control.total == "estimate" else None


def _notes(asked: Search) -> Iterable[Issue]:
    """What was not done as it was asked."""
    if (asked.query.asked_count or 0) > PAGE_MOST:
        yield Issue("information", "capped", "_count", f"Une page tient {PAGE_MOST} éléments au plus.")
    if (asked.total or 0) > COUNTED_MOST:
        yield Issue("information", "capped", "_total", TOO_MANY)
    if asked.plan:
        yield Issue("information", "plan", EXPLAIN, asked.plan)
    for fault in asked.query.ignored:
        yield Issue("warning", fault.code, fault.where, f"Paramètre laissé de côté. {fault.message}")
