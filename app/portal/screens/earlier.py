"""A list told page after page, the latest first: the sealed place where the next one begins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import DateTime, Uuid, bindparam, tuple_

from app.access.entry import DossierEntry
from app.access.gate import Listing, Reading
from app.kernel import paging
from app.portal.frame import Screen

_place = tuple_(bindparam("before_at", type_=DateTime(timezone=True)), bindparam("before_id", type_=Uuid()))


def earlier(listing: Listing, table: type[DossierEntry]) -> Listing:
    """The same, from that place on."""
    return Listing(listing.where & (tuple_(table.occurred_at, table.id) < _place), listing.order, usager=listing.usager)


def place(reading: Reading, screen: Screen, before: str | None) -> dict[str, object]:
    """The values of `earlier`. Raises Unreadable."""
    if not before:
        return {}
    at = cast(list[object], paging.unseal(reading.keyring, _bound(reading, screen), before)["at"])
    before_at, before_id = paging.position(at, (datetime, UUID))
    return {"before_at": before_at, "before_id": before_id}


def older(reading: Reading, screen: Screen, shown: Sequence[Any], rows: Sequence[Any]) -> str | None:
    """The address of what comes after `shown`, when there is more in `rows`."""
    if len(shown) >= len(rows):
        return None
    at = [shown[-1].occurred_at, shown[-1].id]
    return f"{screen.path}?avant={paging.seal(reading.keyring, _bound(reading, screen), {'at': at})}"


def _bound(reading: Reading, screen: Screen) -> str:
    return f"{reading.principal.id}:{screen}"
