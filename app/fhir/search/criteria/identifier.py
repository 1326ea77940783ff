"""By the numbers of a row, and by the names that partners gave it. Source: https://hl7.org/fhir/R4/search.html#token"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.access.entry import ME
from app.access.external_ids import EXTERNAL_ID
from app.fhir.identifiers import SYSTEMS, fingerprint, normal
from app.fhir.search.criteria.base import Around, Asked, Bind, Column, Criterion, has
from app.fhir.search.values import BadValue, tokens

ANY_SENDER = "any_sender"  # 1 for the team, who may search by the names that any partner gave
SYSTEM_AND_VALUE = "dites le système et la valeur, comme urn:oid:1.2.250.1.71.4.2.2|1750000001"


@dataclass(frozen=True, eq=False)
class Identifier(Criterion):
    """`system|value`, `|value`, `system|`, `value`: over columns of the row, each holding the value of one system; and
    over the names that partners gave to the row `named`, kept as fingerprints. A partner knows its own names only.
    """

    type: ClassVar = "token"
    by_system: Mapping[str, Column] = field(default_factory=dict)
    named: Column | None = None

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        pairs = [_pair(*one) for one in tokens(text)]
        if any(system not in self.by_system for system, value in pairs if not value):
            raise BadValue(SYSTEM_AND_VALUE)
        values: list[object] = []
        for known in self.by_system:
            values.append([value for system, value in pairs if system in (None, known) and value])
            values.append(int(any(system == known and not value for system, value in pairs)))
        if self.named is not None:
            values.append([name for pair in pairs for name in _names(around, around.type_name, *pair)])
        return Asked("any", tuple(values))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        ways: list[ColumnElement[bool]] = []
        for n, own in enumerate(self.by_system.values()):
            ways.append(own == any_(bind(2 * n, ARRAY(Text()))))
            ways.append(and_(bind(2 * n + 1, Integer()) == literal_column("1"), own.is_not(None)))
        if self.named is not None:
            wanted = bind(2 * len(self.by_system), ARRAY(LargeBinary()))
            ways.append(leads_to_named(self.named, wanted, person=False))
        return or_(false(), *ways)

    def told(self) -> ColumnElement[bool]:
        given = () if self.named is None else (self.named.in_(_given()),)
        return or_(false(), *(has(own) for own in self.by_system.values()), *given)

    def then(self, at: Mapping[str, Column]) -> Criterion | None:
        """The name that its sender gave to a row is that of all its versions."""
        return None if self.named is None else Identifier(named=self.named)


def _given(*, person: bool = False) -> Select[Any]:
    """The rows that a partner named: this one, when a partner asks. A person it named may be, here, another."""
    x = EXTERNAL_ID.c
    mine = or_(bindparam(ANY_SENDER, type_=Integer()) == literal_column("1"), x.partner_id == ME)
    rows = select(x.usager_id if person else x.row_id)
    return rows.where(x.organisation_id == bindparam("organisation", type_=Uuid()), mine)


def leads_to_named(own: Column, wanted: ColumnElement[Any], *, person: bool) -> ColumnElement[bool]:
    """`own` leads to a row of one of these names."""
    return own.in_(_given(person=person).where(EXTERNAL_ID.c.fingerprint == any_(wanted)))


def names_in(text: str, around: Around, *types: str) -> list[bytes]:
    """`system|value`, or a value alone, as rows of these types are named. Raises BadValue."""
    pairs = [_pair(*one) for one in tokens(text)]
    if not all(value for _, value in pairs):
        raise BadValue(SYSTEM_AND_VALUE)
    return [name for type_name in types for pair in pairs for name in _names(around, type_name, *pair)]


def _pair(system: str | None, value: str) -> tuple[str | None, str]:
    return None if system is None else normal(system), value.strip()


def _names(around: Around, type_name: str, system: str | None, value: str) -> list[bytes]:
    systems = SYSTEMS if system is None else (system,)
    return [fingerprint(around.keyring, type_name, one, value) for one in systems if one and value]
