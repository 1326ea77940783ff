"""The bytes that belong to a row and are too heavy to stand in it: sealed under the person's key wherever they lie.

Outside of the base they are put away before the row is written: cut anywhere, a row never lacks its bytes; what was put
away for nothing is swept. Whoever asks for them shows the row, which the policy has judged and the trail recorded.
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Uuid, any_, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from app.access.reading import Reading
from app.access.versions import StoredUsagerKey
from app.kernel.clock import now
from app.kernel.crypto import KeyFault, UsagerKey
from app.kernel.db import Base
from app.kernel.hot import compiled
from app.kernel.ids import uuid7
from app.kernel.objects import Objects

V = TypeVar("V", bound=msgspec.Struct)


class Content(Base):
    """`sealed`, or the name of the object that holds the same."""

    __tablename__ = "content"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "usager_id"], ["usager.organisation_id", "usager.id"]),
        CheckConstraint("num_nonnulls(sealed, object) = 1", name="somewhere"),
        Index(None, "organisation_id", "usager_id"),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    usager_id: Mapped[UUID]
    sealed: Mapped[bytes | None]
    object: Mapped[str | None]
    kept_at: Mapped[datetime] = mapped_column(default=now)


class Holder(Protocol):
    """A row as it was read, that says which content is its own."""

    @property
    def usager_id(self) -> str: ...
    @property
    def content_id(self) -> str | None: ...


class _Held(NamedTuple):
    usager_id: str
    content_id: str | None


_C, _K = Content, StoredUsagerKey
_TOLD: list[Any] = [_C.id.label("id"), _C.usager_id.label("usager_id"), _C.sealed, _C.object, _K.wrapped]
_OF = compiled(
    select(*_TOLD)
    .join(_K, (_K.organisation_id == _C.organisation_id) & (_K.usager_id == _C.usager_id))
    .where(
        _C.organisation_id == bindparam("organisation", type_=Uuid()),
        _C.id == any_(bindparam("contents", type_=ARRAY(Uuid()))),
    )
)


def sealed(key: UsagerKey, usager_id: UUID, id: UUID, clear: bytes) -> Content:
    """These bytes as they are kept, to be written beside the row of the same person."""
    return Content(id=id, usager_id=usager_id, sealed=key.seal(clear, about(id)))


async def put_away(content: Content, objects: Objects | None) -> Content:
    """Into the store of objects when this server has one, before anything is committed."""
    if objects is not None and content.sealed is not None:
        name = f"{content.organisation_id}/{content.id}"
        await objects.put(name, content.sealed)
        content.sealed, content.object = None, name
    return content


async def opened(reading: Reading, rows: Sequence[Holder], objects: Objects | None) -> Mapping[str, bytes]:
    """The clear bytes of rows just read, by content (a foreign key holds that there is one). Raises KeyFault when one is
    altered, lost or moved.
    """
    whose = {row.content_id: row.usager_id for row in rows if row.content_id}
    if not whose:
        return {}
    told: dict[str, bytes] = {}
    for found in await reading.ask(_OF, [], len(whose), {"contents": [*map(UUID, whose)]}):
        id, usager = str(found["id"]), str(found["usager_id"])
        if usager != whose[id]:
            raise KeyFault("Ce contenu est d'une autre personne que sa ligne.")
        key = reading.keyring.usager_key(found["wrapped"], usager)
        told[id] = key.open(await fetched(found["sealed"], found["object"], objects), about(id))
    return told


async def sealed_anew(
    reading: Reading, row: Any, key: UsagerKey, usager_id: UUID, objects: Objects | None
) -> Content | None:
    """The bytes of a row, for another person whom it is about to be given to: it says its new content. None without bytes.

    What it led to before stays with its former versions, and goes with their person. Raises KeyFault.
    """
    if not getattr(row, "content_id", None):
        return None
    [clear] = (await opened(reading, [_Held(str(row.usager_id), str(row.content_id))], objects)).values()
    content = await asyncio.to_thread(sealed, key, usager_id, uuid7(), clear)
    row.content_id = content.id
    return await put_away(content, objects)


async def fetched(sealed: bytes | None, name: str | None, objects: Objects | None) -> bytes:
    """As it is kept. Raises KeyFault when it lies in a store this server was not told of, or no longer."""
    if sealed is not None:
        return sealed
    if name is None or objects is None:
        raise KeyFault("Ce contenu est dans un dossier ou un compartiment que DUI_DOCUMENTS ne nomme pas.")
    try:
        return await objects.get(name)
    except FileNotFoundError:
        raise KeyFault("Un contenu manque dans DUI_DOCUMENTS.") from None


def inlined(view: V, clear: Mapping[str, bytes]) -> V:
    """A view that travels with its bytes, in base64."""
    given = clear.get(getattr(view, "content_id", None) or "")
    return view if given is None else msgspec.structs.replace(view, data=b64encode(given).decode())


def about(id: UUID | str) -> str:
    return f"content:{id}"
