"""REST of how a person moves about: for staff applications, and for the person's own."""

from app.features.mobility.service import ROOM
from app.features.situations.rooms import opened

router, me = opened(ROOM)
