"""The rules of a usager: one person, one dossier in the organisation; traits checked against a document, then locked.

Source: référentiel national d'identitovigilance (RNIV); field.md §2. REST, FHIR and the page all come here.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Text, and_, bindparam, or_

from app.access.acts import Act
from app.access.gate import Gate, Listing
from app.access.mandates import ADULT
from app.access.permissions import Action, Visibility
from app.features.stays import service as stays
from app.features.usagers import closing, doubles, identifiers, names, numbers
from app.features.usagers.models import UNCHECKED, IdentityStatus, Usager
from app.features.usagers.schemas import IdentityChecked, Notice, UsagerIn, UsagerPatch
from app.kernel.clock import today
from app.kernel.errors import Conflict, Fault, Invalid
from app.kernel.ids import uuid7

TRAITS = ("birth_family_name", "birth_given_names", "birth_date", "gender", "birth_place_code")  # RNIV: traits stricts
CHECKED = (IdentityStatus.VALIDEE, IdentityStatus.QUALIFIEE)
BY_NAME = ("name_key", "id")
_here = Usager.merged_into_id.is_(None)
ALL = Listing(_here, BY_NAME, newest_first=False)
_first, _last = bindparam("first", type_=Text()), bindparam("last", type_=Text())
NAMED = Listing(
    _here
    & or_(
        (Usager.name_key >= _first) & (Usager.name_key < _last),
        (Usager.used_name_key >= _first) & (Usager.used_name_key < _last),
    ),
    BY_NAME,
    newest_first=False,
)


AHEAD = timedelta(days=180)  # « à préparer » : time for a link, questions, a measure, what comes next (field.md §5)
COMING_OF_AGE = Listing(
    and_(
        _here,
        Usager.died_on.is_(None),
        Usager.birth_date > bindparam("born_after", type_=Date()),
        Usager.birth_date <= bindparam("born_until", type_=Date()),
    ),
    ("birth_date", "id"),
    newest_first=False,
)


def soon_of_age() -> dict[str, date]:
    """The days of birth of who comes of age within the 180 days that follow today."""
    return {"born_after": born_by(today()), "born_until": born_by(today() + AHEAD)}


def born_by(day: date) -> date:
    """The last day of birth of whoever is of age that day: `majority` read backwards."""
    try:
        return day.replace(year=day.year - ADULT)
    except ValueError:
        return date(day.year - ADULT, 2, 28)


async def open_dossier(gate: Gate, said: UsagerIn) -> Usager:
    """A newcomer, with their numbers and their first stay. The caller settles the gate.

    Raises Conflict when someone like them is here and the caller did not say it is someone else.
    """
    _check_days(said.birth_date, None)
    for at, number in enumerate(said.identifiers):
        numbers.check(number.system, number.value, f"/identifiers/{at}/value")
    if not said.confirmed_new and await doubles.someone_like(gate, said):
        raise doubles.told()
    id = uuid7()
    gate.open_dossier(id)
    common: dict[str, Any] = {"usager_id": id, "structure_id": said.structure_id, "visibility": Visibility.SHARED.value}
    values = said.model_dump(exclude={"structure_id", "identifiers", "stay", "confirmed_new"})
    usager = gate.add(Usager(id=id, **common, **values, **names.keys(values)))
    for number in said.identifiers:
        gate.add(numbers.of(gate.keyring, number.system, number.value, type_code=number.type_code, **common))
    if said.stay:
        stays.of_newcomer(gate, said.stay, id, said.structure_id)
    return usager


async def correct(gate: Gate, id: UUID, version: int, said: UsagerPatch) -> tuple[Usager, Sequence[Notice]]:
    """A new version. A checked identity whose trait changes is `provisoire` again; a death closes what was open."""
    row = await _mine(gate, id, version)
    values = said.model_dump(exclude_unset=True)
    _check_days(values.get("birth_date", row.birth_date), values.get("died_on", row.died_on))
    other = [name for name in TRAITS if name in values and values[name] != getattr(row, name)]
    notices: list[Notice] = []
    if other and row.identity_status in CHECKED:
        values |= UNCHECKED
        notices = [back_to_provisoire(f"/{name}") for name in other]
    values |= names.keys({**{name: getattr(row, name) for name in names.SAID}, **values})
    dies = values.get("died_on") if not row.died_on else None
    await gate.change(row, **values)
    if dies:
        await closing.at_death(gate, row, dies)
    if "birth_date" in other and values["birth_date"]:
        await closing.at_majority(gate, [(row, values["birth_date"])])
    return row, notices


async def check_identity(gate: Gate, id: UUID, version: int, said: IdentityChecked) -> Usager:
    """A document was seen by the caller. Raises Invalid naming each strict trait that is missing."""
    await gate.require(Act.QUALIFY_IDENTITY)
    row = await _mine(gate, id, version)
    missing = [name for name in TRAITS if not getattr(row, name)]
    if missing:
        told = "Ce trait d'identité manque : écrivez-le tel qu'il est sur le document."
        faults = [Fault(f"/{name}", "identity.missing_trait", told) for name in missing]
        raise Invalid("Il manque des traits d'identité.", code="identity.missing_trait", faults=faults)
    if said.checked_on > today() or (row.birth_date and said.checked_on < row.birth_date):
        raise Invalid("Dites le jour où le document a été vu.", where="/checked_on", code="identity.bad_day")
    if said.status == "qualifiee" and not await identifiers.has_ins(gate, id):
        raise Invalid(
            "Une identité qualifiée a un matricule INS. Notez-le d'abord.", where="/status", code="identity.no_ins"
        )
    return await gate.change(
        row,
        identity_status=said.status,
        identity_document=said.document.value,
        identity_checked_on=said.checked_on,
        identity_checked_by=gate.principal.id,
    )


def back_to_provisoire(where: str) -> Notice:
    return Notice(
        where,
        "identity.back_to_provisoire",
        "Ce trait avait été vérifié sur un document. L'identité redevient provisoire : vérifiez-la à nouveau.",
    )


async def _mine(gate: Gate, id: UUID, version: int) -> Usager:
    row = await gate.entry(Usager, id, Action.UPDATE, version)
    if row.merged_into_id:
        raise Conflict("Ce dossier a été réuni à un autre. Écrivez dans celui-là.", code="usager.merged")
    return row


def _check_days(born: date | None, died: date | None) -> None:
    if born and born > today():
        raise Invalid("Cette date de naissance est dans le futur.", where="/birth_date", code="usager.born_later")
    if died and (died > today() or (born and died < born)):
        raise Invalid("Cette date de décès n'est pas possible.", where="/died_on", code="usager.died_when")
