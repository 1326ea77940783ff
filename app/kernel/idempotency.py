"""`Idempotency-Key`: the same POST twice writes once. The row is written in the transaction of the work it names.

A replay answers by reading the row again through the policy; no body is kept.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base
from app.kernel.errors import Conflict, Invalid

KEPT = "24 hours"
# The tenant is told in the same breath: OFFSET 0 keeps the second half after the first, whose answer it asks with.
LOOK = text(
    f"""WITH told AS MATERIALIZED (
        SELECT set_config('dui.organisation', :organisation, true) AS tenant,
            pg_try_advisory_xact_lock(hashtextextended(:lock, 7)) AS mine)
    SELECT told.mine, i.route, i.body_sha256, i.status, i.location FROM told LEFT JOIN LATERAL (
        SELECT * FROM idempotency WHERE organisation_id = CAST(told.tenant AS uuid) AND principal_id = :principal
            AND key_sha256 = :key AND at > clock_timestamp() - interval '{KEPT}' OFFSET 0) i ON true"""  # noqa: S608  a constant of ours
)


class Idempotency(Base):
    __tablename__ = "idempotency"

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    route: Mapped[str]
    body_sha256: Mapped[bytes]
    status: Mapped[int]
    location: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


@dataclass(frozen=True, slots=True)
class Claim:
    organisation_id: UUID
    principal_id: UUID
    key_sha256: bytes
    route: str
    body_sha256: bytes
    status: int = 201

    @classmethod
    def of(cls, organisation_id: UUID, principal_id: UUID, key: str, route: str, body: bytes) -> "Claim":
        digest = hashlib.sha256
        return cls(organisation_id, principal_id, digest(key.encode()).digest(), route, digest(body).digest())

    def remembered(self, location: str | None) -> dict[str, object]:
        return {
            "organisation_id": self.organisation_id,
            "principal_id": self.principal_id,
            "key_sha256": "\\x" + self.key_sha256.hex(),
            "route": self.route,
            "body_sha256": "\\x" + self.body_sha256.hex(),
            "status": self.status,
            "location": location,
        }


@dataclass(frozen=True, slots=True)
class Replay:
    status: int
    location: str | None


async def claim(session: AsyncSession, asked: Claim) -> Replay | None:
    """The answer already given to this key, or None: then this transaction holds it until it ends. The transaction is
    bound to the tenant of the claim, as by `db.enter`.

    Raises Conflict while the first is still in flight, Invalid when the same key comes with another request.
    """
    lock = f"{asked.organisation_id}{asked.principal_id}{asked.key_sha256.hex()}"
    values = {
        "lock": lock,
        "organisation": str(asked.organisation_id),
        "principal": asked.principal_id,
        "key": asked.key_sha256,
    }
    mine, route, body, status, location = (await session.execute(LOOK, values)).one()
    if status is not None:
        if (route, body) != (asked.route, asked.body_sha256):
            raise Invalid(
                "Cette clé d'idempotence a déjà servi pour une autre demande. Prenez-en une nouvelle.",
                where="Idempotency-Key",
                code="idempotency.reused",
            )
        return Replay(status, location)
    if not mine:
        raise Conflict("La même demande est en cours. Attendez sa réponse.", code="idempotency.in_flight")
    return None
