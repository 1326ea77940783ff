"""How often something may be tried: rows, so that a restart or another worker forgives nothing.

A try is counted, and committed, before it is judged: twenty at once get no more than five.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Delete, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.errors import TooMany
from app.security.models import CodeAttempt

SWEPT = 20  # old rows taken away at each try: more than a try adds
KEPT = timedelta(days=1)
STEP, SLOWEST = 0.25, 4.0  # seconds
TOO_MANY = "Trop d'essais. Attendez un quart d'heure, ou demandez de l'aide."


@dataclass(frozen=True, slots=True)
class Limit:
    tries: int
    window: timedelta


GUESSES = Limit(5, timedelta(minutes=15))  # design: portal.md 3.2


def key(keyring: Keyring, *what: str) -> bytes:
    """What is tried, as it is kept: neither the login nor the address can be read back."""
    return keyring.blind("\0".join(what), "attempt")


def neighbourhood(address: str | None) -> str:
    """Where a call comes from, for counting: an IPv6 house changes its last 64 bits as it likes."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def slowness(count: int, free: int) -> float:
    """Seconds to wait before judging a try, when `free` of them already failed: it slows, it never locks out."""
    return min(SLOWEST, STEP * max(0, count - free))


async def spend(database: Database, keys: Sequence[bytes], limit: Limit = GUESSES) -> list[int]:
    """Count one try under each key, in a transaction of its own. Raises TooMany when the first is over its limit."""
    async with database.session(None) as session:
        counts = {k: n for k, n in await session.execute(_counted(sorted(keys), limit))}
        await session.execute(_swept())
        await session.commit()
    if counts[keys[0]] > limit.tries:
        raise TooMany(TOO_MANY)
    return [counts[k] for k in keys]


async def forgive(database: Database, keys: Sequence[bytes]) -> None:
    """The try was right: the first count starts again, the others, shared, forget this one try."""
    async with database.session(None) as session:
        await session.execute(delete(CodeAttempt).where(CodeAttempt.key == keys[0]))
        for shared in sorted(keys[1:]):
            await session.execute(
                update(CodeAttempt)
                .where(CodeAttempt.key == shared, CodeAttempt.count > 0)
                .values(count=CodeAttempt.count - 1)
            )
        await session.commit()


def _counted(keys: Sequence[bytes], limit: Limit) -> ReturningInsert[bytes, int]:
    t, over = CodeAttempt, CodeAttempt.window_start <= func.now() - limit.window
    one = insert(t).values([{"key": k, "window_start": func.now(), "count": 1} for k in keys])
    return one.on_conflict_do_update(
        index_elements=[t.key],
        set_={
            "window_start": case((over, func.now()), else_=t.window_start),
            "count": case((over, 1), else_=t.count + 1),
        },
    ).returning(t.key, t.count)


def _swept() -> Delete:
    old = select(CodeAttempt.key).where(CodeAttempt.window_start < func.now() - KEPT)
    return delete(CodeAttempt).where(CodeAttempt.key.in_(old.limit(SWEPT).with_for_update(skip_locked=True)))
