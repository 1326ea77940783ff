"""The rules of meals: one that is still to come has not been eaten."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.access.gate import Gate
from app.access.permissions import Action
from app.features.calendar.beside import given_by, lists
from app.features.meals.models import Meal, MealStatus
from app.features.meals.schemas import MealIn, MealPatch
from app.kernel.clock import CLOCK_DRIFT, now
from app.kernel.errors import Invalid

LISTS = lists(Meal)


def note(gate: Gate, said: MealIn) -> Meal:
    """A meal to come, or that was. The caller settles. Raises Invalid when it is done before its hour."""
    _check(said.status, said.occurred_at)
    return gate.add(Meal(**said.model_dump(), **given_by(gate)))


async def change(gate: Gate, id: UUID, version: int, said: MealPatch) -> Meal:
    row = await gate.entry(Meal, id, Action.UPDATE, version)
    values: dict[str, Any] = said.model_dump(exclude_unset=True)
    _check(values.get("status", row.status), values.get("occurred_at", row.occurred_at))
    if "status" in values:
        values |= given_by(gate)
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Meal, id, Action.DELETE, version))


def _check(status: str, occurred_at: datetime) -> None:
    if status == MealStatus.DONE and occurred_at > now() + CLOCK_DRIFT:
        raise Invalid("Ce repas n'a pas encore eu lieu.", where="/status", code="meal.future")
