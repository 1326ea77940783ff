"""What left, kept in the journal as what came is: the bundle as it went, its rows, under which ground, by whom."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from app.access.entry import fill
from app.access.gate import Gate
from app.audit.vocabulary import Ground
from app.exchange import journal
from app.exchange.dossier import Piece, counts
from app.exchange.models import Direction, Exchange, ExchangeRow, State
from app.fhir import xml
from app.fhir.mapping import Json
from app.kernel.ids import uuid7

SEND = "send"  # the act, in the trail


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle holds, to be checked by who receives it. `profiles`: how many of each; `sha256`: of its bytes."""

    entries: int
    size: int  # bytes
    sha256: bytes
    profiles: dict[str, int]


def written(bundle: Json, *, in_xml: bool = False) -> bytes:
    return xml.write(bundle) if in_xml else orjson.dumps(bundle)


def read_again(body: bytes) -> Json:
    """The bundle of `written`, in whichever format it left."""
    told: Json = xml.read(body) if is_xml(body) else orjson.loads(body)
    return told


def is_xml(body: bytes) -> bool:
    return body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def manifest(pieces: Sequence[Piece], body: bytes) -> Manifest:
    return Manifest(len(pieces), len(body), hashlib.sha256(body).digest(), counts(pieces))


def keep(
    gate: Gate, pieces: Sequence[Piece], body: bytes, *, to: UUID, structure_id: UUID, ground: Ground, by: UUID | None
) -> Exchange:
    """The line of the journal, its rows, and a line of the trail for each kind: written when the gate settles."""
    line = Exchange(
        id=uuid7(),
        organisation_id=gate.principal.organisation_id,
        partner_id=to,
        structure_id=structure_id,
        direction=Direction.SENT.value,
        state=State.SENT.value,
        ground=ground.value,
        outcome=journal.SUCCESS,
        sha256=hashlib.sha256(body).digest(),
        entries=len(pieces),
        warnings=0,
        request_id=gate.call.request_id,
        decided_by=by,
    )
    fill(line)
    journal.sealed(gate.keyring, line, body)
    gate.note(line)
    for position, piece in enumerate(pieces):
        gate.note(_row(line, position, piece))
    told: dict[tuple[str, str | None], list[UUID]] = defaultdict(list)
    for piece in pieces:
        told[piece.kind.value, piece.usager_id].append(UUID(piece.id))
    for (kind, usager_id), ids in told.items():
        gate.tell(SEND, kind, ids, usager_id=UUID(usager_id) if usager_id else None, ground=ground.value)
    return line


def _row(line: Exchange, position: int, piece: Piece) -> ExchangeRow:
    return ExchangeRow(
        organisation_id=line.organisation_id,
        exchange_id=line.id,
        position=position,
        type_name=piece.type_name,
        kind=piece.kind.value,
        row_id=UUID(piece.id),
        usager_id=UUID(piece.usager_id) if piece.usager_id else None,
        version=piece.version,
        beside=False,
        part=False,
    )
