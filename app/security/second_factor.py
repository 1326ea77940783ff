"""The second factor of the staff: a code of six digits that changes every thirty seconds, and ten recovery codes.

The secret is sealed under the key file; a code is good once, its neighbours of thirty seconds too. A recovery code is
kept hashed and serves once. Whoever tries is counted by place; over a day, by account, where no known device speaks:
that needs the password already, and a recovery code still enters from anywhere.

Sources: RFC 6238; RFC 4226, 7.2 and 7.3; NIST SP 800-63B, 5.2.2 (a hundred tries)
"""

import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, or_, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.clock import now
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import Conflict, Unauthenticated
from app.security import throttle
from app.security.models import AccountCredential
from app.security.throttle import Limit

SECRET_BYTES = 20  # RFC 4226, 4: as long as its hash
DIGITS, STEP = 6, 30
AROUND = (-1, 0, 1)  # a phone's clock, and the time to type
RECOVERY_CODES, RECOVERY_BYTES = 10, 10  # ten codes of sixteen letters
GUESSES_A_DAY = Limit(100, timedelta(days=1))
ISSUER = "DUI"
PASSWORD_ONLY, WITH_CODE, WITH_RECOVERY = ("pwd",), ("pwd", "otp", "mfa"), ("pwd", "mfa")  # RFC 8176
WRONG = "Ce code ne marche pas. Attendez le suivant, ou prenez un code de secours."

FACTORS = text("SELECT kind, secret, sealed, spent FROM factors_of(:account_id)")
C = AccountCredential


@dataclass(frozen=True, slots=True)
class Begun:
    """Told once: what the phone is to keep."""

    secret: str  # base32
    uri: str


async def enrolled(session: AsyncSession, account_id: UUID) -> bool:
    return "totp" in await _factors(session, account_id)


async def begin(session: AsyncSession, keyring: Keyring, account_id: UUID, login: str) -> Begun:
    """A secret that waits for its first code; the factor in use, if any, stays until then."""
    secret = secrets.token_bytes(SECRET_BYTES)
    await _keep(session, account_id, "totp_pending", sealed=keyring.seal(secret, _about(account_id)))
    uri = _totp(secret).get_provisioning_uri(login, ISSUER)
    return Begun(base64.b32encode(secret).decode(), uri)


async def confirm(session: AsyncSession, keyring: Keyring, account_id: UUID, code: str) -> list[str]:
    """The recovery codes, told once; those from before serve no more. Raises Unauthenticated, Conflict."""
    factors = await _factors(session, account_id)
    pending = factors.get("totp_pending")
    if pending is None:
        raise Conflict("Demandez d'abord un secret pour ce téléphone.")
    step = _step_of(keyring.open(pending.sealed, _about(account_id)), code)
    if step is None:
        raise Unauthenticated(WRONG)
    await forget(session, account_id)
    await _keep(session, account_id, "totp", sealed=pending.sealed, spent=step)
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    for number, said in enumerate(codes):
        await _keep(session, account_id, f"recovery_{number}", secret=_hash(keyring, account_id, said))
    return ["-".join(said[i : i + 4] for i in range(0, len(said), 4)) for said in codes]


async def forget(session: AsyncSession, account_id: UUID) -> None:
    """No second factor any more, nor codes to replace it."""
    await session.execute(delete(C).where(C.account_id == account_id, C.kind.not_in(("password", "oidc"))))


async def prove(
    database: Database, keyring: Keyring, account_id: UUID, said: str, place: Sequence[str], *, known: bool
) -> tuple[str, ...]:
    """How the session is proved: `amr`. `place`: where it comes from, `known` when a device of this account says so.

    Raises Unauthenticated, TooMany.
    """
    here = await judged(database, keyring, account_id, said, place, known=known)
    async with database.session(None) as session:
        amr = await spend(session, keyring, account_id, said)
        await session.commit()
    await throttle.forgive(database, here)
    return amr


async def judged(
    database: Database, keyring: Keyring, account_id: UUID, said: str, place: Sequence[str], *, known: bool
) -> list[bytes]:
    """What counts this code before it is looked at, to be forgiven once it opened something. Raises TooMany."""
    here = await tried(database, keyring, account_id, place)
    if _is_digits(_normal(said)) and not known:
        await throttle.spend(database, [throttle.key(keyring, "otp", str(account_id))], GUESSES_A_DAY)
    return here


async def spend(session: AsyncSession, keyring: Keyring, account_id: UUID, said: str) -> tuple[str, ...]:
    """This code serves once, unless the caller's transaction comes to nothing. Raises Unauthenticated."""
    code, factors = _normal(said), await _factors(session, account_id)
    use = _once if _is_digits(code) else _recovered
    spent = use(keyring, account_id, factors, code)
    if spent is None or await session.scalar(spent) is None:
        raise Unauthenticated(WRONG)
    return WITH_CODE if _is_digits(code) else WITH_RECOVERY


async def tried(database: Database, keyring: Keyring, account_id: UUID, place: Sequence[str]) -> list[bytes]:
    """What counts this try, to be forgiven when it was right. Raises TooMany."""
    here = [throttle.key(keyring, "otp", str(account_id), *place)]
    await throttle.spend(database, here)
    return here


def _normal(said: str) -> str:
    return said.replace(" ", "").replace("-", "").upper()


def _is_digits(code: str) -> bool:
    return code.isascii() and code.isdigit()


def _once(keyring: Keyring, account_id: UUID, factors: dict[str, Any], code: str) -> Any:
    """The row says whether this step, or a later one, was used already: two at once, and one passes."""
    kept = factors.get("totp")
    step = _step_of(keyring.open(kept.sealed, _about(account_id)), code) if kept else None
    if step is None:
        return None
    fresh = or_(C.spent.is_(None), C.spent < step)
    return update(C).where(C.account_id == account_id, C.kind == "totp", fresh).values(spent=step).returning(C.kind)


def _recovered(keyring: Keyring, account_id: UUID, factors: dict[str, Any], code: str) -> Any:
    said = _hash(keyring, account_id, code)
    kinds = [kind for kind, row in factors.items() if row.secret and hmac.compare_digest(row.secret, said)]
    mine = (C.account_id == account_id, C.kind.in_(kinds), C.spent.is_(None))
    return update(C).where(*mine).values(spent=int(now().timestamp())).returning(C.kind)


def _step_of(secret: bytes, code: str) -> int | None:
    """Which step around now this code is of; all are compared, whichever is right."""
    step, found = int(now().timestamp()) // STEP, None
    for near in AROUND:
        right = _totp(secret).generate((step + near) * STEP)
        if hmac.compare_digest(right, code.encode()):
            found = step + near
    return found


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP)  # noqa: S303  what every telephone speaks; RFC 6238, 1.2


def _about(account_id: UUID) -> str:
    return f"totp:{account_id}"


def _hash(keyring: Keyring, account_id: UUID, code: str) -> str:
    return keyring.blind(f"{account_id}:{code}", "recovery").hex()


async def _factors(session: AsyncSession, account_id: UUID) -> dict[str, Any]:
    return {row.kind: row for row in await session.execute(FACTORS, {"account_id": account_id})}


async def _keep(session: AsyncSession, account_id: UUID, kind: str, **values: object) -> None:
    said = {"secret": None, "sealed": None, "spent": None, **values, "changed_at": now()}
    row = insert(C).values(account_id=account_id, kind=kind, **said)
    await session.execute(row.on_conflict_do_update(index_elements=["account_id", "kind"], set_=said))
