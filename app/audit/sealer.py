"""Chains what is already committed: the trail is durable with the act, its seal follows within a second.

A link covers whole transactions, `[from_xid, to_xid)`, never beyond `pg_snapshot_xmin`: below it nothing is still
running, so no row can appear later inside a link. Each link hashes the one before it and every line it covers.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg

from app.audit.lines import GENESIS, LINE_HASH_SQL, header, link_hash
from app.audit.watch import Watch, pause
from app.kernel.db import NIL, PATIENCE

BATCH = 1_000
EVERY = 0.5  # seconds between two rounds
STUCK = 60.0  # seconds for one statement: then the connection is left for another
HEAD = "SELECT number, epoch, to_xid, hash FROM audit_seal WHERE organisation_id = $1 ORDER BY number DESC LIMIT 1"
HERE = """SELECT c.system_identifier::text AS cluster, e.epoch, e.cluster AS known
    FROM pg_control_system() c CROSS JOIN (SELECT * FROM cluster_epoch ORDER BY epoch DESC LIMIT 1) e"""
# Each organisation's first line after its head, by the index: the length of the trail costs nothing. Told whether it
# may be sealed (nothing older runs), and how old it is: a transaction left open somewhere holds back every seal.
WAITING = """SELECT o.organisation_id, first.xid < pg_snapshot_xmin(pg_current_snapshot()) AS ready,
        extract(epoch FROM clock_timestamp() - first.at)::float AS age
    FROM (SELECT organisation_id FROM organisation UNION ALL SELECT $2::uuid) o
    LEFT JOIN LATERAL (SELECT epoch, to_xid FROM audit_seal s WHERE s.organisation_id = o.organisation_id
        ORDER BY number DESC LIMIT 1) h ON h.epoch = $1
    CROSS JOIN LATERAL (SELECT a.xid, a.at FROM audit_entry a WHERE a.organisation_id = o.organisation_id
        AND a.epoch = $1 AND a.xid >= coalesce(h.to_xid, 0)::text::xid8 ORDER BY a.xid LIMIT 1) first"""
# The last xid of a batch is taken whole: a transaction is never cut in two, however many lines it wrote.
NEXT = """SELECT xid::text::bigint + 1 FROM audit_entry
    WHERE organisation_id = $1 AND epoch = $2 AND xid >= $3::text::xid8 AND xid < $4::text::xid8
    ORDER BY xid OFFSET $5 - 1 LIMIT 1"""
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# Lines of a cluster this base left (a restore) that had no seal yet: nothing can come among them any more.
LEFT = """SELECT e.epoch, e.cluster, (SELECT max(xid)::text::bigint + 1 FROM audit_entry a
        WHERE a.organisation_id = $1 AND a.epoch = e.epoch) AS ends
    FROM cluster_epoch e WHERE e.epoch >= $2 AND e.epoch < $3 ORDER BY e.epoch"""
LINES = f"""SELECT count(*), string_agg({LINE_HASH_SQL}, ''::bytea ORDER BY xid, id) FROM audit_entry
    WHERE organisation_id = $1 AND epoch = $2 AND xid >= $3::text::xid8 AND xid < $4::text::xid8"""  # noqa: S608
SEAL = """INSERT INTO audit_seal (organisation_id, number, cluster, epoch, from_xid, to_xid, entries, hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
log = logging.getLogger("dui.sealer")


class NewCluster(RuntimeError):
    """Restored or moved: transaction numbers began again. `dui migrate` opens the next epoch of the chain."""


async def seal(connection: asyncpg.Connection, organisation_id: UUID) -> int:
    """Add one link to the organisation's chain; how many lines it covers (0: nothing new, no link).

    Two sealers at once: the primary key refuses the second (UniqueViolationError), the chain can't fork.
    """
    async with connection.transaction(isolation="repeatable_read"):
        cluster, epoch = await here(connection)
        head = await connection.fetchrow(HEAD, organisation_id)
        last = head["epoch"] if head else 1
        for past in await connection.fetch(LEFT, organisation_id, last, epoch) if last < epoch else ():
            count = await _link(connection, organisation_id, head, past["cluster"], past["epoch"], past["ends"] or 0)
            if count:
                return count
        return await _link(connection, organisation_id, head, cluster, epoch, await connection.fetchval(HORIZON))


async def _link(
    connection: asyncpg.Connection,
    organisation_id: UUID,
    head: asyncpg.Record | None,
    cluster: str,
    epoch: int,
    horizon: int,
) -> int:
    number, before = (head["number"] + 1, head["hash"]) if head else (1, GENESIS)
    start = head["to_xid"] if head and head["epoch"] == epoch else 0
    end = await connection.fetchval(NEXT, organisation_id, epoch, str(start), str(horizon), BATCH) or horizon
    [(count, lines)] = await connection.fetch(LINES, organisation_id, epoch, str(start), str(end))
    if count:
        made = link_hash(before, header(number, cluster, epoch, start, end), lines)
        await connection.execute(SEAL, organisation_id, number, cluster, epoch, start, end, count, made)
    return int(count)


async def here(connection: asyncpg.Connection) -> tuple[str, int]:
    """This cluster and its epoch. Raises NewCluster when the base does not know the cluster it runs in."""
    [row] = await connection.fetch(HERE)
    if row["cluster"] != row["known"]:
        raise NewCluster("Cette base vient d'un autre serveur Postgres : lancez « dui migrate » avant de continuer.")
    return row["cluster"], row["epoch"]


async def seal_all(connection: asyncpg.Connection, watch: Watch | None = None) -> int:
    """One round over every organisation with something new; how many lines were sealed."""
    _, epoch = await here(connection)
    waiting = await connection.fetch(WAITING, epoch, NIL)
    sealed = 0
    for row in waiting:
        try:
            sealed += await seal(connection, row["organisation_id"]) if row["ready"] else 0
        except asyncpg.UniqueViolationError:
            continue  # another sealer made this link
    if watch:
        watch.saw(max((row["age"] for row in waiting), default=0.0))
    return sealed


async def _nothing(_: asyncpg.Connection) -> None:
    """Nothing follows a round."""


async def run(
    sealer_url: str,
    stop: asyncio.Event,
    watch: Watch | None = None,
    after: Callable[[asyncpg.Connection], Awaitable[None]] = _nothing,
) -> None:
    """Seal every half-second until told to stop; a lost connection is taken up again. `after` follows each round."""
    watch = watch or Watch()
    telling = asyncio.create_task(watch.tell(stop))
    while not stop.is_set():
        try:
            connection = await asyncpg.connect(
                sealer_url, timeout=PATIENCE, command_timeout=STUCK, server_settings={"application_name": "dui-sealer"}
            )
            try:
                await _rounds(connection, stop, watch, after)
            finally:
                await connection.close()
        except NewCluster:
            if not watch.another_cluster:
                log.error("sealer_another_cluster")
            watch.another_cluster = True
            await pause(stop, EVERY)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as exc:
            log.warning("sealer_interrupted", extra={"error": type(exc).__name__})
            await pause(stop, EVERY)
    await telling


async def _rounds(
    connection: asyncpg.Connection,
    stop: asyncio.Event,
    watch: Watch,
    after: Callable[[asyncpg.Connection], Awaitable[None]],
) -> None:
    while not stop.is_set():
        sealed = await seal_all(connection, watch)
        watch.another_cluster = False
        await after(connection)
        if sealed < BATCH:  # no link was full: what is left is what came meanwhile
            await pause(stop, EVERY)
