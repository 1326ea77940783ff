"""What is asked of the rows of a map: by an id, by some, by the shape of a search."""

from functools import lru_cache

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, false
from sqlalchemy.sql import visitors

from app.access.entry import Readable
from app.access.gate import Listing
from app.access.several import Question
from app.access.versions import EntryVersion
from app.audit.vocabulary import Outcome
from app.fhir.mapping import AnyMap
from app.fhir.search.chains import Searched
from app.fhir.search.query import Shape, condition, condition_then


@lru_cache(maxsize=1_000)
def by_id(asked: AnyMap, *, as_it_stands: bool = False) -> Question:
    """The row of one id among those of this map; `as_it_stands`: never an older version of it."""
    row = asked.view.TABLE
    this = _narrowed(asked, row.id == bindparam("id", type_=Uuid()))
    now = Listing(this, when_none=Outcome.REFUSED, deleted_too=True, few=True)
    return Question(asked.view, now, None if as_it_stands else this)


@lru_cache(maxsize=1_000)
def by_ids(asked: AnyMap) -> Question:
    """The rows of some ids (`targets`) among those of this map, deleted or not."""
    these = _narrowed(asked, asked.view.TABLE.id == any_(bindparam("targets", type_=ARRAY(Uuid()))))
    return Question(asked.view, Listing(these, deleted_too=True, few=True), these)


@lru_cache(maxsize=1_000)
def by_shape(asked: AnyMap, place: int, shape: Shape, criteria: Searched) -> Question:
    """The rows of this map that a search of this shape wants; `place` is that of the map among those asked."""
    then = condition_then(
        criteria, shape, place, {"occurred_at": EntryVersion.occurred_at, "updated_at": EntryVersion.at}
    )
    where = condition(criteria, shape, place)
    return Question(
        asked.view,
        Listing(_narrowed(asked, where)),
        None if then is None else _narrowed(asked, then),
        tables=1 + sum(isinstance(part, Readable) for part in visitors.iterate(where)),
    )


@lru_cache(maxsize=1_000)
def none_of(asked: AnyMap) -> Question:
    """Of a search that no map can answer."""
    return Question(asked.view, Listing(false()))


def _narrowed(asked: AnyMap, where: ColumnElement[bool]) -> ColumnElement[bool]:
    return where if asked.narrow is None else and_(where, asked.narrow)
