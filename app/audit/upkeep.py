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

LATE = "SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC')::date FROM {}_default"


async def keep_up(owner: asyncpg.Connection) -> None:
    """Idempotent. A month that nobody made in time is made now: its rows leave the default partition."""
    async with owner.transaction():
        await owner.execute("SET LOCAL lock_timeout = '5s'")
        epoch = await owner.fetchval(EPOCH)
        if epoch:
            await owner.execute(f"ALTER TABLE audit_entry ALTER COLUMN epoch SET DEFAULT {int(epoch)}")
    for table in PARTITIONED:
        late = await owner.fetch(LATE.format(table))
        for start, end in [*months(today(), MONTHS_AHEAD), *(months(month, 0)[0] for [month] in late)]:
            await _make(owner, table, start, end)


async def _make(owner: asyncpg.Connection, table: str, start: date, end: date) -> None:
    name = f"{table}_{start:%Y_%m}"
    if await owner.fetchval("SELECT to_regclass($1)", name):
        return
    low, high = f"'{start} 00:00+00'", f"'{end} 00:00+00'"
    async with owner.transaction():
        await owner.execute("SET LOCAL lock_timeout = '5s'")
        await owner.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
        await owner.execute(f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE")  # else a row could come meanwhile
        await owner.execute(f"""WITH late AS (DELETE FROM {table}_default WHERE at >= {low} AND at < {high} RETURNING *)
            INSERT INTO {name} SELECT * FROM late""")  # noqa: S608  names and days of ours
        await owner.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high})")
        await owner.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        await owner.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


def months(day: date, ahead: int) -> list[tuple[date, date]]:
    """The month of `day` and those that follow, as `[first day, first day of the next)`."""
    starts = [date(day.year + (day.month - 1 + i) // 12, (day.month - 1 + i) % 12 + 1, 1) for i in range(ahead + 2)]
    return list(itertools.pairwise(starts))
