"""The rules of a contact. REST, FHIR and the page all come here."""

from datetime import date
from uuid import UUID

from sqlalchemy import Uuid, bindparam, true

from app.access.gate import Gate, Listing
from app.access.permissions import Action
from app.features.contacts import mandates
from app.features.contacts.models import Contact, Trusted
from app.features.contacts.schemas import ContactIn, ContactPatch
from app.kernel.clock import today
from app.kernel.errors import Conflict, Invalid

IN_ORDER = ("call_order", "id")
ALL = Listing(true(), IN_ORDER, newest_first=False)
OF_USAGER = Listing(
    Contact.usager_id == bindparam("usager", type_=Uuid()), IN_ORDER, newest_first=False, usager="usager"
)


def add(gate: Gate, said: ContactIn) -> Contact:
    """Someone around the person. The caller settles the gate."""
    _check(said.trusted_person, said.trusted_on)
    return gate.add(Contact(**said.model_dump()))


async def correct(gate: Gate, id: UUID, version: int, said: ContactPatch) -> Contact:
    row = await gate.entry(Contact, id, Action.UPDATE, version)
    values = said.model_dump(exclude_unset=True)
    _check(values.get("trusted_person", row.trusted_person), values.get("trusted_on", row.trusted_on))
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    """Raises Conflict while a mandate runs: it would go on opening the dossier to someone no list shows."""
    row = await gate.entry(Contact, id, Action.DELETE, version)
    if await mandates.runs(gate, id):
        raise Conflict("Ce contact a un mandat en cours. Mettez d'abord fin au mandat.", code="contact.mandate_runs")
    await gate.remove(row)


def _check(trusted: str | None, since: date | None) -> None:
    if trusted == Trusted.DESIGNATED and (since is None or since > today()):
        raise Invalid(
            "Dites le jour où la personne de confiance a été désignée, les deux signatures réunies.",
            where="/trusted_on",
            code="contact.trusted_when",
        )
