"""FHIR search-type: the resources of one type that meet criteria, the latest first or as asked, page by page.

Source: https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from sqlalchemy import and_
from starlette.responses import Response

from app.access.acts import Act
from app.access.entry import DossierEntry
from app.access.several import Found, Question, as_here, count, page, plan
from app.fhir import paging
from app.fhir.mapping import AnyMap
from app.fhir.questions import by_shape, none_of
from app.fhir.registry import Registry
from app.fhir.search import includes
from app.fhir.search.chains import Searched, Unknown, is_beyond, is_opaque, parted
from app.fhir.search.control import EXPLAIN, OF_A_SEARCH, OF_SEVERAL, SORT, TYPE, Key, Shaping
from app.fhir.search.criteria import ANY_SENDER, Around, Criterion
from app.fhir.search.criteria.identifier import SYSTEM_AND_VALUE
from app.fhir.search.query import Links, Query, Shape, read
from app.fhir.search.values import tokens
from app.fhir.sorting import Sortable, position, sortable
from app.fhir.verbs.alongside import along, permitted, row_of
from app.fhir.verbs.asking import Asking, covered
from app.fhir.verbs.everything import AS_TOLD, WHOM, about_them
from app.fhir.verbs.searchset import COUNTED_MOST, Search, searchset, total_alone
from app.kernel.errors import MethodNotAllowed, Unreadable
from app.security.principal import Professional

OF_ALL = frozenset({"_id", "_lastUpdated"})  # what every row is searched by
TABLES_MOST = 60  # that one search reads, chains counted
TOO_WIDE = "Cette recherche lit trop de tables : dites moins de types (_type), ou moins de chaînes, plus courtes."
UNSURE = (
    "Des ressources gardées telles quelles y répondent peut-être : dites la condition par identifier=système|valeur."
)
Pairs = Sequence[tuple[str, str]]


async def search(asking: Asking, said: Pairs, *, lenient: bool = False) -> Response:
    """A searchset. Raises Unreadable on a parameter at fault or a link that is not this caller's."""
    if asking.maps[0] is asking.registry.kept:
        raise MethodNotAllowed("Ce type ne se cherche pas : il se lit par son identifiant.")
    asked = await _read(asking, said, lenient=lenient)
    query = asked.query
    await covered(asking, query.reached)
    links = await permitted(asking, query.links)
    if query.control.explain:
        how = await plan(asking.reading, asked.questions, asked.after, _whom(asking, query))
        asked = replace(asked, plan=how)
    if query.asked_count == 0:
        return total_alone(asking, replace(asked, total=await _many(asking, asked)))
    whom, more = _whom(asking, query), query.count + 1
    rows = await page(asking.reading, asked.questions, more, asked.after, whom, asked.as_of, **asked.values)
    asked = replace(asked, total=await _total(asking, asked, rows))
    matches = [row_of(asking, asked.maps[one.place], one) for one in rows[: query.count]]
    return searchset(asking, asked, matches, await along(asking, matches, links), more=len(rows) > query.count)


async def matching(asking: Asking, said: Pairs, most: int) -> list[tuple[AnyMap, Found]]:
    """The rows within the caller's own reach that meet a condition, at most `most`. Raises Unreadable: also when one that
    was kept whole may meet it, since what is not found would be made twice.
    """
    tables = _tables(asking)
    query = read(said, tables, asking.around)
    await covered(asking, query.reached)
    told = [shape for shape in query.shapes if shape is not None]
    if told and not any(told):
        raise Unreadable("Une condition tient en un critère de recherche au moins.", code="unknown_parameter")
    named = [text for name, text in said if name == "identifier"]
    if any(not (system and value) for text in named for system, value in tokens(text)):
        raise Unreadable(f"{SYSTEM_AND_VALUE[0].upper()}{SYSTEM_AND_VALUE[1:]}.", where="identifier")
    unsure = {place for place, shape in enumerate(query.shapes) if shape is None and is_opaque(tables[place])}
    query = _as_far_as_told(query, unsure, said, tables, asking.around)
    places = [place for place, shape in enumerate(query.shapes) if shape is not None]
    if not places:  # each criterion is known, of no one table
        return []
    maps, questions = _questions(asking.registry, asking.maps, query.shapes)
    _check_width(questions, "")
    rows = await page(asking.reading, questions, most, (), query.usager, **await _values(asking, query))
    if any(places[row.place] in unsure for row in rows):
        raise Unreadable(UNSURE, code="unknown_parameter")
    return [(maps[row.place], row) for row in rows]


def _as_far_as_told(
    query: Query, unsure: Collection[int], said: Pairs, tables: Sequence[Mapping[str, Criterion]], around: Around
) -> Query:
    """The same, of the tables that can't answer it, asked for what they know of it."""
    shapes, values, persons = [*query.shapes], query.values, query.persons
    for place in unsure:
        some = read([each for each in said if parted(each[0])[0] in tables[place]], tables, around)
        shapes[place] = some.shapes[place]
        values = {**some.values, **values}
        persons |= some.persons
    return replace(query, shapes=tuple(shapes), values=values, persons=persons)


async def _read(asking: Asking, said: Pairs, *, lenient: bool) -> Search:
    link, opened = paging.link_of(said), None
    if link is not None:
        opened = paging.opened(asking.reading.keyring, asking.reading.principal, asking.path, link)
        said = opened.said
    sorts: Mapping[str, Sortable] = {}
    if any(name == SORT for name, _ in said):
        sorts = sortable(asking.maps, outside=asking.outside, of_person=asking.of_person)
    links: Links = partial(includes.read, asking.registry, _types(asking))
    told = (EXPLAIN,) if asking.reading.may(Act.EXPLAIN_SEARCH) else ()  # to anyone else it is a name like another
    shaping = Shaping((*OF_A_SEARCH, *told), sorts)
    if asking.common is not None:
        shaping = Shaping((*OF_SEVERAL, *told), {*sorts} & {*asking.common})
    query = read(said, _tables(asking), asking.around, lenient=lenient, links=links, shaping=shaping)
    sort = query.control.sort
    who = (asking.outside, asking.of_person) if sort else (False, False)
    whose = (asking.person is not None, asking.partner is not None)
    maps, questions = _questions(asking.registry, asking.maps, query.shapes, sort, *who, *whose)
    _check_width(questions, "" if asking.common is None else TYPE)
    after: tuple[object, ...] = ()
    if opened:
        after = position([sorts[key.name] for key in sort], opened.at) if sort else opened.after
    total, as_of = (opened.total, opened.as_of) if opened else (None, "")
    return Search(query, asking.path, maps, questions, await _values(asking, query), after, link, total, as_of)


class Common(Searched):
    """Of a map, the parameters that all the types searched together have, and the chains that all of them answer."""

    def __init__(self, registry: Registry, of: AnyMap, names: frozenset[str], types: Iterable[str]) -> None:
        super().__init__(registry, of)
        self.names, self.type_name = names, of.type_name
        self.beside = [[registry.searched(each) for each in registry.own(one)] for one in types]

    def __getitem__(self, name: str) -> Criterion:
        if not is_beyond(name):
            if name not in self.names:
                raise KeyError(name)
            return self.own[name]
        if not self.beside or not all(any(name in each for each in one) for one in self.beside):
            raise Unknown("tous les types dits par _type ne répondent pas à cette chaîne", where=TYPE)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.own if name in self.names)


def _types(asking: Asking) -> Sequence[str]:
    """Those searched, that have a map of their own."""
    if asking.common is None:
        return (asking.type_name,)
    return sorted({each.type_name for each in asking.maps if asking.registry.own(each.type_name)})


def _tables(asking: Asking) -> Sequence[Mapping[str, Criterion]]:
    if asking.common is not None:
        types = () if asking.common is OF_ALL else _types(asking)
        return [Common(asking.registry, each, asking.common, types) for each in asking.maps]
    return [asking.registry.searched(each) for each in asking.maps]


def _check_width(questions: Iterable[Question], where: str) -> None:
    """Raises Unreadable: of so many tables the statement alone would be long to write, and to keep."""
    if sum(question.tables for question in questions) > TABLES_MOST:
        raise Unreadable(TOO_WIDE, where=where, code="too_costly")


@lru_cache(maxsize=1_000)
def _questions(
    registry: Registry,
    maps: tuple[AnyMap, ...],
    shapes: tuple[Shape | None, ...],
    sort: tuple[Key, ...] = (),
    outside: bool = False,
    of_person: bool = False,
    whose: bool = False,
    partner: bool = False,
) -> tuple[tuple[AnyMap, ...], tuple[Question, ...]]:
    """The maps that can answer, and what each is asked."""
    sorts = sortable(maps, outside=outside, of_person=of_person) if sort else {}
    keys, rising = [sorts[key.name] for key in sort], tuple(key.rising for key in sort)
    found: list[tuple[AnyMap, Question]] = []
    for place, (each, shape) in enumerate(zip(maps, shapes, strict=True)):
        if shape is not None and (not whose or issubclass(each.view.TABLE, DossierEntry)):
            question = by_shape(each, place, shape, registry.searched(each))
            if whose:
                question = _of_one(question, partner)
            if keys:
                now_, then = (tuple(k.columns[place] for k in keys), tuple(k.columns_then[place] for k in keys))
                kept = all(k.kept for k in keys)
                question = replace(question, keys=now_, keys_then=then, rising=rising, kept=kept)
            found.append((each, question))
    found = found or [(maps[0], none_of(maps[0]))]
    return tuple(each for each, _ in found), tuple(question for _, question in found)


def _of_one(question: Question, partner: bool) -> Question:
    """The same, about one person."""
    mine = about_them(question.view.TABLE, partner)
    then = None if question.then is None else and_(question.then, mine)
    return replace(question, listing=replace(question.listing, where=and_(question.listing.where, mine)), then=then)


async def _values(asking: Asking, query: Query) -> dict[str, object]:
    team = int(isinstance(asking.reading.principal, Professional))
    values = {**query.values, "fhir_type": asking.type_name, ANY_SENDER: team, AS_TOLD: asking.person}
    whom = {name: values[name] for name in query.persons} | ({WHOM: asking.person} if asking.person else {})
    return values | (await as_here(asking.reading, whom))


async def _total(asking: Asking, asked: Search, rows: Sequence[Found]) -> int | None:
    """Counted once, on the first page, which the others repeat; known without counting when all of it is here."""
    wanted = asked.query.control.total
    if asked.link or wanted == "none":
        return asked.total
    if len(rows) <= asked.query.count:
        return len(rows)
    return await _many(asking, asked) if wanted else None


async def _many(asking: Asking, asked: Search) -> int:
    return await count(asking.reading, asked.questions, COUNTED_MOST + 1, _whom(asking, asked.query), **asked.values)


def _whom(asking: Asking, query: Query) -> str | None:
    return WHOM if asking.person else query.usager
