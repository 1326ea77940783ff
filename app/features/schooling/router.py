"""REST of school periods: for staff applications, and for the person's own."""

from app.features.schooling.service import ROOM
from app.features.situations.rooms import opened

router, me = opened(ROOM)
