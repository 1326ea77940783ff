"""« Transmettre »: a professional sends chosen rows of a dossier to a partner they name, under a ground (field.md §4).

Source: CSP L1110-4 (II: exchange, III: sharing by consent), L1110-12. A partner that pulls needs a consent; who pushes
may use any ground, sees what would leave, and sends no more than they read themselves.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    false,
    literal_column,
    or_,
    true,
)

from app.access.acts import ACTS, Act
from app.access.entry import View
from app.access.gate import Gate, Listing, MayNot
from app.access.models import Handover, HandoverRow
from app.access.permissions import Action, Kind, Visibility
from app.access.refusal import OutOfReach, refused
from app.access.together import Asked, together
from app.audit.vocabulary import Ground
from app.exchange.grounds import check_recipient, check_said, stays
from app.exchange.handover_schemas import (
    HandoverIn,
    Leaving,
    LeavingContact,
    LeavingEvent,
    LeavingNote,
    LeavingPerson,
    LeavingSheet,
    LeavingStay,
    Piece,
    Recipient,
)
from app.features.settings.chosen import chosen
from app.features.usagers.models import Usager
from app.kernel.clock import PARIS, now
from app.kernel.errors import Conflict, Invalid
from app.security.principal import Professional

MANY = 200
LATEST_FIRST = ("recorded_at", "id")
OF_USAGER = Listing(Handover.usager_id == bindparam("usager", type_=Uuid()), LATEST_FIRST, usager="usager")
ALL = Listing(true(), LATEST_FIRST)
_usager = bindparam("usager", type_=Uuid())
_chosen: ColumnElement[Any] = bindparam("chosen", type_=ARRAY(Uuid()))
# « Les transmissions importantes des derniers jours », as many as the house that wrote them says.
_recent = cast(chosen("handover.recent_days", "transmission"), Integer) * literal_column("interval '1 day'")
_since = bindparam("now", type_=DateTime(timezone=True)) - _recent


def _leaving(view: type[Leaving], usual: ColumnElement[bool]) -> Asked:
    row: Any = view.TABLE
    wanted = or_(and_(_chosen.is_(None), usual), row.id == any_(_chosen))
    return Asked(view, Listing(and_(row.usager_id == _usager, stays(row).is_(None), wanted)), MANY)


_note: Any = LeavingNote.TABLE
LEAVING = (
    _leaving(LeavingPerson, true()),
    _leaving(LeavingContact, true()),
    _leaving(LeavingSheet, true()),
    _leaving(LeavingNote, or_(_note.consigne, and_(_note.important, _note.occurred_at >= _since))),
    _leaving(LeavingEvent, false()),
    _leaving(LeavingStay, false()),
)
WHOM = Asked(Recipient, Listing(Usager.id == _usager, usager="usager"), 1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would leave, once every rule was asked."""

    partner: str
    pieces: list[Piece]
    days: int  # at most, that the partner reads it here


async def prepare(gate: Gate, said: HandoverIn) -> Prepared:
    """Raises OutOfReach for a person one does not read, Conflict when they oppose, Invalid naming what is missing."""
    who = gate.principal
    if not (isinstance(who, Professional) and who.role in ACTS[Act.HAND_OVER]):  # whether it still runs: asked below
        raise refused(MayNot, Act.HAND_OVER, Kind.HANDOVER)
    check_said(said)
    asked = {"usager": said.usager_id, "to": said.partner_id, "from_structure": said.structure_id}
    picked = {"chosen": said.entry_ids, "ground": said.ground}
    found, *lists = await together(gate, (WHOM, *LEAVING), **asked, **picked)
    if not found:
        raise refused(OutOfReach, Action.CREATE, Kind.HANDOVER, [], usager_id=None, where="/usager_id")
    partner = check_recipient(said, found[0])
    pieces = [_piece(each.view, row) for each, rows in zip(LEAVING, lists, strict=True) for row in rows]
    missing = {str(id) for id in said.entry_ids or ()} - {piece.id for piece in pieces}
    if missing:
        raise Invalid(
            "Un élément choisi n'est pas de ceux que vous pouvez transmettre, ou l'accord ne le couvre pas. Relisez la liste.",
            where="/entry_ids",
            code="handover.not_yours",
        )
    return Prepared(partner, pieces, found[0].days)


async def push(gate: Gate, said: HandoverIn) -> Handover:
    """Each row that leaves has its line in the trail, under its ground. The caller settles the gate."""
    prepared = await prepare(gate, said)
    secret = (
        Ground(said.ground) is Ground.LOI
    )  # a judge may ask that the person be not told: the DPO releases it (field.md §6)
    row = gate.add(
        Handover(
            **said.model_dump(exclude={"entry_ids", "until"}),
            ends_at=_until(said, prepared.days),
            visibility=(Visibility.WITHHELD if secret else Visibility.SHARED).value,
        )
    )
    by_kind: dict[str, list[UUID]] = defaultdict(list)
    for piece in prepared.pieces:
        by_kind[piece.kind].append(UUID(piece.id))
        gate.note(_handed(gate, row, piece))
    for kind, ids in by_kind.items():
        gate.tell(Act.HAND_OVER, kind, ids, usager_id=said.usager_id, ground=said.ground)
    return row


async def stop(gate: Gate, id: UUID) -> Handover:
    """By who gave it, or a chief: the partner reads nothing more of it here. Raises MayNot, Conflict once ended."""
    row = await gate.entry(Handover, id, Action.READ)
    if row.author_id != gate.principal.id:
        await gate.require(Act.STOP_HANDOVER)
    if row.stopped_at is not None or (row.ends_at is not None and row.ends_at <= now()):
        raise Conflict("Cette transmission a déjà pris fin.", code="handover.ended")
    return await gate.change(row, action=Act.STOP_HANDOVER, stopped_at=now(), stopped_by=gate.principal.id)


def _until(said: HandoverIn, days: int) -> datetime:
    last = now() + timedelta(days=days)
    until = said.until or last
    if not now() < until <= last:
        raise Invalid(
            f"Choisissez un moment à venir, au plus tard le {last.astimezone(PARIS):%d/%m/%Y}.",
            where="/until",
            code="handover.until",
        )
    return until


def _handed(gate: Gate, row: Handover, piece: Piece) -> HandoverRow:
    return HandoverRow(
        organisation_id=gate.principal.organisation_id,
        handover_id=row.id,
        entry_id=UUID(piece.id),
        partner_id=row.partner_id,
        usager_id=row.usager_id,
        kind=piece.kind,
        version=piece.version,
    )


def _piece(view: type[View], row: Leaving) -> Piece:
    return Piece(view.TABLE.KIND.value, row.id, row.version, row.occurred_at, row.told)
