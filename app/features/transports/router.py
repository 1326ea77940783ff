from app.features.calendar.rooms import Room, opened
from app.features.transports import service
from app.features.transports.schemas import MyTransportOut, TransportIn, TransportOut, TransportPatch

ROOM = Room(
    path="transports",
    name="Transport",
    verb="plan",
    about="Who comes to fetch me, and when; in order of time.",
    body=TransportIn,
    patch=TransportPatch,
    view=TransportOut,
    my_view=MyTransportOut,
    lists=service.LISTS,
    write=service.plan,
    change=service.change,
    remove=service.remove,
)
router, me = opened(ROOM)
