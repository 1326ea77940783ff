"""The rules of the numbers of a person: ours are checked; a partner's word is kept as said, and qualifies nobody."""

from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam

from app.access.gate import Gate, Listing, Reading
from app.access.permissions import Action, Visibility
from app.access.refusal import NOT_FOUND
from app.features.usagers import doubles, numbers
from app.features.usagers.models import UNCHECKED, IdentityStatus, Usager, UsagerIdentifier
from app.features.usagers.numbers import INS
from app.features.usagers.schemas import IdentifierAdded, IdentifierOut, IdentifierPatch, IdentifierRow, UsagerLine
from app.kernel.crypto import Keyring
from app.kernel.errors import Conflict, NotFound

OF_USAGER = Listing(
    UsagerIdentifier.usager_id == bindparam("usager", type_=Uuid()), newest_first=False, usager="usager"
)
MANY = 50


async def of_usager(gate: Reading, usager_id: UUID) -> list[IdentifierOut]:
    """Raises OutOfReach when the person is."""
    rows = await gate.list(IdentifierRow, OF_USAGER, MANY, usager=usager_id)
    if not rows:
        await gate.get(UsagerLine, usager_id)
    return [told(gate.keyring, row) for row in rows]


async def one(gate: Reading, usager_id: UUID, id: UUID) -> IdentifierOut:
    row = await gate.get(IdentifierRow, id)
    if row.usager_id != str(usager_id):
        raise NotFound(NOT_FOUND)
    return told(gate.keyring, row)


async def add(gate: Gate, usager_id: UUID, said: IdentifierAdded) -> UsagerIdentifier:
    """Raises Conflict when this number is already someone else's here, unless the caller says it is no double."""
    numbers.check(said.system, said.value, "/value")
    usager = await gate.get(UsagerLine, usager_id)
    asked = said.system in INS and not said.confirmed_new
    if asked and await doubles.has_number(gate, said.system, said.value, but=usager_id):
        raise doubles.told()
    common: dict[str, Any] = {
        "usager_id": usager_id,
        "structure_id": UUID(usager.structure_id),
        "visibility": Visibility.SHARED.value,
    }
    return gate.add(numbers.of(gate.keyring, said.system, said.value, type_code=said.type_code, **common))


async def correct(
    gate: Gate, usager_id: UUID, id: UUID, version: int, said: IdentifierPatch
) -> tuple[UsagerIdentifier, bool]:
    """A new version, and whether the identity, qualified with the former number, is `provisoire` again."""
    row = await gate.entry(UsagerIdentifier, id, Action.UPDATE, version)
    if row.usager_id != usager_id:
        raise NotFound(NOT_FOUND)
    if row.origin_partner_id:
        raise Conflict("Ce numéro est la parole d'un partenaire. Notez le vôtre à côté.", code="identifier.declared")
    numbers.check(row.system, said.value, "/value")
    other = numbers.blind(gate.keyring, row.system, said.value) != row.blind
    await gate.change(row, **numbers.sealed(gate.keyring, id, row.system, said.value))
    usager = await gate.entry(Usager, usager_id) if other and row.system in INS else None
    if usager is None or usager.identity_status != IdentityStatus.QUALIFIEE:
        return row, False
    await gate.change(usager, **UNCHECKED)
    return row, True


async def has_ins(gate: Reading, usager_id: UUID) -> bool:
    """A number of ours, whose key holds: a partner's word qualifies nobody."""
    rows = await gate.list(IdentifierRow, OF_USAGER, MANY, usager=usager_id)
    return any(row.system in INS and not row.origin_partner_id for row in rows)


def told(keyring: Keyring, row: IdentifierRow | UsagerIdentifier) -> IdentifierOut:
    value = numbers.opened(keyring, row.id, row.sealed)
    declared = str(row.origin_partner_id) if row.origin_partner_id else None
    holds = numbers.key_holds(row.system, value)
    return IdentifierOut(
        str(row.id), str(row.usager_id), row.system, row.type_code, value, holds, declared, row.version
    )
