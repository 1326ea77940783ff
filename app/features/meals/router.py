from app.features.calendar.rooms import Room, opened
from app.features.meals import service
from app.features.meals.schemas import MealIn, MealOut, MealPatch, MyMealOut

ROOM = Room(
    path="meals",
    name="Meal",
    verb="note",
    about="My meals, in order of time.",
    body=MealIn,
    patch=MealPatch,
    view=MealOut,
    my_view=MyMealOut,
    lists=service.LISTS,
    write=service.note,
    change=service.change,
    remove=service.remove,
)
router, me = opened(ROOM)
