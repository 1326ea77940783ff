"""REST for staff applications: contacts, and the mandates they hold."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    StaffGate,
    StaffReading,
    Version,
    changed,
    created,
    one,
    page,
    removed,
)
from app.features.contacts import mandates, service
from app.features.contacts.schemas import (
    ContactIn,
    ContactOut,
    ContactPatch,
    MandateConfirmed,
    MandateIn,
    MandateOut,
    MandatePatch,
)

router = APIRouter(prefix="/contacts", tags=["contacts"])
PATH = "/api/v1/contacts"


@router.post("", status_code=201, operation_id="addContact")
async def add(said: ContactIn, gate: StaffGate) -> Response:
    return await created(gate, ContactOut, PATH, lambda: service.add(gate, said))


@router.get("", operation_id="listContacts")
async def listed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    """In the order of calls. `usager` narrows to one dossier."""
    if usager:
        return await page(gate, ContactOut, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, ContactOut, service.ALL, limit, after, "all")


@router.get("/{contact_id}", operation_id="readContact")
async def read(contact_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(ContactOut, contact_id))


@router.patch("/{contact_id}", operation_id="correctContact", responses={409: {}})
async def correct(contact_id: UUID, said: ContactPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, ContactOut, await service.correct(gate, contact_id, version, said))


@router.delete("/{contact_id}", status_code=204, operation_id="removeContact", responses={409: {}})
async def remove(contact_id: UUID, version: Version, gate: StaffGate) -> Response:
    """Refused while this contact holds a mandate that runs."""
    await service.remove(gate, contact_id, version)
    return await removed(gate)


@router.post("/{contact_id}/mandates", status_code=201, operation_id="enterMandate")
async def enter(contact_id: UUID, said: MandateIn, gate: StaffGate) -> Response:
    """It opens nothing until someone else confirms it."""
    path = f"{PATH}/{contact_id}/mandates"
    return await created(gate, MandateOut, path, lambda: mandates.enter(gate, contact_id, said))


@router.get("/{contact_id}/mandates", operation_id="listMandates")
async def listed_mandates(contact_id: UUID, gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, MandateOut, mandates.OF_CONTACT, limit, after, "mandates", contact=contact_id)


@router.get("/{contact_id}/mandates/{mandate_id}", operation_id="readMandate")
async def read_mandate(contact_id: UUID, mandate_id: UUID, gate: StaffReading) -> Response:
    return one(await mandates.one(gate, contact_id, mandate_id))


@router.patch("/{contact_id}/mandates/{mandate_id}", operation_id="changeMandate")
async def change(contact_id: UUID, mandate_id: UUID, said: MandatePatch, version: Version, gate: StaffGate) -> Response:
    """`ends` closes it at once; what would open more waits for a confirmation again."""
    return await changed(gate, MandateOut, await mandates.change(gate, contact_id, mandate_id, version, said))


@router.post("/{contact_id}/mandates/{mandate_id}/confirm", operation_id="confirmMandate")
async def confirm(
    contact_id: UUID, mandate_id: UUID, said: MandateConfirmed, version: Version, gate: StaffGate
) -> Response:
    """By a chef de service who is not the one who entered it, the decision in hand."""
    if gate.replay:
        return one(await mandates.one(gate, contact_id, mandate_id))
    return await changed(gate, MandateOut, await mandates.confirm(gate, contact_id, mandate_id, version, said))
