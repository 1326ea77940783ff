"""FHIR search-type: the resources of one type that meet criteria, the latest first, page by page.

Source: https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from starlette.responses import Response

from app.access.several import Found, Question, count, page, person
from app.fhir import paging
from app.fhir.mapping import AnyMap, by_shape, none_of
from app.fhir.outcomes import Issue, outcome
from app.fhir.search import includes
from app.fhir.search.chains import Searched
from app.fhir.search.criteria import ANY_SENDER
from app.fhir.search.query import PAGE_MOST, Links, Query, read
from app.fhir.types import Bundle, BundleEntry, BundleLink, EntrySearch, moment
from app.fhir.verbs.alongside import CUT, Along, Row, along, permitted, row_of
from app.fhir.verbs.asking import Asking, covered
from app.kernel import answers
from app.kernel.answers import FHIR_JSON
from app.kernel.clock import now
from app.kernel.errors import MethodNotAllowed, Unreadable
from app.security.principal import Partner, Professional

COUNTED_MOST = 10_000
MATCH = EntrySearch("match")
Pairs = Sequence[tuple[str, str]]


async def search(asking: Asking, said: Pairs, *, lenient: bool = False) -> Response:
    """A searchset. Raises Unreadable on a parameter at fault or a link that is not this caller's."""
    if asking.maps[0] is asking.registry.kept:
        raise MethodNotAllowed("Ce type ne se cherche pas : il se lit par son identifiant.")
    after: tuple[object, ...] = ()
    link = [text for name, text in said if name == paging.PAGE]
    if link:
        if len(said) > 1:
            raise Unreadable("Un lien de page se suit tel quel.", where=paging.PAGE)
        opened = paging.opened(asking.reading.keyring, asking.reading.principal, asking.type_name, link[0])
        said, after = opened.said, opened.after
    query = read(said, _tables(asking), asking.around, lenient=lenient, links=_links(asking))
    await covered(asking, query.reached)
    links = await permitted(asking, query.links)
    if query.asked_count == 0:
        return await _counted(asking, query)
    maps, questions = _questions(asking, query)
    rows = await page(
        asking.reading,
        questions,
        query.count + 1,
        after,
        query.usager,
        **await _values(asking, query),
    )
    matches = [row_of(asking, maps[one.place], one) for one in rows[: query.count]]
    others = await along(asking, matches, links)
    return _searchset(asking, query, matches, others, rows, after, link[0] if link else None)


async def matching(asking: Asking, said: Pairs, most: int) -> list[tuple[AnyMap, Found]]:
    """The rows within the caller's own reach that meet a condition, at most `most`. Raises Unreadable."""
    query = read(said, _tables(asking), asking.around)
    await covered(asking, query.reached)
    if asking.maps[0] is asking.registry.kept or not any(query.shapes):
        raise Unreadable("Une condition tient en un critère de recherche au moins.", code="unknown_parameter")
    maps, questions = _questions(asking, query)
    rows = await page(asking.reading, questions, most, (), query.usager, **await _values(asking, query))
    return [(maps[row.place], row) for row in rows]


async def _counted(asking: Asking, query: Query) -> Response:
    """`_count=0`: the total alone. https://hl7.org/fhir/R4/search.html#count"""
    _, questions = _questions(asking, query)
    found = await count(asking.reading, questions, COUNTED_MOST + 1, query.usager, **await _values(asking, query))
    if found > COUNTED_MOST:
        raise Unreadable("Trop de résultats pour les compter : ajoutez un critère.", where="_count", code="too_costly")
    return _told(asking, query, (), total=found)


def _links(asking: Asking) -> Links:
    return partial(includes.read, asking.registry, asking.type_name)


def _tables(asking: Asking) -> list[Searched]:
    return [asking.registry.searched(each) for each in asking.maps]


def _questions(asking: Asking, query: Query) -> tuple[tuple[AnyMap, ...], tuple[Question, ...]]:
    """The maps that can answer, and what each is asked."""
    shaped = enumerate(zip(asking.maps, query.shapes, strict=True))
    searched = asking.registry.searched
    asked = [
        (each, by_shape(each, place, shape, searched(each))) for place, (each, shape) in shaped if shape is not None
    ]
    asked = asked or [(asking.maps[0], none_of(asking.maps[0]))]
    return tuple(each for each, _ in asked), tuple(question for _, question in asked)


async def _values(asking: Asking, query: Query) -> dict[str, object]:
    team = int(isinstance(asking.reading.principal, Professional))
    values = {**query.values, "fhir_type": asking.type_name, ANY_SENDER: team}
    if query.usager and isinstance(asking.reading.principal, Partner):
        asked = values[query.usager]
        here = await person(asking.reading, UUID(str(asked)))
        values |= {name: here for name, value in query.values.items() if value == asked}  # each map has its own
    return values


def _searchset(
    asking: Asking,
    query: Query,
    matches: Sequence[Row],
    others: Along,
    rows: Sequence[Found],
    after: tuple[object, ...],
    link: str | None,
) -> Response:
    shown, more = rows[: query.count], len(rows) > query.count
    entries = [
        BundleEntry(fullUrl=f"{asking.origin}/fhir/{row.address}", resource=row.resource, search=MATCH)
        for row in matches
    ]
    entries += others.entries(asking.origin)
    following = None
    if more:
        reading = asking.reading
        following = paging.following(
            reading.keyring, reading.principal, asking.origin, asking.type_name, query.said, shown[-1].at
        )
    total = None if more or after else len(shown)  # known without counting when all of it is here
    return _told(asking, query, entries, total, following, link, [CUT] if others.cut else [])


def _told(
    asking: Asking,
    query: Query,
    entries: Iterable[BundleEntry],
    total: int | None,
    following: str | None = None,
    link: str | None = None,
    issues: Sequence[Issue] = (),
) -> Response:
    here = ((paging.PAGE, link),) if link else query.said
    links = [BundleLink("self", paging.first(asking.origin, asking.type_name, here))]
    if following:
        links.append(BundleLink("next", following))
    said, capped = [*entries], [*issues]
    if query.asked_count is not None and query.asked_count > PAGE_MOST:
        capped.append(Issue("information", "capped", "", f"Une page tient {PAGE_MOST} éléments au plus."))
    if capped:
        said.append(BundleEntry(resource=outcome(capped), search=EntrySearch("outcome")))
    bundle = Bundle(type="searchset", timestamp=moment(now()), total=total, link=tuple(links), entry=tuple(said))
    return answers.told(bundle, FHIR_JSON)
