"""Search by a business identifier of ours: it holds the row's id and the usager's, so it is read, not looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, any_, or_
from sqlalchemy.dialects.postgresql import ARRAY

from app.fhir.identifiers import TAGS, business_id, normal
from app.fhir.search.criteria import Around, Asked, Bind, Column, Criterion, Identifier
from app.fhir.search.values import tokens, uuid_of

URN, UUID_URN = "urn:ietf:rfc:3986", "urn:uuid:"


@dataclass(frozen=True, eq=False)
class Issued(Criterion):
    """`system|value`, `|value` or `value`, as `tddui.issued` writes it; or a name that a partner gave to the row."""

    type: ClassVar = "token"
    table: Any
    system: str

    @property
    def given(self) -> Identifier:
        """The names that partners gave."""
        return Identifier(named=self.table.id)

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        ids: list[UUID] = []
        usagers: list[UUID] = []
        for of, value in tokens(text):
            written = business_id(value)
            if written and normal(of or "") in ("", self.system) and written.tag == TAGS.get(self.system, "MORE"):
                row, usager = _uuid(written.number), _uuid(written.local)
                if row and usager:
                    ids.append(row)
                    usagers.append(usager)
        return Asked("any", (ids, usagers, *self.given.value(text, around, modifier).values))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        ids, usagers = bind(0, ARRAY(Uuid())), bind(1, ARRAY(Uuid()))
        ours = and_(self.table.id == any_(ids), self.table.usager_id == any_(usagers))
        issued = and_(ours, self.table.origin_partner_id.is_(None))
        return or_(issued, Given(self.table, self.system).found(shape, bind))

    def told(self) -> ColumnElement[bool]:
        return or_(self.table.origin_partner_id.is_(None), self.given.told())

    def then(self, at: Mapping[str, Column]) -> Criterion | None:
        return Given(self.table, self.system)


@dataclass(frozen=True, eq=False)
class Named(Issued):
    """A row that goes out under its own id as a `urn:uuid:`, when it is ours; or a name that a partner gave it."""

    system: str = URN

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        told = [v.removeprefix(UUID_URN) for of, v in tokens(text) if of in (None, URN) and v.startswith(UUID_URN)]
        ids = [id for id in map(uuid_of, told) if id]
        return Asked("any", (ids, [], *self.given.value(text, around, modifier).values))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        issued = and_(self.table.id == any_(bind(0, ARRAY(Uuid()))), self.table.origin_partner_id.is_(None))
        return or_(issued, Given(self.table, self.system).found(shape, bind))


@dataclass(frozen=True, eq=False)
class Given(Issued):
    """Of an older version, whose sender asks: the names that it gave, read among the same values."""

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return self.given.found(shape, lambda n, kind: bind(n + 2, kind))

    def told(self) -> ColumnElement[bool]:
        return self.given.told()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None
