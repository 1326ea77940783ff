"""The rows at the other end of a chain, asked for what they tell: the condition that a chain becomes.

Such a row is one the caller may read as it stands: out of reach, deleted or absent are one and the same.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array

from app.access.beside import named_to_me
from app.access.entry import ME, Readable, Row, word
from app.access.external_ids import EXTERNAL_ID
from app.fhir.search.criteria import MISSING, NOT, Around, Asked, Bind, Criterion, Mask, Reference
from app.fhir.search.criteria.base import HIDDEN
from app.fhir.search.values import BadValue


@dataclass(frozen=True, eq=False)
class End:
    """Rows of one table at the other end: `here` leads to them, or is led to, `there` is what the row searched is known by
    in them; `mask`, whom that is masked for."""

    type_name: str
    row: type[Row]
    here: Reference
    there: ColumnElement[Any]
    mine: ColumnElement[bool]
    criterion: Criterion
    modifier: str
    mask: Mask | None = None


@dataclass(frozen=True, eq=False)
class Beyond(Criterion):
    """The row searched leads to a row of one of the ends, or is led to. What a former version led to is not known beside
    it."""

    type: ClassVar = "special"
    ends: tuple[End, ...]

    @property
    def modifiers(self) -> frozenset[str]:
        """Its name holds those of its ends."""
        return frozenset()

    @property
    def types(self) -> frozenset[str]:
        """Every type that answers it."""
        beyond = (end.criterion.types for end in self.ends if isinstance(end.criterion, Beyond))
        return frozenset(end.type_name for end in self.ends).union(*beyond)

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        """The shape says which ends can answer: whether masked, whether persons that a partner named, where the values
        of each begin, its own shape."""
        told, values, no = [], list[object](), BadValue("")
        for n, end in enumerate(self.ends):
            try:
                asked = end.criterion.read(text, replace(around, type_name=end.type_name), end.modifier)
            except BadValue as bad:
                no = bad
                continue
            renamed = around.partner and end.type_name == "Patient" and end.here.whose
            told.append((n, bool(end.mask and around.outside), renamed, len(values), asked.shape))
            values += asked.values
        if not told:
            raise no
        return Asked(json.dumps(told), tuple(values))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return or_(false(), *(self._led(self.ends[n], bind, *told) for n, *told in json.loads(shape)))

    def persons(self, shape: str) -> Collection[int]:
        told = json.loads(shape.removeprefix(HIDDEN))
        asked = ((self.ends[n].criterion.persons(inner), first) for n, *_, first, inner in told)
        return [first + at for places, first in asked for at in places]

    def _led(self, end: End, bind: Bind, masked: bool, renamed: bool, first: int, shape: str) -> ColumnElement[bool]:
        row: Any = end.row
        met = end.criterion.where(shape, lambda at, kind: bind(first + at, kind))
        seen = end.mask.seen() if end.mask and masked else true()
        found = select(end.there).where(end.mine, seen, met, row.deleted_at.is_(None), Readable(row))
        if not renamed:
            return end.here.among(_array(found))
        told = named_to_me(end.here.row) == any_(_array(found))
        return and_(end.here.among(_array(_attached_since(found))), told)

    def told(self) -> ColumnElement[bool]:
        return or_(false(), *(end.here.told() for end in self.ends))


def _array(found: Select[Any]) -> ColumnElement[Any]:
    """Found once, and by their index then: a plan kept for all values can't tell how few they are."""
    return func.array(found.distinct().correlate(None).scalar_subquery(), type_=ARRAY(Uuid()))


def _attached_since(found: Select[Any]) -> Select[Any]:
    """With whom this partner's persons were attached to here: their rows are about these since."""
    those, x = found.correlate(None).subquery("those"), EXTERNAL_ID.alias("named_person")
    mine = and_(x.c.organisation_id == bindparam("organisation", type_=Uuid()), x.c.partner_id == ME)
    mine = and_(mine, x.c.kind == word("usager"), x.c.row_id == those.c.id)
    both = func.unnest(array([those.c.id, x.c.usager_id]), type_=Uuid())
    return select(both).select_from(those.outerjoin(x, mine))


class _Lacking(Criterion):
    """Of rows that have no such element: they are found by what says so, and by nothing else."""

    type: ClassVar = "special"

    def read(self, text: str, around: Around, modifier: str = "") -> Asked:
        if modifier == NOT or (modifier == MISSING and text == "true"):
            return Asked("", ())
        raise BadValue("rien n'y répond ici")

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        return self.read(text, around, modifier)

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return true()

    def told(self) -> ColumnElement[bool]:
        return false()


LACKING = _Lacking()
