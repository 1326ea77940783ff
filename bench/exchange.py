"""`python -m bench exchange`: what a partner's bundle costs against one validated insert of the same JSON, and what a
whole dossier costs to tell against a bare `json_agg` of the same rows.

Ratios within one run; statement counts are tests, not figures. A rate is of this machine as loaded as it says it is.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from statistics import median

import asyncpg

from app.access.entry import DossierEntry
from app.access.models import Membership, MembershipStructure, Professional
from app.api.resources import REGISTRY
from app.features.structures.models import Organisation, Structure
from app.kernel import postgres
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.security import sessions
from app.security.models import Account
from app.security.principal import Role
from bench.bundles import mixed
from bench.load import TICK, cpu, drive, family_cpu, sent
from bench.partner import SCOPES, known
from bench.served import ORIGIN, Served

ENTRIES, DOSSIER = 50, 200  # of a bundle; resources of the dossier told
BUNDLES = 20  # of each turn
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
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
    organisation, tokens = asyncio.run(_staged(server, keyring))
    env |= {"BENCH_ORGANISATION": organisation}
    served = {"us": Served("app.main:served", env, "--factory")}
    try:
        served["rival"] = Served("bench.rivals:app", env)
        asyncio.run(_measured(served, tokens, server))
    finally:
        for s in served.values():
            s.stop()


async def _staged(server: postgres.Server, keyring: Keyring) -> tuple[str, dict[str, str]]:
    """An organisation of one house; the tokens of a partner that it knows, and of its chief."""
    organisation, place, chief, membership = (uuid7() for _ in range(4))
    base = Database(server.owner_url, 1)
    async with base.session(None) as session:
        session.add(Organisation(organisation_id=organisation, name="Association", finess=None))
        await session.flush()
        session.add(Structure(organisation_id=organisation, id=place, name="Maison", model="ime"))
        account = Account(id=uuid7(), login="chief", name="Chief")
        session.add(account)
        session.add(Professional(organisation_id=organisation, id=chief, family_name="Petit", given_name="Camille"))
        await session.flush()
        works = {"professional_id": chief, "role": Role.CHEF_DE_SERVICE.value, "starts": date(2020, 1, 1)}
        session.add(Membership(organisation_id=organisation, id=membership, **works))
        await session.flush()
        session.add(MembershipStructure(organisation_id=organisation, membership_id=membership, structure_id=place))
        partner, ttl = await known(session, organisation, place), timedelta(hours=2)
        from_ = await sessions.open_partner(session, keyring, ORIGIN, (organisation, partner), place, SCOPES, ttl=ttl)
        at = sessions.Place(organisation, chief, membership, Role.CHEF_DE_SERVICE)
        inside = await sessions.open_staff(session, keyring, ORIGIN, account.id, at, ttl=ttl)
        await session.commit()
    await base.close()
    return str(organisation), {"partner": from_.token, "chief": inside.token}


async def _measured(served: dict[str, Served], tokens: dict[str, str], server: postgres.Server) -> None:
    superuser = await asyncpg.connect(server.superuser_url)
    postmaster = int(await superuser.fetchval("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"))
    await superuser.close()
    pids = {name: s.process.pid for name, s in served.items()}
    ports = {name: s.port for name, s in served.items()}
    doors = {"us": ("us", "/fhir"), "models": ("rival", "/transaction"), "reader": ("rival", "/read")}

    async def arriving(name: str, _: float) -> int:
        who, path = doors[name]
        bodies = [mixed(next(NEVER_TWICE), ENTRIES) for _ in range(BUNDLES)]
        await sent(ports[who], path, tokens["partner"], bodies)
        return BUNDLES * ENTRIES

    for name in doors:
        await arriving(name, 0)
    await _analysed(server.owner_url)
    found = await _turns({name: pids[who] for name, (who, _) in doors.items()}, postmaster, arriving)
    print(f"\na transaction of {ENTRIES} entries of eleven kinds, by the resource; rivals that insert what was checked")
    _say("by the models of fhir.resources, or by our own reader", found)
    _judge("CPU, us / models", _ratio(found, lambda f: f.cpu, "models"), CPU_AIM, most=True)
    print(f"  CPU, us / our own reader: {_ratio(found, lambda f: f.cpu, 'reader'):.2f}")
    _judge("resources/s, on 2 idle cores", median(f.rate for f in found["us"]), RATE_AIM)

    paths = await _dossier(ports["us"], tokens["partner"], server.owner_url)
    for who, token in tokens.items():

        async def telling(name: str, seconds: float, token: str = token) -> int:
            told = await drive(ports[name], pids[name], [paths[name]], token, seconds=seconds, connections=4)
            return told.requests

        found = await _turns(pids, postmaster, telling)
        _say(f"\n$everything of {DOSSIER} resources, to a {who}; a rival that has the same rows from json_agg", found)
        _judge("throughput, us / rival", _ratio(found, lambda f: f.rate), EVERYTHING_AIM)


async def _analysed(owner_url: str) -> None:
    """As autovacuum leaves a base that has lived."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute("ANALYZE")
    await owner.close()


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
    await owner.close()
    await _analysed(owner_url)
    if sum(rows.values()) != DOSSIER:
        raise RuntimeError(f"{sum(rows.values())} rows, not {DOSSIER}")
    ours = f"/fhir/Patient/{person}/$everything?_count={DOSSIER}"
    return {"us": ours, "rival": f"/everything/{person}?tables={','.join(rows)}"}


def _ratio(found: dict[str, list[Figure]], of: Callable[[Figure], float], rival: str = "rival") -> float:
    return median(of(a) / of(b) for a, b in zip(found["us"], found[rival], strict=True))


def _say(what: str, found: dict[str, Sequence[Figure]]) -> None:
    print(f"{what}; load average {os.getloadavg()[0]:.1f}")
    for name, figures in found.items():
        app, pg, rate = (median(getattr(f, part) for f in figures) for part in ("app", "pg", "rate"))
        print(f"  {name:6} {app:8.0f} µs of app CPU, {pg:8.0f} of Postgres   {rate:8.0f} a second")


def _judge(what: str, figure: float, aim: float, *, most: bool = False) -> None:
    kept = figure <= aim if most else figure >= aim
    print(f"  {what}: {figure:.2f}   (aim {'≤' if most else '≥'} {aim}: {'ok' if kept else 'SHORT'})")
