"""REST for staff applications: teams by name, by rule, on duty."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, Version, changed, created, one, page, removed
from app.features.teams import service
from app.features.teams.schemas import (
    MemberIn,
    MemberOut,
    MemberPatch,
    OnDutyIn,
    RuleIn,
    RuleOut,
    RulePatch,
)

router = APIRouter(prefix="/teams", tags=["teams"])
MEMBERS, RULES = "/api/v1/teams/members", "/api/v1/teams/rules"


@router.post("/members", status_code=201, operation_id="addTeamMember")
async def add(said: MemberIn, gate: StaffGate) -> Response:
    return await created(gate, MemberOut, MEMBERS, lambda: service.add(gate, said))


@router.get("/members", operation_id="listTeamMembers")
async def listed(gate: StaffReading, usager: UUID, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, MemberOut, service.OF_USAGER, limit, after, "team", usager=usager)


@router.get("/members/{member_id}", operation_id="readTeamMember")
async def read(member_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(MemberOut, member_id))


@router.patch("/members/{member_id}", operation_id="changeTeamMember")
async def change(member_id: UUID, said: MemberPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, MemberOut, await service.change(gate, member_id, version, said))


@router.delete("/members/{member_id}", status_code=204, operation_id="removeTeamMember")
async def remove(member_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, member_id, version)
    return await removed(gate)


@router.post("/rules", status_code=201, operation_id="addTeamRule")
async def add_rule(said: RuleIn, gate: StaffGate) -> Response:
    return await created(gate, RuleOut, RULES, lambda: service.add_rule(gate, said))


@router.get("/rules", operation_id="listTeamRules")
async def rules(gate: StaffReading, unit: UUID, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, RuleOut, service.RULES_OF_UNIT, limit, after, "rules", unit=unit)


@router.get("/rules/{rule_id}", operation_id="readTeamRule")
async def read_rule(rule_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(RuleOut, rule_id))


@router.patch("/rules/{rule_id}", operation_id="endTeamRule")
async def end_rule(rule_id: UUID, said: RulePatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, RuleOut, await service.end_rule(gate, rule_id, version, said))


@router.post("/on-duty", status_code=201, operation_id="takeDuty")
async def take_duty(said: OnDutyIn, gate: StaffGate) -> Response:
    return await created(gate, RuleOut, RULES, lambda: service.take_duty(gate, said))
