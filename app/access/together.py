"""Several lists in one statement: a screen made of five tables asks once, and each list leaves its own trace."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, func, literal_column, select, union_all
from sqlalchemy.types import NullType

from app.access.entry import View
from app.access.facts import alive
from app.access.permissions import Action
from app.access.policy import SHAPES_KEPT
from app.access.questions import Listing, _asked, _found, _told, _turned
from app.access.reading import Reading
from app.access.refusal import ENDED
from app.audit import trail
from app.kernel.errors import Unauthenticated
from app.kernel.hot import HotQuery, compiled
from app.security.principal import Shape


@dataclass(frozen=True)
class Asked:
    """One list, at most `limit` rows of it; declared once, at import, like the listing it holds."""

    view: type[View]
    listing: Listing
    limit: int


async def together(reading: Reading, asked: tuple[Asked, ...], **values: object) -> list[list[Any]]:
    """The rows of each list within reach, in its order. When the first gives none, its line of the trail says so."""
    (first, *rows) = await reading.ask(_question(reading.principal.shape, asked), [], 0, values)
    if not first["told"][0]:
        raise Unauthenticated(ENDED)
    told: list[list[Any]] = [[] for _ in asked]
    for n, _, row in rows:
        told[n].append(asked[n].view(*row))
    return told


@lru_cache(maxsize=SHAPES_KEPT)
def _question(caller: Shape, asked: tuple[Asked, ...]) -> HotQuery:
    founds = [
        _found(caller, Action.READ, each.view, each.listing, _number(each.limit)).cte(f"found_{n}")
        for n, each in enumerate(asked)
    ]
    still = select(_number(-1).label("list"), _number(0).label("place"), _record(alive()))
    lists = [
        select(
            _number(n), func.row_number().over(order_by=_turned(found, each.listing)), _record(*_told(found, each.view))
        )
        for n, (found, each) in enumerate(zip(founds, asked, strict=True))
    ]
    rows = union_all(still, *lists).order_by("list", "place")
    for n, (found, each) in enumerate(zip(founds, asked, strict=True)):
        none = None if n else each.listing.when_none
        line = trail.traced(found, caller, Action.READ, each.view.TABLE.KIND, none, _asked(each.listing))
        rows = rows.add_cte(line.cte(f"traced_{n}"))
    return compiled(rows)


def _number(value: int) -> ColumnElement[Any]:
    return literal_column(str(value), Integer())


def _record(*columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """One column for lists of any width."""
    return func.row(*columns, type_=NullType()).label("told")
