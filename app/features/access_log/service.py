"""Who read or wrote in a dossier: for the person, by visits and in their words; for the DPO, by lines.

Law: RGPD art. 15 (CJUE C-579/21: when and why, by role); what is held back: field.md §6.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from app.access import log
from app.access.acts import Act
from app.access.gate import Reading
from app.access.log import Line
from app.access.permissions import Action, Kind
from app.audit.vocabulary import DEEDS, Deed
from app.features.access_log.schemas import Asked, Visitor, VisitOut, VisitRow
from app.kernel.clock import PARIS, now, today
from app.kernel.errors import Unreadable
from app.security.principal import Caller, Representative, UsagerSelf

WINDOW = timedelta(days=30)
LONGEST = timedelta(days=366)  # of a period asked of no one in particular
MOST = 2_000  # visits of one window
SKEW = timedelta(minutes=1)  # a line is dated by Postgres
OPENING, SESSION = [Kind.EMERGENCY_ACCESS], ["session"]
TOLD_ALREADY = [Kind.HANDOVER]  # by the lines of what left
TOOK = (Caller.PARTNER, Deed.SENT)  # a dossier that a partner asks for: told by the lines of what it read


async def mine(reading: Reading, before: date | None = None) -> tuple[list[VisitOut], date | None]:
    """The visits of thirty days, those of days before `before`, the latest first; and the next `before`, if any.

    Raises Unreadable for a day to come.
    """
    who = reading.principal
    if not isinstance(who, UsagerSelf | Representative):
        raise TypeError("Only the person, or who represents them, has visits of their own.")
    if before and before > today():
        raise Unreadable("Ce jour est à venir.", where="before")
    last = before or today() + timedelta(days=1)
    first = last - WINDOW
    until = _midnight(last) if before else now() + SKEW
    rows, earlier = await log.visits(reading, VisitRow, who.usager_id, _midnight(first), until, MOST)
    if len(rows) < MOST:
        return _all_told(rows), first if earlier else None
    oldest = _day(rows[-1].at)  # not whole
    whole = [row for row in rows if _day(row.at) > oldest]
    return (_all_told(whole), oldest + timedelta(days=1)) if whole else (_all_told(rows), oldest)


async def trail(reading: Reading, asked: Asked, limit: int, after: Sequence[object]) -> list[Line]:
    """Raises MayNot for whoever is not the DPO; Unreadable for neither a person nor a period, or one too long."""
    await reading.require(Act.READ_TRAIL)
    return await log.lines(reading, _criteria(asked), limit, after)


async def line(reading: Reading, name: str) -> Line:
    """Raises MayNot, NotFound."""
    await reading.require(Act.READ_TRAIL)
    return await log.line(reading, name)


async def release(reading: Reading, name: str) -> None:
    """Show the person a line held back from them (field.md §6). Raises MayNot, NotFound."""
    await reading.require(Act.RELEASE_TRAIL)
    await log.release(reading, name)


def _criteria(asked: Asked) -> dict[str, object]:
    until = asked.until or today() + timedelta(days=1)
    if asked.usager is None and asked.since is None:
        raise Unreadable("Dites de qui (usager), ou depuis quel jour (since).", where="since")
    if asked.since and not asked.since < until:
        raise Unreadable("La période finit avant de commencer : until vient après since.", where="until")
    if asked.usager is None and asked.since and until - asked.since > LONGEST:
        raise Unreadable("Sans dire de qui, une période d'un an au plus.", where="since")
    lists = {name: getattr(asked, name) for name in ("principal_kind", "action", "kind", "ground", "outcome", "door")}
    told: dict[str, object] = {name: [str(each) for each in said] for name, said in lists.items() if said}
    told |= {name: said for name, said in (("usager", asked.usager), ("professional", asked.professional)) if said}
    if asked.since:
        told["since"] = _midnight(asked.since)
    if asked.until:
        told["until"] = _midnight(asked.until)
    return told


def _says_more(row: VisitRow) -> bool:
    if (row.principal_kind, DEEDS.get(row.action)) == TOOK:
        return False
    return row.action != Action.CREATE or row.kinds != TOLD_ALREADY


def _all_told(rows: Sequence[VisitRow]) -> list[VisitOut]:
    return [_told(row) for row in rows if _says_more(row)]


def _told(row: VisitRow) -> VisitOut:
    return VisitOut(
        at=row.at,
        who=Visitor(row.principal_kind, row.mine, row.role, row.first_name, row.partner or row.relative, row.relation),
        deed=_deed(row),
        what=row.kinds,
        emergency=row.reason if row.urgent else None,
        why=row.why,
        to=row.sent_to,
        ground=row.ground,
    )


def _deed(row: VisitRow) -> Deed:
    deed = DEEDS.get(row.action, Deed.ACTED)
    if row.kinds == SESSION or (row.kinds == OPENING and row.action == Action.CREATE):
        return Deed.OPENED  # coming in, looking where one is, leaving from elsewhere: nothing was written
    if deed is Deed.READ:
        return {Caller.USAGER.value: Deed.OPENED, Caller.PARTNER.value: Deed.RECEIVED}.get(row.principal_kind, deed)
    return deed


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)


def _day(at: datetime) -> date:
    return at.astimezone(PARIS).date()
