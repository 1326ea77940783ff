"""Two persons alike but for an alert, a judicial request, a note that names a third party: their pages are one, byte for byte."""

import asyncio
import re
from datetime import date, timedelta
from typing import Any

import pytest

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import uuid7
from tests.features.access_log.facts import trace
from tests.portal.visitor import visit
from tests.world import World, _usager

pytestmark = pytest.mark.threat("trail-alert-betrayed")
WHEN = now() - timedelta(hours=3)
NOTICE = "Certaines lectures ne sont pas affichées. La loi le demande."
MINE = "DELETE FROM audit_entry WHERE usager_id = $1 AND principal_kind = 'usager' RETURNING 1"
SECRET = re.compile(rb'name="csrf" value="[^"]+"')
HELD_BACK: list[dict[str, Any]] = [
    {"kind": "alert"},
    {"kind": "alert", "action": "create"},
    {"kind": "alert", "action": "read", "outcome": "empty"},
    {"ground": "loi"},
    {"role": "evaluateur"},
    {"outcome": "refused"},
]


@pytest.fixture(scope="module")
def twins(world: World) -> tuple[str, str]:
    """Alike: name, birth, house, and the same lines at the same moments. The second has more, none of which may show."""
    for name in ("plain", "marked"):
        _newcomer(world, name)
        for n, how in enumerate(({}, {"kind": "goal"}, {"action": "create"})):
            trace(world, name, uuid7(), at=WHEN + timedelta(minutes=n), **how)
    for n, how in enumerate(HELD_BACK):
        for at in (WHEN + timedelta(seconds=10 * n), WHEN - timedelta(days=45), WHEN + timedelta(minutes=1)):
            trace(world, "marked", uuid7(), at=at, **how)
    return "plain", "marked"


def _newcomer(world: World, name: str) -> None:
    async def write() -> None:
        base = Database(world.database.owner_url, 1)
        async with base.session(None) as session:
            await _usager(world, session, name, "PAREIL", "Camille", date(1990, 5, 5), "mas_fam")
            await session.commit()
        await base.close()

    asyncio.run(write())


def test_the_visits_told_are_the_same_to_the_byte(world: World, twins: tuple[str, str]) -> None:
    first, second = (world.get(who, "/api/v1/me/access") for who in twins)
    assert first.content == second.content
    assert len(first.json()["items"]) == 3
    varying = {"x-request-id", "date"}
    headers = [{k: v for k, v in answer.headers.items() if k not in varying} for answer in (first, second)]
    assert headers[0] == headers[1]


def test_so_is_the_page(world: World, twins: tuple[str, str]) -> None:
    """Opened for the first time; only the secret of its forms differs."""
    pages = []
    for who in twins:
        visitor = visit(world, who)
        world.rows(MINE, world.ids[who])  # the door and the looks of before: at other moments
        page = visitor.get("/mon-dossier/acces")
        pages.append(SECRET.sub(b"", page.content))
        assert (page.status_code, NOTICE in page.text) == (200, True)
    assert pages[0] == pages[1]


def test_days_before_end_at_the_same_day(world: World, twins: tuple[str, str]) -> None:
    """A held-back line of forty-five days ago must not promise that there is more to see."""
    first, second = (world.get(who, "/api/v1/me/access").json()["before"] for who in twins)
    assert (first, second) == (None, None)


def test_the_same_statements_are_asked(world: World, twins: tuple[str, str]) -> None:
    counts = []
    for who in twins:
        with world.statements() as sql:
            world.get(who, "/api/v1/me/access")
        counts.append(sql.sql)
    assert counts[0] == counts[1]
