"""Is this person here already? Asked of the whole organisation, answered by yes or no and nothing else (field.md §2)."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Date, LargeBinary, Text, Uuid, any_, bindparam, func, not_, or_, select

from app.access.entry import View
from app.access.gate import Listing, Reading
from app.features.usagers import names, numbers
from app.features.usagers.models import Usager, UsagerIdentifier
from app.features.usagers.schemas import Asked
from app.kernel.errors import Conflict

NOBODY = "Personne de ce nom."
ALIKE = "Une personne semblable existe déjà. Demandez le rattachement."

_numbered = select(UsagerIdentifier.usager_id).where(
    UsagerIdentifier.organisation_id == bindparam("organisation", type_=Uuid()),
    UsagerIdentifier.blind == any_(bindparam("blinds", type_=ARRAY(LargeBinary()))),
    UsagerIdentifier.deleted_at.is_(None),
    not_(UsagerIdentifier.held),
)
_with_this_number = Usager.id == any_(func.array(_numbered.scalar_subquery()))  # read once, so that indexes serve
NUMBERED = Listing(_with_this_number)
MAYBE_ONE_OF_THEM = Listing(
    or_(
        Usager.birth_date == any_(bindparam("born", type_=ARRAY(Date()))),
        Usager.name_key == any_(bindparam("keys", type_=ARRAY(Text()))),
    )
)
MAYBE_THE_SAME = Listing(
    or_(
        _with_this_number,
        Usager.birth_date == bindparam("born", type_=Date()),
        Usager.name_key == bindparam("key", type_=Text()),
    )
)


class Named(View, frozen=True):
    """What two persons are compared by; told to nobody."""

    TABLE: ClassVar = Usager

    birth_date: date | None
    name_key: str
    used_name_key: str | None


class Someone(Named, frozen=True):
    COMPUTED: ClassVar[dict[str, ColumnElement[Any]]] = {"same_number": _with_this_number}

    same_number: bool


async def someone_like(gate: Reading, said: Asked) -> bool:
    """The same number; or born the same day with names alike; or the same names and a birth date that may be the same."""
    asked = names.keys(said.model_dump())
    keys = [key for key in asked.values() if key]

    def like(one: Someone) -> bool:
        return one.same_number or _like(one, keys, said.birth_date)

    blinds = [numbers.blind(gate.keyring, n.system, n.value) for n in said.identifiers if n.system in numbers.INS]
    return await gate.someone(Someone, MAYBE_THE_SAME, like, born=said.birth_date, key=asked["name_key"], blinds=blinds)


async def some_like(gate: Reading, said: Sequence[Asked]) -> Sequence[bool]:
    """The same of several, by their names and birth dates, in one question: whom a bundle tells of."""
    keys = [[key for key in names.keys(one.model_dump()).values() if key] for one in said]
    likes = [partial(_like, keys=theirs, born=one.birth_date) for one, theirs in zip(said, keys, strict=True)]
    born = [one.birth_date for one in said if one.birth_date]
    every = [key for theirs in keys for key in theirs]
    return await gate.some(Named, MAYBE_ONE_OF_THEM, likes, born=born, keys=every)


def _like(one: Named, keys: Sequence[str], born: date | None) -> bool:
    theirs = [key for key in (one.name_key, one.used_name_key) if key]
    if one.birth_date and one.birth_date == born:
        return any(names.alike(a, b) for a in keys for b in theirs)
    return not set(keys).isdisjoint(theirs) and names.close_dates(one.birth_date, born)


async def has_number(gate: Reading, system: str, value: str, *, but: UUID) -> bool:
    """Whether someone else than `but` is known by this number."""
    blinds = [numbers.blind(gate.keyring, system, value)]
    return await gate.someone(Someone, NUMBERED, lambda one: one.id != str(but), blinds=blinds)


def told() -> Conflict:
    return Conflict(ALIKE, code="usager.alike")
