"""Who accompanies whom. Adding or taking out is a chief's or coordinator's act, never one's own (field.md §1)."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import DateTime, Uuid, and_, bindparam

from app.access.acts import Act
from app.access.entry import word
from app.access.gate import Gate, Listing
from app.access.models import TeamMember, UnitTeam
from app.access.permissions import Action, Category, Visibility
from app.features.teams.schemas import MemberIn, MemberPatch, OnDutyIn, RuleIn, RulePatch
from app.kernel.clock import now, today
from app.kernel.errors import Forbidden, Invalid

ON_DUTY = Listing(
    and_(UnitTeam.kind == word("on_duty"), UnitTeam.ends_at > bindparam("now", type_=DateTime(timezone=True))),
    ("starts_at", "id"),
)
ON_DUTY_MOST = timedelta(hours=24)
OF_USAGER = Listing(TeamMember.usager_id == bindparam("usager", type_=Uuid()), ("starts", "id"), usager="usager")
RULES_OF_UNIT = Listing(UnitTeam.unit_id == bindparam("unit", type_=Uuid()), ("starts_at", "id"))


async def add(gate: Gate, said: MemberIn) -> TeamMember:
    """Raises MayNot without the act, Forbidden for oneself, Invalid when it ends before it starts."""
    await gate.require(Act.MANAGE_TEAM)
    not_oneself(gate, said.professional_id)
    starts = said.starts or today()
    if said.ends is not None and said.ends <= starts:
        raise Invalid("La fin vient après le début.", where="/ends", code="team.period")
    values = said.model_dump(exclude={"starts"})
    shared = {"category": Category.ADMINISTRATIVE.value, "visibility": Visibility.SHARED.value}
    return gate.add(TeamMember(starts=starts, **values, **shared))


async def change(gate: Gate, id: UUID, version: int, said: MemberPatch) -> TeamMember:
    """End it, or name the référent. Raises Forbidden for oneself."""
    await gate.require(Act.MANAGE_TEAM)
    row = await gate.entry(TeamMember, id, Action.UPDATE, version)
    not_oneself(gate, row.professional_id)
    values = said.model_dump(exclude_unset=True)
    if values.get("referent", False) is None:
        raise Invalid("Dites oui ou non.", where="/referent", code="required")
    if values.get("ends") is not None and values["ends"] < row.starts:
        raise Invalid("La fin vient après le début.", where="/ends", code="team.period")
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    await gate.require(Act.MANAGE_TEAM)
    row = await gate.entry(TeamMember, id, Action.DELETE, version)
    not_oneself(gate, row.professional_id)
    await gate.remove(row)


async def add_rule(gate: Gate, said: RuleIn) -> UnitTeam:
    await gate.require(Act.MANAGE_TEAM)
    not_oneself(gate, said.professional_id)
    starts = said.starts_at or now()
    if said.ends_at is not None and said.ends_at <= starts:
        raise Invalid("La fin vient après le début.", where="/ends_at", code="team.period")
    values = said.model_dump(exclude={"starts_at"})
    return gate.add(UnitTeam(kind="rule", starts_at=starts, **values))


async def end_rule(gate: Gate, id: UUID, version: int, said: RulePatch) -> UnitTeam:
    await gate.require(Act.MANAGE_TEAM)
    row = await gate.entry(UnitTeam, id, Action.UPDATE, version)
    not_oneself(gate, row.professional_id)
    return await gate.change(row, ends_at=said.ends_at)


def take_duty(gate: Gate, said: OnDutyIn) -> UnitTeam:
    """En poste: a professional joins a unit for a few hours in one gesture; the log says so."""
    start = now()
    if not start < said.until <= start + ON_DUTY_MOST:
        raise Invalid(
            "Un remplacement dure 24 heures au plus, à partir de maintenant.", where="/until", code="duty.period"
        )
    return gate.add(
        UnitTeam(
            kind="on_duty",
            professional_id=gate.principal.id,
            unit_id=said.unit_id,
            starts_at=start,
            ends_at=said.until,
        )
    )


def not_oneself(gate: Gate, professional_id: UUID) -> None:
    if professional_id == gate.principal.id:
        raise Forbidden("On ne s'ajoute ni ne se retire soi-même. Demandez à un autre responsable.")
