"""`python -m bench access`: what access costs in a large house, when a right that ends is heard, what the seal costs.

Ratios within one run; statement counts are tests, not figures.
"""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import asyncpg

from app.config import Settings
from app.kernel import postgres
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from app.kernel.ids import uuid7
from app.kernel.roles import DATABASE, OWNER
from app.security import sessions
from app.security.models import Account
from app.security.principal import Role
from bench import policy, revocation, sealing
from bench.population import ROLES, STRUCTURES, House, people
from bench.served import ORIGIN, Served

UNSEALED = "dui_unsealed"


def run(server: postgres.Server, keyring: Keyring, env: dict[str, str]) -> None:
    began = time.monotonic()
    house, tokens = asyncio.run(_staged(server, keyring))
    print(f"{len(house.ids['usager'])} usagers, {len(house.ids['professional'])} professionals", end="")
    print(f", made in {time.monotonic() - began:.0f} s")
    config = Settings(
        database_url=server.app_url,
        key_file=Path(env["DUI_KEY_FILE"]),
        data=Path(env["DUI_DATA"]),
        demo=True,
        pool_size=2,
    )
    asyncio.run(policy.measure(policy.cases(config, house, tokens), house, server.app_url, _as_superuser(server)))
    asyncio.run(_copied(server))
    without = env | {"DUI_DATABASE_URL": _of(UNSEALED, server.app_url), "DUI_SEALER_DATABASE_URL": ""}
    served = {"sealed": Served("app.main:served", env, "--factory")}
    try:
        served["unsealed"] = Served("app.main:served", without, "--factory")
        asyncio.run(sealing.measure(served["sealed"], served["unsealed"], house, tokens, server.owner_url))
        asyncio.run(revocation.measure(served["sealed"], house, tokens, server.owner_url))
    finally:
        for s in served.values():
            s.stop()


async def _staged(server: postgres.Server, keyring: Keyring) -> tuple[House, dict[int, str]]:
    """The house, and a token for each professional, by number."""
    superuser = await asyncpg.connect(_as_superuser(server))
    house = await people(superuser, keyring)
    await superuser.close()
    base, tokens = Database(server.owner_url, 1), {}
    async with base.session(None) as session:
        for n in range(len(ROLES) * STRUCTURES):
            account = Account(id=uuid7(), login=f"bench-{n}", name="bench")
            session.add(account)
            await session.flush()
            who = (house.organisation_id, house.ids["professional"][n], house.ids["membership"][n])
            place, ttl = sessions.Place(*who, Role(ROLES[n // STRUCTURES])), timedelta(hours=2)
            tokens[n] = (await sessions.open_staff(session, keyring, ORIGIN, account.id, place, ttl=ttl)).token
        await session.commit()
    await base.close()
    return house, tokens


async def _copied(server: postgres.Server) -> None:
    """The same base again, that no sealer looks at."""
    superuser = await asyncpg.connect(server.superuser_url)
    await superuser.execute(f"CREATE DATABASE {UNSEALED} TEMPLATE {DATABASE} OWNER {OWNER}")
    await superuser.close()


def _as_superuser(server: postgres.Server) -> str:
    return server.superuser_url.replace("@/postgres?", f"@/{DATABASE}?")


def _of(database: str, url: str) -> str:
    return url.replace(f"@/{DATABASE}?", f"@/{database}?")
