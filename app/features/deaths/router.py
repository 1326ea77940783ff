"""REST of the causes of a death: for staff applications. Nobody reads their own."""

from fastapi import APIRouter

from app.features.deaths.service import ROOM
from app.features.situations.rooms import for_staff

router = APIRouter(tags=[ROOM.path])
for_staff(ROOM, router)
