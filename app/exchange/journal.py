"""The journal of what comes in, written with the work itself: the bundle's line, its rows, the names they bear.

A bundle refused leaves its line too (what it was refused for, its SHA-256, no body).
"""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from app.access.arrivals import Arrivals
from app.access.entry import Row, fill
from app.access.writing import Line
from app.audit.vocabulary import Outcome
from app.exchange.models import Direction, Exchange, ExchangeRow, State
from app.exchange.targets import Target
from app.fhir.outcomes import Issue
from app.fhir.verbs.transaction import Done
from app.kernel.crypto import Keyring
from app.kernel.errors import DuiError
from app.kernel.ids import uuid7
from app.security.principal import Partner

RECEIVE, REPEAT = "receive", "repeat"  # the acts, in the trail
SUCCESS = "success"
OVERTAKEN = "overtaken"
PASSED = "Une version plus récente du même envoyeur est déjà au dossier : celle-ci n'y est pas reprise."
WARNED = text(
    """UPDATE exchange_row r SET warnings = said.warnings
    FROM unnest(CAST(:positions AS int[]), CAST(:warnings AS text[])) AS said (position, warnings)
    WHERE r.organisation_id = :organisation AND r.exchange_id = :exchange AND r.position = said.position
    RETURNING r.position"""
).columns(position=Integer())
ROWS = text(
    """SELECT coalesce(r.stood_at, e.recorded_at) AS at, r.position, r.type_name, r.row_id, r.version, r.answered, r.warnings
    FROM exchange e JOIN exchange_row r ON r.organisation_id = e.organisation_id AND r.exchange_id = e.id
    WHERE e.organisation_id = :organisation AND e.partner_id = :me AND e.id = :exchange AND NOT r.part
    ORDER BY r.position"""
).columns(
    at=TIMESTAMP(timezone=True), position=Integer(), type_name=Text(), row_id=Uuid(), version=Integer(),
    answered=Integer(), warnings=Text(),
)  # fmt: skip


@dataclass(slots=True)
class Receiving(Arrivals):
    """The gate of one bundle. `line` is its line of the journal from the first moment; a trial has none."""

    line: Exchange | None = None
    replayed: bool = False  # done already: the first answer is given again

    def begin(self, partner: Partner, body: bytes | None) -> Exchange:
        """`body` None: refused before it was read whole."""
        self.line = Exchange(
            id=uuid7(),
            organisation_id=partner.organisation_id,
            partner_id=partner.id,
            structure_id=partner.structure_id,
            direction=Direction.RECEIVED.value,
            state=State.RECEIVED.value,
            outcome=SUCCESS,
            sha256=None if body is None else hashlib.sha256(body).digest(),
            entries=0,
            warnings=0,
            request_id=self.call.request_id,
        )
        fill(self.line)
        return self.line

    def undone(self, no: DuiError) -> bool:
        """The trace of the refusal, and the bundle's line."""
        traced = super(Receiving, self).undone(no)
        if self.line is None:
            return traced
        self.line.state, self.line.outcome = State.REFUSED.value, no.told
        self.line.body = self.line.body_key = None
        self.line.warnings = 0
        self.note(self.line)
        self.tell(RECEIVE, Exchange.KIND, [self.line.id], usager_id=None, outcome=Outcome.REFUSED)
        return True

    async def first_answer(self, exchange_id: UUID) -> dict[int, Done]:
        """What was answered to this bundle, from its rows, by place."""
        rows = await self.consult(ROWS, exchange=exchange_id)
        self.tell(REPEAT, Exchange.KIND, [exchange_id], usager_id=None)
        return {
            r["position"]: Done(
                r["type_name"],
                r["row_id"],
                r["version"],
                [w for w in issues(r["warnings"]) if w.code != OVERTAKEN],
                r["answered"] or 201,
                at=r["at"],
            )
            for r in rows
        }


async def overtaken(gate: Arrivals, exchange_id: UUID, rows: Sequence[Any]) -> int:
    """Of these rows of a bundle, that they were left out: told to the house. How many."""
    late = {
        row["position"]: Issue("warning", OVERTAKEN, f"Bundle.entry[{row['position']}].resource", PASSED)
        for row in rows
    }
    if late:
        told = [_told([*issues(row["warnings"]), late[row["position"]]]) for row in rows]
        await gate.consult(WARNED, exchange=exchange_id, positions=[*late], warnings=told)
    return len(late)


def sealed(keyring: Keyring, line: Exchange, body: bytes) -> None:
    """Keep the bundle as it came, under a key of its own."""
    key, line.body_key = keyring.new_usager_key(_about(line.id))
    line.body = key.seal(zlib.compress(body, 1), _about(line.id))


def opened(keyring: Keyring, line_id: UUID, body: bytes, body_key: bytes) -> bytes:
    return zlib.decompress(keyring.usager_key(body_key, _about(line_id)).open(body, _about(line_id)))


def _about(line_id: UUID) -> str:
    return f"exchange:{line_id}"


def row_of(
    line: Exchange, position: int, done: Done, row: Row, usager_id: UUID | None, *, waits: bool, part: bool = False
) -> Line:
    values = {
        "organisation_id": line.organisation_id,
        "exchange_id": line.id,
        "position": position,
        "type_name": done.type_name,
        "kind": row.KIND.value,
        "row_id": row.id,
        "usager_id": usager_id,
        "version": row.version,
        "beside": waits,
        "part": part,
        "answered": done.status,
        "warnings": None if part else _told(done.warnings),
        "stood_at": None,
    }
    return Line(ExchangeRow, values)


def row_stood(line: Exchange, position: int, done: Done, target: Target) -> Line:
    """An entry that wrote nothing: a conditional creation that found its row, an update that says what stands."""
    values = {
        "organisation_id": line.organisation_id,
        "exchange_id": line.id,
        "position": position,
        "type_name": done.type_name,
        "kind": target.its_map.view.TABLE.KIND.value,
        "row_id": target.id,
        "usager_id": target.usager_id,
        "version": done.version,
        "beside": False,
        "part": False,
        "answered": done.status,
        "warnings": _told(done.warnings),
        "stood_at": done.at,
    }
    return Line(ExchangeRow, values)


def _told(warnings: Sequence[Issue]) -> str | None:
    if not warnings:
        return None
    return orjson.dumps([[w.severity, w.code, w.expression, w.diagnostics] for w in warnings]).decode()


def issues(told: str | None) -> list[Issue]:
    return [Issue(*line) for line in orjson.loads(told)] if told else []
