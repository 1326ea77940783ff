"""Secured and traced reads against the same payload unsecured, and against the conventional reference.

Ratios within one run: interleaved a-b-us-us-b-a, five rounds; the median, and its spread.
"""

import asyncio
import os
import secrets
import statistics
import time
from datetime import timedelta
from uuid import UUID

import asyncpg
from jose import jwt

from app.demo.seed import Seeded, seed
from app.kernel import postgres
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.security import sessions
from app.security.models import Account
from app.security.principal import Role
from bench.load import Figure, drive, rss_mb
from bench.served import ORIGIN, Served

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
USAGERS = int(os.environ.get("BENCH_USAGERS", "300"))
AIMS = {("read", "unsecured"): 0.55, ("read", "reference"): 8, ("search of 50", "reference"): 15}


async def staged(server: postgres.Server, keyring: Keyring) -> tuple[Seeded, dict[str, str], UUID]:
    """A population, and the tokens of one of its referents (educateur)."""
    owner = await asyncpg.connect(server.owner_url)
    made = await seed(owner, keyring, USAGERS, 1)
    await owner.execute("ANALYZE")
    await owner.close()
    professional, membership, role = next(p for p in made.professionals if p[2] == "educateur" and made.team[p[0]])
    base = Database(server.owner_url, 1)
    async with base.session(None) as session:
        account = Account(id=uuid7(), login="bench", name="bench")
        session.add(account)
        await session.flush()
        place = sessions.Place(made.organisation_id, professional, membership, Role(role))
        opened = await sessions.open_staff(session, keyring, ORIGIN, account.id, place, ttl=timedelta(hours=2))
        await session.commit()
    await base.close()
    secret = secrets.token_hex(32)
    claims = {
        "sub": str(professional),
        "org": str(made.organisation_id),
        "aud": "bench",
        "exp": int(time.time()) + 7200,
    }
    other = jwt.encode(claims, secret, algorithm="HS256")
    return made, {"us": opened.token, "reference": other, "secret": secret}, professional


async def measure(
    made: Seeded, professional: UUID, tokens: dict[str, str], owner_url: str, served: dict[str, Served]
) -> None:
    usagers = made.team[professional]
    owner = await asyncpg.connect(owner_url)
    rows = await owner.fetch("SELECT id FROM transmission WHERE usager_id = ANY($1) ORDER BY id LIMIT 500", usagers)
    await owner.close()
    notes = [r[0] for r in rows]
    cases = {
        "read": {
            "us": [f"/fhir/DocumentReference/{id}" for id in notes],
            "unsecured": [f"/one/{id}" for id in notes],
            "traced": [f"/traced/{id}" for id in notes],
            "reference": [f"/one/{id}" for id in notes],
        },
        "search of 50": {
            "us": [f"/fhir/DocumentReference?patient={id}&_count=50" for id in usagers],
            "unsecured": [f"/many/{id}" for id in usagers],
            "reference": [f"/many/{id}" for id in usagers],
        },
    }
    for case, paths in cases.items():
        figures: dict[str, list[Figure]] = {name: [] for name in paths}
        for turn in range(ROUNDS + 1):
            for name in (*reversed(paths), *paths):
                s, token = (
                    served["unsecured" if name == "traced" else name],
                    tokens["reference" if name == "reference" else "us"],
                )
                figure = await drive(s.port, s.process.pid, paths[name], token, seconds=SECONDS if turn else 0.5)
                if turn:  # the first round warms
                    figures[name].append(figure)
        tell(case, figures)


def tell(case: str, figures: dict[str, list[Figure]]) -> None:
    print(f"\n{case}")
    for name, found in figures.items():
        rps = [f.rps for f in found]
        app = statistics.median(f.app_us for f in found)
        spread = (max(rps) - min(rps)) / statistics.median(rps)
        print(f"  {name:10} {statistics.median(rps):8.0f} rps   {app:8.0f} µs of app CPU   spread {spread:4.0%}")
    ours = statistics.median(f.rps for f in figures["us"])
    for name in (name for name in figures if name != "us"):
        ratio, aim = ours / statistics.median(f.rps for f in figures[name]), AIMS.get((case, name))
        verdict = f"   (aim ≥ {aim}: {'ok' if ratio >= aim else 'SHORT'})" if aim else ""
        print(f"  us / {name}: {ratio:.2f}{verdict}")


def run(server: postgres.Server, keyring: Keyring, env: dict[str, str]) -> None:
    served: dict[str, Served] = {}
    made, tokens, professional = asyncio.run(staged(server, keyring))
    env |= {"BENCH_ORGANISATION": str(made.organisation_id), "BENCH_SECRET": tokens["secret"]}
    try:
        served["us"] = Served("app.main:served", env, "--factory")
        served["unsecured"] = Served("bench.rivals:app", env)
        served["reference"] = Served("bench.reference:app", env)
        print(f"{len(made.usagers)} usagers, {len(made.transmissions)} transmissions; durable trace on, sealer running")
        asyncio.run(measure(made, professional, tokens, server.owner_url, served))
        print(f"\nRSS of the worker: {rss_mb(served['us'].process.pid):.0f} MB   (aim ≤ 180)")
    finally:
        for s in served.values():
            s.stop()
