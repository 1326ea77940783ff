"""REST: for staff under `/events/meals`, for the person and who represents them under `/me/events/meals`."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    PersonReading,
    StaffGate,
    StaffReading,
    Version,
    changed,
    created,
    one,
    page,
    removed,
    whom,
)
from app.features.calendar.questions import between
from app.features.calendar.router import Since, Until
from app.features.meals import service
from app.features.meals.schemas import MealIn, MealOut, MealPatch, MyMealOut

router = APIRouter(prefix="/events/meals", tags=["events"])
me = APIRouter(prefix="/me/events/meals", tags=["me"])
PATH = "/api/v1/events/meals"


@router.post("", status_code=201, operation_id="noteMeal")
async def note(said: MealIn, gate: StaffGate) -> Response:
    return await created(gate, MealOut, PATH, lambda: service.note(gate, said))


@router.get("", operation_id="listMeals")
async def listed(
    gate: StaffReading,
    usager: UUID | None = None,
    structure: UUID | None = None,
    since: Since = None,
    until: Until = None,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """In order of time, from the day `from` up to, without, the day `until`; of one person, or of one house."""
    asked = {"usager": usager, "structure": structure}
    name = next((f"of_{name}" for name, id in asked.items() if id), "all")
    whose = {name: id for name, id in asked.items() if id}
    return await page(gate, MealOut, service.LISTS[name], limit, after, name, **whose, **between(since, until))


@router.get("/{meal_id}", operation_id="readMeal")
async def read(meal_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(MealOut, meal_id))


@router.patch("/{meal_id}", operation_id="changeMeal")
async def change(meal_id: UUID, said: MealPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, MealOut, await service.change(gate, meal_id, version, said))


@router.delete("/{meal_id}", status_code=204, operation_id="removeMeal")
async def remove(meal_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, meal_id, version)
    return await removed(gate)


@me.get("", operation_id="listMyMeals")
async def mine(
    gate: PersonReading, since: Since = None, until: Until = None, after: After = None, limit: Limit = PAGE
) -> Response:
    """My meals, in order of time."""
    asked = {"usager": whom(gate), **between(since, until)}
    return await page(gate, MyMealOut, service.LISTS["of_usager"], limit, after, "mine", **asked)


@me.get("/{meal_id}", operation_id="readMyMeal")
async def read_mine(meal_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(MyMealOut, meal_id))
