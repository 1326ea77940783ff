"""The keys a partner signs with: given once, or published at an https address of its own and read again when needed.

What was read is kept with the partner, so that all workers ask at most once a minute between them. A key that was
replaced verifies until the end of its overlap (`until`), then no more.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, update

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.errors import Invalid
from app.security import jose
from app.security.models import PartnerClient
from app.security.outbound import Outbound, Unreachable

Key = dict[str, Any]
FRESH = timedelta(hours=1)  # before an address is asked again
KEPT = timedelta(hours=24)  # how long what it said holds when it answers no more
APART = timedelta(minutes=1)  # between two questions to one address, an unknown kid or not
UNREAD = "Les clés ne sont pas lisibles à cette adresse : https, un JWKS de 64 Kio au plus, sans redirection."

log = logging.getLogger("dui")


def running(jwks: Iterable[Key], read_at: datetime | None) -> list[Key]:
    """Those that verify now; `read_at` is None when they were given, not read at an address."""
    if read_at is not None and now() - read_at > KEPT:
        return []
    moment = now().timestamp()
    return [key for key in jwks if key.get("until", moment + 1) > moment]


def replaced(old: Iterable[Key], new: Sequence[Key], overlap: timedelta) -> list[Key]:
    """The new keys first; the old ones that they do not repeat, until the overlap is over. Raises Invalid.

    A key keeps its name: the same kid on another key would turn what it signed before into forgeries.
    """
    known = {key["kid"]: key for key in new}
    end = (now() + overlap).timestamp()
    leaving = []
    for key in running(old, None):
        bare = {name: value for name, value in key.items() if name != "until"}
        if key["kid"] not in known:
            leaving.append({**bare, "until": min(end, key.get("until", end))})
        elif known[key["kid"]] != bare:
            raise Invalid("Une clé nouvelle porte le kid d'une ancienne : donnez-lui un autre kid.", where="/jwks/keys")
    return [*new, *(key for key in leaving if key["until"] > now().timestamp())]


async def read(outbound: Outbound, url: str) -> list[dict[str, str]]:
    """The public keys published there. Raises Invalid."""
    try:
        return jose.public_keys(json.loads(await outbound.read(url)))
    except (Unreachable, ValueError, RecursionError):
        raise Invalid(UNREAD, where="/jwks") from None


async def known(database: Database, outbound: Outbound, client: Any, kid: str) -> Sequence[Mapping[str, Any]]:
    """The keys of this client (a row of `client_of`), read again when they are old or do not hold this one."""
    kept = running(client.jwks, client.jwks_read_at)
    if client.jwks_url is None:
        return kept
    old = client.jwks_read_at is None or now() - client.jwks_read_at > FRESH
    if not old and kid in {key["kid"] for key in kept}:
        return kept
    if not await _my_turn(database, client.organisation_id, client.partner_id):
        return kept
    try:
        fresh: Sequence[Key] = await read(outbound, client.jwks_url)
    except Invalid:
        log.warning("partner.keys_unread")
        return kept
    names = {key["kid"] for key in fresh}
    told = [*fresh, *(key for key in running(client.jwks, None) if "until" in key and key["kid"] not in names)]
    await _keep(database, client.organisation_id, client.partner_id, jwks=told, jwks_read_at=now())
    return told


async def _my_turn(database: Database, organisation_id: UUID, partner_id: UUID) -> bool:
    """The row decides between workers, and remembers through a restart."""
    p = PartnerClient
    asleep = or_(p.jwks_asked_at.is_(None), p.jwks_asked_at <= now() - APART)
    return await _keep(database, organisation_id, partner_id, asleep, jwks_asked_at=now())


async def _keep(database: Database, organisation_id: UUID, partner_id: UUID, *when: Any, **values: Any) -> bool:
    p = PartnerClient
    query = update(p).where(p.organisation_id == organisation_id, p.id == partner_id, *when).values(**values)
    async with database.session(organisation_id) as session:
        done = await session.scalar(query.returning(p.id))
        await session.commit()
    return done is not None
