"""REST for staff applications: teams by name, by rule, on duty."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    PersonGate,
    StaffGate,
    StaffReading,
    Version,
    acted,
    changed,
    created,
    one,
    page,
    removed,
)
from app.features.teams import service, wider
from app.features.teams.schemas import (
    MemberIn,
    MemberOut,
    MemberPatch,
    OnCallIn,
    OnCallOut,
    OnCallPatch,
    OnDutyIn,
    RuleIn,
    RuleOut,
    RulePatch,
    SharedTeamIn,
    SharedTeamOut,
    SharedTeamPatch,
)

router = APIRouter(prefix="/teams", tags=["teams"])
me = APIRouter(prefix="/me/teams", tags=["me"])
MEMBERS, RULES = "/api/v1/teams/members", "/api/v1/teams/rules"
SHARED, ON_CALL = "/api/v1/teams/shared", "/api/v1/teams/on-call"


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


@router.get("/on-duty", operation_id="listOnDuty")
async def on_duty(gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    """Who joined which unit for some hours, and until when: what a chief is told of replacements, the latest first."""
    return await page(gate, RuleOut, service.ON_DUTY, limit, after, "on_duty")


@router.post("/shared", status_code=201, operation_id="shareTeam")
async def share(said: SharedTeamIn, gate: StaffGate) -> Response:
    return await created(gate, SharedTeamOut, SHARED, lambda: wider.share(gate, said))


@router.get("/shared", operation_id="listSharedTeams")
async def shared(gate: StaffReading, usager: UUID, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, SharedTeamOut, wider.SHARED_OF_USAGER, limit, after, "shared", usager=usager)


@router.get("/shared/{team_id}", operation_id="readSharedTeam")
async def read_shared(team_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(SharedTeamOut, team_id))


@router.patch("/shared/{team_id}", operation_id="changeSharedTeam")
async def change_shared(team_id: UUID, said: SharedTeamPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, SharedTeamOut, await wider.change_shared(gate, team_id, version, said))


@me.post("/shared/{team_id}/oppose", operation_id="opposeSharedTeam")
async def oppose(team_id: UUID, gate: PersonGate) -> Response:
    """« Je ne veux pas » : each house reads its own part again, from the next request."""
    return await acted(gate, SharedTeamOut, team_id, lambda: wider.oppose(gate, team_id))


@router.post("/on-call", status_code=201, operation_id="nameOnCall")
async def name_on_call(said: OnCallIn, gate: StaffGate) -> Response:
    return await created(gate, OnCallOut, ON_CALL, lambda: wider.call(gate, said))


@router.get("/on-call", operation_id="listOnCall")
async def list_on_call(gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, OnCallOut, wider.ON_CALL, limit, after, "on_call")


@router.get("/on-call/{call_id}", operation_id="readOnCall")
async def read_on_call(call_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(OnCallOut, call_id))


@router.patch("/on-call/{call_id}", operation_id="changeOnCall")
async def change_on_call(call_id: UUID, said: OnCallPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, OnCallOut, await wider.change_call(gate, call_id, version, said))
