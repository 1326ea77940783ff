"""`python -m bench exchange`: what a partner's bundle costs against one validated insert of the same JSON, and what a
whole dossier costs to tell against a bare `json_agg` of the same rows.

Ratios within one run; statement counts are tests, not figures. A rate is of this machine as loaded as it says it is.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from statistics import median

import asyncpg

from app.access.entry import DossierEntry
from app.api.resources import REGISTRY
from app.features.structures.models import Organisation, Structure
from app.kernel import postgres
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.security import sessions
from app.security.models import PartnerClient, PartnerStructure
from bench.bundles import mixed
from bench.load import TICK, cpu, drive, family_cpu, sent
from bench.served import ORIGIN, Served

ENTRIES, DOSSIER = 50, 200  # of a bundle; resources of the dossier told
BUNDLES = 20  # of each turn
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
SCOPES = frozenset({"*.c", "*.r", "*.u", "*.d", "*.s"})
CPU_AIM, RATE_AIM, EVERYTHING_AIM = 4, 1_000, 0.5
NEVER_TWICE = count()
Turn = Callable[[str, float], Awaitable[int]]  # how much was done


@dataclass(frozen=True, slots=True)
class Figure:
    """Of one thing done: µs of CPU of the server's process and of all of Postgres; how many a second."""

    app: float
    pg: float
    rate: float

    @property
    def cpu(self) -> float:
        return self.app + self.pg


def run(server: postgres.Server, keyring: Keyring, env: dict[str, str]) -> None:
    organisation, token = asyncio.run(_staged(server, keyring))
    env |= {"BENCH_ORGANISATION": organisation}
    served = {"us": Served("app.main:create_app", env, "--factory")}
    try:
        served["rival"] = Served("bench.rivals:app", env)
        asyncio.run(_measured(served, token, server))
    finally:
        for s in served.values():
            s.stop()


async def _staged(server: postgres.Server, keyring: Keyring) -> tuple[str, str]:
    """An organisation of one house, and the token of a partner that it knows."""
    organisation, place, partner = uuid7(), uuid7(), uuid7()
    base = Database(server.owner_url, 1)
    async with base.session(None) as session:
        session.add(Organisation(organisation_id=organisation, name="Association", finess=None))
        await session.flush()
        session.add(Structure(organisation_id=organisation, id=place, name="Maison", model="ime"))
        await session.flush()
        session.add(
            PartnerClient(
                organisation_id=organisation, id=partner, name="CHU", kind="other", client_id="bench", jwks=[],
                scopes=sorted(SCOPES), default_structure_id=place,
            )
        )  # fmt: skip
        await session.flush()
        accepted = {"partner_id": partner, "structure_id": place, "accepts": True}
        session.add(PartnerStructure(organisation_id=organisation, **accepted))
        ttl, who = timedelta(hours=2), (organisation, partner)
        opened = await sessions.open_partner(session, keyring, ORIGIN, who, place, SCOPES, ttl=ttl)
        await session.commit()
    await base.close()
    return str(organisation), opened.token


async def _measured(served: dict[str, Served], token: str, server: postgres.Server) -> None:
    superuser = await asyncpg.connect(server.superuser_url)
    postmaster = int(await superuser.fetchval("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"))
    await superuser.close()
    pids = {name: s.process.pid for name, s in served.items()}
    ports = {name: s.port for name, s in served.items()}

    async def arriving(name: str, _: float) -> int:
        bodies = [mixed(next(NEVER_TWICE), ENTRIES) for _ in range(BUNDLES)]
        await sent(ports[name], {"us": "/fhir", "rival": "/transaction"}[name], token, bodies)
        return BUNDLES * ENTRIES

    found = await _turns(pids, postmaster, arriving)
    _say(
        f"a transaction of {ENTRIES} entries of eleven kinds, by the resource; a rival that inserts what it validates",
        found,
    )
    _judge("CPU, us / rival", _ratio(found, lambda f: f.cpu), CPU_AIM, most=True)
    _judge("resources/s, on 2 idle cores", median(f.rate for f in found["us"]), RATE_AIM)

    paths = await _dossier(ports["us"], token, server.owner_url)

    async def telling(name: str, seconds: float) -> int:
        return (await drive(ports[name], pids[name], [paths[name]], token, seconds=seconds, connections=4)).requests

    found = await _turns(pids, postmaster, telling)
    _say(f"$everything of {DOSSIER} resources; a rival that has the same rows from json_agg", found)
    _judge("throughput, us / rival", _ratio(found, lambda f: f.rate), EVERYTHING_AIM)
    print(f"  CPU, rival / us: {1 / _ratio(found, lambda f: f.cpu):.2f}")


async def _turns(pids: dict[str, int], postmaster: int, turn: Turn) -> dict[str, list[Figure]]:
    """Us and the rival in turns; the first round warms."""
    found: dict[str, list[Figure]] = {name: [] for name in pids}
    for n in range(ROUNDS + 1):
        for name in (*pids, *reversed(pids)):
            app, pg, began = cpu(pids[name]), family_cpu(postmaster), time.perf_counter()
            done = await turn(name, SECONDS if n else 0.5)
            took, each = time.perf_counter() - began, TICK / done
            spent = (cpu(pids[name]) - app) * each, (family_cpu(postmaster) - pg) * each
            if n:
                found[name].append(Figure(*spent, done / took))
    return found


async def _dossier(port: int, token: str, owner_url: str) -> dict[str, str]:
    """Where to ask for a dossier that came in one bundle, of us and of the rival. Its practitioner is in no dossier."""
    await sent(port, "/fhir", token, [mixed(next(NEVER_TWICE), DOSSIER + 1)])
    owner = await asyncpg.connect(owner_url)
    person = await owner.fetchval("SELECT id FROM usager ORDER BY recorded_at DESC LIMIT 1")
    maps = (*REGISTRY.maps, *((REGISTRY.kept,) if REGISTRY.kept else ()))
    names = sorted({m.view.TABLE.__tablename__ for m in maps if issubclass(m.view.TABLE, DossierEntry)})
    asked = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name} WHERE usager_id = $1" for name in names)
    rows = {name: many for name, many in await owner.fetch(asked, person) if many}
    await owner.execute("ANALYZE")
    await owner.close()
    if sum(rows.values()) != DOSSIER:
        raise RuntimeError(f"{sum(rows.values())} rows, not {DOSSIER}")
    ours = f"/fhir/Patient/{person}/$everything?_count={DOSSIER}"
    return {"us": ours, "rival": f"/everything/{person}?tables={','.join(rows)}"}


def _ratio(found: dict[str, list[Figure]], of: Callable[[Figure], float]) -> float:
    return median(of(a) / of(b) for a, b in zip(found["us"], found["rival"], strict=True))


def _say(what: str, found: dict[str, Sequence[Figure]]) -> None:
    print(f"\n{what}; load average {os.getloadavg()[0]:.1f}")
    for name, figures in found.items():
        app, pg, rate = (median(getattr(f, part) for f in figures) for part in ("app", "pg", "rate"))
        print(f"  {name:6} {app:8.0f} µs of app CPU, {pg:8.0f} of Postgres   {rate:8.0f} a second")


def _judge(what: str, figure: float, aim: float, *, most: bool = False) -> None:
    kept = figure <= aim if most else figure >= aim
    print(f"  {what}: {figure:.2f}   (aim {'≤' if most else '≥'} {aim}: {'ok' if kept else 'SHORT'})")
