"""What the seal costs those who read, and how long a line waits for it: the same house twice, one of them with a sealer."""

import asyncio
import os
import statistics

import asyncpg

from bench.load import drive
from bench.population import House
from bench.served import Served

AIM = 0.85
ROUNDS = 10
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
READER = 80  # an educator's number
NOTES = """SELECT id FROM transmission t WHERE usager_id = ANY($1) AND category = 'support' AND NOT EXISTS (
        SELECT FROM opposition o WHERE o.usager_id = t.usager_id) ORDER BY id LIMIT 500"""
LAG = """SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY waited), percentile_cont(0.99) WITHIN GROUP (ORDER BY waited)
    FROM (SELECT extract(epoch FROM s.sealed_at - a.at)::float AS waited FROM audit_entry a CROSS JOIN LATERAL (
            SELECT sealed_at FROM audit_seal s WHERE s.organisation_id = a.organisation_id AND s.epoch = a.epoch
            AND s.to_xid > a.xid::text::bigint ORDER BY s.number LIMIT 1) s
        WHERE a.organisation_id = $1 AND a.at > $2) lines"""


async def measure(sealed: Served, unsealed: Served, house: House, tokens: dict[int, str], owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    before = await owner.fetchval("SELECT clock_timestamp()")
    notes = await owner.fetch(NOTES, house.usagers_of(READER))
    paths, token = [f"/fhir/DocumentReference/{row[0]}" for row in notes], tokens[READER]

    async def rps(served: Served, seconds: float = SECONDS) -> float:
        return (await drive(served.port, served.process.pid, paths, token, seconds=seconds)).rps

    rounds = []
    for turn in range(ROUNDS + 1):
        seconds = SECONDS if turn else 0.5  # the first round warms
        first, second = (sealed, unsealed) if turn % 2 else (unsealed, sealed)
        found = {first.port: await rps(first, seconds), second.port: await rps(second, seconds)}
        if turn:
            rounds.append((found[sealed.port], found[unsealed.port]))
    _tell(rounds)
    await asyncio.sleep(3)  # what is left is sealed
    lines, median, p99 = await owner.fetchrow(LAG, house.organisation_id, before)
    print(f"  seal lag over {lines} lines: median {median:.2f} s, p99 {p99:.2f} s")
    await owner.close()


def _tell(rounds: list[tuple[float, float]]) -> None:
    ratios = [a / b for a, b in rounds]
    ratio, (a, b) = statistics.median(ratios), (statistics.median(r[i] for r in rounds) for i in (0, 1))
    verdict = "ok" if ratio >= AIM else "SHORT"
    print(f"\ntraced reads with the sealer {a:.0f} rps, without {b:.0f} rps, {len(rounds)} rounds")
    print(f"  with / without: {ratio:.2f}   from {min(ratios):.2f} to {max(ratios):.2f}   (aim ≥ {AIM}: {verdict})")
