"""When a right that ends is heard: readers ask without a pause while it ends, in the base, behind the server's back."""

import asyncio
import time
from uuid import UUID

import asyncpg

from app.kernel.ids import uuid7
from bench.load import asked
from bench.population import House
from bench.served import Served

TRIALS = 15  # of each ending, each with another professional
READERS = 8
AFTER = 0.3  # seconds during which they go on
NOTE = """SELECT t.id, t.usager_id FROM transmission t JOIN team_member m USING (organisation_id, usager_id)
    WHERE m.professional_id = $1 AND t.category = 'support' AND NOT EXISTS (
        SELECT FROM opposition o WHERE o.usager_id = t.usager_id AND o.professional_id = $1) ORDER BY t.id LIMIT 1"""
OPPOSES = """INSERT INTO opposition (organisation_id, id, usager_id, structure_id, category, visibility, author_kind, occurred_at,
        recorded_at, updated_at, version, held, consigne, minor_secret, starts, professional_id)
    SELECT organisation_id, $3, id, structure_id, category, visibility, author_kind, occurred_at, recorded_at, updated_at,
        1, held, consigne, minor_secret, current_date - 1, $1 FROM usager WHERE id = $2"""
ENDINGS = ("membership ended", "session revoked", "opposition")


async def measure(served: Served, house: House, tokens: dict[int, str], owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    print("\nrequests sent after the commit that ends a right, and answered as before   (aim 0)")
    some = iter(house.of_role("educateur")[10:])
    for ending in ENDINGS:
        before = after = old = 0
        for n, _ in zip(some, range(TRIALS), strict=False):
            who = house.ids["professional"][n]
            note, usager = await owner.fetchrow(NOTE, who)
            stop = asyncio.Event()
            path = f"/fhir/DocumentReference/{note}"
            readers = [asyncio.create_task(asked(served.port, path, tokens[n], stop)) for _ in range(READERS)]
            await asyncio.sleep(AFTER)
            await _ends(owner, ending, who, usager)
            committed = time.perf_counter()
            await asyncio.sleep(AFTER)
            stop.set()
            told = [each for reader in readers for each in await reader]
            before += sum(status == 200 for at, status in told if at <= committed)
            after += sum(at > committed for at, _ in told)
            old += sum(status == 200 for at, status in told if at > committed)
        verdict = "ok" if before and after and not old else "SHORT"
        print(f"  {ending:18} {old} of {after}, {before} answered before, {TRIALS} trials   {verdict}")
    await owner.close()


async def _ends(owner: asyncpg.Connection, ending: str, who: UUID, usager: UUID) -> None:
    match ending:
        case "membership ended":
            await owner.execute("UPDATE membership SET ends = current_date - 1 WHERE professional_id = $1", who)
        case "session revoked":
            await owner.execute("UPDATE session SET revoked_at = now() WHERE subject_id = $1", who)
        case _:
            await owner.execute(OPPOSES, who, usager, uuid7())
