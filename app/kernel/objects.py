"""Where sealed contents lie when they do not stand in the base: a folder of this machine, or an S3-compatible store.

Names are ids of ours, never a received word; what is inside is sealed before it comes here.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError as Unreached
from obstore.store import LocalStore, from_url

__all__ = ["IN_BASE", "Misplaced", "Objects", "Unreached", "folder", "opened"]

IN_BASE = "postgres"
REMOTE = frozenset({"s3"})  # credentials and endpoint come from AWS_* as every tool of that world reads them


class Misplaced(ValueError):
    """DUI_DOCUMENTS names no place we know."""


@dataclass(frozen=True, slots=True)
class Objects:
    store: Any

    async def put(self, name: str, data: bytes) -> None:
        await obstore.put_async(self.store, name, data)

    async def get(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        return bytes(await (await obstore.get_async(self.store, name)).bytes_async())

    async def delete(self, name: str) -> None:
        """Gone already: it is gone."""
        with suppress(FileNotFoundError):
            await obstore.delete_async(self.store, name)

    async def holds(self, name: str) -> bool:
        try:
            await obstore.head_async(self.store, name)
        except FileNotFoundError:
            return False
        return True

    async def names(self) -> AsyncIterator[tuple[str, datetime]]:
        """Each object, and when it was put there."""
        async for batch in obstore.list(self.store):
            for each in batch:
                yield each["path"], each["last_modified"]


def folder(place: str) -> Path | None:
    """Of this machine, when that is where they lie."""
    told = urlsplit(place)
    local = told.scheme == "file" and told.path.startswith("/") and not told.netloc
    return Path(unquote(told.path)) if local else None


def opened(place: str) -> Objects | None:
    """None: in the base. Raises Misplaced."""
    if place == IN_BASE:
        return None
    if here := folder(place):
        here.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Objects(LocalStore(here))
    told = urlsplit(place)
    if told.scheme in REMOTE and told.netloc:
        return Objects(from_url(place))
    raise Misplaced("DUI_DOCUMENTS attend postgres, file:///un/dossier ou s3://compartiment/prefixe.")
