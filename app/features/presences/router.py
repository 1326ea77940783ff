from app.features.calendar.rooms import Room, opened
from app.features.presences import service
from app.features.presences.schemas import MyPresenceOut, PresenceIn, PresenceOut, PresencePatch

ROOM = Room(
    path="presences",
    name="Presence",
    verb="note",
    about="When I am there, when I am not; in order of time.",
    body=PresenceIn,
    patch=PresencePatch,
    view=PresenceOut,
    my_view=MyPresenceOut,
    lists=service.LISTS,
    write=service.note,
    change=service.change,
    remove=service.remove,
)
router, me = opened(ROOM)
