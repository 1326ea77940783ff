"""« Qui a vu mon dossier »: the visits that may be shown, by day."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from app.access.gate import Reading
from app.audit.vocabulary import Deed
from app.features.access_log import service
from app.features.access_log.schemas import VisitOut
from app.kernel.clock import PARIS
from app.kernel.errors import NotFound
from app.portal.frame import Relative, Screen, Who
from app.portal.parts import Visit, grouped
from app.portal.screens.opening import opened
from app.portal.screens.people import author, relation
from app.portal.views import AccessLog
from app.security.principal import Caller

CARDS = 60  # of a page, or one day when it holds more
ITSELF = "audit_entry"  # looking at this very screen


async def access(reading: Reading, before: str | None) -> AccessLog:
    """`before` is a day: the visits of the days before it. Raises NotFound for what is no day."""
    day = _day(before) if before else None
    visits, earlier = await service.mine(reading, day)
    shown, cut = light([told(visit) for visit in visits])
    earlier = cut or earlier
    page = await opened(reading)
    older = f"{Screen.ACCESS.path}?avant={earlier.isoformat()}" if earlier else None
    return AccessLog(frame=page.frame, visits=shown, before=day, older=older)


def told(visit: VisitOut) -> Visit:
    who = visit.who
    deed = Deed(visit.deed)
    if deed is Deed.OPENED and who.kind == Caller.PROFESSIONAL:  # in an emergency: told with what was read then
        deed, visit = Deed.READ, replace(visit, what=[])
    what = () if deed is Deed.OPENED else tuple(kind for kind in visit.what if not (who.me and kind == ITSELF))
    by: Who = author(who.kind, role=who.role, first_name=who.first_name, name=who.name)
    if who.kind == Caller.REPRESENTATIVE:
        by = Relative(relation=relation(who.relation), name=who.name, reading_now=who.me)
    sent = {"to": visit.to, "ground": visit.ground}
    return Visit(at=visit.at, who=by, deed=deed, what=what, emergency=visit.emergency, why=visit.why, **sent)


def light(visits: Sequence[Visit]) -> tuple[tuple[Visit, ...], date | None]:
    """The first whole days that make a page light enough; and the day before which the others are."""
    cards = 0
    for n, day in enumerate(grouped(visits)):
        cards += len(day.visits)
        if n and cards > CARDS:
            after = day.day + timedelta(days=1)
            return tuple(v for v in visits if v.at.astimezone(PARIS).date() >= after), after
    return tuple(visits), None


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise NotFound("Cette page n'existe pas.") from None
