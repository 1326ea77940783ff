"""The rules of a contact. REST, FHIR and the page all come here. Personne de confiance: CSP L1111-6, CASF L311-5-1."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, true

from app.access.gate import Gate, Listing
from app.access.permissions import Action
from app.features.contacts import mandates
from app.features.contacts.models import Contact, Trusted
from app.features.contacts.schemas import ContactIn, ContactPatch
from app.kernel.clock import today
from app.kernel.errors import Conflict, Invalid

SIGNED = {
    "trusted_signed_on": "Dites quel jour la personne a signé.",
    "trusted_accepted_on": "Dites quel jour la personne de confiance a signé à son tour.",
}
TRUST = ("trusted_person", "trusted_document", *SIGNED)
IN_ORDER = ("call_order", "id")
ALL = Listing(true(), IN_ORDER, newest_first=False)
OF_USAGER = Listing(
    Contact.usager_id == bindparam("usager", type_=Uuid()), IN_ORDER, newest_first=False, usager="usager"
)


def add(gate: Gate, said: ContactIn) -> Contact:
    """Someone around the person. The caller settles the gate."""
    values = said.model_dump()
    return gate.add(Contact(**values | _trusted(values, None)))


async def correct(gate: Gate, id: UUID, version: int, said: ContactPatch) -> Contact:
    row = await gate.entry(Contact, id, Action.UPDATE, version)
    values = said.model_dump(exclude_unset=True)
    told = {name: values.get(name, getattr(row, name)) for name in TRUST} | {"trusted_on": values.get("trusted_on")}
    return await gate.change(row, **values | _trusted(told, row.trusted_person))


async def remove(gate: Gate, id: UUID, version: int) -> None:
    """Raises Conflict while a mandate runs: it would go on opening the dossier to someone no list shows."""
    row = await gate.entry(Contact, id, Action.DELETE, version)
    if await mandates.runs(gate, id):
        raise Conflict("Ce contact a un mandat en cours. Mettez d'abord fin au mandat.", code="contact.mandate_runs")
    await gate.remove(row)


def _trusted(told: Mapping[str, Any], before: str | None) -> dict[str, Any]:
    """Since when the personne de confiance stands so. Raises Invalid unless two signatures and a paper designate them."""
    if told["trusted_person"] == Trusted.REVOKED and before is None:
        raise Invalid("Cette personne n'a pas été désignée.", where="/trusted_person", code="contact.trusted_never")
    if told["trusted_person"] != Trusted.DESIGNATED:
        return {} if told["trusted_person"] in (before, None) else {"trusted_on": told["trusted_on"] or today()}
    for name, missing in SIGNED.items():
        if told[name] is None or told[name] > today():
            raise Invalid(missing, where=f"/{name}", code="contact.trusted_signed")
    if told["trusted_document"] is None:
        raise Invalid("Dites où est gardé le papier signé.", where="/trusted_document", code="contact.trusted_document")
    return {"trusted_on": max(told[name] for name in SIGNED)}
