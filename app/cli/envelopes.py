"""What `dui exchange send` writes down: a folder for each person, whole or not at all, for the eyes of who asked."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from app.exchange import sent
from app.exchange.sending_schemas import SentOut


@contextmanager
def folder(place: Path) -> Iterator[None]:
    """Made before anything is prepared; gone when nothing was put in it. Raises OSError where nothing can be written."""
    place.mkdir(mode=0o700, parents=True)
    try:
        yield
    finally:
        with suppress(OSError):
            place.rmdir()


@contextmanager
def envelope(place: Path) -> Iterator[Callable[[SentOut, bytes], None]]:
    """`write(manifest, bundle)` puts both on the disk, under a name that says it is not done; they have their own name
    once the block ends well. The transaction that says they left is inside the block: nothing written, nothing left.
    """
    waiting = place.with_name(f".{place.name}.part")
    waiting.mkdir(mode=0o700)

    def write(manifest: SentOut, body: bytes) -> None:
        bundle = waiting / ("bundle.xml" if sent.is_xml(body) else "bundle.json")
        told = msgspec.json.format(msgspec.json.encode(manifest))
        for file, content in ((bundle, body), (waiting / "manifest.json", told)):
            file.touch(mode=0o600)
            with file.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())

    try:
        yield write
    except BaseException:
        shutil.rmtree(waiting)
        raise
    waiting.rename(place)
