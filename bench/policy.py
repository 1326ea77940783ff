"""What the policy costs a list or a search: the very statements of our routes, against the same without it, as superuser.

The routes are asked once each by several callers and their statements noted as they reach the driver; then once more with
a policy that keeps only the tenant. Both are run in turns, each on a connection of its own, trace and flush included.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any
from unittest import mock

import asyncpg
from sqlalchemy import null
from starlette.testclient import TestClient

from app.access import questions, union
from app.access.facts import ORGANISATION
from app.config import Settings
from app.kernel.hot import SET_TENANT, SETTINGS, HotQuery, TenantConnection
from app.main import create_app
from bench.population import House
from bench.served import ORIGIN

AIM = 1.3
ROUNDS = 5
CALLERS = 3  # of each role
STAFF = ("educateur", "infirmier", "chef_de_service")
PATHS = {
    "usagers, by name": "/api/v1/usagers",
    "usagers, by prefix": "/api/v1/usagers?name=famille",
    "transmissions, latest": "/api/v1/transmissions",
    "transmissions of one": "/api/v1/transmissions?usager={usager}",
    "agenda of a week": "/api/v1/events?since=2025-11-03&until=2025-11-10",
    "stays": "/api/v1/stays",
    "FHIR Patient": "/fhir/Patient",
    "FHIR DocumentReference?patient": "/fhir/DocumentReference?patient={usager}&_count=50",
    "FHIR Encounter?date": "/fhir/Encounter?date=ge2025-11-03&date=lt2025-11-10",
}
KEPT: dict[str, Any] = {  # each statement prepared once, as the hot lane does
    "max_cached_statement_lifetime": 0,
    "max_cacheable_statement_size": 0,
    "server_settings": SETTINGS,
}
Statement = tuple[HotQuery, list[object]]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    role: str
    ours: Sequence[Statement]
    bare: Sequence[Statement]


def cases(config: Settings, house: House, tokens: dict[int, str]) -> list[Case]:
    """The statements of each path and role, with the policy and without."""
    paths = {
        (name, role): [
            (path.format(usager=house.usagers_of(p)[p % 50]), tokens[p]) for p in house.of_role(role)[:CALLERS]
        ]
        for name, path in PATHS.items()
        for role in STAFF
    }
    quiet = redirect_stdout(StringIO())
    with quiet, TestClient(create_app(config), base_url=ORIGIN) as client:
        ours = {asked: _noted(client, each) for asked, each in paths.items()}
        with _without_policy():
            bare = {asked: _noted(client, each) for asked, each in paths.items()}
    return [Case(name, role, ours[name, role], bare[name, role]) for name, role in paths]


def _noted(client: TestClient, asked: Sequence[tuple[str, str]]) -> list[Statement]:
    """Raises RuntimeError unless each answer is 200, in one statement."""
    noted: list[Statement] = []
    with mock.patch.object(TenantConnection, "ask", _noting(noted)):
        for path, token in asked:
            told = client.get(path, headers={"Authorization": f"Bearer {token}"})
            if told.status_code != 200:
                raise RuntimeError(f"{path.partition('?')[0]}: {told.status_code}")
    if len(noted) != len(asked):
        raise RuntimeError(f"{len(noted)} statements for {len(asked)} requests")
    return noted


def _noting(noted: list[Statement]):
    ask = TenantConnection.ask

    async def noting(self, tenant, query, values):
        noted.append((query, query.arguments(values)))
        return await ask(self, tenant, query, values)

    return noting


@contextmanager
def _without_policy() -> Iterator[None]:
    """Every row of the tenant, under no ground; looked for in the same houses. Nothing of it is kept."""
    kept = (questions.hot, union.asking)

    def everything(caller, action, row, *_):
        return row.organisation_id == ORGANISATION

    for cache in kept:
        cache.cache_clear()
    instead = {"allowed": everything, "ground": lambda *_: null()}
    with mock.patch.multiple(questions, **instead), mock.patch.multiple(union, **instead):
        yield
    for cache in kept:
        cache.cache_clear()


async def measure(found: Sequence[Case], house: House, app_url: str, superuser_url: str) -> None:
    app, bare = await asyncpg.connect(app_url, **KEPT), await asyncpg.connect(superuser_url, **KEPT)
    await app.fetchval(SET_TENANT, str(house.organisation_id))
    print(f"\npolicy, against the same without it as superuser   (aim ≤ {AIM})")
    for case in found:
        rounds = []
        for turn in range(ROUNDS + 1):
            a, b = await _run(app, case.ours), await _run(bare, case.bare)
            b, a = b + await _run(bare, case.bare), a + await _run(app, case.ours)
            if turn:  # the first round warms
                rounds.append((a, b))
        _tell(case, rounds)
    await app.close()
    await bare.close()


async def _run(connection: asyncpg.Connection, statements: Sequence[Statement]) -> float:
    began = time.perf_counter()
    for query, values in statements:
        await connection.fetch(query.sql, *values)
    return time.perf_counter() - began


def _tell(case: Case, rounds: Sequence[tuple[float, float]]) -> None:
    each = 1000 / (2 * len(case.ours))
    ours, bare = (statistics.median(r[i] for r in rounds) * each for i in (0, 1))
    ratio = statistics.median(a / b for a, b in rounds)
    verdict = "ok" if ratio <= AIM else "SHORT"
    print(f"  {case.name:32} {case.role:16} {ours:7.2f} ms / {bare:7.2f} ms = {ratio:5.2f}   {verdict}")
