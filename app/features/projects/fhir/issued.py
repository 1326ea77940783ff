"""Search by a business identifier of ours: it holds the row's id and the usager's, so it is read, not looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, any_
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.identifiers import TAGS, business_id, normal
from app.fhir.search.criteria import Around, Asked, Bind, Column, Criterion
from app.fhir.search.values import alternatives


@dataclass(frozen=True, eq=False)
class Issued:
    """`system|value`, `|value` or `value`, as `words.issued` writes it."""

    table: Any
    system: str
    type: str = "token"

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.table.id, self.table.usager_id)

    def read(self, text: str, around: Around) -> Asked:
        ids: list[UUID] = []
        usagers: list[UUID] = []
        for piece in alternatives(text):
            of, _, value = piece.rpartition("|")
            written = business_id(value)
            if written and normal(of) in ("", self.system) and written.tag == TAGS.get(self.system, "MORE"):
                pair = _uuid(written.number), _uuid(written.local)
                if pair[0] and pair[1]:
                    ids.append(pair[0])
                    usagers.append(pair[1])
        return Asked("any", (ids, usagers))

    def where(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        ids, usagers = bind(0, ARRAY(Uuid())), bind(1, ARRAY(Uuid()))
        ours = self.table.origin_partner_id.is_(None)
        return and_(self.table.id == any_(ids), self.table.usager_id == any_(usagers), ours)

    def then(self, at: Mapping[str, Column]) -> Criterion | None:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None
