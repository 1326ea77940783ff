"""`python -m bench sending`: whether `dui exchange send` takes for many dossiers the memory of a few.

Each run is a process of its own; its high-water mark of resident memory is what the system says when it has ended.
"""

import asyncio
import os
import secrets
import subprocess
import sys
from pathlib import Path
from statistics import median
from unittest import mock

import asyncpg

from app.demo import seed
from app.kernel import postgres
from app.kernel.crypto import Keyring
from app.kernel.db import Database
from bench.partner import CLIENT, known

FEW, MANY = 10, 200  # dossiers, each of a person, a stay and sixty notes
AIM = 1.1
RUNS = 2  # of each, in turns
LOGIN = "bench"
# A process told by another, small one: it would start with the mark of who starts it.
WATCHED = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def run(server: postgres.Server, keyring: Keyring, env: dict[str, str]) -> None:
    made = asyncio.run(_staged(server, keyring))
    place, password = str(made.structures[0]), secrets.token_urlsafe(16)
    words = ("--given-name", "A", "--family-name", "B", "--role", "chef_de_service", "--structure", place)
    _typed(env, password, "account", "add", LOGIN, *words, "--password-stdin")
    how = ("--structure", place, "--to", CLIENT, "--ground", "loi", "--article", "CASF L241-10", "--by", LOGIN)
    marks: dict[int, list[float]] = {FEW: [], MANY: []}
    for turn in range(RUNS):
        for many, found in marks.items():
            folder, whose = Path(env["DUI_DATA"]) / f"sent-{many}-{turn}", map(str, made.usagers[:many])
            found.append(_typed(env, password, "exchange", "send", *whose, *how, "--folder", str(folder)))
            if len(list(folder.iterdir())) != many:
                raise RuntimeError(f"{many} dossiers were asked for")
    _tell(marks)


async def _staged(server: postgres.Server, keyring: Keyring) -> seed.Seeded:
    """One house of many, and a partner that it knows."""
    owner = await asyncpg.connect(server.owner_url)
    with mock.patch.object(seed, "USAGERS_PER_HOUSE", MANY):
        made = await seed.seed(owner, keyring, MANY, 1)
    await owner.execute("ANALYZE")
    await owner.close()
    base = Database(server.owner_url, 1)
    async with base.session(None) as session:
        await known(session, made.organisation_id, made.structures[0])
        await session.commit()
    await base.close()
    return made


def _typed(env: dict[str, str], password: str, *words: str) -> float:
    """Its high-water mark, in MB. Raises CalledProcessError when the command fails."""
    command = [sys.executable, "-c", WATCHED, sys.executable, "-m", "app.cli", *words]
    told = subprocess.run(
        command, env=os.environ | env, input=f"{password}\n", capture_output=True, text=True, check=True
    )
    return int(told.stdout) / 1024


def _tell(marks: dict[int, list[float]]) -> None:
    print(f"\ndui exchange send, high-water mark of resident memory; the median of {RUNS} runs")
    for many, found in marks.items():
        print(f"  {many:4} dossiers {median(found):6.0f} MB   from {min(found):.0f} to {max(found):.0f}")
    ratio = median(marks[MANY]) / median(marks[FEW])
    print(f"  {MANY} / {FEW}: {ratio:.2f}   (aim ≤ {AIM}: {'ok' if ratio <= AIM else 'SHORT'})")
