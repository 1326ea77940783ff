"""Avenant: a new project that will replace one under way, its parts copied, each linked to the former."""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Uuid

from app.access.gate import Gate
from app.access.permissions import Action
from app.access.questions import Part
from app.features.projects.models import Project
from app.features.projects.parts import ActionOut, ExpectationOut, GoalOut, MeansOut, NeedOut, PartOut, ServiceOut
from app.features.projects.schemas import Amendment, ProjectWhole
from app.features.projects.service import in_place, opened, started
from app.features.projects.vocabulary import GoalStatus, ProjectStatus
from app.kernel.errors import Conflict
from app.kernel.ids import uuid7

KEPT = ("usager_id", "structure_id", "category", "description", "type_code", "communication", "visibility")
# In the order of their links. Answers and reviews stay with the project they were given on.
COPIED: tuple[type[PartOut], ...] = (ExpectationOut, NeedOut, GoalOut, ActionOut, ServiceOut, MeansOut)
# From whom each is closed, which is told to nobody: the copy is closed to the same.
CLOSED = [
    ("minor_secret", bool), ("consigne", bool), ("reserved_to", list[str] | None), ("withheld_reason", str | None),
    ("withheld_until", date | None),
]  # fmt: skip
LINKS = frozenset({"adds_to_id", "need_ids", "goal_ids", "action_id"})  # from a part to another: led to the copy
NOT_COPIED = frozenset(
    {"id", "usager_id", "project_id", "replaces_id", "author_id", "author_kind", "recorded_at", "updated_at", "version"}
)
OVER = frozenset({GoalStatus.COMPLETED.value, GoalStatus.CANCELLED.value})  # an action's are the same words


def _closed(view: type[PartOut]) -> type[PartOut]:
    said = {"TABLE": view.TABLE, "__module__": __name__}
    return cast(type[PartOut], msgspec.defstruct(view.__name__, CLOSED, bases=(view,), namespace=said, frozen=True))


PARTS = tuple(Part(_closed(view), "project_id") for view in COPIED)


async def amend(gate: Gate, id: UUID, version: int, said: Amendment) -> Project:
    """What the reader sees of the project, copied; goals and actions that are over are left behind.

    Raises Conflict for a project in preparation or over, or when an amendment is already being prepared.
    """
    former = await opened(gate, id, Action.UPDATE, version)
    if former.status == ProjectStatus.DRAFT:
        raise Conflict(
            "Ce projet est encore en préparation : corrigez-le.", where="/status", code="project.not_validated"
        )
    others = await in_place(gate, former.usager_id, former.structure_id)
    if any(other.replaces_id == str(id) and other.status == ProjectStatus.DRAFT for other in others):
        raise Conflict("Un avenant à ce projet est déjà en préparation.", code="project.amendment_under_way")
    _, parts = await gate.whole(ProjectWhole, id, PARTS)
    new = Project(id=uuid7(), number=others[0].number + 1, title=said.title or former.title, replaces_id=former.id)
    for name, value in {**{name: getattr(former, name) for name in KEPT}, **started(gate)}.items():
        setattr(new, name, value)
    gate.add(new)
    copies: dict[str, UUID] = {}
    for rows in parts:
        going_on = [part for part in rows if getattr(part, "status", None) not in OVER]
        copies |= {part.id: uuid7() for part in going_on}
        for part in going_on:
            gate.add(_copy(part, new, copies))
    return new


def _copy(part: PartOut, new: Project, copies: Mapping[str, UUID]) -> Any:
    """A row of the same table that says the same, of the new project, naming the former."""
    row = part.TABLE(
        id=copies[part.id],
        project_id=new.id,
        replaces_id=UUID(part.id),
        usager_id=new.usager_id,
        structure_id=new.structure_id,
        category=new.category,
    )
    columns = part.TABLE.__table__.columns
    for name in part.__struct_fields__:
        if name not in NOT_COPIED:
            value = getattr(part, name)
            setattr(row, name, _led(value, copies) if name in LINKS else _as_held(columns[name].type, value))
    return row


def _led(value: Any, copies: Mapping[str, UUID]) -> Any:
    if isinstance(value, list):
        return [copies[id] for id in value if id in copies]
    return copies.get(value)


def _as_held(kind: Any, value: Any) -> Any:
    """Ids are text in a view, UUID in a row."""
    if value is None:
        return None
    if isinstance(kind, Uuid):
        return UUID(value)
    return [UUID(id) for id in value] if isinstance(kind, ARRAY) and isinstance(kind.item_type, Uuid) else value
