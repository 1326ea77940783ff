"""REST: hiring someone and letting them in. The link is told once, to who invites; we send nothing to anyone."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from pydantic import AfterValidator, Field
from starlette.responses import Response

from app.access.acts import Act
from app.access.http import StaffReading, gate_at, removed
from app.access.inviting import Inviting
from app.audit.vocabulary import Door
from app.features.professionals import service
from app.features.professionals.schemas import MembershipIn, ProfessionalIn, ProfessionalOut, Rpps
from app.features.professionals.templates import TEMPLATES, ending
from app.kernel.answers import told
from app.kernel.clock import today
from app.kernel.fields import Body, Line
from app.kernel.idempotency import Replay
from app.security.dependencies import origin
from app.security.models import Invitation

router = APIRouter(prefix="/professionals", tags=["professionals"])
PATH = "/api/v1/professionals"


def _known(code: str) -> str:
    if code not in TEMPLATES:
        raise ValueError("template")
    return code


class InvitationIn(Body):
    """Who comes, in which function (`GET /professionals/templates`), where, from when to the day before `ends`."""

    template: Annotated[str, AfterValidator(_known)]
    given_name: Line
    family_name: Line
    rpps: Rpps | None = None
    profession: Line | None = None
    structure_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]
    starts: date | None = Field(None, description="Absent : aujourd'hui.")
    ends: date | None = None


class Invited(msgspec.Struct, frozen=True):
    """`link` is told once: give it to them yourself. It serves once, for a week. A replay does not tell it."""

    professional_id: str
    membership_id: str | None
    ends: date | None
    link: str | None
    expires_at: datetime | None


class TemplateOut(msgspec.Struct, frozen=True):
    code: str
    label: str
    role: str
    longest_days: int | None


StaffInviting = Annotated[Inviting, gate_at(Inviting, Door.API)]


@router.get("/templates", operation_id="listTemplates", responses={403: {}})
async def templates(gate: StaffReading) -> Response:
    """The functions that may be given, and how long each may last: for who may invite."""
    await gate.require(Act.MANAGE_ACCOUNTS)
    return told({"items": [TemplateOut(t.code, t.label, t.role.value, t.longest) for t in TEMPLATES.values()]})


@router.post("/invitations", status_code=201, operation_id="inviteProfessional")
async def invite(said: InvitationIn, request: Request, gate: StaffInviting) -> Response:
    """Someone hired, their function, and the link by which they open their account: direction and administrator."""
    if gate.replay:
        return await _given_already(gate, gate.replay)
    await gate.require(Act.MANAGE_ACCOUNTS)
    template, starts = TEMPLATES[said.template], said.starts or today()
    ends = ending(template, starts, said.ends)
    person = service.add(gate, ProfessionalIn(**said.model_dump(include=set(ProfessionalIn.model_fields))))
    role = MembershipIn(
        professional_id=person.id, role=template.role, structure_ids=said.structure_ids, starts=starts, ends=ends
    )
    membership = await service.give_role(gate, role)
    token, row = await gate.invite(person.id)
    gate.location = f"{PATH}/{person.id}"
    await gate.settle()
    return _given(request, token, row, membership.id, ends)


@router.post("/{professional_id}/invitation", status_code=201, operation_id="inviteAgain")
async def again(professional_id: UUID, request: Request, gate: StaffInviting) -> Response:
    """Another link for someone who has no account yet: the one before opens nothing more."""
    if gate.replay:
        return await _given_already(gate, gate.replay)
    token, row = await gate.invite(professional_id)
    gate.location = f"{PATH}/{professional_id}"
    await gate.settle()
    return _given(request, token, row)


@router.delete("/{professional_id}/invitation", status_code=204, operation_id="takeBackInvitation", responses={409: {}})
async def take_back(professional_id: UUID, gate: StaffInviting) -> Response:
    """The link opens nothing more."""
    await gate.take_back(professional_id)
    return await removed(gate)


async def _given_already(gate: Inviting, first: Replay) -> Response:
    """Whom it invited; the link is kept nowhere, so an answer lost is another link to ask for, under another key."""
    await gate.require(Act.MANAGE_ACCOUNTS)
    who = await gate.get(ProfessionalOut, UUID(str(first.location).rpartition("/")[2]))
    headers = {"Location": str(first.location), "Idempotency-Replayed": "true"}
    return told(Invited(who.id, None, None, None, None), status=first.status, headers=headers)


def _given(
    request: Request, token: str, row: Invitation, membership: UUID | None = None, ends: date | None = None
) -> Response:
    link, id = f"{origin(request)}/invitation/{token}", str(row.professional_id)
    body = Invited(id, str(membership) if membership else None, ends, link, row.expires_at)
    return told(body, status=201, headers={"Location": f"{PATH}/{id}"})
