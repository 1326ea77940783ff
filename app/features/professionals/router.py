"""REST for staff applications: who works here, and in which role."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, Version, changed, created, one, page
from app.features.professionals import service
from app.features.professionals.schemas import (
    MembershipIn,
    MembershipOut,
    MembershipPatch,
    ProfessionalIn,
    ProfessionalOut,
    ProfessionalPatch,
)

router = APIRouter(prefix="/professionals", tags=["professionals"])
PATH = "/api/v1/professionals"
ROLES = f"{PATH}/memberships"


@router.post("", status_code=201, operation_id="addProfessional")
async def add(said: ProfessionalIn, gate: StaffGate) -> Response:
    return await created(gate, ProfessionalOut, PATH, lambda: service.add(gate, said))


@router.get("", operation_id="listProfessionals")
async def listed(gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, ProfessionalOut, service.PROFESSIONALS, limit, after, "professionals")


@router.post("/memberships", status_code=201, operation_id="addMembership")
async def give_role(said: MembershipIn, gate: StaffGate) -> Response:
    return await created(gate, MembershipOut, ROLES, lambda: service.give_role(gate, said))


@router.get("/memberships/{membership_id}", operation_id="readMembership")
async def read_role(membership_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(MembershipOut, membership_id))


@router.patch("/memberships/{membership_id}", operation_id="endMembership")
async def end_role(membership_id: UUID, said: MembershipPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, MembershipOut, await service.end_role(gate, membership_id, version, said))


@router.get("/{professional_id}", operation_id="readProfessional")
async def read(professional_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(ProfessionalOut, professional_id))


@router.patch("/{professional_id}", operation_id="changeProfessional")
async def change(professional_id: UUID, said: ProfessionalPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, ProfessionalOut, await service.change(gate, professional_id, version, said))


@router.get("/{professional_id}/memberships", operation_id="listMemberships")
async def roles(professional_id: UUID, gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    listing = service.MEMBERSHIPS_OF
    return await page(gate, MembershipOut, listing, limit, after, "memberships", professional=professional_id)
