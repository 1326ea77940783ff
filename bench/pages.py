"""A page far down a search against its first page: the place in the order is an index range, not rows counted off.

Ratios within one run, interleaved; a page of `PAGE` rows of a whole house, the thousandth against the first.
"""

import asyncio
import statistics
from http.client import HTTPConnection
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import orjson

from app.kernel import postgres
from app.kernel.crypto import Keyring
from bench.load import Figure, drive
from bench.reads import ROUNDS, SECONDS, staged
from bench.served import Served

PAGE, FAR = 2, 1_000
AIM = 1.2
SEARCHES = {
    "the latest first": "/fhir/DocumentReference?_count={count}",
    "_sort=date": "/fhir/DocumentReference?_count={count}&_sort=date",
}


def far(port: int, token: str, path: str) -> tuple[str, int]:
    """The address of the page `FAR`, or of the last full one before it, and its number: each link is followed."""
    connection = HTTPConnection("127.0.0.1", port)
    for number in range(1, FAR):
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        links = orjson.loads(connection.getresponse().read())["link"]
        following = next((each["url"] for each in links if each["relation"] == "next"), None)
        if following is None:
            return path, number
        parts = urlsplit(following)
        path = f"{parts.path}?{parts.query}"
    return path, FAR


async def gathered(owner_url: str, usager: UUID) -> None:
    """Rows enough for so many pages: those of others become this person's."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute(
        """UPDATE transmission SET usager_id = $1, structure_id = (SELECT structure_id FROM usager WHERE id = $1)
        WHERE id IN (SELECT id FROM transmission WHERE usager_id <> $1 ORDER BY id LIMIT $2)""",
        usager,
        PAGE * FAR + PAGE,
    )
    await owner.execute("ANALYZE transmission")
    await owner.close()


async def measure(served: Served, token: str) -> None:
    for name, path in SEARCHES.items():
        first = path.format(count=PAGE)
        last, number = far(served.port, token, first)
        figures: dict[str, list[Figure]] = {first: [], last: []}
        for turn in range(ROUNDS + 1):
            for each in (first, last, last, first):
                figure = await drive(served.port, served.process.pid, [each], token, seconds=SECONDS if turn else 0.5)
                if turn:  # the first round warms
                    figures[each].append(figure)
        near, away = (statistics.median(f.rps for f in figures[each]) for each in (first, last))
        ratio = near / away
        verdict = "ok" if ratio <= AIM else "SHORT"
        print(f"{name}: page {number} costs {ratio:.2f} × page 1   (aim ≤ {AIM}: {verdict})")


def run(server: postgres.Server, keyring: Keyring, env: dict[str, str]) -> None:
    made, tokens, professional = asyncio.run(staged(server, keyring))
    asyncio.run(gathered(server.owner_url, made.team[professional][0]))
    served = Served("app.main:served", env, "--factory")
    try:
        asyncio.run(measure(served, tokens["us"]))
    finally:
        served.stop()
