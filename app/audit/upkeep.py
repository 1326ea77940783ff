"""What the owner does after each migration: months made ahead, and a new epoch when the base woke in another cluster."""

import itertools
from datetime import date

import asyncpg

from app.kernel.clock import today

PARTITIONED = ("audit_entry", "entry_version")
MONTHS_AHEAD = 12
EPOCH = """INSERT INTO cluster_epoch (epoch, cluster)
    SELECT coalesce(max(e.epoch), 0) + 1, c.system_identifier::text
    FROM pg_control_system() c LEFT JOIN cluster_epoch e ON true
    GROUP BY c.system_identifier
    HAVING (SELECT cluster FROM cluster_epoch ORDER BY epoch DESC LIMIT 1) IS DISTINCT FROM c.system_identifier::text
    RETURNING epoch"""


async def keep_up(owner: asyncpg.Connection) -> None:
    """Idempotent. A month whose rows already went to the default partition stays there: no row is moved."""
    async with owner.transaction():
        await owner.execute("SET LOCAL lock_timeout = '5s'")
        epoch = await owner.fetchval(EPOCH)
        if epoch:
            await owner.execute(f"ALTER TABLE audit_entry ALTER COLUMN epoch SET DEFAULT {int(epoch)}")
    for table in PARTITIONED:
        for start, end in months(today(), MONTHS_AHEAD):
            await _make(owner, table, start, end)


async def _make(owner: asyncpg.Connection, table: str, start: date, end: date) -> None:
    name = f"{table}_{start:%Y_%m}"
    if await owner.fetchval("SELECT to_regclass($1)", name):
        return
    taken = f"SELECT 1 FROM {table}_default WHERE at >= $1 AND at < $2 LIMIT 1"  # noqa: S608  names of ours
    span = f"FOR VALUES FROM ('{start} 00:00+00') TO ('{end} 00:00+00')"
    async with owner.transaction():
        await owner.execute("SET LOCAL lock_timeout = '5s'")
        if await owner.fetchval(taken.replace("$1", f"'{start} 00:00+00'").replace("$2", f"'{end} 00:00+00'")):
            return
        await owner.execute(f"CREATE TABLE {name} PARTITION OF {table} {span}")
        await owner.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        await owner.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


def months(day: date, ahead: int) -> list[tuple[date, date]]:
    """The month of `day` and those that follow, as `[first day, first day of the next)`."""
    starts = [date(day.year + (day.month - 1 + i) // 12, (day.month - 1 + i) % 12 + 1, 1) for i in range(ahead + 2)]
    return list(itertools.pairwise(starts))
