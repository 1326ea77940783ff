"""The rules of a document: its type is what its bytes say, its bytes never change, they leave as an attachment."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, true

from app.access import contents
from app.access.entry import ME, Who
from app.access.gate import Gate, Listing, Reading
from app.access.http import whom
from app.access.permissions import Action, Category, Visibility
from app.features.documents import files, using
from app.features.documents.models import Document
from app.features.documents.schemas import DocumentForm, DocumentPatch, FileView, MyDocumentForm, SameFile
from app.features.usagers.schemas import UsagerLine
from app.kernel.clock import now
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.ids import uuid7
from app.kernel.objects import Objects

NEWEST_FIRST = ("occurred_at", "id")
ALL = Listing(true(), NEWEST_FIRST)
OF_USAGER = Listing(Document.usager_id == bindparam("usager", type_=Uuid()), NEWEST_FIRST, usager="usager")
SAME = Listing(
    (Document.usager_id == bindparam("usager", type_=Uuid()))
    & (Document.author_id == ME)
    & (Document.sha256 == bindparam("sha256", type_=Text())),
    NEWEST_FIRST,
    usager="usager",
)
SHOWN_BY_ITSELF = (Category.ADMINISTRATIVE, Category.SUPPORT)
ALONE = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
UNTITLED = {True: "Ma photo", False: "Mon document"}  # whether it is an image
THEIRS = "Cette personne a ajouté ce document elle-même : son titre, et qui le voit, sont à elle."
USED = "L'équipe se sert de ce document : il reste au dossier. Parlez-en avec elle."
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._-]+")


class Named(Protocol):
    """What the name of a file is made of."""

    @property
    def title(self) -> str: ...
    @property
    def content_type(self) -> str | None: ...
    @property
    def sha256(self) -> str | None: ...


async def file(gate: Gate, said: DocumentForm, declared: str | None, clear: bytes, objects: Objects | None) -> Document:
    """The row and its bytes, both or none. The caller settles the gate. Raises Invalid, TooLarge, OutOfReach."""
    kind = files.checked(declared, clear)
    _check_period(said.period_starts, said.period_ends)
    values = _people(said.model_dump(exclude={"content", "content_type", "visibility"}))
    usual = Visibility.SHARED if said.category in SHOWN_BY_ITSELF else Visibility.NOT_SHARED
    values["visibility"] = said.visibility or usual.value
    return await _kept(gate, values, kind, clear, objects)


async def add_mine(
    gate: Gate, said: MyDocumentForm, declared: str | None, clear: bytes, objects: Objects | None
) -> Document:
    """By the person: a photo or a PDF, for their team. Raises Invalid, TooLarge, MayNot."""
    kind = files.checked(declared, clear, kinds=files.PAPERS)
    mine = await gate.get(UsagerLine, whom(gate))
    values = {
        "usager_id": UUID(mine.id),
        "structure_id": UUID(mine.structure_id),
        "title": said.title or UNTITLED[kind.startswith("image/")],
        "written_on": said.written_on,
        "category": (Category.CARE if said.care else Category.SUPPORT).value,
        "visibility": (Visibility.NOT_SHARED if said.only_team else Visibility.SHARED).value,
    }
    return await _kept(gate, values, kind, clear, objects)


async def added_already(reading: Reading, clear: bytes) -> bool:
    """These very bytes, by who asks: a button pressed twice."""
    sha256 = hashlib.sha256(clear).hexdigest()
    return bool(await reading.list(SameFile, SAME, 1, usager=whom(reading), sha256=sha256))


async def take_back(gate: Gate, id: UUID, version: int | None = None) -> None:
    """By who added it. Raises Conflict once the team wrote on it, named it or sent it."""
    row = await gate.entry(Document, id, Action.DELETE, version)
    if row.version > 1 or (await gate.get(using.view(), id)).used:
        raise Conflict(USED, code="document.used")
    await gate.remove(row)


async def _kept(gate: Gate, values: dict[str, Any], kind: str, clear: bytes, objects: Objects | None) -> Document:
    id = uuid7()
    row = gate.add(Document(**values, content_type=kind, **of_file(clear, id)))
    await gate.flush()  # nobody's bytes are put away before the policy said that this row may be
    key = await gate.key_of(row.usager_id)
    content = contents.sealed(key, row.usager_id, id, clear)
    gate.beside(content)
    await contents.put_away(content, objects)
    return row


def of_file(clear: bytes, content_id: UUID) -> dict[str, Any]:
    """What the row says of its bytes, but their type."""
    told = {"size": len(clear), "sha256": hashlib.sha256(clear).hexdigest()}
    sha1 = hashlib.sha1(clear, usedforsecurity=False).digest()  # R4 tells no other; ours is the SHA-256
    return {**told, "sha1": b64encode(sha1).decode(), "content_id": content_id}


async def change(gate: Gate, id: UUID, version: int, said: DocumentPatch) -> Document:
    """Raises Conflict when it would change what the person said of their own paper."""
    row = await gate.entry(Document, id, Action.UPDATE, version)
    values = _people(said.model_dump(exclude_unset=True))
    if row.author_kind == Who.USAGER and (touched := values.keys() & {"title", "visibility"}):
        raise Conflict(THEIRS, where=f"/{min(touched)}", code="document.theirs")
    _check_period(values.get("period_starts", row.period_starts), values.get("period_ends", row.period_ends))
    if values.get("status", row.status) != row.status:
        values |= {
            "status_changed_at": now(),
            "status_author_id": gate.principal.id,
            "status_author_kind": Who.PROFESSIONAL,
        }
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Document, id, Action.DELETE, version))


async def handed(reading: Reading, id: UUID, objects: Objects | None) -> tuple[FileView, bytes]:
    """A document within reach and its bytes. Raises OutOfReach, Gone; NotFound when only its sender has them."""
    view = await reading.get(FileView, id)
    if view.content_id is None:
        raise NotFound("Ce document n'a pas de fichier ici.", code="document.no_file")
    told = await contents.opened(reading, [view], objects)
    return view, told[view.content_id]


def headers(view: Named) -> Mapping[str, str]:
    """Never shown by a browser in our name: saved, whatever its type."""
    return {
        "Content-Disposition": f"attachment; filename=\"{_plain(view)}\"; filename*=UTF-8''{quote(named(view.title, view.content_type), safe='')}",
        "Content-Security-Policy": ALONE,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "ETag": f'"{view.sha256}"',
    }


def named(title: str, content_type: str | None) -> str:
    """Its title as a name of file: no folder, no control character."""
    title = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else " " for c in title).strip(" .") or "document"
    return f"{title[:100]}.{files.EXTENSIONS.get(content_type or '', 'bin')}"


def _plain(view: Named) -> str:
    return _NOT_PLAIN.sub("_", named(view.title, view.content_type))


def _people(values: dict[str, Any]) -> dict[str, Any]:
    """Who is told by an id here is of the house."""
    for who in ("writer", "authenticator"):
        if f"{who}_id" in values:
            values[f"{who}_kind"] = Who.PROFESSIONAL if values[f"{who}_id"] else None
    return values


def _check_period(starts: datetime | None, ends: datetime | None) -> None:
    if starts and ends and ends < starts:
        raise Invalid("Une période finit après avoir commencé.", where="/period_ends", code="document.ends_before")
