"""`Patient/$everything`: all the rows of one person's dossier that the caller may read, the latest first, page by page.

Source: https://hl7.org/fhir/R4/patient-operation-everything.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, DateTime, Text, Uuid, and_, any_, bindparam
from starlette.responses import Response

from app.access.beside import named_to_me
from app.access.gate import Listing
from app.access.permissions import Action, Kind
from app.access.refusal import OutOfReach, refused
from app.access.several import Found, Question, page, person, refuse
from app.access.versions import EntryVersion
from app.fhir import paging
from app.fhir.mapping import AnyMap
from app.fhir.questions import none_of
from app.fhir.search.names import not_taken, ranked
from app.fhir.search.query import PAGE_MOST
from app.fhir.search.values import BadValue, one_moment, uuid_of
from app.fhir.types import Bundle, BundleEntry, BundleLink, EntrySearch, moment
from app.fhir.verbs.asking import Asking, covered, told
from app.kernel import answers
from app.kernel.answers import FHIR_JSON
from app.kernel.clock import now
from app.kernel.errors import Fault, Unreadable
from app.security.principal import Partner

NAME = "$everything"
WHOM = "everyone_of"  # the parameter that names the person
SINCE = bindparam("since", type_=DateTime(timezone=True))
AS_TOLD = "everyone_as_told"  # the same, by the id that a partner says
OF = bindparam(WHOM, type_=Uuid())
TYPES = bindparam("types", type_=ARRAY(Text()))
MATCH = EntrySearch("match")
Pairs = Sequence[tuple[str, str]]
TAKEN = ("_count", "_since", "_type")
TAKES = "cette opération prend _count, _since et _type"


@dataclass(frozen=True, slots=True)
class Asked:
    count: int
    said: paging.Said
    types: frozenset[str] = frozenset()
    values: Mapping[str, object] = field(default_factory=dict)
    after: tuple[object, ...] = ()
    link: str | None = None


async def everything(asking: Asking, id: str, said: Pairs) -> Response:
    """`asking` holds a map for each table that this caller may read. Raises OutOfReach when nothing of them may be."""
    key, kind = uuid_of(id), asking.maps[0].view.TABLE.KIND
    if key is None:
        await refuse(asking.reading, Action.READ, kind)
        raise refused(OutOfReach, Action.READ, kind)
    path = f"Patient/{key}/{NAME}"
    asked = _read(asking, path, said)
    await covered(asking, asked.types, "r")
    wanted = asked.types or None
    maps = tuple(each for each in asking.maps if wanted is None or not each.type_name or each.type_name in wanted)
    here, two = await person(asking.reading, key) if isinstance(asking.reading.principal, Partner) else (key, False)
    questions = _questions(maps, two, since="since" in asked.values, typed=bool(asked.types))
    questions = questions or (none_of(asking.maps[0]),)  # types that hold nothing of a person
    values = {**asked.values, WHOM: here, AS_TOLD: key, "types": sorted(asked.types)}
    rows = await page(asking.reading, questions, asked.count + 1, asked.after, WHOM, **values)
    if not (rows or asked.types or asked.values or asked.link):
        raise refused(OutOfReach, Action.READ, kind, [key])
    return _answer(asking, maps, path, asked, rows)


@lru_cache(maxsize=500)
def _questions(maps: tuple[AnyMap, ...], two: bool, *, since: bool, typed: bool) -> tuple[Question, ...]:
    return tuple(_question(each, two, since=since, typed=typed) for each in maps)


def about_them(row: Any, two: bool) -> ColumnElement[bool]:
    """The rows of this table told as theirs; `two`: to a partner that may know them by two ids. An identity is that of who
    was named by its id, whoever they are since.
    """
    if not two:
        return row.usager_id == OF  # type: ignore[no-any-return]
    told = bindparam(AS_TOLD, type_=Uuid())
    return row.id == told if row.KIND is Kind.USAGER else and_(row.usager_id == OF, named_to_me(row) == told)


def _question(each: AnyMap, two: bool, *, since: bool, typed: bool) -> Question:
    row: Any = each.view.TABLE
    whose: list[ColumnElement[bool]] = [about_them(row, two)]
    if each.narrow is not None:
        whose.append(each.narrow)
    if typed and not each.type_name:  # a table of many types
        whose.append(row.type_name == any_(TYPES))
    late = [(row.updated_at >= SINCE, EntryVersion.at >= SINCE)] if since else []
    now_, then = ([one for one, _ in late], [one for _, one in late])
    return Question(each.view, Listing(and_(*whose, *now_)), and_(*whose, *then))


def _read(asking: Asking, path: str, pairs: Pairs) -> Asked:
    """Raises Unreadable naming each parameter at fault, or a link that is not this caller's."""
    ranks = ranked(pairs, "_format")
    said = tuple((name, text) for _, name, text in ranks)
    link, after = paging.link_of(said), tuple[object, ...]()
    if link is not None:
        opened = paging.opened(asking.reading.keyring, asking.reading.principal, path, link)
        said, after = opened.said, opened.after
        ranks = ranked(said)
    names = [name for name, _ in said]
    count, types, values, faults = PAGE_MOST, frozenset[str](), dict[str, object](), list[Fault]()
    for rank, name, text in ranks:
        if name not in TAKEN:
            faults.append(not_taken(name, rank, TAKES))
            continue
        try:
            if names.count(name) > 1:
                raise BadValue("une seule fois est attendue")
            if name == "_count":
                count = min(_count(text), PAGE_MOST)
            elif name == "_type":
                types = _types(asking, text)
            else:
                values["since"] = one_moment(text).low
        except BadValue as bad:
            faults.append(Fault(name, "bad_parameter", f"{name} : {bad}."))
    if faults:
        raise Unreadable("Cette demande est à corriger.", faults=faults)
    return Asked(count, said, types, values, after, link)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text)):
        raise BadValue(paging.NO_COUNT)
    return int(text)


def _types(asking: Asking, text: str) -> frozenset[str]:
    """Of types served here; one that holds nothing of a person is no fault."""
    types = frozenset(text.split(","))
    if not types <= {*asking.registry.types, *asking.registry.kept_types}:
        raise BadValue("des types servis ici sont attendus, séparés par une virgule")
    return types


def _answer(asking: Asking, maps: Sequence[AnyMap], path: str, asked: Asked, rows: Sequence[Found]) -> Response:
    shown, more = rows[: asked.count], len(rows) > asked.count
    entries = tuple(_entry(asking, maps[row.place], row) for row in shown)
    here = ((paging.PAGE, asked.link),) if asked.link else asked.said
    links = [BundleLink("self", paging.first(asking.origin, path, here))]
    if more:
        reading = asking.reading
        following = paging.following(reading.keyring, reading.principal, asking.origin, path, asked.said, shown[-1].at)
        links.append(BundleLink("next", following))
    total = None if more or asked.link else len(entries)
    bundle = Bundle(type="searchset", timestamp=moment(now()), total=total, link=tuple(links), entry=entries)
    return answers.told(bundle, FHIR_JSON)


def _entry(asking: Asking, its_map: AnyMap, row: Found) -> BundleEntry:
    kind = its_map.type_name or row.view.type_name
    return BundleEntry(
        fullUrl=f"{asking.origin}/fhir/{kind}/{row.view.id}", resource=told(asking, its_map, row), search=MATCH
    )
