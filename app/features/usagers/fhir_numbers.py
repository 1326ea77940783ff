"""The numbers of a Patient: ours go out (an INS once qualified), a sender's stay its word; both are searched by blind index."""

import re
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from app.access.entry import Readable
from app.features.structures.shown import finess
from app.features.usagers import numbers
from app.features.usagers.models import IdentityStatus, Usager, UsagerIdentifier
from app.fhir.identifiers import INS_NIA, USAGER, business_id, normal
from app.fhir.mapping import Inbound
from app.fhir.search.criteria import Around, Asked, Bind
from app.fhir.search.criteria import Identifier as Named
from app.fhir.search.values import tokens, uuid_of
from app.fhir.types import CodeableConcept, Coding, Identifier, Patient
from app.kernel.crypto import Keyring

TYPE = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
HEX = re.compile(r"[0-9a-f]{32}", re.ASCII).fullmatch
MOST = 20  # declared by one sender for one person


class Number(msgspec.Struct, frozen=True):
    system: str
    type_code: str | None
    value: str


_i = UsagerIdentifier
_mine = (_i.organisation_id == Usager.organisation_id, _i.usager_id == Usager.id)
_ours = (*_mine, _i.origin_partner_id.is_(None), _i.deleted_at.is_(None), Readable(UsagerIdentifier))
_line = func.json_build_array(_i.id, _i.system, _i.type_code, func.encode(_i.sealed, literal_column("'hex'")))
NUMBERS = select(cast(func.json_agg(aggregate_order_by(_line, _i.system)), Text)).where(*_ours).scalar_subquery()


def opened(sealed: str | tuple[Number, ...] | None, keyring: Keyring) -> tuple[Number, ...]:
    if not isinstance(sealed, str):
        return sealed or ()
    return tuple(
        Number(system, type_code, numbers.opened(keyring, id, bytes.fromhex(value)))
        for id, system, type_code, value in msgspec.json.decode(sealed)
    )


def identifier(n: Number) -> Identifier:
    ins = numbers.INS.get(n.system)
    system, _, code = (f"{TYPE}|{ins}" if ins else n.type_code or "").rpartition("|")
    use = ("temp" if n.system == INS_NIA else "official") if ins else None
    type_of = CodeableConcept((Coding(system or None, code),)) if code else None
    return Identifier(use=use, type=type_of, system=n.system, value=n.value)


def declared(p: Patient, inbound: Inbound) -> list[UsagerIdentifier]:
    """The same rows when it is sent again: each is known by its place among those of its system."""
    rows: list[UsagerIdentifier] = []
    seen: dict[str, int] = {}
    for n in p.identifier[:MOST]:
        if not (n.system and n.value):
            continue
        seen[n.system] = seen.get(n.system, 0) + 1
        name = inbound.keyring.blind(f"{inbound.id}\0{n.system}\0{seen[n.system]}", "declared_number")
        coding = next((c for c in (n.type.coding if n.type else ()) if c.code), None)
        type_code = f"{coding.system or ''}|{coding.code}" if coding else None
        row = numbers.of(inbound.keyring, n.system, n.value, UUID(bytes=name[:16], version=5), type_code=type_code)
        rows.append(inbound.stamped(row, row.id))
    return rows


class Numbered(Named):
    """By a number of ours that the caller may read (an INS once qualified), or one they declared themselves; beside the
    names partners gave.
    """

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        told = super().value(text, around, modifier)
        said = tokens(text)
        pairs = [(one, v) for system, v in said for one in (numbers.INS if system is None else (system,)) if one]
        blind = [numbers.blind(around.keyring, *pair) for pair in pairs]
        return Asked(told.shape, (*told.values, blind, [id for piece in said if (id := _local(*piece))]))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        found = _known().where(_i.blind == any_(bind(1, ARRAY(LargeBinary()))))
        local = and_(Usager.id == any_(bind(2, ARRAY(Uuid()))), Usager.origin_partner_id.is_(None))
        return or_(super().found(shape, bind), Usager.id.in_(found), local)

    def told(self) -> ColumnElement[bool]:
        local = and_(Usager.origin_partner_id.is_(None), finess(Usager).is_not(None))
        return or_(super().told(), Usager.id.in_(_known()), local)


def _known() -> Select[Any]:
    """Whom a number tells, of those that the caller may read."""
    mine = _i.origin_partner_id == bindparam("me", type_=Uuid())
    is_ins = _i.system.in_([literal_column(f"'{system}'", Text()) for system in numbers.INS])
    qualified = Usager.identity_status == literal_column(f"'{IdentityStatus.QUALIFIEE.value}'", Text())
    return select(_i.usager_id).where(
        _i.organisation_id == bindparam("organisation", type_=Uuid()),
        _i.deleted_at.is_(None),
        or_(mine, and_(_i.origin_partner_id.is_(None), or_(not_(is_ins), qualified), Readable(UsagerIdentifier))),
    )


def _local(system: str | None, value: str) -> UUID | None:
    """Whose number in this house it is: `fhir` makes it of the person's id."""
    told = business_id(value) if normal(system or "") in ("", USAGER) else None
    return uuid_of(str(UUID(hex=told.local))) if told and not told.tag and HEX(told.local) else None


NUMBERED = Numbered(named=Usager.id)
